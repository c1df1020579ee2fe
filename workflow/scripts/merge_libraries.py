"""Merge the libraries' coolers and balance the result."""

from soyfold.contacts.merging import merge_libraries
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    merge_libraries(
        snakemake.input.coolers,
        snakemake.input.tables,
        balance=snakemake.params.balance,
        cool=snakemake.output.cool,
        table=snakemake.output.table,
    )
