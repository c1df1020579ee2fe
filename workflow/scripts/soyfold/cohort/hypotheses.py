"""Hypotheses of which SNPs go together: regions in groups, and which SNPs they hold."""

import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
from scipy import sparse

from soyfold.common.delimited import read_columns
from soyfold.common.errors import UserError
from soyfold.common.groups import REST, Groups
from soyfold.common.logs import log
from soyfold.common.textfiles import BAD_GZIP, open_binary, read_lines
from soyfold.common.values import is_missing, parse_numbers

COLUMNS = ["chromosome", "start", "end", "group"]
PAIR_COLUMNS = ["group", "group_2", "weight"]
# What names the groups of a GFF3's features: the first of these that any of them has.
ATTRIBUTES = ("group", "Ontology_term", "Name", "ID")


def _fields(path, fewest):
    """Lines of a GFF3 or BED as (line, cells); comments, and a GFF3's sequences, are left out."""
    try:
        with open_binary(path) as stream:
            for number, line in enumerate(read_lines(stream, file=path), start=1):
                if line.startswith("##FASTA"):
                    return
                text = line.rstrip("\r\n")
                if not text.strip() or re.match(r"#|track\b|browser\b", text):
                    continue
                cells = text.split("\t")
                if len(cells) < fewest:
                    raise UserError(
                        f"{len(cells)} fields", file=path, at=f"line {number}",
                        allowed=f"{fewest} or more, with tabs between",
                    )  # fmt: skip
                yield number, cells
    except FileNotFoundError:
        raise UserError("no such file", file=path, mend="correct it in hypotheses.tsv") from None
    except BAD_GZIP as error:
        raise UserError(f"a broken gzip file ({error})", file=path, mend="fetch it again") from None


def _read_gff(path):
    """Features of a GFF3: genes where it has any, else all; a row a group."""
    rows = list(_fields(path, 9))
    genes = [row for row in rows if row[1][2] == "gene"] or rows
    told = [
        dict(part.strip().split("=", 1) for part in cells[8].split(";") if "=" in part)
        for _, cells in genes
    ]
    key = next((key for key in ATTRIBUTES if any(key in attributes for attributes in told)), None)
    found = [
        (line, cells[0], cells[3], cells[4], unquote(group).strip())
        for (line, cells), attributes in zip(genes, told, strict=True)
        for group in attributes.get(key, "").split(",")
    ]
    return pd.DataFrame(found, columns=["line", *COLUMNS]).set_index("line")


def _read_bed(path):
    """Rows of a BED, whose starts count from 0 and whose names are the groups."""
    rows = [(line, *cells[:4]) for line, cells in _fields(path, 4)]
    table = pd.DataFrame(rows, columns=["line", *COLUMNS]).set_index("line")
    return table.apply(lambda column: column.str.strip())


def _refuse(bad, found, *, file, column, allowed, mend=None):
    """Raise for the first row of `bad` (bool by line) with what `found` (by line) it has."""
    if bad.any():
        line = bad.index[bad.to_numpy().argmax()]
        value = found[bad.to_numpy()].iloc[0]
        where = f"line {line}, column {column!r}"
        told = f"{value} (such rows: {int(bad.sum())})"
        raise UserError(told, file=file, at=where, allowed=allowed, mend=mend)


def read_regions(file, chromosomes):
    """Regions and their groups, a row for each of both.

    Parameters
    ----------
    file : path-like
        GFF3, BED (by their names' ends) or a table with `COLUMNS`, gzipped or not.
    chromosomes : soyfold.common.chromosomes.Chromosomes

    Returns
    -------
    DataFrame
        chromosome (canonical name; None for one that the study doesn't have), start, end (bp, from
        1, both in), group (None for a region in no group); the index is the line of the file.

    Raises
    ------
    UserError
        With file, line and column: for cells that are no positions, an end before its start or
        beyond the chromosome's, a group called `rest`; for a file without rows, without any group,
        or without any chromosome of the study.
    """
    name = Path(file).name.lower().removesuffix(".gz")
    bed = name.endswith(".bed")
    if name.endswith((".gff", ".gff3")):
        table = _read_gff(file)
    else:
        table = _read_bed(file) if bed else read_columns(file, COLUMNS)
    if table.empty:
        raise UserError("no rows", file=file, allowed="a row for each region and group")
    lines = pd.Series(table.index, index=table.index)
    for column in ("start", "end"):
        text = table[column]
        numbers = parse_numbers(text, lines, file=file, column=column)
        whole = numbers.notna() & (numbers % 1 == 0)
        _refuse(~whole, text.map(repr), file=file, column=column, allowed="base pairs, an integer")
        table[column] = numbers.astype(np.int64)
    table["start"] += bed
    table["chromosome"] = table["chromosome"].map(chromosomes.aliases)
    known = table["chromosome"].notna()
    if not known.any():
        raise UserError(
            "no chromosome of the study", file=file, at="column 'chromosome'",
            allowed=f"the names and aliases in {chromosomes.file}",
        )  # fmt: skip
    _refuse_misplaced(table, known, chromosomes, file)
    table["group"] = table["group"].mask(is_missing(table["group"]), None)
    if table["group"].isna().all():
        raise UserError("no group", file=file, at="column 'group'", allowed="a name for each")
    _refuse(
        table["group"] == REST, table["group"].map(repr), file=file, column="group",
        allowed="another name: it is that of the SNPs that are in no group",
    )  # fmt: skip
    return table


