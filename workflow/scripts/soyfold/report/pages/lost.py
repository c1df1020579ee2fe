"""The page of what was lost: from the raw file to the lines that each split trains and tests on."""

import pandas as pd

from soyfold.common.files import read_table
from soyfold.report.pages.pages import Cell, Column, Table, count, number

STATUS = {
    "matched": "joined",
    "genotype_only": "genotyped, no value",
    "phenotype_only": "phenotyped, not among the genotypes",
    "ambiguous": "ambiguous",
    "left_out": "records left out",
}

COVARIATE = {
    "no value": "an empty cell: counted as the mean",
    "no row": "no row in the table: counted as the mean",
    "not in the genotypes": "rows of lines that are not among the genotypes",
}


def _left(value, first):
    return count(value, bar=value / first if first else 0.0)


def filter_table(qc):
    """qc_counts.tsv: samples and variants left after each step, as bars."""
    first = qc.iloc[0]
    rows = [
        [
            row.step, "" if pd.isna(row.threshold) else str(row.threshold),
            count(row.samples_removed), _left(row.samples_left, first.samples_left),
            count(row.variants_removed), _left(row.variants_left, first.variants_left),
        ]
        for row in qc.itertuples()
    ]  # fmt: skip
    columns = [
        Column("step"), Column("threshold"), Column("samples lost", number=True),
        Column("samples left", number=True), Column("variants lost", number=True),
        Column("variants left", number=True),
    ]  # fmt: skip
    return Table("Genotypes: raw file to last filter", columns, rows,
                 note="In the order of the filters. Which ones and why: genotypes/samples.tsv and"
                      " variants.tsv.")  # fmt: skip


def join_table(joins, samples):
    """join_counts.tsv: which lines of a trait met a genotype, and why others did not."""
    rows = [
        [row.trait, STATUS.get(row.status, row.status), row.why,
         _left(row.count, samples) if row.status == "matched" else count(row.count)]
        for row in joins.itertuples()
    ]  # fmt: skip
    columns = [Column("trait"), Column("outcome"), Column("why"), Column("lines", number=True)]
    several = joins.trait.nunique() > 1
    return Table("Phenotypes: lines joined with the genotypes", columns, rows,
                 filters=("trait",) if several else (),
                 note=f"Bars: share of the {samples:,} samples that passed the filters. Line by"
                      " line: cohort/join_report.tsv.")  # fmt: skip


def covariate_table(counts):
    """covariate_counts.tsv: lines of which covariates are known, and that count as the mean."""
    rows = [
        ["" if pd.isna(row.column) else row.column, COVARIATE.get(row.status, row.status),
         count(row.lines)]
        for row in counts.itertuples()
    ]  # fmt: skip
    columns = [Column("covariate"), Column("outcome"), Column("lines", number=True)]
    return Table("Covariates: lines of which they are known", columns, rows,
                 note="No line is lost: one without a row or a value counts as the mean of the"
                      " training lines. cohort/covariates.tsv has them line by line.")  # fmt: skip


def _span(values):
    """Counts of several splits as `low` or `low to high`, sorted by the lowest."""
    low, high = int(values.min()), int(values.max())
    return Cell(f"{low:,}" if low == high else f"{low:,} to {high:,}", float(low))


def split_table(scores):
    """Lines with a value that each scheme's splits train and test on."""
    lines = scores[scores.metric.isin(["train_lines", "test_lines"])]
    rows = [
        [*key, count(group.seed.nunique()), *(
            _span(group.value[group.metric == name]) for name in ("train_lines", "test_lines")
        )]
        for key, group in lines.groupby(["trait", "scheme"], sort=False)
    ]  # fmt: skip
    columns = [
        Column("trait"), Column("scheme"), Column("splits", number=True),
        Column("train lines", "a split", True), Column("test lines", "a split", True),
    ]  # fmt: skip
    return Table("Splits: lines with a value", columns, rows)


