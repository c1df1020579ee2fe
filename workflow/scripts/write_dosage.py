"""Turn the imputed genotypes into a memory-mapped matrix of ALT counts."""

from soyfold.cohort.dosage import write_dosage
from soyfold.common.logs import rule_log

with rule_log(snakemake.log[0]):
    write_dosage(
        snakemake.input.bed,
        dosage=snakemake.output.dosage,
        samples=snakemake.output.samples,
        variants=snakemake.output.variants,
    )
