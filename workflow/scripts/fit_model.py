"""Fit one model to one trait, for one seed or for all of them."""

from pathlib import Path

from soyfold.common.logs import rule_log
from soyfold.training.fits import fit

with rule_log(snakemake.log[0]):
    learnt, values = snakemake.params.traits, snakemake.input.phenotypes
    fit(
        snakemake.params.block,
        seeds=snakemake.params.seeds,
        splits=snakemake.input.splits,
        folders=[Path(path).parent for path in snakemake.output.predictions],
        dosage=snakemake.input.dosage,
        samples=snakemake.input.samples,
        variants=snakemake.input.variants,
        phenotypes=dict(zip(learnt, values, strict=True)) if learnt else values[0],
        cim=next(iter(snakemake.input.cim), None),
        tuned=next(iter(snakemake.input.get("tuned", [])), None),
        products=next(iter(snakemake.input.get("products", [])), None),
        kernels=snakemake.input.get("kernels", []),
        threads=snakemake.threads,
    )
