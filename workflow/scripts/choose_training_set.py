"""Choose the lines to phenotype next."""

from soyfold.common.logs import rule_log
from soyfold.selection.training_set import choose_study

with rule_log(snakemake.log[0]):
    inputs, params = snakemake.input, snakemake.params
    choose_study(
        study={"dosage": inputs.known, "samples": inputs.known_samples},
        candidates={"dosage": inputs.dosage, "samples": inputs.samples},
        panel=inputs.panel,
        split=inputs.split,
        phenotypes=inputs.phenotypes,
        estimates=inputs.estimates,
        path=snakemake.output.lines,
        **params.settings,
    )
