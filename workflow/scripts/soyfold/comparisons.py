"""Who beats whom: every model against the references, paired over the same splits."""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.comparison import holm, paired_difference
from soyfold.errors import UserError

# What is compared, and whether more of it is better.
HIGHER_IS_BETTER = {
    "PCC": True,
    "R2": True,
    "Spearman": True,
    "CI": True,
    "MAE": False,
    "RMSE": False,
    "PCC_within_family": True,
    "PCC_within_environment": True,
    "selection_overlap": True,
    "selection_gain": True,
    "selection_efficiency": True,
}
# A mean over traits of what is in each trait's own unit would be no number of anything.
IN_TRAIT_UNITS = ("MAE", "RMSE", "selection_gain")
ALL = "all"
REFERENCES = ("gblup", "rkhs", "gblup_rkhs", "mean")
COLUMNS = [
    "trait", "scheme", "metric", "model", "label", "role", "reference", "reference_label",
    "model_mean", "reference_mean", "difference", "sd", "low", "high", "p", "p_holm", "wins",
    "splits", "test_share", "traits", "better_traits",
]  # fmt: skip


def choose_references(wanted, fitted, *, file):
    """Models that all others are compared with.

    Parameters
    ----------
    wanted : list of str or None
        `evaluation.references`; None takes those of `REFERENCES` that are fitted.
    fitted : collection of str
        Models of the study.
    file : str, keyword only
        The study file, for the message.

    Returns
    -------
    list of str

    Raises
    ------
    UserError
        If a model named is not fitted.
    """
    if wanted is None:
        return [name for name in REFERENCES if name in fitted]
    if unknown := [name for name in wanted if name not in fitted]:
        raise UserError(
            ", ".join(unknown),
            file=file,
            at="key evaluation.references",
            allowed=f"{', '.join(fitted)} (models fitted here)",
            mend="add it to training.models, or drop it here",
        )
    return list(wanted)


def _wide(scores):
    """Values by split: rows (trait, seed), columns (metric, model)."""
    return scores.pivot(index=["trait", "seed"], columns=["metric", "model"], values="value")


def _test_share(wide, trait, model):
    """n_test / n_train, mean over a trait's splits."""
    lines = wide.loc[trait].xs(model, axis=1, level="model")
    return float((lines["test_lines"] / lines["train_lines"]).mean())


def _compare(ours, theirs, *, metric, test_share):
    """Columns of one row: means, the corrected paired difference, splits that are won."""
    ours, theirs = ours.to_numpy(), theirs.to_numpy()
    result = paired_difference(ours, theirs, test_share=test_share)
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    found = dataclasses.asdict(result)
    return {
        "model_mean": float(ours.mean()),
        "reference_mean": float(theirs.mean()),
        "difference": found.pop("mean"),
        "splits": found.pop("n"),
        **found,
        "wins": int((sign * (ours - theirs) > 0).sum()),
        "test_share": test_share,
    }


def _pairs_by_trait(wide, metric, model, reference):
    """Both models' values by trait: those traits and splits for which both were fitted.

    A metric that is undefined throughout for one of them (a constant's correlation) is no pair.
    """
    both = wide[metric].reindex(columns=[model, reference])
    fitted = wide["test_lines"].reindex(columns=[model, reference]).notna().all(axis=1)
    for trait, values in both[fitted].groupby(level="trait", sort=False):
        values = values.droplevel("trait")
        if values.notna().any().all():
            yield trait, values


def _over_traits(by_trait, metric):
    """Mean over the traits in each split (traits that are whole, splits that all share) and counts.

    None where there are no two such traits, or a mean over them means nothing.
    """
    whole = {trait: values for trait, values in by_trait.items() if values.notna().all(axis=None)}
    if metric in IN_TRAIT_UNITS or len(whole) < 2:
        return None
    stacked = pd.concat(whole.values(), axis=1, keys=whole, join="inner")
    if stacked.empty:
        return None
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    model, reference = next(iter(whole.values())).columns
    gains = [sign * (v[model] - v[reference]).mean() for v in whole.values()]
    mean = stacked.T.groupby(level=1, sort=False).mean().T
    return mean, {"traits": len(whole), "better_traits": int((np.array(gains) > 0).sum())}


def _pair_rows(wide, model, reference, shares):
    """Rows of one model and reference: each metric, each trait, then the traits together."""
    for metric in (name for name in HIGHER_IS_BETTER if name in wide):
        by_trait = dict(_pairs_by_trait(wide, metric, model, reference))
        facts = {"metric": metric, "model": model, "reference": reference}
        found = {trait: (values, shares[trait], {}) for trait, values in by_trait.items()}
        together = _over_traits(by_trait, metric)
        if together is not None:
            found[ALL] = (together[0], float(np.mean([shares[t] for t in by_trait])), together[1])
        for trait, (values, share, counts) in found.items():
            row = _compare(values[model], values[reference], metric=metric, test_share=share)
            yield {"trait": trait, **facts, **row, **counts}


def _scheme_rows(scores, scheme, references):
    """Rows of one scheme."""
    wide = _wide(scores)
    names = [name for name in dict.fromkeys(scores.model) if name in wide["test_lines"]]
    for reference in (name for name in references if name in names):
        for model in (name for name in names if name != reference):
            first = scores[scores.model == reference].trait.unique()
            shares = {trait: _test_share(wide, trait, reference) for trait in first}
            for row in _pair_rows(wide, model, reference, shares):
                yield {"scheme": scheme, **row}


def compare_models(scores, references):
    """Every model against every reference: comparisons.tsv.

    Parameters
    ----------
    scores : DataFrame
        As `evaluation.collect_scores` returns it, with the measures test_lines and train_lines.
        Controls are left out.
    references : iterable of str
        Models (names); those that a scheme has not fitted are no references there.

    Returns
    -------
    DataFrame
        trait, scheme, metric, model, label, role, reference, reference_label, model_mean and
        reference_mean (over the splits that both have), difference (model - reference), sd, low,
        high (95 %), p (`comparison.paired_difference`), p_holm (Holm over the models of a trait,
        scheme, reference and metric), wins (splits in which the model is better) of `splits`,
        test_share (n_test / n_train). In rows of trait `all` the values are means over the traits
        of each split, for metrics without unit; `traits` is their number and `better_traits` that
        of traits whose mean difference speaks for the model.
    """
    ours = scores[scores.role != "control"]
    rows = [
        row
        for scheme, group in ours.groupby("scheme", sort=False)
        for row in _scheme_rows(group, scheme, references)
    ]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    if table.empty:
        return table
    facts = ours.drop_duplicates("model").set_index("model")
    table["label"], table["role"] = table.model.map(facts.label), table.model.map(facts.role)
    table["reference_label"] = table.reference.map(facts.label)
    family = ["trait", "scheme", "reference", "metric"]
    table["p_holm"] = table.groupby(family, sort=False).p.transform(lambda p: holm(p.to_numpy()))
    return table.astype({"traits": "Int64", "better_traits": "Int64"})
