"""Part a trait's values by environment for the fits that predict untested lines."""

from soyfold.cohort.splits.cells import final_values
from soyfold.common.files import read_table, write_table
from soyfold.common.logs import rule_log

with rule_log(snakemake.log[0]) as log:
    text = dict.fromkeys(("sample", "environment"), str)
    cells = read_table(snakemake.input.cells, dtype=text)
    values = final_values(cells, read_table(snakemake.input.split, dtype=str))
    log.info("%s of %d values", values["part"].value_counts().to_dict(), len(cells))
    write_table(values, snakemake.output.cells)
