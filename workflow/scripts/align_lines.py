"""Bring new genotypes to the variants, alleles and strand of the models; count their fates."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.genotypes.bed import read_fam
from soyfold.prediction.new_lines import align_lines
from soyfold.prediction.panel import read_panel

with rule_log(snakemake.log[0]):
    tables = align_lines(
        snakemake.input.bed.removesuffix(".bed"),
        snakemake.input.records,
        read_panel(snakemake.input.panel),
        read_fam(snakemake.input.study),
        settings=snakemake.params.settings,
        file=snakemake.params.file,
        prefix=snakemake.output.bed.removesuffix(".bed"),
    )
    for table, name in zip(tables, ("variants", "counts", "lines"), strict=True):
        write_table(table, snakemake.output[name])
