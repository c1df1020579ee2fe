"""Who beats whom: every model against the references, paired over the same splits."""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.evaluation.paired import holm, paired_difference

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
    "AUC": True,
    "Brier": False,
    "concordance": True,
}
# A mean over traits of what is in each trait's own unit would be no number of anything.
IN_TRAIT_UNITS = ("MAE", "RMSE", "selection_gain")
ALL = "all"
COLUMNS = [
    "trait", "scheme", "metric", "model", "label", "role", "reference", "reference_label",
    "model_mean", "reference_mean", "difference", "sd", "low", "high", "p", "p_holm", "wins",
    "splits", "test_share", "traits", "better_traits",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class _Cube:
    """Scores of one scheme by metric: arrays (traits, splits, models), NaN where no fit is."""

    traits: list
    models: list
    values: dict

    @property
    def fitted(self):
        """Which model was fitted on which split for which trait."""
        return ~np.isnan(self.values["test_lines"])

    @property
    def test_share(self):
        """n_test / n_train by trait, in one unit: mean over its splits."""
        lines = self.values["test_lines"] / self.values["train_lines"]
        return np.nanmean(self.values.get("test_share", lines), axis=(1, 2))


def _cube(scores):
    axes = [pd.Index(scores[name].unique()) for name in ("trait", "seed", "model")]
    values = {}
    for metric, group in scores.groupby("metric", sort=False):
        values[metric] = np.full([len(axis) for axis in axes], np.nan)
        columns = (group.trait, group.seed, group.model)
        place = tuple(axis.get_indexer(c) for axis, c in zip(axes, columns, strict=True))
        values[metric][place] = group.value
    return _Cube(list(axes[0]), list(axes[2]), values)


def _compare(ours, theirs, *, metric, test_share):
    """Columns of one row: means, the corrected paired difference, splits that are won."""
    found = dataclasses.asdict(paired_difference(ours, theirs, test_share=test_share))
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    return {
        "model_mean": float(ours.mean()),
        "reference_mean": float(theirs.mean()),
        "difference": found.pop("mean"),
        "splits": found.pop("n"),
        **found,
        "wins": int((sign * (ours - theirs) > 0).sum()),
        "test_share": test_share,
    }


def _over_traits(ours, theirs, both, metric):
    """Means over the traits in each split, which traits these are, and counts of them.

    Traits whose every pair is defined, splits that all of these share; None where there are no two
    such traits, or a mean over them means nothing.
    """
    undefined = (np.isnan(ours) | np.isnan(theirs)) & both
    whole = both.any(axis=1) & ~undefined.any(axis=1)
    shared = both[whole].all(axis=0)
    if metric in IN_TRAIT_UNITS or whole.sum() < 2 or not shared.any():
        return None
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    gains = [sign * (ours[t] - theirs[t])[both[t]].mean() for t in np.flatnonzero(whole)]
    counts = {"traits": int(whole.sum()), "better_traits": int((np.array(gains) > 0).sum())}
    means = [values[whole][:, shared].mean(axis=0) for values in (ours, theirs)]
    return *means, whole, counts


def _pair_rows(cube, metric, model, reference):
    """Rows of one metric, model and reference: each trait, then the traits together.

    A metric that is undefined throughout for one of them (a constant's correlation) is no pair.
    """
    m, r = cube.models.index(model), cube.models.index(reference)
    ours, theirs = cube.values[metric][:, :, m], cube.values[metric][:, :, r]
    both, shares = cube.fitted[:, :, m] & cube.fitted[:, :, r], cube.test_share
    for number, trait in enumerate(cube.traits):
        pair = ours[number][both[number]], theirs[number][both[number]]
        if all((~np.isnan(values)).any() for values in pair):
            share = float(shares[number])
            yield {"trait": trait, **_compare(*pair, metric=metric, test_share=share)}
    together = _over_traits(ours, theirs, both, metric)
    if together is not None:
        ours, theirs, whole, counts = together
        share = float(shares[whole].mean())
        yield {"trait": ALL, **_compare(ours, theirs, metric=metric, test_share=share), **counts}


def _scheme_rows(scores, references):
    """Rows of one scheme: each pair, each metric, each trait."""
    cube = _cube(scores)
    for reference in (name for name in references if name in cube.models):
        for model in (name for name in cube.models if name != reference):
            for metric in (name for name in HIGHER_IS_BETTER if name in cube.values):
                facts = {"metric": metric, "model": model, "reference": reference}
                yield from ({**facts, **row} for row in _pair_rows(cube, metric, model, reference))


def compare_models(scores, references):
    """Every model against every reference: comparisons.tsv.

    Parameters
    ----------
    scores : DataFrame
        As `scores.collect_scores` returns it, with the measures test_lines and train_lines.
        Controls are left out.
    references : iterable of str
        Models (names); those that a scheme has not fitted are no references there.

    Returns
    -------
    DataFrame
        trait, scheme, metric, model, label, role, reference, reference_label, model_mean and
        reference_mean (over the splits that both have), difference (model - reference), sd, low,
        high (95 %), p (`paired.paired_difference`), p_holm (Holm over the models of a trait,
        scheme, reference and metric), wins (splits in which the model is better) of `splits`,
        test_share (n_test / n_train). In rows of trait `all` the values are means over the traits
        of each split, for metrics without unit; `traits` is their number and `better_traits` that
        of traits whose mean difference speaks for the model.
    """
    ours = scores[scores.role != "control"]
    rows = [
        {"scheme": scheme, **row}
        for scheme, group in ours.groupby("scheme", sort=False)
        for row in _scheme_rows(group, references)
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
