"""Measure parameters, FLOPs, latency and memory of the networks, one after the other."""

from soyfold.common.files import read_table, write_table
from soyfold.common.logs import rule_log
from soyfold.evaluation.costs import cost_table, measure_costs

with rule_log(snakemake.log[0]):
    costs = measure_costs(
        snakemake.params.blocks,
        dosage=snakemake.input.dosage,
        variants=snakemake.input.variants,
        cim=snakemake.input.cim,
        threads=snakemake.threads,
    )
    write_table(cost_table(costs, read_table(snakemake.input.paper)), snakemake.output.table)
