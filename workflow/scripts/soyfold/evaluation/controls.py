"""Does the 3D genome help? The real CIM against control CIMs, everything else the same."""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.common.logs import log
from soyfold.evaluation.comparisons import ALL
from soyfold.evaluation.paired import holm, paired_difference
from soyfold.evaluation.scores import mean_over_seeds

HIGHER_IS_BETTER = {
    "PCC": True, "MAE": False, "R2": True, "log_posterior": True, "log_likelihood": True,
}  # fmt: skip
# What a kernel's fit says of a CIM on its training lines, the first of those that it has: where
# weights are learned, predictions hardly tell CIMs apart (docs/evidence.md), and these do.
LIKELIHOODS = ("log_posterior", "log_likelihood")
POOLED = "permuted"  # the row of all permuted CIMs together
WITHOUT_UNIT = ("PCC", "R2", *LIKELIHOODS)  # what may be averaged over traits
COLUMNS = [
    "trait", "model", "label", "metric", "control", "real", "value", "difference", "low", "high",
    "p", "seeds", "parameters_real", "parameters_control", "rank", "permutations", "permutation_p",
    "permutation_holm", "real_cim",
]  # fmt: skip


def is_permuted(control):
    """Whether a control is one of the shuffled CIMs: permuted1, permuted2, ..."""
    return control.startswith(POOLED) and control != POOLED


def read_test_share(path):
    """n_test / n_train of a split, for the correction of `paired.paired_difference`.

    Parameters
    ----------
    path : path-like
        A split: sample, part.

    Raises
    ------
    UserError
        If the split has no training lines.
    """
    counts = read_table(path, required=("sample", "part"), dtype=str).part.value_counts()
    if not counts.get("train", 0):
        raise UserError("no line in part train", file=path, allowed="at least one")
    return counts.get("test", 0) / counts["train"]


def find_copies(real, controls):
    """Permuted CIMs that are the real one over again, or an earlier permuted one.

    A small or symmetric CIM has few shuffles that change it; a copy adds nothing to a rank.

    Parameters
    ----------
    real : path-like
        The study's CIM.
    controls : dict of str to path-like
        Tables of control CIMs by name.

    Returns
    -------
    list of str
    """
    seen, copies = [_read_matrix(real)], []
    for name, path in controls.items():
        if is_permuted(name):
            matrix = _read_matrix(path)
            known = any(np.allclose(matrix, other, rtol=1e-8, atol=0) for other in seen)
            (copies.append(name) if known else seen.append(matrix))
    if copies:
        log.warning("%s: copies, left out of the ranks", ", ".join(copies))
    return copies


def _read_matrix(path):
    return read_table(path, required=("chromosome",)).set_index("chromosome").to_numpy(float)


def _parameter_counts(values):
    """Trainable parameters by seed, which a choice of SNPs by training lines changes; NaN for a
    direct model."""
    return values["parameters"] if "parameters" in values else pd.Series(np.nan, values.index)


def _check_twins(real, control, *, base, name):
    """Refuse a control that differs from its model in more than the CIM."""
    if set(real.index) != set(control.index):
        raise UserError(
            f"seeds {sorted(control.index)} of {name}, {sorted(real.index)} of {base}",
            allowed="the same seeds, since they are compared pair by pair",
            mend="fit the missing ones",
        )
    ours, theirs = _parameter_counts(real), _parameter_counts(control).reindex(real.index)
    other = ours.index[ours.fillna(-1) != theirs.fillna(-1)]
    if len(other):
        seed = other[0]
        raise UserError(
            f"{theirs[seed]:g} parameters of {name}, {ours[seed]:g} of {base} (seed {seed})",
            allowed="the same number, so that nothing but the CIM differs",
            mend="fit both anew with the same block of models.yaml",
        )


def _compare(real, control, *, test_share):
    """Columns of one row: means and the paired difference; `real`, `control` by seed."""
    control = control.reindex(real.index)
    result = paired_difference(real, control, test_share=test_share)
    return {
        "real": mean_over_seeds(real)[0],
        "value": mean_over_seeds(control)[0],
        "difference": result.mean,
        "low": result.low,
        "high": result.high,
        "p": result.p,
        "seeds": result.n,
    }


def rank_among(real, permuted, *, higher_is_better):
    """Place of the real CIM among the permuted ones, and how likely it is by chance.

    Parameters
    ----------
    real : float
    permuted : array_like (k,)
        The same metric with permuted CIMs. Undefined values are no permutations.
    higher_is_better : bool, keyword only

    Returns
    -------
    dict
        rank: 1 + number of permuted CIMs at least as good, so that ties count against the real
        one and 1 is the best; permutations: k; permutation_p: rank / (1 + k) (Phipson and Smyth
        2010). Rank and p are NaN where `real` is, or without permutations.
    """
    permuted = np.asarray(permuted, dtype=np.float64)
    permuted = permuted[~np.isnan(permuted)]
    if np.isnan(real) or len(permuted) == 0:
        return {"rank": np.nan, "permutations": len(permuted), "permutation_p": np.nan}
    as_good = permuted >= real if higher_is_better else permuted <= real
    rank = 1 + int(as_good.sum())
    p = rank / (1 + len(permuted))
    return {"rank": rank, "permutations": len(permuted), "permutation_p": p}


