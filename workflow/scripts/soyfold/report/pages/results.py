"""Pages of results: scores, comparisons, controls."""

import pandas as pd

from soyfold.common.files import read_table
from soyfold.evaluation.comparisons import ALL, HIGHER_IS_BETTER
from soyfold.evaluation.scores import metrics_in
from soyfold.evaluation.verdicts import best_models, fired_guards, verdict
from soyfold.report.pages.pages import (
    Cell,
    Column,
    Notes,
    Table,
    interval,
    mean_sd,
    number,
    p_value,
)  # fmt: skip

NAMES = ("trait", "scheme", "metric", "model", "reference", "label", "reference_label")
# Columns of the table of scores; what they mean is in config/README.md.
SHOWN = {
    "PCC": "correlation",
    "MAE": "trait unit",
    "R2": "1 - SSE/SST",
    "CI": "consistency index",
    "Spearman": "of ranks",
    "AUC": "of two classes",
    "Brier": "of probabilities",
    "concordance": "of pairs",
    "calibration_slope": "1 is calibrated",
    "selection_efficiency": "of the best tenth",
    "NAE": "attention entropy",
    "AAS": "attention and CIM",
    "AAS_learned": "and the H learned",
}
HEAD = {"PCC": "test PCC", "calibration_slope": "slope", "selection_efficiency": "selection"}
MOST_ROWS = 2000


def read_comparisons(path):
    """comparisons.tsv with names as text, or None without a file."""
    return read_table(path, required=NAMES, dtype=dict.fromkeys(NAMES, str)) if path else None


def read_trait_tables(traits, paths):
    """The tables of scores by trait, as `scores.trait_table` made them."""
    return {
        trait: read_table(path, required=("metric", "model", "mean", "sd"))
        for trait, path in zip(traits, paths, strict=True)
    }


def _shown_metrics(tables):
    """Columns of the scores: those shown always, and what intervals cover and how wide they are."""
    known = metrics_in(list(dict.fromkeys(pd.concat(tables.values()).metric)))
    named = [name for name in known if name.startswith(("coverage", "interval_width"))]
    return [name for name in SHOWN if name in known] + named


def _score_row(trait, unit, model, rows, metrics, against):
    """One model's line: mean (sd) of each metric, its difference to the reference, its facts."""
    first = rows.iloc[0]
    by_metric = rows.set_index("metric")
    first_cell, *cells = [
        mean_sd(*by_metric.loc[name, ["mean", "sd"]]) if name in by_metric.index else Cell("")
        for name in metrics
    ]
    compared = [Cell(""), Cell("")]
    if against is not None:
        compared = [_difference(against), p_value(against.p_holm)]
    facts = [first.cim, first.preset if pd.notna(first.preset) else "", str(first.seeds)]
    guards = "" if pd.isna(first.guards) else first.guards
    return [trait, unit, model, first_cell, *compared, *cells, *facts, Cell(guards, mark="bad")]


def _best_first(table):
    """A trait's models with their rows, the largest PCC first, those without one last."""
    means = table[table.metric == "PCC"].set_index("model")["mean"]
    groups = dict(iter(table.groupby("model", sort=False)))
    return [(name, groups[name]) for name in means.sort_values(ascending=False).index]


def difference_mark(row, metric="PCC"):
    """`good` or `bad` where a difference's interval leaves 0 out, else nothing."""
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    ends = sorted((sign * row.low, sign * row.high))
    return "good" if ends[0] > 0 else "bad" if ends[1] < 0 else ""


def _difference(row, metric="PCC"):
    """A difference with its interval, coloured where the interval leaves 0 out."""
    return interval(row.difference, row.low, row.high, mark=difference_mark(row, metric))


def _guard_notes(tables):
    """What no honest fit shows, one sentence a guard."""
    items = [f"{guard}: {', '.join(fits)}" for guard, fits in fired_guards(tables).items()]
    if not items:
        none = "None fired: no constant output, no variance at its bound, no PCC that may be 0."
        return Notes("Guards", [none])
    title = "Guards that fired (read these models' numbers with care)"
    return Notes(title, items, warning=True)


def reference_rows(best, comparisons, scheme):
    """The reference of the verdicts, and every model's PCC row against it by trait and label."""
    if comparisons is None or best.reference.isna().all():
        return None, {}
    reference = best.reference.dropna().iloc[0]
    rows = comparisons[
        (comparisons.scheme == scheme)
        & (comparisons.metric == "PCC")
        & (comparisons.reference_label == reference)
    ]
    return reference, {(row.trait, row.label): row for row in rows.itertuples()}


