"""Read a BrAPI server's genotypes page by page into a VCF."""

from soyfold.common.logs import rule_log
from soyfold.genotypes.brapi import fetch_genotypes

with rule_log(snakemake.log[0]):
    fetch_genotypes(
        snakemake.params.url,
        token_env=snakemake.params.token_env,
        path=snakemake.output.vcf,
        call_sets=snakemake.output.call_sets,
    )
