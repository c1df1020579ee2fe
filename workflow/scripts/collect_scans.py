"""Put the summaries of all traits' association scans under each other."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.importance import stack_tables

with rule_log(snakemake.log[0]):
    write_table(stack_tables(snakemake.input.summaries), snakemake.output.table)