def _score_columns(metrics, reference):
    pcc, *others = [
        Column(HEAD.get(name, name), SHOWN.get(name, ""), number=True) for name in metrics
    ]
    return [
        Column("trait"), Column("unit"), Column("model"), pcc,
        Column(f"to {reference}" if reference else "to reference", "PCC, 95 % interval", True),
        Column("Holm p", number=True), *others, Column("CIM"), Column("preset"),
        Column("splits", "", True), Column("guards"),
    ]  # fmt: skip


def score_sections(tables, comparisons, *, scheme, units):
    """Every model's test scores, after a verdict a trait.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Trait to its table, as `scores.trait_table` returns it.
    comparisons : DataFrame or None
    scheme : str, keyword only
    units : dict of str to str, keyword only
        Trait to its unit, or None.

    Returns
    -------
    list of Notes and Table
    """
    best = best_models(tables, comparisons, scheme=scheme)
    verdicts = [f"{row.trait}: {verdict(row)}." for row in best.itertuples()]
    metrics = _shown_metrics(tables)
    reference, against = reference_rows(best, comparisons, scheme)
    rows = [
        _score_row(trait, units[trait] or "", name, group, metrics, against.get((trait, name)))
        for trait, table in tables.items()
        for name, group in _best_first(table)
    ]
    columns = _score_columns(metrics, reference)
    return [
        Notes("Best model of each trait", [
            *verdicts,
            "The best of several on test lines is chosen after the fact: read its difference.",
        ]),
        Table("Scores on test lines", columns, rows, filters=("trait",) if len(tables) > 1 else (),
              note="Mean (sd) over the splits of the main scheme. A click on a header sorts."),
        _guard_notes(tables),
    ]  # fmt: skip


def compared_rows(comparisons):
    """Rows of comparisons.tsv that a page shows, and a sentence on those left out.

    Metrics are left out from the end of `HIGHER_IS_BETTER`, then single traits: `all` stays.
    """
    rows = comparisons.dropna(subset="difference")
    metrics = [name for name in HIGHER_IS_BETTER if name in set(rows.metric)]
    while len(metrics) > 1 and rows.metric.isin(metrics).sum() > MOST_ROWS:
        metrics.pop()
    kept = rows[rows.metric.isin(metrics)]
    if len(kept) > MOST_ROWS and (kept.trait == ALL).any():
        kept = kept[kept.trait == ALL]
    if len(kept) == len(rows):
        return kept, ""
    return kept, (
        f" Shown: {len(kept):,} of {len(rows):,} rows, the metrics {', '.join(metrics)};"
        " all are in evaluation/tables/comparisons.tsv."
    )


def comparison_table(comparisons):
    """Every model against every reference, with interval and Holm's p."""
    kept, left_out = compared_rows(comparisons)
    rows = [
        [
            row.trait, row.scheme, row.metric, row.label, row.reference_label,
            number(row.model_mean), _difference(row, row.metric), p_value(row.p),
            p_value(row.p_holm), Cell(f"{row.wins}/{row.splits}", row.wins / row.splits),
            Cell("") if pd.isna(row.traits) else
            Cell(f"{row.better_traits:.0f}/{row.traits:.0f}", row.better_traits / row.traits),
        ]
        for row in kept.itertuples()
    ]  # fmt: skip
    columns = [
        Column("trait"), Column("scheme"), Column("metric"), Column("model"), Column("reference"),
        Column("mean", number=True), Column("difference", "95 % interval", True),
        Column("p", number=True), Column("p Holm", "over the models", True),
        Column("splits won", number=True), Column("traits won", "", True),
    ]  # fmt: skip
    note = (
        "Paired over splits; the interval and p (corrected resampled t-test) allow for splits that"
        f" share training lines. Blue: better, red: worse.{left_out}"
    )
    choices = {"trait": "trait", "scheme": "scheme", "metric": "metric", "reference": "reference"}
    filters = tuple(name for name in choices if kept[choices[name]].nunique() > 1)
    return Table("Differences to the references", columns, rows, note=note, filters=filters)


