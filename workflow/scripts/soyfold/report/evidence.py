"""A study's outcome as Markdown: what docs/evidence holds, made anew by one command."""

import shutil
from pathlib import Path

import pandas as pd

from soyfold.common.decimals import decimals, difference_text
from soyfold.common.errors import UserError
from soyfold.common.files import read_table, staged
from soyfold.evaluation.comparisons import ALL
from soyfold.evaluation.controls import LIKELIHOODS
from soyfold.report.summary import storey_times

# Metrics whose differences are kept as a table.
KEPT = ("PCC", "R2", "selection_efficiency", *LIKELIHOODS)
SCORES = (
    "PCC", "PCC_within_family", "R2", "MAE", "calibration_slope", "selection_efficiency",
    "coverage90",
)  # fmt: skip
FEW_TRAITS = 4
KINDS = ("comparisons", "controls", "hypotheses", "transfer")  # tables of differences
FIGURES = {
    "PCC": "Differences in PCC", "R2": "Differences in R2", "controls": "The CIM and its controls",
    "hypotheses": "Hypotheses and their copies", "knock_outs": "Groups knocked out",
    "transfer": "R2 over the lines with a value",
}  # fmt: skip
PAIRS, KNOCKED_OUT = "pair_weights", "knock_outs"  # tables of the interpretation
LEVEL = 0.05  # of p, up to which pairs are told
KNOCKED = 3  # groups of a trait, hypothesis and model that are told


def markdown(table, digits=3):
    """A table in Markdown; numbers with so many decimals, an empty cell for what isn't known."""

    def cell(value):
        if isinstance(value, float):
            return "" if pd.isna(value) else decimals(value, digits)
        return str(value)

    lines = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * table.shape[1]]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join(lines)


def _means(scores, scheme):
    """Mean (sd) over splits of each model's scores: trait, model, one column a metric."""
    ours = scores[(scores.scheme == scheme) & scores.metric.isin(SCORES)]
    ours = ours[ours.role.isin(["model", "member"])]
    groups = ours.groupby(["trait", "label", "metric"], sort=False).value
    wide = groups.agg(["mean", "std"])
    cells = wide["mean"].map(decimals) + " (" + wide["std"].map(decimals) + ")"
    cells = cells.where(groups.apply(lambda values: values.notna().all()), "")
    table = cells.unstack("metric").reindex(columns=[m for m in SCORES if m in set(ours.metric)])
    return table.reset_index().rename(columns={"label": "model"})


def _by_mean(table, trait):
    """A trait's rows, the best PCC first."""
    rows = table[table.trait == trait].drop(columns="trait")
    # By value, not by text: -0.1 is below 0.1, and no correlation is below all.
    return rows.sort_values(
        "PCC",
        ascending=False,
        key=lambda cells: pd.to_numeric(cells.str.split().str[0], errors="coerce"),
    ).fillna("")


def _differences(comparisons, scheme, trait, metric):
    """Each model's difference to each reference: one row a model, the largest first."""
    rows = comparisons[
        (comparisons.scheme == scheme)
        & (comparisons.trait == trait)
        & (comparisons.metric == metric)
    ].dropna(subset="difference")
    if rows.empty:
        return rows
    better = rows.better_traits.notna()
    # One split has no p.
    p = rows.p_holm.map(", Holm p {:.2g}".format).where(rows.p_holm.notna(), "")
    text = _intervals(rows) + p + rows.apply(lambda row: f", {row.wins}/{row.splits}", axis=1)
    text[better] += rows[better].apply(
        lambda row: f", {row.better_traits:.0f}/{row.traits:.0f} traits", axis=1
    )
    wide = rows.assign(text=text).pivot(index="label", columns="reference_label", values="text")
    order = rows.groupby("label", sort=False).model_mean.mean().sort_values(ascending=False)
    wide = wide.reindex(order.index)[list(dict.fromkeys(rows.reference_label))].fillna("")
    wide.insert(0, metric, order)
    return wide.rename(columns=lambda name: name if name == metric else f"to {name}").reset_index(
        names="model"
    )


def _schemes(results, scheme):
    """PCC and intervals' coverage under each validation scheme of the models that have several."""
    path = Path(results) / "evaluation" / "tables" / "schemes.tsv"
    if not path.is_file():
        return ""
    table = read_table(path)
    rows = table[table.metric.str.startswith(("PCC", "coverage"))]
    models = table[table.scheme != scheme].model.unique()
    if len(models) == 0:
        return ""
    rows = rows[rows.model.isin(models)]
    keys = ["trait", "model", "scheme", "splits"]
    wide = rows.pivot(index=keys, columns="metric", values="mean").reset_index()
    return (
        f"## Validation schemes\n\nMean over splits.\n\n{markdown(wide.dropna(axis=1, how='all'))}"
    )


