"""Draw what attention learned of pairs of classes of variants."""

from soyfold.common.files import read_table
from soyfold.common.logs import rule_log
from soyfold.report.figures.motif_bias import plot_motif_bias

with rule_log(snakemake.log[0]):
    text = dict.fromkeys(("trait", "model", "class", "class_2"), str)
    table = read_table(snakemake.input.table, dtype=text)
    plot_motif_bias(table, labels=snakemake.params.labels, paths=snakemake.output)
