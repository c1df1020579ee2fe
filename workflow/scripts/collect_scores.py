"""Gather every fit's test metrics into one tidy table."""

from soyfold.evaluation import collect_scores
from soyfold.files import write_table
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    fits = [
        {**fit, "file": file}
        for fit, file in zip(snakemake.params.fits, snakemake.input.metrics, strict=True)
    ]
    write_table(collect_scores(fits, snakemake.input.measures), snakemake.output.scores)
