"""Importance of SNPs to a network: integrated gradients of its test lines' predictions."""

from soyfold.common.logs import rule_log
from soyfold.interpretation.explaining import explain_fits
from soyfold.interpretation.importance import read_places, write_importance

with rule_log(snakemake.log[0]):
    importance, effects, fits = explain_fits(
        snakemake.input.checkpoints,
        snakemake.input.predictions,
        seeds=snakemake.params.seeds,
        dosage=snakemake.input.dosage,
        samples=snakemake.input.samples,
        model=snakemake.wildcards.model,
        trait=snakemake.wildcards.trait,
        threads=snakemake.threads,
        **snakemake.params.settings,
    )
    write_importance(
        dict(snakemake.output.items()),
        read_places(snakemake.input.variants),
        importance,
        effects,
        window_kb=snakemake.params.window_kb,
        fits=fits,
    )
