"""Compare each model that has controls with its fits on the control CIMs."""

from soyfold.controls import compare_controls, read_test_share
from soyfold.evaluation import read_scores
from soyfold.files import write_table
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    table = compare_controls(
        read_scores(snakemake.input.scores, scheme=snakemake.params.scheme),
        snakemake.params.controlled,
        test_share=read_test_share(snakemake.input.split),
    )
    write_table(table, snakemake.output.table)
