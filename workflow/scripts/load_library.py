"""Read one Hi-C library into a cooler over the canonical chromosomes."""

from soyfold.chromosomes import read_chromosomes
from soyfold.contacts.library import load_library
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    load_library(
        snakemake.params.row,
        read_chromosomes(snakemake.input.chromosomes),
        resolution=snakemake.params.resolution,
        cool=snakemake.output.cool,
        table=snakemake.output.table,
    )
