"""Compare each model that has controls with its fits on the control CIMs."""

from soyfold.controls import compare_controls, read_test_share
from soyfold.files import read_table, write_table
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    table = compare_controls(
        read_table(snakemake.input.scores, dtype={"trait": str, "model": str, "control": str}),
        snakemake.params.controlled,
        test_share=read_test_share(snakemake.input.split),
    )
    write_table(table, snakemake.output.table)