def control_sections(path):
    """The real CIM against each control: differences, ranks, permutation p.

    Parameters
    ----------
    path : path-like
        controls.tsv.

    Returns
    -------
    list of Table
    """
    table = read_table(path, required=("trait", "label", "control"), dtype={"trait": str})
    rows = [
        [
            row.trait, row.label, row.metric, row.control, number(row.real),
            number(row.value), interval(row.difference, row.low, row.high), p_value(row.p),
            Cell("") if pd.isna(row.rank) else
            Cell(f"{row.rank:.0f} of {row.permutations + 1:.0f}", float(row.rank)),
            *(Cell("") if pd.isna(p) else p_value(p)
              for p in (row.permutation_p, row.permutation_holm)),
            str(row.seeds), row.real_cim,
        ]
        for row in table.itertuples()
    ]  # fmt: skip
    columns = [
        Column("trait"), Column("model"), Column("metric"), Column("control CIM"),
        Column("with own", number=True), Column("with control", number=True),
        Column("difference", "95 % interval", True), Column("p", number=True),
        Column("rank", "among permuted", True), Column("permutation p", number=True),
        Column("Holm", "over traits", True), Column("splits", "", True), Column("own CIM"),
    ]  # fmt: skip
    note = (
        "Same splits, seeds, hyperparameters and number of weights; only the matrix is another. A"
        " claim for the 3D genome needs the real CIM to beat shuffled ones, after Holm's adjustment"
        " where several traits were asked. log_likelihood and log_posterior (with the prior of what"
        " departs from the CIM) are a kernel's, of its training lines: where weights of pairs are"
        " learned, scores hardly tell CIMs apart."
    )
    return [
        Table("The CIM against its controls", columns, rows, note=note,
              filters=("trait", "model", "metric")),
    ]  # fmt: skip


def hypothesis_table(path):
    """Every hypothesis against none and against its permuted copies.

    Parameters
    ----------
    path : path-like
        hypotheses.tsv.
    """
    text = dict.fromkeys(("trait", "hypothesis", "model", "verdict"), str)
    table = read_table(path, required=("trait", "hypothesis", "model", "metric"), dtype=text)
    rows = [
        [
            row.trait, row.hypothesis, row.model, row.metric, number(row.value), number(row.none),
            interval(row.difference, row.low, row.high), p_value(row.p_holm), number(row.permuted),
            interval(row.difference_permuted, row.low_permuted, row.high_permuted),
            Cell("") if pd.isna(row.rank) else
            Cell(f"{row.rank:.0f} of {row.permutations + 1:.0f}", float(row.rank)),
            number(row.random), number(row.additive), number(row.share), row.verdict,
        ]
        for row in table.itertuples()
    ]  # fmt: skip
    columns = [
        Column("trait"), Column("hypothesis"), Column("model"), Column("metric"),
        Column("value", number=True), Column("none", "all pairs alike", True),
        Column("difference", "95 % interval", True),
        Column("Holm p", number=True), Column("permuted", "mean of copies", True),
        Column("difference to them", "95 % interval", True),
        Column("rank", "among permuted", True), Column("random", "SNPs", True),
        Column("additive", "no products", True), Column("share", "of products", True),
        Column("verdict"),
    ]  # fmt: skip
    note = (
        "Same splits, lines and number of variances (of weights in a network); only which SNPs'"
        " products count is another. A hypothesis helps by a metric where it is better than none,"
        " than its copies together, and than nearly each of them. log_likelihood: of a test line,"
        " in nats; it decides."
    )
    return Table("Hypotheses against none and their copies", columns, rows, note=note,
                 filters=("trait", "model", "metric"))  # fmt: skip


def transfer_table(path):
    """Accuracy of each model over the lines with a value, alone and beside other traits.

    Parameters
    ----------
    path : path-like
        transfer.tsv.
    """
    text = dict.fromkeys(("trait", "model", "label", "arm"), str)
    table = read_table(path, required=("trait", "metric", "lines"), dtype=text)
    rows = [
        [
            row.trait, row.metric, row.label, row.arm, Cell(str(row.lines), float(row.lines)),
            number(row.value), number(row.sd),
            *(Cell("") if pd.isna(given) else interval(given, low, high) for given, low, high in (
                (row.difference, row.low, row.high),
                (row.difference_reference, row.low_reference, row.high_reference),
            )),
            str(row.splits),
        ]
        for row in table.itertuples()
    ]  # fmt: skip
    columns = [
        Column("trait"), Column("metric"), Column("model"), Column("arm"),
        Column("lines", "with a value", True), Column("mean", number=True),
        Column("sd", "over splits", True), Column("to alone", "95 % interval", True),
        Column("to multi-trait GBLUP", "95 % interval", True), Column("splits", "", True),
    ]  # fmt: skip
    note = (
        "So many training lines have a value of the trait, all have values of the other traits of"
        " its group, by which the arm `joint` learns and `alone` doesn't. The lines of a smaller"
        " number are among those of a larger one, and the tested lines are the same."
    )
    return Table("Accuracy over the lines with a value of the trait", columns, rows, note=note,
                 filters=("trait", "metric", "model"))  # fmt: skip
