"""Phenotype lines and genotype samples: which are the same, and what is lost and why."""

import numpy as np
import pandas as pd

from soyfold.cohort.accessions import accession_keys
from soyfold.cohort.spellings import differ_in, near_pairs, safe_keys
from soyfold.common.errors import UserError
from soyfold.common.files import read_sheet_rows

STATUSES = ("matched", "genotype_only", "phenotype_only", "ambiguous", "left_out")
REPORT_COLUMNS = ("status", "sample", "phenotype_id", "why", "nearest")
ABSENT = "not in the genotypes"
RESPELT = "by the id, but for "
COUNT_COLUMNS = ("trait", "status", "why", "count")


def read_id_map(path, prefixes):
    """Read an id map: first column ids in the phenotypes, second the sample in the genotypes.

    Parameters
    ----------
    path : path-like or None
        TSV with a header of any names; None is an empty map.
    prefixes : sequence of str
        Accession prefixes: ids are compared by their canonical key.

    Returns
    -------
    Series of str
        Sample name by phenotype key.

    Raises
    ------
    UserError
        For fewer than two columns, or one id that is given two samples.
    """
    if path is None:
        return pd.Series(dtype=object)
    table = read_sheet_rows(path)
    if table.shape[1] < 2:
        raise UserError(
            f"{table.shape[1]} column", file=path,
            allowed="two tab-separated columns: id in the phenotypes, sample in the genotypes",
        )  # fmt: skip
    ids = table.iloc[:, 0].fillna("NA")
    table = pd.DataFrame(
        {
            "id": ids,
            "key": accession_keys(ids, prefixes).to_numpy(),
            "sample": table.iloc[:, 1].fillna("NA").str.strip(),
        }
    ).drop_duplicates(["key", "sample"])
    twice = table.index[table["key"].duplicated(keep="first")]
    if len(twice):
        row = table.loc[twice[0]]
        first = table.loc[table["key"] == row["key"], "sample"].iloc[0]
        raise UserError(
            f"the id {row['id']!r} for {first!r} and for {row['sample']!r}",
            file=path, at=f"line {twice[0]}", allowed="one sample for an id",
        )  # fmt: skip
    return table.set_index("key")["sample"]


def _samples_by_key(samples, prefixes):
    """Sample of each canonical key, and the keys that several samples share.

    A sample that QC removed stands for its key only where no kept sample does.
    """
    keyed = samples.assign(key=accession_keys(samples["sample"], prefixes).to_numpy())
    kept = keyed[keyed["kept"]]
    shared = set(kept.loc[kept["key"].duplicated(), "key"])
    first = keyed[~keyed["key"].isin(shared)].sort_values("kept", ascending=False, kind="stable")
    return first.drop_duplicates("key").set_index("key")["sample"], shared


def identify(ids, samples, *, prefixes, id_map):
    """Find the sample that each phenotype id names.

    Parameters
    ----------
    ids : sequence of str, length m
        Distinct phenotype ids.
    samples : DataFrame
        sample, kept, reason, as `samples.read_samples` gives it.
    prefixes : sequence of str
        Prefixes of accession ids.
    id_map : Series of str
        Sample by phenotype key; it goes before the key itself, and an id that it sends to an
        unknown sample has none.

    Returns
    -------
    DataFrame (m rows)
        phenotype_id; line: label shared by all ids that name one line; sample (None if there is
        none); how: by what the sample was found, or why there is none; nearest: of an id that has
        none, the sample that it is perhaps, and the likely cause (None where nothing is near).
        Ids that differ in spelling alone (`spellings.safe_keys`) are joined one to one.
    """
    table = pd.DataFrame({"phenotype_id": pd.Series(ids, dtype=object)})
    key = accession_keys(table["phenotype_id"], prefixes)
    by_key, shared = _samples_by_key(samples, prefixes)
    target = key.map(id_map)
    mapped = target.notna()
    known = target.isin(samples["sample"])
    sample = target.where(known, key.map(by_key).where(~mapped)).astype(object)
    free = sample.isna() & ~mapped & ~key.isin(shared)
    respelt = _respelt(table.loc[free, "phenotype_id"], samples["sample"], sample, prefixes)
    sample = sample.where(sample.notna(), table["phenotype_id"].map(respelt))
    found = sample.notna()
    table["line"] = ("sample " + sample).where(found, "id " + key)
    table["sample"] = sample.where(found, None)
    table["how"] = np.select(
        [
            known,
            mapped,
            key.isin(shared),
            found & (sample == table["phenotype_id"].str.strip()),
            found & ~free,
        ],
        [
            "by the id map",
            "the id map names no sample of the genotypes",
            "names several samples",
            "by the same id",
            "by the accession key",
        ],
        ABSENT,
    )
    for place in np.flatnonzero(free & found):
        why = differ_in(table.at[place, "phenotype_id"], sample[place])
        table.loc[place, "how"] = f"{RESPELT}{why}"
    lost = table.loc[~found & (table["how"] == ABSENT), "phenotype_id"]
    unused = samples.loc[samples["kept"] & ~samples["sample"].isin(sample), "sample"]
    near = near_pairs(lost, unused, prefixes) if len(lost) and len(unused) else {}
    near = {name: f"{other} ({why})" for name, (other, why) in near.items()}
    table["nearest"] = (
        table["phenotype_id"].map(near).astype(object).where(lambda s: s.notna(), None)
    )
    return table


