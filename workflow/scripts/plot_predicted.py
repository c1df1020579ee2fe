"""Draw the predictions of new lines of one trait."""

from soyfold.common.files import read_table
from soyfold.common.logs import rule_log
from soyfold.report.figures.predicted import plot_predicted

with rule_log(snakemake.log[0]):
    text = {"line": str, "trait": str, "model": str, "unit": str, "nearest_line": str}
    table = read_table(snakemake.input.predictions, required=("line", "trait"), dtype=text)
    plot_predicted(
        table[table["trait"] == snakemake.wildcards.trait],
        trait=snakemake.wildcards.trait,
        labels=snakemake.params.labels,
        level=snakemake.params.level,
        paths=list(snakemake.output),
    )
