"""Draw what a hypothesis loses with each of its groups."""

from soyfold.common.logs import rule_log
from soyfold.interpretation.knock_outs import read_knock_outs
from soyfold.report.figures.knock_outs import plot_knock_outs

with rule_log(snakemake.log[0]):
    plot_knock_outs(read_knock_outs([snakemake.input.table]), paths=snakemake.output)