def _respelt(ids, samples, taken, prefixes):
    """Sample of each id that differs from one sample in spelling alone, and no other id does."""
    if ids.empty:
        return {}
    by_key = pd.Series(samples.to_numpy(), safe_keys(samples, prefixes))
    by_key = by_key[~by_key.index.duplicated(keep=False)]
    by_key = by_key[~by_key.isin(taken)]
    keys = safe_keys(ids, prefixes)
    keys = keys[~keys.duplicated(keep=False)]
    found = keys.map(by_key).dropna()
    return dict(zip(ids[found.index], found, strict=True))


def _phenotype_rows(identities, lines, samples, lost):
    """Report rows of the phenotype ids; `lines` holds value and connected by line."""
    unusable = identities["line"].map(lost.drop_duplicates("line").set_index("line")["why"])
    line = lines.reindex(identities["line"])
    has_value = line["value"].notna().to_numpy()
    cut_off = line["connected"].eq(False).to_numpy(dtype=bool)  # without records: missing
    found = identities["sample"].notna().to_numpy()
    kept = identities["sample"].isin(samples.loc[samples["kept"], "sample"]).to_numpy()
    reason = identities["sample"].map(samples.set_index("sample")["reason"])
    shared = (identities["how"] == "names several samples").to_numpy()
    status = np.select(
        [shared, kept & has_value, kept],
        ["ambiguous", "matched", "genotype_only"],
        "phenotype_only",
    )
    why = np.select(
        [shared, found & ~kept, cut_off, ~has_value],
        [
            identities["how"],
            "removed by genotype QC: " + reason.fillna("no reason given"),
            "its environments share no line with the others",
            unusable.fillna("no value"),
        ],
        identities["how"],
    )
    return identities[["sample", "phenotype_id", "nearest"]].assign(status=status, why=why)


def report_join(identities, lines, samples, *, prefixes, lost):
    """One row for every phenotype id and for every sample that passed QC.

    Parameters
    ----------
    identities : DataFrame
        From `identify`.
    lines : DataFrame
        By line label: value (NaN if none), connected, as `line_effects` gives them.
    samples : DataFrame
        sample, kept, reason.
    prefixes : sequence of str
        Prefixes of accession ids.
    lost : DataFrame
        phenotype_id (missing where there's none), line, why: records with a value that no line's
        value comes from.

    Returns
    -------
    DataFrame
        status, sample, phenotype_id, why, nearest; matched rows first.
    """
    rows = _phenotype_rows(identities, lines, samples, lost)
    kept = samples.loc[samples["kept"], "sample"]
    others = kept[~kept.isin(rows["sample"])]
    _, shared = _samples_by_key(samples, prefixes)
    ambiguous = accession_keys(others, prefixes).isin(shared).to_numpy()
    rest = pd.DataFrame(
        {
            "status": np.where(ambiguous, "ambiguous", "genotype_only"),
            "sample": others.to_numpy(),
            "phenotype_id": None,
            "why": np.where(ambiguous, "shares its accession key", "no phenotype record"),
            "nearest": None,
        }
    )
    status = np.where(lost["phenotype_id"].isna(), "phenotype_only", "left_out")
    blank = lost[["phenotype_id", "why"]].assign(status=status, sample=None, nearest=None)
    report = pd.concat([rows, rest, blank], ignore_index=True)[list(REPORT_COLUMNS)]
    order = report["status"].map({name: place for place, name in enumerate(STATUSES)})
    return report.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def count_joins(report):
    """Count a join report by trait, status and why.

    Parameters
    ----------
    report : DataFrame
        trait, status, sample, phenotype_id, why.

    Returns
    -------
    DataFrame
        trait, status, why, count. matched and genotype_only count samples (several phenotype ids
        may name one), the others rows; left_out are records.
    """
    by_sample = report["status"].isin(["matched", "genotype_only"])
    repeated = by_sample & report.duplicated(["trait", "status", "why", "sample"])
    counts = report[~repeated].groupby(["trait", "status", "why"], sort=False).size()
    return counts.rename("count").reset_index()[list(COUNT_COLUMNS)]
