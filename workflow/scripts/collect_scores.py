"""Gather every fit's test metrics into one tidy table."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.evaluation.scores import collect_scores

with rule_log(snakemake.log[0]):
    fits = [
        {**fit, "file": file}
        for fit, file in zip(snakemake.params.fits, snakemake.input.estimates, strict=True)
    ]
    write_table(collect_scores(fits, snakemake.input.measures), snakemake.output.scores)
