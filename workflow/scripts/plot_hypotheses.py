"""Draw every hypothesis beside its copies and none."""

import pandas as pd

from soyfold.common.files import read_table
from soyfold.common.logs import rule_log
from soyfold.report.figures.hypotheses import plot_hypotheses

with rule_log(snakemake.log[0]):
    text = dict.fromkeys(("trait", "hypothesis", "arm", "verdict"), str)
    table = read_table(snakemake.input.table, dtype=text)
    scores = pd.concat([read_table(path, dtype=text) for path in snakemake.input.scores])
    plot_hypotheses(table, scores, paths=snakemake.output)
