"""Principal components of all lines, covariates of the association scans."""

from soyfold.common.logs import rule_log
from soyfold.interpretation.gwas import compute_components

with rule_log(snakemake.log[0]):
    compute_components(
        snakemake.input.bed,
        snakemake.output.components,
        count=snakemake.params.components,
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
    )
