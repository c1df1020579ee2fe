"""Draw one trait's observed against predicted values."""

from soyfold.common.logs import rule_log
from soyfold.report.figures.curves import plot_predictions
from soyfold.training.outputs import read_test_predictions

with rule_log(snakemake.log[0]):
    fits = [
        {**fit, "predictions": file}
        for fit, file in zip(snakemake.params.fits, snakemake.input.predictions, strict=True)
    ]
    plot_predictions(
        read_test_predictions(fits),
        trait=snakemake.wildcards.trait,
        unit=snakemake.params.unit,
        paths=snakemake.output,
    )
