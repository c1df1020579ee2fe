"""Read one Hi-C library into a cooler over the canonical chromosomes."""

import functools

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.logs import rule_log
from soyfold.contacts.isolated import run_isolated
from soyfold.contacts.library import load_library

with rule_log(snakemake.log[0]):
    work = functools.partial(
        load_library,
        snakemake.params.row,
        read_chromosomes(snakemake.input.chromosomes),
        resolution=snakemake.params.resolution,
        cool=snakemake.output.cool,
        table=snakemake.output.table,
    )
    run_isolated(work, writes=snakemake.output.cool)
