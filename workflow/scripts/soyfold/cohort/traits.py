"""A trait's values on the genotyped samples: records -> line effects -> join."""

import numpy as np
import pandas as pd

from soyfold.cohort.fixed_effects import PREFIX
from soyfold.cohort.joins import RESPELT, count_joins, identify, report_join
from soyfold.cohort.line_effects import line_effects
from soyfold.cohort.phenotypes import read_records, terms_of
from soyfold.cohort.spellings import nearest_name
from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.common.logs import log

MOST_DISCONNECTED = 0.1  # of a trait's lines
SHOWN = 3  # ids that a message shows


def _examples(names):
    return ", ".join(repr(name) for name in list(names)[:SHOWN]) or "none"


def _nearest(lost, ids, samples):
    """Ids beside the sample that each is perhaps, or else is spelt most like."""
    near = lost.dropna(subset="nearest")
    pairs = list(zip(near["phenotype_id"], near["nearest"], strict=True))
    pairs = pairs or [(name, nearest_name(name, samples)) for name in ids.head(SHOWN)]
    told = [f"{name!r} beside {other}" for name, other in pairs[:SHOWN] if other]
    return f"; nearest: {', '.join(told)}" if told else ""


def _tell_spellings(report, row):
    """Warn of ids that were joined though they are spelt otherwise, and of those near a sample."""
    where = f"{row['file']}, trait {row['trait']}"
    respelt = report[report["why"].str.startswith(RESPELT) & (report["status"] == "matched")]
    for why, rows in respelt.groupby("why", sort=False):
        first = rows.iloc[0]
        log.warning("WARNING %s: %d lines joined %s: %r is %r", where, len(rows), why,
                    first["phenotype_id"], first["sample"])  # fmt: skip
    near = report.dropna(subset="nearest")
    if len(near):
        told = [f"{r.phenotype_id!r} beside {r.nearest}" for r in near.head(SHOWN).itertuples()]
        log.warning(
            "WARNING %s: %d ids without a genotype are near a sample without a value: %s%s; where"
            " they are one, correct them or give an id map (cohort.id_map)",
            where, len(near), ", ".join(told), ", ..." if len(near) > SHOWN else "",
        )  # fmt: skip


def _refuse_unusable(values, report, row, minimum_lines):
    """Raise for a trait with too few joined lines or without variance."""
    if len(values) < minimum_lines:
        counts = count_joins(report).to_dict("records")
        counts = "; ".join("{count} {status} ({why})".format(**count) for count in counts)
        lost = report[report["status"] != "matched"]
        samples = lost.loc[lost["status"] == "genotype_only", "sample"]
        ids = lost.loc[lost["status"] == "phenotype_only", "phenotype_id"].dropna()
        raise UserError(
            f"{len(values)} joined lines: {counts}; genotype samples without a value:"
            f" {_examples(samples)}; phenotype ids without a genotype: {_examples(ids)}"
            f"{_nearest(lost, ids, samples)}",
            file=row["file"], at=f"trait {row['trait']}",
            allowed=f"at least {minimum_lines} (cohort.minimum_lines)",
            mend="check id_column, or give an id map (cohort.id_map)",
        )  # fmt: skip
    if np.ptp(values["value"]) <= 1e-12 * np.abs(values["value"]).max():
        raise UserError(
            f"no variance: all {len(values)} joined lines have {values['value'].iloc[0]:g}",
            file=row["file"], at=f"trait {row['trait']}, column {row['value_column']!r}",
            allowed="values that differ", mend="name another value_column, or drop the trait",
        )  # fmt: skip


def _refuse_disconnected(lines, row):
    """Raise where many lines were never grown beside the others: their values don't compare."""
    apart = int((~lines["connected"]).sum())
    if apart > MOST_DISCONNECTED * len(lines):
        raise UserError(
            f"{apart} of {len(lines)} lines in environments that share no line with the others",
            file=row["file"],
            at=f"trait {row['trait']}, column {row['environment_column']!r}",
            allowed=f"at most {MOST_DISCONNECTED:.0%} (they are left out and reported)",
            mend="add the checks that link the environments, or set environment_column to NA"
            " for plain means",
        )


