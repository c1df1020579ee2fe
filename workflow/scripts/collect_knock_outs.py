"""Put the knock-outs of all traits into one table."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.knock_outs import read_knock_outs

with rule_log(snakemake.log[0]):
    write_table(read_knock_outs(snakemake.input.tables), snakemake.output.table)
