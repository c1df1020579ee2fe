"""Put the summaries of all traits' association scans under each other."""

from soyfold.files import write_table
from soyfold.interpretation.importance import stack_tables
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    write_table(stack_tables(snakemake.input.summaries), snakemake.output.table)
