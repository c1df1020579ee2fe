"""What a study says in a line a trait: its best model, and whether it is more than GBLUP."""

from pathlib import Path

import pandas as pd

from soyfold.common.decimals import decimals, difference_text
from soyfold.common.files import read_table
from soyfold.evaluation.comparisons import HIGHER_IS_BETTER
from soyfold.evaluation.guards import has_learned

COLUMNS = [
    "trait", "model", "mean", "sd", "seeds", "models", "reference", "difference", "low", "high",
    "p_holm",
]  # fmt: skip
NOTHING = "no model learned anything"


def best_models(tables, comparisons=None, *, scheme, metric="PCC"):
    """The model with the best mean on the test lines, trait by trait, of those that have learned.

    A model with fewer splits than others stands where its paired difference to the reference puts
    it: its own mean is of other lines. Where nobody compared it, it isn't named.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Trait to its table, as `scores.trait_table` returns it.
    comparisons : DataFrame, optional
        comparisons.tsv; its first reference with a value is the one compared with.
    scheme, metric : str, keyword only

    Returns
    -------
    DataFrame
        trait, model (label; missing where guards say of all that they have learned nothing), mean,
        sd, seeds, models (how many it is the best of), reference (label), difference to it with
        low, high (95 %) and p_holm: missing for the reference itself. A trait that no model but
        the mean predictor was fitted to has no row.
    """
    rows = []
    for trait, table in tables.items():
        here = table[table.metric == metric].assign(guards=table.get("guards"))
        tried = here.dropna(subset=["mean", "guards"], how="all")
        if tried.empty:
            continue
        able = tried[tried.guards.map(has_learned) & tried["mean"].notna()]
        facts = {"trait": trait, "models": len(tried)}
        if not able.empty:
            means = _on_all_splits(able, _paired(comparisons, trait, scheme, metric))
            best = able.loc[means.idxmax() if HIGHER_IS_BETTER[metric] else means.idxmin()]
            facts |= best[["model", "mean", "sd", "seeds"]].to_dict()
            facts |= _against(comparisons, trait, best.model, scheme, metric)
        rows.append(facts)
    return pd.DataFrame(rows, columns=COLUMNS)


def best_names(trait_tables, models, *, scheme):
    """Each trait's best model by test PCC, as far as the study has scored any.

    Parameters
    ----------
    trait_tables : dict of str to path-like
        Trait to its table of scores; tables that aren't there yet are left out.
    models : dict of str to dict
        Registry blocks by name.
    scheme : str, keyword only

    Returns
    -------
    dict of str to str
        Trait to model.
    """
    found = {trait: path for trait, path in trait_tables.items() if Path(path).is_file()}
    read = {trait: read_table(path, required=("metric", "mean")) for trait, path in found.items()}
    best = best_models(read, scheme=scheme).dropna(subset="model")
    by_label = {block["label"]: name for name, block in models.items()}
    return {row.trait: by_label[row.model] for row in best.itertuples() if row.model in by_label}


def fired_guards(tables):
    """Guards that fired, each with the models that it fired for.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As for `best_models`.

    Returns
    -------
    dict of str to list of str
        "model (trait)" by guard.
    """
    fired = {}
    for trait, table in tables.items():
        guards = table.set_index("model").get("guards", pd.Series(dtype=str)).dropna()
        for model, text in guards[~guards.index.duplicated()].items():
            for guard in text.split(", "):
                fired.setdefault(guard, []).append(f"{model} ({trait})")
    return fired


def _on_all_splits(able, paired):
    """Means of models as of all splits: of those with fewer, by the difference to the reference."""
    means = able["mean"].copy()
    fewer = able["seeds"] < able["seeds"].max()
    if fewer.any():
        difference, reference = pd.Series(dtype=float), float("nan")
        if not paired.empty:
            difference = paired.drop_duplicates("label").set_index("label").difference
            own = able.loc[able.model == paired.reference_label.iloc[0], "mean"]
            reference = own.iloc[0] if len(own) else reference
        means[fewer] = reference + able.loc[fewer, "model"].map(difference)
    return means


def _paired(comparisons, trait, scheme, metric):
    """Rows of comparisons with the first reference that is not a constant; none without."""
    if comparisons is None:
        return pd.DataFrame(columns=["reference_label"])
    rows = comparisons[
        (comparisons.trait == trait)
        & (comparisons.scheme == scheme)
        & (comparisons.metric == metric)
        & comparisons.difference.notna()
    ]
    return rows[rows.reference_label == rows.reference_label.iloc[0]] if len(rows) else rows


def _against(comparisons, trait, label, scheme, metric):
    """A model's difference to that reference."""
    rows = _paired(comparisons, trait, scheme, metric)
    if rows.empty:
        return {}
    reference = rows.reference_label.iloc[0]
    own = rows[rows.label == label]
    found = {} if own.empty else own.iloc[0][["difference", "low", "high", "p_holm"]].to_dict()
    return {"reference": reference, **found}


def verdict(row):
    """One row of `best_models` as a sentence.

    Parameters
    ----------
    row : named tuple
        As `itertuples` gives it.

    Returns
    -------
    str
    """
    if pd.isna(row.model):
        return f"{NOTHING}: a guard fired for {'all ' if row.models > 1 else ''}{row.models}"
    sd = "" if pd.isna(row.sd) else f" ({decimals(row.sd)})"
    start = f"{row.model}, PCC {decimals(row.mean)}{sd}, best of {row.models}"
    if pd.isna(row.reference):
        return f"{start}; no reference to compare with"
    if pd.isna(row.difference):
        return f"{start}: no model's mean is above that of {row.reference}"
    found = f"{difference_text(row.difference, row.low, row.high)} to {row.reference}"
    if pd.isna(row.low):
        return f"{start}, {found}: one split, no interval"
    if row.low > 0 and row.p_holm < 0.05:
        return f"{start}, {found}: better, Holm p {row.p_holm:.2g}"
    if row.low > 0:
        return f"{start}, {found}: better alone, not among all compared (Holm p {row.p_holm:.2g})"
    return f"{start}, {found}: no difference shown"
