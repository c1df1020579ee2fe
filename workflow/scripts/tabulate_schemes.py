"""Put the validation schemes of a study side by side."""

from soyfold.evaluation import read_scores
from soyfold.files import write_table
from soyfold.logs import rule_log
from soyfold.scheme_tables import scheme_table

with rule_log(snakemake.log[0]):
    write_table(scheme_table(read_scores(snakemake.input.scores)), snakemake.output.table)
