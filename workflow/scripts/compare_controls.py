"""Compare each model that has controls with its fits on the control CIMs."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.evaluation.controls import compare_controls, find_copies, read_test_share
from soyfold.evaluation.scores import read_scores

with rule_log(snakemake.log[0]):
    table = compare_controls(
        read_scores(snakemake.input.scores, scheme=snakemake.params.scheme),
        snakemake.params.controlled,
        test_share=read_test_share(snakemake.input.split),
        copies=find_copies(
            snakemake.input.cim,
            dict(zip(snakemake.params.permuted, snakemake.input.permuted, strict=True)),
        ),
    )
    write_table(table, snakemake.output.table)
