"""Fill the missing calls of one chromosome and count how masked calls come back."""

from soyfold.imputation import impute_chromosome
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    impute_chromosome(
        snakemake.input.bed.removesuffix(".bed"),
        snakemake.wildcards.chromosome,
        settings=snakemake.params.settings,
        prefix=snakemake.output.bed.removesuffix(".bed"),
        calls=snakemake.output.calls,
        memory_mb=snakemake.resources.mem_mb,
    )
