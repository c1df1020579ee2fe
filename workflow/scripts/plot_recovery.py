"""Draw how many published QTL the models find again, beside chance."""

from soyfold.common.files import read_table
from soyfold.common.logs import rule_log
from soyfold.report.figures.recovery import plot_recovery

with rule_log(snakemake.log[0]):
    plot_recovery(
        read_table(snakemake.input.table, required=("trait", "model", "share")),
        labels=snakemake.params.labels,
        top=snakemake.params.top,
        distance_kb=snakemake.params.distance_kb,
        paths=snakemake.output,
    )
