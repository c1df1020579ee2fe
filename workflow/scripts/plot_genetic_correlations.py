"""Draw heritabilities and correlations of traits."""

from soyfold.common.logs import rule_log
from soyfold.interpretation.parameter_tables import read_parameters
from soyfold.report.figures.genetic_correlations import plot_genetic_correlations

with rule_log(snakemake.log[0]):
    tables = read_parameters(snakemake.input.parameters, snakemake.input.correlations)
    plot_genetic_correlations(*tables, paths=snakemake.output)
