"""Measure what choosing by the index would have gained on test lines."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.selection.gains import measure_gains, read_splits

with rule_log(snakemake.log[0]):
    params = snakemake.params
    table = measure_gains(
        read_splits(params.fits, snakemake.input.predictions),
        index=params.settings["index"],
        share=params.settings["share"],
        better=params.better,
        units=params.units,
        heritability=params.heritability,
    )
    write_table(table, snakemake.output.gains)
