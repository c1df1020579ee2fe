"""What the traits inherit: heritabilities and correlations."""

from soyfold.interpretation.parameter_tables import read_parameters
from soyfold.report.pages.pages import Column, Notes, Table, count, mean_sd, number

SURE = 2  # standard errors, beyond which a genetic correlation is told
MOST = 6  # of them in words


def correlation_advice(correlations):
    """Sentences on the genetic correlations that are surely not 0, the surest first.

    Parameters
    ----------
    correlations : DataFrame
        As `interpretation.genetic_parameters.estimate_parameters` returns them.

    Returns
    -------
    list of str
    """
    known = correlations.dropna(subset="genetic_correlation_se")
    surety = (known["genetic_correlation"] / known["genetic_correlation_se"]).abs()
    sure = surety[surety > SURE].sort_values(ascending=False, kind="stable").index
    told = [
        f"Selection for more {row.trait} {'raises' if row.genetic_correlation > 0 else 'lowers'}"
        f" {row.trait_2}: genetic correlation"
        f" {mean_sd(row.genetic_correlation, row.genetic_correlation_se, 2).text}."
        for row in known.loc[sure[:MOST]].itertuples()
    ]
    counts = {
        f"beyond {SURE} standard errors of 0, too": len(sure) - len(told),
        f"within {SURE} standard errors of 0": len(known) - len(sure),
        "without a standard error (see the remark)": len(correlations) - len(known),
    }
    pairs = len(correlations)
    return told + [f"Of {pairs} pairs {n} {where}." for where, n in counts.items() if n]


def _heritability_table(parameters):
    rows = [
        [
            row.trait, count(row.lines), mean_sd(row.heritability, row.heritability_se),
            number(row.genetic_variance), number(row.residual_variance), _text(row.remark),
        ]
        for row in parameters.itertuples()
    ]  # fmt: skip
    columns = [
        Column("trait"), Column("lines", number=True),
        Column("heritability", "(standard error)", True),
        Column("genetic variance", "trait unit squared", True),
        Column("residual variance", "trait unit squared", True), Column("remark"),
    ]  # fmt: skip
    note = (
        "REML of all lines with a value, training and test alike: no model's score. Of the values"
        " as they are, means of plots where there were several, and of what the SNPs tell."
    )
    return Table("Heritability", columns, rows, note=note)


def _correlation_table(correlations):
    rows = [
        [
            row.trait, row.trait_2, count(row.lines),
            mean_sd(row.genetic_correlation, row.genetic_correlation_se),
            mean_sd(row.phenotypic_correlation, row.phenotypic_correlation_se),
            mean_sd(row.residual_correlation, row.residual_correlation_se), _text(row.remark),
        ]
        for row in correlations.itertuples()
    ]  # fmt: skip
    columns = [
        Column("trait"), Column("with"), Column("lines", "with both", True),
        *(Column(kind, "(standard error)", True) for kind in ("genetic", "phenotypic", "residual")),
        Column("remark"),
    ]  # fmt: skip
    note = (
        "Two traits at a time. A genetic correlation at +1 or -1 is likeliest there, and has no"
        " standard error: too few lines, or genes that the traits share."
    )
    return Table("Correlations", columns, rows, note=note, filters=("trait",))


def _text(remark):
    return remark if isinstance(remark, str) else ""


def parameter_sections(files):
    """The page's sections. Files: genetic_parameters, genetic_correlations (of several traits)."""
    parameters, correlations = read_parameters(
        files["genetic_parameters"], files.get("genetic_correlations")
    )
    if correlations is None:
        return [_heritability_table(parameters)]
    return [
        Notes("Traits that move together", correlation_advice(correlations)),
        _heritability_table(parameters),
        _correlation_table(correlations),
    ]