def split_lost(files):
    """Lines that no part of a split holds, counted by reason.

    Parameters
    ----------
    files : dict of str to list of path-like
        Scheme to its splits' tables of lost lines: sample, why.

    Returns
    -------
    Table
    """
    rows = []
    for scheme, paths in files.items():
        tables = [read_table(path, required=("sample", "why"), dtype=str) for path in paths]
        counts = pd.concat([table.why.value_counts() for table in tables], axis=1).fillna(0)
        rows += [[scheme, why, _span(values)] for why, values in counts.iterrows()]
        if counts.empty:
            rows.append([scheme, "no line was lost", count(0)])
    columns = [Column("scheme"), Column("why"), Column("lines", "a split", True)]
    return Table("Splits: lines without a part", columns, rows)


def accuracy_table(accuracy):
    """Imputation, chromosome by chromosome, and over all masked calls; None of nothing missing.

    Without masked calls nothing is known of its accuracy, and nothing shown.
    """
    if not accuracy.missing_before.sum() and not accuracy.masked.sum():
        return None
    rows = [
        [row.chromosome, count(row.variants), count(row.missing_before), row.method,
         count(row.masked), number(row.concordance, 4), number(row.dosage_r2, 4)]
        for row in accuracy.itertuples()
    ]  # fmt: skip
    masked = accuracy[accuracy.masked > 0]
    if len(masked):
        mean = (masked.concordance * masked.masked).sum() / masked.masked.sum()
        rows.insert(0, [
            "all", count(accuracy.variants.sum()), count(accuracy.missing_before.sum()), "",
            count(masked.masked.sum()), number(mean, 4), Cell(""),
        ])  # fmt: skip
    columns = [
        Column("chromosome"), Column("variants", number=True),
        Column("missing calls", "before", True), Column("method"),
        Column("masked calls", "to measure", True), Column("concordance", number=True),
        Column("dosage r2", number=True),
    ]  # fmt: skip
    if masked.empty:
        told = 4  # what stands before the masked calls
        return Table("Imputation", columns[:told], [row[:told] for row in rows],
                     note="No calls were masked, so that its accuracy isn't known.")  # fmt: skip
    return Table("Imputation: accuracy on masked calls", columns, rows)


def lost_sections(*, qc, joins, accuracy, scores, lost, covariates=None):
    """What was lost on the road, and why.

    Parameters
    ----------
    qc, joins, accuracy, scores : path-like, keyword only
        qc_counts.tsv, join_counts.tsv, accuracy.tsv, scores.tsv.
    lost : dict of str to list of path-like, keyword only
        Scheme to the tables of lines without a part.
    covariates : path-like, keyword only, optional
        covariate_counts.tsv.

    Returns
    -------
    list of Table
    """
    counts = read_table(qc, required=("step", "samples_left", "variants_left"))
    names = {"trait": str, "scheme": str}
    sections = [
        filter_table(counts),
        join_table(read_table(joins, dtype={"trait": str}), int(counts.samples_left.iloc[-1])),
        covariates and covariate_table(read_table(covariates, dtype={"column": str})),
        split_table(read_table(scores, required=names, dtype=names)),
        split_lost(lost),
        accuracy_table(read_table(accuracy)),
    ]
    return [section for section in sections if section]


def library_sections(path):
    """The Hi-C libraries: contacts within and between chromosomes, and those dropped.

    Parameters
    ----------
    path : path-like
        libraries.tsv.

    Returns
    -------
    list of Table
    """
    rows = [
        [row.library, row.format, count(row.resolution), count(row.resolution_merged),
         count(row.contacts), count(row.contacts_cis, bar=row.contacts_cis / row.contacts),
         count(row.contacts_trans, bar=row.contacts_trans / row.contacts),
         count(row.contacts_dropped), count(row.contigs_dropped)]
        for row in read_table(path, dtype={"library": str}).itertuples()
    ]  # fmt: skip
    columns = [
        Column("library"), Column("format"), Column("resolution", "bp", True),
        Column("merged at", "bp", True), Column("contacts", number=True),
        Column("within", "chromosomes", True), Column("between", "chromosomes", True),
        Column("dropped", "contacts", True), Column("contigs dropped", number=True),
    ]  # fmt: skip
    return [Table("Hi-C libraries", columns, rows)]