def _controls(path):
    """The real CIM against its controls by PCC: the mean of the permuted ones, its rank, zero."""
    table = read_table(path).set_index(["trait", "label"])
    judged = table[table.metric.isin(LIKELIHOODS) & (table.control == "permuted")]
    table = table[table.metric == "PCC"]
    permuted, zero = (table[table.control == name] for name in ("permuted", "zero"))
    shown = pd.DataFrame(
        {
            "PCC": permuted.real,
            "permuted CIM": permuted.value,
            "real - permuted": _intervals(permuted),
            "rank among permuted": _ranks(permuted),
            "real - zero CIM": _intervals(zero).reindex(permuted.index),
        }
    )
    if len(judged):
        likelier = pd.DataFrame(
            {
                "log-likelihood, real - permuted": judged.difference,
                "rank by likelihood": _ranks(judged),
                "Holm p": judged.permutation_holm,
            }
        )
        shown = shown.join(likelier)
    return (
        "## The CIM against its controls\n\nMean over splits; paired differences with 95 %"
        f" intervals.\n\n{markdown(shown.reset_index(names=['trait', 'model']))}"
    )


def _ranks(table):
    """Ranks among permuted ones in words."""
    ranks = zip(table["rank"], table.permutations, strict=True)
    return [f"{rank:.0f} of {count + 1:.0f}" for rank, count in ranks]


def _hypotheses(path):
    """Each hypothesis by the log-likelihood of a test line: against none, and its copies."""
    table = read_table(path)
    table = table[table.metric == "log_likelihood"].reset_index(drop=True)
    shown = table[["trait", "hypothesis", "model"]].assign(
        **{
            "hypothesis - none": _intervals(table),
            "Holm p": [f"{p:.2g}" for p in table.p_holm],
            "hypothesis - permuted": _intervals(table, "_permuted"),
            "rank among permuted": _ranks(table),
            "random - none": table.random - table.none,
            "additive - none": table.additive - table.none,
            "share of products": table["share"],
            "verdict": table.verdict,
        }
    )
    return (
        "## Hypotheses of SNPs that act together\n\nLog density of a test line (nats), mean over"
        " lines and splits; none: all pairs of SNPs alike; permuted: the same groups, holding"
        f" other SNPs.\n\n{markdown(shown)}"
    )


def _knock_outs(path):
    """Of each trait, hypothesis and model the groups whose loss exceeds random SNPs' by most."""
    table = read_table(path, dtype={"group": str})
    order = (table.R2_change - table.R2_change_random).sort_values().index
    keys = ["trait", "hypothesis", "model"]
    first = table.loc[order].groupby(keys, sort=False).head(KNOCKED)
    first = first.sort_values(keys, kind="stable")
    columns = {
        **{key: key for key in keys}, "group": "group", "snps": "SNPs",
        "R2_change": "R2 change", "R2_change_random": "of random SNPs",
        "R2_change_random_low": "least", "moved": "moved", "moved_random": "by random SNPs",
    }  # fmt: skip
    told = markdown(first[list(columns)].rename(columns=columns))
    return (
        "## Groups knocked out\n\nDosages at their training means, first split; beside as many"
        f" SNPs elsewhere on the same chromosomes, as close together.\n\n{told}"
    )


def _transfer(path):
    """R2 of each model over the lines with a value, and what the joint arm adds to it alone."""
    table = read_table(path)
    table = table[table.metric == "R2"]
    told = []
    for trait, rows in table.groupby("trait", sort=False):
        gain = _intervals(rows).where(rows.difference.notna())
        text = rows.value.map("{:.3f}".format) + (" (" + gain + ")").fillna("")
        wide = rows.assign(text=text).pivot(
            index=["label", "arm"], columns="lines", values="text"
        )  # fmt: skip
        wide = wide.loc[list(dict.fromkeys(zip(rows.label, rows.arm, strict=True)))].reset_index()
        wide = wide.rename(columns=str).rename(columns={"label": "model"})
        told.append(f"### {trait}\n\n{markdown(wide)}")
    return (
        "## Few lines with a value\n\nR2 of test lines, mean over splits, by the number of lines"
        " with a value; in brackets joint - alone, 95 % interval.\n\n" + "\n\n".join(told)
    )


def _pairs(path):
    """Pairs of chromosomes whose weight no or few shuffled traits reach; None if none was asked."""
    table = read_table(path)
    if "p" not in table or table.p.isna().all():
        return None
    beyond = table[table.p <= LEVEL].sort_values(["trait", "model", "share"], ascending=[1, 1, 0])
    beyond = beyond.assign(pair=beyond.chromosome + " - " + beyond.chromosome_2)
    return (
        "## Pairs of chromosomes\n\nShares of the genetic variance, mean over splits, of the pairs"
        f" with p <= {LEVEL} among shuffled traits (step-down over a trait's pairs):"
        f" {beyond.trait.nunique()} of {table.trait.nunique()} traits.\n\n"
        + markdown(beyond[["trait", "model", "pair", "share", "share_null", "p"]], 3)
    )


