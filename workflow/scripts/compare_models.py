"""Compare every model with the references."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.evaluation.comparisons import compare_models
from soyfold.evaluation.scores import read_scores

with rule_log(snakemake.log[0]):
    scores = read_scores(snakemake.input.scores)
    table = compare_models(scores, snakemake.params.references)
    write_table(table, snakemake.output.table)
