"""Train, validation and test parts: drawn from a seed, or taken from the user's file."""

import numpy as np
import pandas as pd

from soyfold.errors import UserError

PARTS = ("train", "val", "test")
_STREAM = 20240229  # keeps these draws apart from other uses of the same small seeds


def _deal(n, ratio):
    """Part of each of n seats, such that every stretch of seats has nearly the ratio.

    Seats go to the parts by Webster's method: the j-th seat of a part with share r has priority
    (j - 1/2) / r, and the n lowest are taken. Totals are the ratio's, rounded.
    """
    share = np.asarray(ratio, dtype=np.float64) / np.sum(ratio)
    priorities = [(np.arange(int(np.ceil(n * r)) + 1) + 0.5) / r for r in share]
    part = np.repeat(np.arange(len(share)), [len(p) for p in priorities])
    return part[np.argsort(np.concatenate(priorities), kind="stable")[:n]]


def quantile_strata(values, bins):
    """Stratum of each sample: quantile bin of its value; samples without a value are their own.

    Parameters
    ----------
    values : array_like of float, length n
        Trait values, NaN where there is none.
    bins : int
        Bins of nearly equal size.

    Returns
    -------
    ndarray (n,) int64
        0 to bins - 1; -1 without a value.
    """
    rank = pd.Series(np.asarray(values, dtype=np.float64)).rank(method="first")
    strata = np.ceil(rank * bins / max(rank.count(), 1)) - 1
    return strata.fillna(-1).to_numpy(dtype=np.int64)


def random_split(samples, *, ratio, seed, strata=None):
    """Draw the part of every sample.

    Parameters
    ----------
    samples : sequence of str, length n
        Distinct names. The draw depends on the names, not on their order.
    ratio : sequence of three numbers
        Shares of train, val and test.
    seed : int
        Number of the split; other seeds change nothing in it.
    strata : array_like of int, length n, optional
        Within every stratum the parts have nearly the ratio.

    Returns
    -------
    ndarray (n,) of str
        train, val or test.

    Raises
    ------
    UserError
        If there are so few samples that a part would be empty.
    """
    samples = np.asarray(samples, dtype=str)
    part = _deal(len(samples), ratio)
    if len(np.unique(part)) < len(PARTS):
        raise UserError(
            f"{len(samples)} samples for parts of {':'.join(f'{r:g}' for r in ratio)}",
            at="key splits.ratio", allowed="at least one sample in each part",
            mend="give more samples, or a more even ratio",
        )  # fmt: skip
    by_name = np.argsort(samples, kind="stable")
    order = by_name[np.random.default_rng([_STREAM, seed]).permutation(len(samples))]
    if strata is not None:
        order = order[np.argsort(np.asarray(strata)[order], kind="stable")]
    parts = np.empty(len(samples), dtype=object)
    parts[order] = np.asarray(PARTS, dtype=object)[part]
    return parts


def _check_given(table, column, samples, file):
    """Refuse a splits file with unknown or repeated samples, without the seed, or odd words."""
    names = table.iloc[:, 0]
    if column not in table.columns[1:]:
        raise UserError(
            f"no column {column}", file=file,
            allowed=f"the header has: {', '.join(map(str, table.columns))}",
            mend="lower splits.seeds in the config, or add the column",
        )  # fmt: skip
    repeated = names[names.duplicated()]
    if len(repeated):
        raise UserError(
            f"the sample {repeated.iloc[0]!r} twice", file=file,
            at=f"line {repeated.index[0] + 2}", allowed="each sample once",
        )  # fmt: skip
    unknown = names[~names.isin(samples["sample"])]
    if len(unknown):
        raise UserError(
            f"samples that the genotypes don't have: {len(unknown)}"
            f" ({', '.join(map(repr, unknown[:3]))}{', ...' if len(unknown) > 3 else ''})",
            file=file, at=f"line {unknown.index[0] + 2}",
            allowed=f"samples of the genotype file, such as {samples['sample'].iloc[0]!r}",
            mend="use the genotypes' sample names, or take those rows out",
        )  # fmt: skip
    odd = table[column].dropna()
    odd = odd[~odd.isin(PARTS)]
    if len(odd):
        raise UserError(
            f"{odd.iloc[0]!r}", file=file, at=f"line {odd.index[0] + 2}, column {column}",
            allowed="train, val, test or NA",
        )  # fmt: skip