def _compare_metric(metric, real, controls, *, test_share):
    """Rows of one metric: each control, then the permuted ones together."""
    rows = [
        {"control": name, **_compare(real[metric], values[metric], test_share=test_share)}
        for name, values in controls.items()
    ]
    shuffled = pd.DataFrame(
        {name: values[metric] for name, values in controls.items() if is_permuted(name)}
    )
    if not shuffled.empty:
        pooled = _compare(real[metric], shuffled.mean(axis=1, skipna=False), test_share=test_share)
        means = [mean_over_seeds(shuffled[name])[0] for name in shuffled]
        better = HIGHER_IS_BETTER[metric]
        rank = rank_among(pooled["real"], means, higher_is_better=better)
        rows.append({"control": POOLED, **pooled, **rank})
    return rows


def metrics_of(values):
    """Metrics by which a model's CIMs are compared: scores, and what its likelihood says of them.

    Parameters
    ----------
    values : DataFrame
        A fit's metrics (columns) by seed.

    Returns
    -------
    list of str
    """
    told = [name for name in LIKELIHOODS if name in values]
    scores = [name for name in HIGHER_IS_BETTER if name in values and name not in LIKELIHOODS]
    return scores + told[:1]


def _rows_of(facts, fit, test_share):
    """Rows of a trait and model; `fit` has the metrics by seed of the real CIM, then controls."""
    (_, real), *others = fit.items()
    return [
        {**facts, "metric": metric, **row}
        for metric in metrics_of(real)
        for row in _compare_metric(metric, real, dict(others), test_share=test_share)
    ]


def _allow_for_traits(table):
    """Holm's adjustment of the permutations' p over the traits of each model and metric."""
    traits = table[table.trait != ALL]
    grouped = traits.groupby(["model", "metric"])["permutation_p"]
    return table.assign(permutation_holm=grouped.transform(holm))


def _over_traits(fits):
    """One model's fits of several traits as one: metrics by seed, averaged over the traits.

    A permuted CIM is the same matrix whatever the trait, so that its means are ranked as a single
    trait's values are. Many small signs then add up that no trait shows after Holm's adjustment:
    20 shuffles leave none of 30 traits a p below 1.

    Parameters
    ----------
    fits : list of dict
        Each trait's metrics by seed (DataFrame) by CIM.

    Returns
    -------
    dict of str to DataFrame
        Without CIMs or metrics that a trait lacks, and those in its unit.
    """
    names = [name for name in fits[0] if all(name in fit for fit in fits)]
    return {name: sum(fit[name].filter(WITHOUT_UNIT) for fit in fits) / len(fits) for name in names}


def compare_controls(scores, controlled, *, test_share, copies=()):
    """The real CIM against each control CIM: controls.tsv.

    Parameters
    ----------
    scores : DataFrame
        As `scores.collect_scores` returns it, with the rows of role control.
    controlled : iterable of (str, str)
        Trait and model (name) of each that has controls.
    test_share : float, keyword only
        n_test / n_train of a split.
    copies : collection of str, keyword only
        Controls to leave out (`find_copies`).

    Returns
    -------
    DataFrame
        trait, model, label, metric (`metrics_of`), control, real and value (means over seeds with
        the real CIM and the control), difference (real - control, paired over seeds), low, high
        (95 %), p (`paired.paired_difference`), seeds, parameters_real and parameters_control (means
        over seeds), rank, permutations, permutation_p (`rank_among`; in the row `permuted` alone,
        whose value is each seed's mean over the permuted CIMs), permutation_holm (Holm's over the
        traits), real_cim (hic, or expected where the study has no Hi-C of its own).

    Raises
    ------
    UserError
        If a pair has no controls, or a control has other seeds or another number of parameters.
    """
    rows, fits = [], {}
    for trait, base in controlled:
        ours = scores[(scores.trait == trait) & (scores.base == base)]
        first = ours[ours.model == base].iloc[0]
        wide = {
            name: group.pivot(index="seed", columns="metric", values="value")
            for name, group in ours.groupby("model", sort=False)
        }
        names = ours[(ours.role == "control") & ~ours.control.isin(copies)]
        names = names.drop_duplicates("model").set_index("control").model
        if names.empty:
            raise UserError(
                f"no control of {base} for {trait}", allowed="at least one",
                mend="name the model under evaluation.controls, or take it out",
            )  # fmt: skip
        for name in names:
            _check_twins(wide[base], wide[name], base=base, name=name)
        count = _parameter_counts(wide[base]).mean()
        facts = {"model": base, "label": first.label, "real_cim": first.cim}
        facts |= {"parameters_real": count, "parameters_control": count}
        fit = {base: wide[base]} | {control: wide[name] for control, name in names.items()}
        rows += _rows_of({**facts, "trait": trait}, fit, test_share)
        fits.setdefault(base, []).append((facts, fit))
    for of_traits in fits.values():
        if len(of_traits) > 1:
            facts = {**of_traits[0][0], "trait": ALL}
            rows += _rows_of(facts, _over_traits([fit for _, fit in of_traits]), test_share)
    return _allow_for_traits(pd.DataFrame(rows).reindex(columns=COLUMNS))
