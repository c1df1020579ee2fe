"""Search one model's hyperparameters for one trait."""

from pathlib import Path

from soyfold.common.logs import rule_log
from soyfold.training.tuning import tune

if __name__ == "__main__":  # worker processes import this file
    with rule_log(snakemake.log[0]):
        tune(
            snakemake.params.block,
            space=snakemake.params.block["tuning"],
            trials=snakemake.params.trials,
            workers=snakemake.threads,
            seed=snakemake.params.seed,
            split=snakemake.input.split,
            storage=Path(snakemake.output.best).with_name("search.journal"),
            dosage=snakemake.input.dosage,
            samples=snakemake.input.samples,
            variants=snakemake.input.variants,
            phenotypes=snakemake.input.phenotypes,
            cim=next(iter(snakemake.input.cim), None),
            weights=snakemake.params.weights,
            kind=snakemake.params.kind,
            groups=next(iter(snakemake.input.groups), None),
            classes=next(iter(snakemake.input.classes), None),
            covariates=next(iter(snakemake.input.covariates), None),
            best=snakemake.output.best,
            trials_table=snakemake.output.trials,
        )