def read_lines(row, samples, *, prefixes, id_map):
    """A trait's records of which all is known, each with the line that its id names.

    Parameters
    ----------
    row, samples, prefixes, id_map
        As for `join_trait`.

    Returns
    -------
    named : DataFrame
        id, value (trait units), environment, line (label), `fixed <term>` for each fixed effect:
        those with an id, a value and all fixed effects.
    identities : DataFrame
        phenotype_id, line, sample, how, of all ids (`joins.identify`).
    lost : DataFrame
        phenotype_id (missing where there's none), line, why: records with a value that aren't
        among them.
    """
    records = read_records(row)
    nameless = records["id"].isna()
    identities = identify(
        records.loc[~nameless, "id"].unique(), samples, prefixes=prefixes, id_map=id_map
    )
    line = records["id"].map(identities.set_index("phenotype_id")["line"])
    records = records.assign(line=line, why=None)[records["value"].notna()]
    records.loc[records["id"].isna(), "why"] = "record without an id"
    for name in (f"{PREFIX}{term.name}" for term in terms_of(row)):
        here = records["why"].isna() & records[name].isna()
        records.loc[here, "why"] = why = f"record without a value of {name}"
        if here.any():
            log.warning("WARNING %s, trait %s: left out: %d of %d, each a %s", row["file"],
                        row["trait"], here.sum(), len(records), why)  # fmt: skip
    known = records["why"].isna()
    lost = records.loc[~known, ["id", "line", "why"]].rename(columns={"id": "phenotype_id"})
    return records[known].drop(columns="why"), identities, lost


def join_trait(row, samples, *, prefixes, id_map, minimum_lines):
    """Read a trait's records, estimate a value per line and join the lines with the samples.

    Line values come from all records of the trait, genotyped or not: checks and ungenotyped lines
    help to compare the environments. Records of ids that name one line are pooled first.

    Parameters
    ----------
    row : dict
        The trait's row of the traits sheet.
    samples : DataFrame
        sample, kept, reason (`samples.read_samples`).
    prefixes : sequence of str
        Prefixes of accession ids.
    id_map : Series of str
        Sample by phenotype key (`joins.read_id_map`).
    minimum_lines : int
        Fewest joined lines.

    Returns
    -------
    values : DataFrame
        sample, value (trait units), records, environments (0 where records carry none),
        error_variance (squared trait units, missing where no record is left to tell of it); in the
        order of the samples.
    report : DataFrame
        trait, status, sample, phenotype_id, why, nearest.

    Raises
    ------
    UserError
        For unreadable phenotypes, fewer than `minimum_lines` joined lines, or no variance.
    """
    named, identities, lost = read_lines(row, samples, prefixes=prefixes, id_map=id_map)
    lines = line_effects(named, terms_of(row), about=f"{row['file']}, trait {row['trait']}")
    lines = lines.set_index("line")
    _refuse_disconnected(lines, row)
    report = report_join(identities, lines, samples, prefixes=prefixes, lost=lost)
    report.insert(0, "trait", row["trait"])
    matched = report.loc[report["status"] == "matched", "sample"]
    kept = samples.loc[samples["kept"] & samples["sample"].isin(matched), "sample"]
    values = lines.loc["sample " + kept, ["value", "records", "environments", "error_variance"]]
    values.insert(0, "sample", kept.to_numpy())
    for count in count_joins(report).to_dict("records"):
        log.info("%(trait)s: %(count)d %(status)s, %(why)s", count)
    _refuse_unusable(values, report, row, minimum_lines)
    _tell_spellings(report, row)
    return values.reset_index(drop=True), report


def collect_reports(paths):
    """Put the join reports of all traits under each other, and count them.

    Parameters
    ----------
    paths : sequence of path-like
        cohort/joins/<trait>.tsv.

    Returns
    -------
    report, counts : DataFrame
    """
    report = pd.concat([read_table(path, dtype=str) for path in paths], ignore_index=True)
    return report, count_joins(report)
