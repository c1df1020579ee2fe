"""List the models' variants with what replaces a call that can't be imputed."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.prediction.panel import describe_panel

with rule_log(snakemake.log[0]):
    table = describe_panel(snakemake.input.dosage, snakemake.input.variants)
    write_table(table, snakemake.output.panel)
