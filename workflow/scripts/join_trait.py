"""Estimate a trait's value per line and join the lines with the genotyped samples."""

from soyfold.cohort.joins import read_id_map
from soyfold.cohort.samples import read_samples
from soyfold.cohort.traits import join_trait
from soyfold.common.files import write_table
from soyfold.common.logs import rule_log

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
