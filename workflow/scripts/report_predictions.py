"""Write one trait's observed against predicted values as an interactive page."""

from soyfold.common.logs import rule_log
from soyfold.report.pages.charts import half_widths, prediction_chart
from soyfold.report.pages.pages import write_page
from soyfold.training.outputs import read_test_predictions

with rule_log(snakemake.log[0]):
    trait = snakemake.wildcards.trait
    fits = [
        {**fit, "predictions": file}
        for fit, file in zip(snakemake.params.fits, snakemake.input.predictions, strict=True)
    ]
    chart = prediction_chart(
        read_test_predictions(fits),
        models={fit["label"]: fit["model"] for fit in fits},
        trait=trait,
        unit=snakemake.params.unit,
        widths=half_widths(snakemake.input.intervals),
    )
    write_page(snakemake.output.page, f"{trait}: line by line", [chart], vega=snakemake.input.vega)
