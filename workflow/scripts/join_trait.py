"""Estimate a trait's value per line and join the lines with the genotyped samples."""

from soyfold.cohort import join_trait
from soyfold.files import write_table
from soyfold.joins import read_id_map
from soyfold.logs import rule_log
from soyfold.samples import read_samples

with rule_log(snakemake.log[0]):
    prefixes = snakemake.params.prefixes
    values, report = join_trait(
        snakemake.params.row,
        read_samples(snakemake.input.fam, snakemake.input.samples),
        prefixes=prefixes,
        id_map=read_id_map(snakemake.input.get("id_map"), prefixes),
        minimum_lines=snakemake.params.minimum_lines,
    )
    write_table(values, snakemake.output.phenotypes)
    write_table(report, snakemake.output.joins)
