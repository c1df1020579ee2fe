"""Draw accuracy over the number of lines that have a value of a trait."""

from soyfold.common.files import read_table
from soyfold.common.logs import rule_log
from soyfold.report.figures.transfer import plot_transfer

with rule_log(snakemake.log[0]):
    table = read_table(snakemake.input.table, dtype=dict.fromkeys(("trait", "model", "arm"), str))
    plot_transfer(table, paths=snakemake.output)
