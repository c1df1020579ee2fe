"""Draw the search for one model's hyperparameters."""

from soyfold.common.logs import rule_log
from soyfold.report.figures.tuning import plot_tuning, read_trials

with rule_log(snakemake.log[0]):
    plot_tuning(
        read_trials(snakemake.input.trials),
        label=snakemake.params.label,
        trait=snakemake.wildcards.trait,
        paths=[snakemake.output.png, snakemake.output.svg],
    )
