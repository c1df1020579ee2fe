"""Fill the missing calls of chromosomes and count how masked calls come back."""

from soyfold.common.logs import rule_log
from soyfold.imputation.imputing import impute_chromosomes

with rule_log(snakemake.log[0]):
    impute_chromosomes(
        snakemake.input.bed.removesuffix(".bed"),
        snakemake.params.chromosomes,
        settings=snakemake.params.settings,
        prefix=snakemake.output.bed.removesuffix(".bed"),
        calls=snakemake.output.calls,
        memory_mb=snakemake.resources.mem_mb,
    )
