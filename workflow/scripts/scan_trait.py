"""Test every SNP for association with one trait."""

from pathlib import Path

from soyfold.files import write_table
from soyfold.interpretation.gwas import scan_trait
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    scan, summary = scan_trait(
        snakemake.input.bed,
        snakemake.input.phenotypes,
        snakemake.input.components,
        trait=snakemake.wildcards.trait,
        folder=Path(snakemake.output.scan).parent,
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
    )
    write_table(scan, snakemake.output.scan)
    write_table(summary, snakemake.output.summary)
