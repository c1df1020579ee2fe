"""Merge the libraries' coolers and balance the result."""

import functools

from soyfold.common.logs import rule_log
from soyfold.contacts.isolated import run_isolated
from soyfold.contacts.merging import merge_libraries

with rule_log(snakemake.log[0]):
    work = functools.partial(
        merge_libraries,
        snakemake.input.coolers,
        snakemake.input.tables,
        balance=snakemake.params.balance,
        cool=snakemake.output.cool,
        table=snakemake.output.table,
    )
    run_isolated(work, writes=snakemake.output.cool)
