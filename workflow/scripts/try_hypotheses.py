"""Try all hypotheses, their copies and none on a trait."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.training.hypotheses import try_hypotheses

with rule_log(snakemake.log[0]):
    files = {name: snakemake.input[name] for name in ("dosage", "samples", "variants", "splits")}
    scores = try_hypotheses(
        dict(zip(snakemake.params.hypotheses, snakemake.input.products, strict=True)),
        trait=snakemake.wildcards.trait,
        seeds=snakemake.params.seeds,
        phenotypes=snakemake.input.phenotypes,
        covariates=next(iter(snakemake.input.covariates), None),
        **files,
    )
    write_table(scores, snakemake.output.scores)
