"""Compare what models learn of a trait alone, and beside traits that are known of all lines."""

import pandas as pd

from soyfold.common.files import read_table, write_table
from soyfold.common.logs import rule_log
from soyfold.evaluation.controls import read_test_share
from soyfold.evaluation.transfer import compare_transfer

with rule_log(snakemake.log[0]):
    text = dict.fromkeys(("trait", "model", "arm"), str)
    scores = pd.concat([read_table(path, dtype=text) for path in snakemake.input.scores])
    share = read_test_share(snakemake.input.split)
    labels = snakemake.params.labels
    write_table(compare_transfer(scores, labels=labels, test_share=share), snakemake.output.table)
