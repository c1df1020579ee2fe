"""Estimate heritabilities and genetic correlations of a study's traits."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.genetic_parameters import estimate_parameters

with rule_log(snakemake.log[0]):
    tables = estimate_parameters(
        products=snakemake.input.products,
        samples=snakemake.input.samples,
        phenotypes=dict(zip(snakemake.params.traits, snakemake.input.phenotypes, strict=True)),
        covariates=next(iter(snakemake.input.covariates), None),
    )
    # One trait has no correlations.
    for table, path in zip(tables, snakemake.output, strict=False):
        write_table(table, path)
