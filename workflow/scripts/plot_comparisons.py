"""Draw every model against the references, one metric in one scheme."""

from soyfold.common.files import read_table
from soyfold.common.logs import rule_log
from soyfold.report.figures.comparisons import plot_comparisons

with rule_log(snakemake.log[0]):
    names = ("trait", "scheme", "metric", "model", "reference", "label", "reference_label")
    table = read_table(snakemake.input.table, required=names, dtype=dict.fromkeys(names, str))
    plot_comparisons(
        table,
        scheme=snakemake.wildcards.scheme,
        metric=snakemake.wildcards.metric,
        paths=snakemake.output,
    )
