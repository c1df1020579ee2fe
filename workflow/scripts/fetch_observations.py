"""Read a BrAPI server's observations page by page into a table."""

from soyfold.cohort.brapi import fetch_observations
from soyfold.common.logs import rule_log

with rule_log(snakemake.log[0]):
    fetch_observations(**snakemake.params.server, path=snakemake.output.table)
