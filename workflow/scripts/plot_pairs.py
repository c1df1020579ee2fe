"""Draw what a trait's models learned of pairs of chromosomes, beside the contacts."""

from soyfold.common.files import read_table
from soyfold.common.logs import rule_log
from soyfold.report.figures.pairs import plot_pairs

with rule_log(snakemake.log[0]):
    text = dict.fromkeys(("trait", "model", "chromosome", "chromosome_2"), str)
    table = read_table(snakemake.input.pairs, dtype=text)
    plot_pairs(
        table[table["trait"] == snakemake.wildcards.trait],
        labels=snakemake.params.labels,
        trait=snakemake.wildcards.trait,
        paths=snakemake.output,
    )
