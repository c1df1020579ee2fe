"""Foretell the progeny of all crosses between the parents."""

from soyfold.common.logs import rule_log
from soyfold.selection.crosses import cross_study

with rule_log(snakemake.log[0]):
    inputs, params = snakemake.input, snakemake.params
    cross_study(
        inputs.models,
        traits=params.traits,
        dosage=inputs.dosage,
        samples=inputs.samples,
        panel=inputs.panel,
        tables={"lines": inputs.lines, "index": inputs.index},
        chromosomes=inputs.chromosomes,
        genetic_map=next(iter(inputs.genetic_map), None),
        settings=params.settings,
        better=params.better,
        path=snakemake.output.crosses,
    )
