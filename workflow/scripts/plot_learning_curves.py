"""Draw one trait's learning curves."""

from soyfold.common.logs import rule_log
from soyfold.report.figures.curves import plot_learning_curves, read_histories

with rule_log(snakemake.log[0]):
    fits = [
        {**fit, "history": file}
        for fit, file in zip(snakemake.params.fits, snakemake.input.histories, strict=True)
    ]
    plot_learning_curves(
        read_histories(fits), trait=snakemake.wildcards.trait, paths=snakemake.output
    )
