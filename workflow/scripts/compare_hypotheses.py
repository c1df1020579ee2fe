"""Compare every hypothesis with none and with its copies."""

import pandas as pd

from soyfold.common.files import read_table, write_table
from soyfold.common.logs import rule_log
from soyfold.evaluation.controls import read_test_share
from soyfold.evaluation.hypotheses import compare_hypotheses

with rule_log(snakemake.log[0]):
    text = dict.fromkeys(("trait", "hypothesis", "arm"), str)
    scores = pd.concat([read_table(path, dtype=text) for path in snakemake.input.scores])
    share = read_test_share(snakemake.input.split)
    write_table(compare_hypotheses(scores, test_share=share), snakemake.output.table)
