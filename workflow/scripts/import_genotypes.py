"""Bring the user's genotypes into PLINK bed with canonical chromosome names."""

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.logs import rule_log
from soyfold.genotypes.importing import import_genotypes

with rule_log(snakemake.log[0]):
    import_genotypes(
        snakemake.input.genotypes,
        settings=snakemake.params.settings,
        chromosomes=read_chromosomes(snakemake.input.chromosomes),
        prefix=snakemake.output.bed.removesuffix(".bed"),
        variants=snakemake.output.variants,
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
    )
