"""What docs/evidence tells of a study, section by section, in Markdown."""

from pathlib import Path

import pandas as pd

from soyfold.common.decimals import decimals, difference_text
from soyfold.common.files import read_table
from soyfold.evaluation.comparisons import ALL
from soyfold.evaluation.controls import LIKELIHOODS

SCORES = (
    "PCC", "PCC_within_family", "R2", "MAE", "calibration_slope", "selection_efficiency",
    "coverage90",
)  # fmt: skip
FEW_TRAITS = 4
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


def by_mean(table, trait):
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


def schemes(results, scheme):
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


def controls(path):
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


def hypotheses(path):
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


def knock_outs(path):
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


def transfer(path):
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


def pairs(path):
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


def compared(comparisons, scores, scheme):
    """Scores, and differences to the references: of each trait, or where they are many, of all."""
    traits = list(scores.trait.unique())
    parts = []
    if len(traits) <= FEW_TRAITS:
        means = _means(scores, scheme)
        for trait in traits:
            parts.append(f"## {trait}: scores\n\nMean (sd) over splits, on test lines.")
            parts.append(markdown(by_mean(means, trait)))
    for trait in traits if len(traits) <= FEW_TRAITS else [ALL]:
        for metric in ("PCC", "R2"):
            table = _differences(comparisons, scheme, trait, metric)
            where = f"mean over {len(traits)} traits" if trait == ALL else trait
            parts.append(f"## {where}: {metric} against the references")
            parts.append(markdown(table) if len(table) else "None is defined.")
    return parts
