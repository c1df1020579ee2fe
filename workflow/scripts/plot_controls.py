"""Draw the real CIM against the control CIMs."""

from soyfold.common.files import read_table
from soyfold.common.logs import rule_log
from soyfold.report.figures.controls import plot_controls

with rule_log(snakemake.log[0]):
    table = read_table(snakemake.input.table, dtype={"trait": str, "model": str})
    plot_controls(table, paths=snakemake.output)
