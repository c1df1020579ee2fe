"""Compare every model with the references."""

from soyfold.comparisons import compare_models
from soyfold.evaluation import read_scores
from soyfold.files import write_table
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    scores = read_scores(snakemake.input.scores)
    table = compare_models(scores, snakemake.params.references)
    write_table(table, snakemake.output.table)
