"""Test every SNP for association with one trait."""

from pathlib import Path

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.gwas import scan_trait

with rule_log(snakemake.log[0]):
    scan, summary = scan_trait(
        snakemake.input.bed,
        snakemake.input.phenotypes,
        snakemake.input.components,
        trait=snakemake.wildcards.trait,
        folder=Path(snakemake.output.scan).parent,
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
        covariates=next(iter(snakemake.input.covariates), None),
    )
    write_table(scan, snakemake.output.scan)
    write_table(summary, snakemake.output.summary)
