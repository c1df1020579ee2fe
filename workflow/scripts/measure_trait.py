"""Measure one trait's predictions: what selection by them gains, intervals and their coverage."""

from soyfold.cohort.families import read_families
from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.evaluation.measures import measure_trait, write_intervals

with rule_log(snakemake.log[0]):
    fits = [
        {**fit, "file": file}
        for fit, file in zip(snakemake.params.fits, snakemake.input.predictions, strict=True)
    ]
    families = snakemake.input.get("families", [])
    measures, intervals = measure_trait(
        fits,
        snakemake.wildcards.trait,
        better=snakemake.params.better,
        level=snakemake.params.level,
        kind=snakemake.params.kind,
        families=read_families(families[0]) if families else None,
    )
    write_table(measures, snakemake.output.measures)
    write_intervals(intervals, snakemake.output.intervals)
