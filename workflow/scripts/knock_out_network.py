"""Knock out the groups of a hypothesis in a network whose tokens they are."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.network_knock_outs import knock_out_network

with rule_log(snakemake.log[0]):
    table = knock_out_network(
        snakemake.input.checkpoint,
        snakemake.input.predictions,
        trait=snakemake.wildcards.trait,
        model=snakemake.wildcards.model,
        hypothesis=snakemake.params.hypothesis,
        seed=snakemake.params.seed,
        draws=snakemake.params.draws,
        dosage=snakemake.input.dosage,
        samples=snakemake.input.samples,
        threads=snakemake.threads,
    )
    write_table(table, snakemake.output.table)
