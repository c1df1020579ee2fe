"""Predict new lines by every saved model, with intervals and kinship to training lines."""

from soyfold.common.logs import rule_log
from soyfold.prediction.predicting import predict_study

with rule_log(snakemake.log[0]):
    inputs, outputs, params = snakemake.input, snakemake.output, snakemake.params
    predict_study(
        inputs.models,
        parts=dict(zip(params.chromosomes, inputs.parts, strict=True)),
        calls=inputs.calls,
        lines=inputs.lines,
        panel=inputs.panel,
        study={"dosage": inputs.dosage, "samples": inputs.samples, "split": inputs.split},
        phenotypes=dict(zip(params.traits, inputs.phenotypes, strict=True)),
        families=params.families,
        level=params.level,
        outputs={name: outputs[name] for name in ("predictions", "filled", "dosage")},
        counts=inputs.counts,
    )