def given_split(table, samples, *, seed, file):
    """Take one split from the user's table.

    Parameters
    ----------
    table : DataFrame of str
        First column samples, then seed0, seed1, ... with train, val, test or missing.
    samples : DataFrame
        sample, kept, reason: all samples of the genotypes.
    seed : int
        Which column.
    file : str
        Where the table comes from, for messages.

    Returns
    -------
    parts : DataFrame
        sample, part: the samples that passed QC and have a part, in the order of `samples`.
    losses : DataFrame
        sample, why: every sample of the table that is left out, and every sample that passed QC
        and isn't in the table.

    Raises
    ------
    UserError
        For samples that the genotypes never had, a sample given twice, a seed that isn't there,
        another word, or a part that is empty after QC.
    """
    column = f"seed{seed}"
    _check_given(table, column, samples, file)
    given = pd.Series(table[column].to_numpy(), index=table.iloc[:, 0])
    parts = samples.assign(part=samples["sample"].map(given))
    listed = parts["sample"].isin(given.index)
    why = pd.Series(None, index=parts.index, dtype=object)
    why[parts["kept"] & ~listed] = "not in the splits file"
    why[parts["kept"] & listed & parts["part"].isna()] = f"no part in {column}"
    removed = ~parts["kept"] & listed
    why[removed] = "removed by genotype QC: " + parts["reason"].fillna("no reason given")[removed]
    losses = parts.assign(why=why).loc[why.notna(), ["sample", "why"]]
    parts = parts.loc[parts["kept"] & parts["part"].notna(), ["sample", "part"]]
    empty = [part for part in PARTS if part not in set(parts["part"])]
    if empty:
        raise UserError(
            f"no sample in {' and '.join(empty)} after genotype QC", file=file,
            at=f"column {column}", allowed="at least one sample in each part",
        )  # fmt: skip
    return parts.reset_index(drop=True), losses.reset_index(drop=True)


def draw_split(samples, settings, *, seed, table=None, values=None):
    """One split by the study's scheme.

    Parameters
    ----------
    samples : DataFrame
        sample, kept, reason.
    settings : dict
        scheme (random | given), ratio, stratify (False or {trait, bins}), file.
    seed : int
    table : DataFrame, optional
        given only: the user's splits.
    values : DataFrame, optional
        stratify only: sample, value of the trait.

    Returns
    -------
    parts : DataFrame
        sample, part.
    losses : DataFrame
        sample, why; empty for random splits.
    """
    if settings["scheme"] == "given":
        return given_split(table, samples, seed=seed, file=settings["file"])
    names = samples.loc[samples["kept"], "sample"].reset_index(drop=True)
    strata = None
    if settings["stratify"]:
        value = names.map(values.set_index("sample")["value"])
        strata = quantile_strata(value, settings["stratify"]["bins"])
    part = random_split(names, ratio=settings["ratio"], seed=seed, strata=strata)
    return pd.DataFrame({"sample": names, "part": part}), pd.DataFrame(columns=["sample", "why"])


def check_stratify(settings, traits, *, file):
    """Refuse a stratification that can't be done.

    Parameters
    ----------
    settings : dict
        `splits` of the study.
    traits : collection of str
        Traits of the study.
    file : str
        The config, for the message.

    Raises
    ------
    UserError
        If the trait isn't one of the study's, or the splits are given.
    """
    if not settings["stratify"]:
        return
    if settings["scheme"] == "given":
        raise UserError(
            "stratify beside scheme: given", file=file, at="key splits.stratify",
            allowed="off, since the parts are in splits.file",
        )  # fmt: skip
    trait = settings["stratify"]["trait"]
    if trait not in traits:
        raise UserError(
            f"trait {trait!r}", file=file, at="key splits.stratify.trait",
            allowed=", ".join(traits),
        )  # fmt: skip
