"""Scheme `given`: parts from the user's file."""

import pandas as pd

from soyfold.cohort.splits.parts import PARTS
from soyfold.common.errors import UserError


def check_words(table, column, file):
    """Refuse a splits file without a seed's column, with a sample twice, or odd words."""
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
            at=f"line {repeated.index[0]}", allowed="each sample once",
        )  # fmt: skip
    odd = table[column].dropna()
    odd = odd[~odd.isin(PARTS)]
    if len(odd):
        raise UserError(
            f"{odd.iloc[0]!r}", file=file, at=f"line {odd.index[0]}, column {column}",
            allowed="train, val, test or NA",
        )  # fmt: skip


def _check_samples(table, samples, file):
    """Refuse a splits file with samples that the genotypes never had."""
    names = table.iloc[:, 0]
    unknown = names[~names.isin(samples["sample"])]
    if len(unknown):
        raise UserError(
            f"samples that the genotypes don't have: {len(unknown)}"
            f" ({', '.join(map(repr, unknown[:3]))}{', ...' if len(unknown) > 3 else ''})",
            file=file, at=f"line {unknown.index[0]}",
            allowed=f"samples of the genotype file, such as {samples['sample'].iloc[0]!r}",
            mend="use the genotypes' sample names, or take those rows out",
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
    lost : DataFrame
        sample, why: every sample of the table that is left out, and every sample that passed QC
        and isn't in the table.

    Raises
    ------
    UserError
        For samples that the genotypes never had, a sample given twice, a seed that isn't there,
        another word, or a part that is empty after QC.
    """
    column = f"seed{seed}"
    check_words(table, column, file)
    _check_samples(table, samples, file)
    given = pd.Series(table[column].to_numpy(), index=table.iloc[:, 0])
    parts = samples.assign(part=samples["sample"].map(given))
    listed = parts["sample"].isin(given.index)
    why = pd.Series(None, index=parts.index, dtype=object)
    why[parts["kept"] & ~listed] = "not in the splits file"
    why[parts["kept"] & listed & parts["part"].isna()] = f"no part in {column}"
    removed = ~parts["kept"] & listed
    why[removed] = "removed by genotype QC: " + parts["reason"].fillna("no reason given")[removed]
    lost = parts.assign(why=why).loc[why.notna(), ["sample", "why"]]
    parts = parts.loc[parts["kept"] & parts["part"].notna(), ["sample", "part"]]
    empty = [part for part in PARTS if part not in set(parts["part"])]
    if empty:
        raise UserError(
            f"no sample in {' and '.join(empty)} after genotype QC", file=file,
            at=f"column {column}", allowed="at least one sample in each part",
        )  # fmt: skip
    return parts.reset_index(drop=True), lost.reset_index(drop=True)


def draw(samples, settings, *, seed, splits):
    """One split, and who is left out; `splits` is the user's table."""
    return given_split(splits, samples, seed=seed, file=settings["file"])
