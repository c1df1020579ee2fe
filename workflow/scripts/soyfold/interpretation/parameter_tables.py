"""Tables of heritabilities and correlations: their columns, and how they are read."""

from soyfold.common.files import read_table

PARAMETERS = (
    "trait", "lines", "heritability", "heritability_se", "genetic_variance", "residual_variance",
    "remark",
)  # fmt: skip
CORRELATIONS = (
    "trait", "trait_2", "lines", "genetic_correlation", "genetic_correlation_se",
    "phenotypic_correlation", "phenotypic_correlation_se", "residual_correlation",
    "residual_correlation_se", "remark",
)  # fmt: skip


def read_parameters(parameters, correlations=None):
    """Tables that `estimate_parameters` made; None for the second one without a file."""
    text = dict.fromkeys(("trait", "trait_2", "remark"), str)
    tables = [(parameters, PARAMETERS), (correlations, CORRELATIONS)]
    return [path and read_table(path, required=names, dtype=text) for path, names in tables]
