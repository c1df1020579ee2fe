"""Rank the candidates by the index and choose the lines to advance."""

from soyfold.common.logs import rule_log
from soyfold.selection.advancing import advance_study

with rule_log(snakemake.log[0]):
    inputs, params = snakemake.input, snakemake.params
    advance_study(
        inputs.models,
        traits=params.traits,
        dosage=inputs.dosage,
        samples=inputs.samples,
        panel=inputs.panel,
        predictions=inputs.get("predictions"),
        phenotypes=inputs.phenotypes,
        settings=params.settings,
        better=params.better,
        units=params.units,
        outputs=dict(snakemake.output.items()),
    )