def _refuse_misplaced(table, known, chromosomes, file):
    """Raise for a region that is off its chromosome, or ends before it starts."""
    length = table["chromosome"].map(dict(zip(chromosomes.names, chromosomes.lengths, strict=True)))
    spans = table["start"].astype(str) + " to " + table["end"].astype(str)
    _refuse(table["end"] < table["start"], spans, file=file, column="end", allowed="start or later")
    off = known & ((table["start"] < 1) | (table["end"] > length))
    _refuse(
        off, spans + " on " + table["chromosome"].fillna(""), file=file, column="end",
        allowed=f"1 to the chromosome's end ({chromosomes.file})",
        mend="name the assembly of your file as `chromosomes` in the config, or lift the file over",
    )  # fmt: skip


def read_weights(file, groups):
    """Weights of pairs of groups.

    Parameters
    ----------
    file : path-like or None
        Table with `PAIR_COLUMNS`. None: a group goes with itself alone.
    groups : sequence of str
        All that there are.

    Returns
    -------
    DataFrame (G, G) float64
        Symmetric; 0 for a pair that isn't named, 1 for a group with itself that isn't.

    Raises
    ------
    UserError
        With file, line and column: for a group that there isn't, a weight that is no number from 0
        on, 0 for a group with itself, or a pair twice with two weights.
    """
    weights = pd.DataFrame(np.eye(len(groups)), index=list(groups), columns=list(groups))
    if file is None:
        return weights
    table = read_columns(file, PAIR_COLUMNS)
    if table.empty:
        raise UserError("no rows", file=file, allowed="a row for each pair of groups")
    for column in PAIR_COLUMNS[:2]:
        unknown = ~table[column].isin(weights.index)
        _refuse(
            unknown, "group " + table[column].map(repr), file=file, column=column,
            allowed="groups of the file of regions",
        )  # fmt: skip
    lines = pd.Series(table.index, index=table.index)
    value = parse_numbers(table["weight"], lines, file=file, column="weight")
    own = table["group"] == table["group_2"]
    _refuse(~(value >= 0), table["weight"].map(repr), file=file, column="weight",
            allowed="a number from 0 on")  # fmt: skip
    _refuse(own & (value == 0), "0 for a group with itself" + value.map(lambda _: ""), file=file,
            column="weight", allowed="above 0: a group always goes with itself")  # fmt: skip
    places = [weights.index.get_indexer(table[column]) for column in PAIR_COLUMNS[:2]]
    pairs = pd.Series(np.minimum(*places) * len(weights) + np.maximum(*places), index=table.index)
    other = value.groupby(pairs).transform("nunique") > 1
    _refuse(other, "two weights for " + table["group"] + " and " + table["group_2"], file=file,
            column="weight", allowed="one for each pair")  # fmt: skip
    matrix = weights.to_numpy(copy=True)
    matrix[places[0], places[1]] = matrix[places[1], places[0]] = value
    return pd.DataFrame(matrix, index=weights.index, columns=weights.columns)


def read_hypothesis(row, chromosomes):
    """Regions and weights of a row of hypotheses.tsv: what is to be read before the first job."""
    regions = read_regions(row["file"], chromosomes)
    return regions, read_weights(row["weights"], regions["group"].dropna().unique())


