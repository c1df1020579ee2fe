"""Join the lines' covariates with the genotyped samples."""

from soyfold.cohort.covariates import join_covariates
from soyfold.cohort.joins import read_id_map
from soyfold.cohort.samples import read_samples
from soyfold.common.files import write_table
from soyfold.common.logs import rule_log

with rule_log(snakemake.log[0]):
    prefixes = snakemake.params.prefixes
    table, counts = join_covariates(
        snakemake.input.covariates,
        snakemake.params.columns,
        read_samples(snakemake.input.fam, snakemake.input.samples),
        prefixes=prefixes,
        id_map=read_id_map(snakemake.input.get("id_map"), prefixes),
    )
    write_table(table, snakemake.output.covariates)
    write_table(counts, snakemake.output.counts)
