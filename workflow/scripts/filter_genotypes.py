"""Filter samples and variants; count what each filter removes."""

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.logs import rule_log
from soyfold.genotypes.filters import filter_genotypes

with rule_log(snakemake.log[0]):
    filter_genotypes(
        snakemake.input.bed.removesuffix(".bed"),
        snakemake.input.variants,
        chromosomes=read_chromosomes(snakemake.input.chromosomes),
        thresholds=snakemake.params.thresholds,
        prefix=snakemake.output.bed.removesuffix(".bed"),
        samples=snakemake.output.samples,
        variants=snakemake.output.variants,
        counts=snakemake.output.counts,
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
    )