def _find(regions, variants, flank, chromosomes):
    """Pairs of a region's row and a SNP inside it or its flank: two arrays of places."""
    # Chromosomes laid end to end: one sorted line of places, which regions can't leave by a flank.
    starts = dict(zip(chromosomes.names, np.cumsum(chromosomes.lengths) - chromosomes.lengths,
                      strict=True))  # fmt: skip
    lengths = dict(zip(chromosomes.names, chromosomes.lengths, strict=True))
    place = variants["chromosome"].map(starts).to_numpy() + variants["position"].to_numpy()
    order = np.argsort(place, kind="stable")
    offset = regions["chromosome"].map(starts).to_numpy()
    first = offset + np.maximum(regions["start"].to_numpy() - flank, 1)
    ends = np.minimum(regions["end"] + flank, regions["chromosome"].map(lengths)).to_numpy()
    low = np.searchsorted(place[order], first, side="left")
    counts = np.searchsorted(place[order], offset + ends, side="right") - low
    rows = np.repeat(np.arange(len(regions)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, order[low[rows] + within]


def group_snps(regions, weights, variants, *, flank, chromosomes):
    """Which SNPs are in which groups, and what was lost.

    Parameters
    ----------
    regions, weights : DataFrame
        As `read_regions` and `read_weights` give them.
    variants : DataFrame
        chromosome, position of the columns of the dosage matrix, in their order.
    flank : int, keyword only
        bp.
    chromosomes : soyfold.common.chromosomes.Chromosomes, keyword only

    Returns
    -------
    groups : soyfold.common.groups.Groups
    counts : DataFrame
        group, regions, regions_elsewhere (on a chromosome that the study doesn't have),
        regions_without_snp, snps, snps_alone (in no other group), chromosomes (with its SNPs); the
        last row is `rest`, with the regions in no group.

    Raises
    ------
    UserError
        If no group has a SNP.
    """
    names = regions["group"].dropna().unique()
    there = regions[regions["chromosome"].notna()]
    rows, snps = _find(there, variants, flank, chromosomes)
    codes = pd.Index(names).get_indexer(there["group"])  # -1: of no group
    grouped = codes[rows] >= 0
    ones = np.ones(int(grouped.sum()), bool)
    shape = len(variants), len(names)
    members = sparse.csr_array((ones, (snps[grouped], codes[rows][grouped])), shape=shape)
    members.sum_duplicates()
    rest = sparse.csr_array(~(members.sum(1) > 0)[:, None])
    counts = _count(regions, there, rows, names, sparse.hstack([members, rest]), variants)
    held = np.flatnonzero(counts["snps"][:-1])
    if not len(held):
        raise UserError(
            f"no SNP in any of {len(names)} groups", allowed="at least one",
            mend="see that regions and genotypes are of one assembly, or widen the flank",
        )  # fmt: skip
    if empty := len(names) - len(held):
        log.warning("WARNING %d of %d groups have no SNP, and are left out", empty, len(names))
    kept = sparse.csr_array(sparse.hstack([members[:, held], rest]), dtype=bool)
    kept.sort_indices()
    table = np.zeros((len(held) + 1, len(held) + 1))
    table[:-1, :-1], table[-1, -1] = weights.to_numpy()[np.ix_(held, held)], 1.0
    return Groups([*names[held], REST], kept, table), counts


def _count(regions, there, rows, names, members, variants):
    """Counts by group; `members` (L, groups + 1) ends with the rest."""
    labels = [*names, REST]
    of = regions["group"].fillna(REST)
    with_snp = np.bincount(rows, minlength=len(there)) > 0
    by = there["group"].fillna(REST)
    members = sparse.csc_array(members, dtype=np.int64)
    alone = sparse.csc_array(members.multiply((members.sum(1) == 1)[:, None]))
    codes = pd.factorize(variants["chromosome"])[0]
    counts = pd.DataFrame({"group": labels})
    for column, groups in (
        ("regions", of),
        ("regions_elsewhere", of[regions["chromosome"].isna()]),
        ("regions_without_snp", by[~with_snp]),
    ):
        counts[column] = counts["group"].map(groups.value_counts()).fillna(0).astype(int)
    counts["snps"], counts["snps_alone"] = members.sum(0), alone.sum(0)
    counts["chromosomes"] = [
        len(np.unique(codes[own])) for own in np.split(members.indices, members.indptr[1:-1])
    ]
    return counts