def _intervals(rows, to=""):
    """Differences (to what their columns' ends say) as text with intervals; of no rows, none."""
    cells = zip(*(rows[f"{name}{to}"] for name in ("difference", "low", "high")), strict=True)
    return pd.Series(
        [difference_text(*cell, digits=4) for cell in cells],
        index=rows.index, dtype=object,
    )  # fmt: skip


def _compared(comparisons, scores, scheme):
    """Scores, and differences to the references: of each trait, or where they are many, of all."""
    traits = list(scores.trait.unique())
    parts = []
    if len(traits) <= FEW_TRAITS:
        means = _means(scores, scheme)
        for trait in traits:
            parts.append(f"## {trait}: scores\n\nMean (sd) over splits, on test lines.")
            parts.append(markdown(_by_mean(means, trait)))
    for trait in traits if len(traits) <= FEW_TRAITS else [ALL]:
        for metric in ("PCC", "R2"):
            table = _differences(comparisons, scheme, trait, metric)
            where = f"mean over {len(traits)} traits" if trait == ALL else trait
            parts.append(f"## {where}: {metric} against the references")
            parts.append(markdown(table) if len(table) else "None is defined.")
    return parts


def evidence(results, *, scheme):
    """A study's outcome as Markdown.

    Parameters
    ----------
    results : path-like
        results/<study>, finished.
    scheme : str, keyword only
        The main validation scheme.

    Returns
    -------
    str

    Raises
    ------
    UserError
        If the study has no comparisons, controls, hypotheses or transfer yet.
    """
    results = Path(results)
    tables = results / "evaluation" / "tables"
    comparisons, controls, hypotheses, transfer = (tables / f"{name}.tsv" for name in KINDS)
    knocked, pairs = (results / "interpretation" / f"{name}.tsv" for name in (KNOCKED_OUT, PAIRS))
    if not any(path.is_file() for path in (comparisons, controls, hypotheses, transfer)):
        raise UserError("no such file", file=comparisons, mend="run the study to its end first")
    parts = []
    if comparisons.is_file():
        scores = read_table(results / "evaluation" / "scores.tsv", low_memory=False)
        parts += _compared(read_table(comparisons), scores, scheme)
        parts += [text for text in [_schemes(results, scheme)] if text]
    if controls.is_file():
        parts.append(_controls(controls))
    parts += [
        told(path)
        for path, told in (
            (hypotheses, _hypotheses),
            (knocked, _knock_outs),
            (transfer, _transfer),
            (pairs, _pairs),
        )
        if path.is_file() and told(path)
    ]
    times = storey_times(results / "benchmarks")
    hours = times.seconds.sum() / 3600
    parts.append(f"## What it took\n\n{hours:.2f} hours of jobs, added up.\n\n{markdown(times, 0)}")
    return "\n\n".join(parts) + "\n"


def write_evidence(results, folder, *, scheme, command, title, version):
    """Write <study>.md, its tables of differences and figures into a folder of documents.

    Parameters
    ----------
    results, folder : path-like
    scheme, command, title, version : str, keyword only
        The main scheme; how the study is run; its title; the soyfold that ran it.
    """
    results, folder = Path(results), Path(folder)
    text = evidence(results, scheme=scheme)
    study = results.name
    folder.mkdir(parents=True, exist_ok=True)
    parts = [f"# {title}", f"`{command}`, soyfold {version}"]
    for kind in KINDS:
        source = results / "evaluation" / "tables" / f"{kind}.tsv"
        if source.is_file():
            _copy_table(source, folder / f"{study}_{kind}.tsv")
            parts.append(f"[All {kind}]({study}_{kind}.tsv)")
    pairs = results / "interpretation" / f"{PAIRS}.tsv"
    if pairs.is_file():
        _copy(read_table(pairs), folder / f"{study}_{PAIRS}.tsv")
        parts.append(f"[All pairs of chromosomes]({study}_{PAIRS}.tsv)")
    figures = {name: f"comparisons_{scheme}_{name}" for name in ("PCC", "R2")}
    alike = {name: name for name in ("controls", "hypotheses", "knock_outs", "transfer")}
    for name, figure in {**figures, **alike}.items():
        source = results / "report" / "figures" / f"{figure}.png"
        if source.is_file():
            shutil.copyfile(source, folder / f"{study}_{name}.png")
            parts.append(f"![{FIGURES[name]}]({study}_{name}.png)")
    (folder / f"{study}.md").write_text("\n\n".join([*parts, text]), encoding="utf-8")


def _copy_table(source, target):
    """Copy a table's differences in the metrics that are kept; of transfer what they are of too."""
    table = read_table(source)
    kept = table[table.metric.isin(KEPT)]
    _copy(kept if "arm" in kept else kept.dropna(subset="difference"), target)


def _copy(table, target):
    """Write a table of documents: five figures a number."""
    with staged(target) as temporary:
        table.to_csv(temporary, sep="\t", index=False, na_rep="NA", float_format="%.5g")
