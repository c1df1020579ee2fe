"""Put the validation schemes of a study side by side."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.evaluation.scheme_tables import scheme_table
from soyfold.evaluation.scores import read_scores

with rule_log(snakemake.log[0]):
    write_table(scheme_table(read_scores(snakemake.input.scores)), snakemake.output.table)
