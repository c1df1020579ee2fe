"""Average a trait's plots for each genotyped line in each environment."""

from soyfold.cohort.environments import average_plots
from soyfold.cohort.joins import read_id_map
from soyfold.cohort.samples import read_samples
from soyfold.common.files import write_table
from soyfold.common.logs import rule_log

with rule_log(snakemake.log[0]):
    prefixes = snakemake.params.prefixes
    cells = average_plots(
        snakemake.params.row,
        read_samples(snakemake.input.fam, snakemake.input.samples),
        prefixes=prefixes,
        id_map=read_id_map(snakemake.input.get("id_map"), prefixes),
    )
    write_table(cells, snakemake.output.cells)
