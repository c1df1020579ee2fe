"""Knock out the groups of every hypothesis in its fit on a trait."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.knock_outs import knock_out_groups

with rule_log(snakemake.log[0]):
    files = zip(snakemake.input.groups, snakemake.input.products, strict=True)
    names = ("dosage", "samples", "variants", "phenotypes", "split")
    table = knock_out_groups(
        dict(zip(snakemake.params.hypotheses, files, strict=True)),
        trait=snakemake.wildcards.trait,
        seed=snakemake.params.seed,
        draws=snakemake.params.draws,
        covariates=next(iter(snakemake.input.covariates), None),
        **{name: snakemake.input[name] for name in names},
    )
    write_table(table, snakemake.output.table)
