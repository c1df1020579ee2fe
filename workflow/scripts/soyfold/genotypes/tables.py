"""The layout of genotype tables: what parts their cells, which columns stand before the samples.

TASSEL writes tabs and eleven named columns; R quotes cells, changes names (rs# becomes rs.), puts
row numbers first or leaves the first name out; spreadsheets write commas or semicolons and go on
with empty cells. Columns are found by name, never by place.
"""

import itertools
import re
from dataclasses import dataclass

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.common.textfiles import decode
from soyfold.common.values import MISSING as MISSING_CELLS
from soyfold.genotypes.calls import HALF, MISSING
from soyfold.genotypes.vcf import check_samples, open_lines

# A column's names by their letters and digits alone: rs#, rs. and "RS" are one.
COLUMNS = {
    "marker": "rs rsid snp snpid snpname marker markername markerid name id locus probesetid",
    "alleles": "alleles allele snpalleles",
    "chromosome": "chrom chr chromosome",
    "position": "pos position bp bpposition physicalposition",
    "strand": "strand",
    "ref": "ref refallele reference referenceallele",
    "alt": "alt altallele alternate alternateallele",
}
NAMES = {name: column for column, names in COLUMNS.items() for name in names.split()}
# HapMap's further columns, which say nothing here; QCcode is often left out.
FURTHER = ("assembly", "center", "protLSID", "assayLSID", "panelLSID", "QCcode")
_FURTHER = frozenset({name.lower() for name in FURTHER} | {"panel", "cm", "geneticposition"})
_GAP = 3  # columns of other names that may stand between those that are known
BETWEEN = b".\t.\t.\tGT\t"  # a VCF's QUAL, FILTER, INFO, FORMAT
# Texts for a call that isn't there, in upper case: words, of which letters may be alleles (NA), and
# signs, of which one may be an allele or a code.
WORDS = frozenset(mark.upper() for mark in MISSING_CELLS if re.search("[a-z]", mark))
WORDS |= {"NONE", "NC", "NOCALL", "NO_CALL", "NO CALL", "FAIL", "FAILED", "BAD", "U", "UU"}
WORDS |= {"UNDETERMINED", "UNCALLABLE", "-9", "---"}
SIGNS = "N?.-0X"  # for a missing allele too
MARKS = WORDS | {"", *"N?.-"}
_COMMENTS = (b"##", b"#%")  # of VCF-like tables; of array software


def bare(name):
    """A column's name by its letters and digits alone."""
    return re.sub("[^a-z0-9]", "", name.lower())


@dataclass(frozen=True)
class Table:
    """A table of genotypes, a row a marker.

    Attributes
    ----------
    places : dict of str to int
        Where the columns of `COLUMNS` stand, as far as they are there.
    leading : int
        Columns before the samples.
    samples : list of str
    names : list of str
        The whole header.
    rows : iterator of (int, bytes)
        Line in the file; as many cells as the header has, by tabs, without quotes.
    """

    places: dict
    leading: int
    samples: list
    names: list
    rows: object


def open_table(file, *, least=0):
    """Read a table's header, and its rows as they are asked for.

    Parameters
    ----------
    file : path-like
    least : int
        Columns before the samples, whatever their names: a marker table's first is the marker.

    Raises
    ------
    UserError
        If there is no header, or it names no sample or one twice; for a row of another width.
    """
    lines = open_lines(file)
    header = next(((number, line) for number, line in lines if not _is_note(line)), None)
    if header is None:
        raise UserError(
            "no header", file=file, allowed="a line that names the columns, then a row a marker"
        )
    number, line = header
    mark = _delimiter(line)
    names = [decode(name, file=file, line=number).strip() for name in _cells(line, mark)]
    while len(names) > 1 and not names[-1]:  # the line goes on with empty cells
        names.pop()
    first = next(((k, text) for k, text in lines if _holds(text)), None)
    rows = itertools.chain([first] if first else [], lines)
    unnamed = first is not None and len(_cells(first[1].rstrip(b"\t,;"), mark)) == len(names) + 1
    places, leading = _find_columns(names)
    drop = unnamed and "marker" in places
    if unnamed and not drop:  # R's row names, which are the markers
        names = ["", *names]
        places, leading = _find_columns(names)
    leading = max(leading, least)
    _tell_extra(names[:leading], places, least, file)
    check_samples(names[leading:], file=file, at=f"line {number}")
    rows = _rows(rows, line, mark, drop=drop, width=len(names), file=file)
    return Table(places, leading, names[leading:], names, rows)


def _holds(line):
    """Whether a line holds more than separators."""
    return bool(line.strip(b'\t ,;"'))


def _is_note(line):
    """Whether a line above the header is blank or a comment."""
    return (
        not _holds(line)
        or line[:2] in _COMMENTS
        or (line[:1] in (b"#", b"<") and not any(mark in line for mark in (b"\t", b",", b";")))
    )


def _delimiter(header):
    """What parts the cells: a tab where there is one; None for blanks."""
    if b"\t" in header:
        return b"\t"
    most = max(b",;", key=header.count)
    return bytes([most]) if most in header else None


def _cells(line, mark):
    return line.replace(b'"', b"").split(mark)


def _find_columns(names):
    """Where the known columns stand, and how many stand before the samples."""
    keys = [bare(name) for name in names]
    places, last = {}, -1
    for place, key in enumerate(keys):
        if place - last > _GAP + 1:
            break
        column = NAMES.get(key)
        if column is not None and column not in places:
            places[column] = last = place
        elif key in _FURTHER:
            last = place
    return places, last + 1


def _tell_extra(names, places, least, file):
    """Warn of columns between the known ones that are taken for no sample."""
    known = set(places.values()) | set(range(least))
    extra = [
        name
        for place, name in enumerate(names)
        if name and place not in known and bare(name) not in _FURTHER
    ]
    if extra:
        log.warning("WARNING %s: columns before the samples left out: %s", file, ", ".join(extra))


def _rows(lines, header, mark, *, drop, width, file):
    """Yield each row's line and its cells by tabs."""
    whole = 0
    for number, line in lines:
        if line == header:  # of another file, behind which this one was joined
            continue
        if mark != b"\t" or b'"' in line:
            line = b"\t".join(_cells(line, mark))
        if drop:
            line = line.split(b"\t", 1)[-1]
        found = line.count(b"\t") + 1
        if found != width:
            if not _holds(line):
                continue
            further = found - width
            if further > 0 and line.endswith(b"\t" * further):
                line, found = line[:-further], width
            if found != width:
                raise _other_width(found, width, whole, lines, file=file, at=f"line {number}")
        whole += 1
        yield number, line


def _other_width(found, width, whole, lines, **where):
    """Of a row with more or fewer cells than the header; only a last one may be cut off."""
    mend = "give it a cell for each column, NA or blank where nothing is known"
    if not whole:
        mend = "give each column one name, and each row a cell for each"
    elif next(lines, None) is None and found < width:
        mend = "it is the last line, where the file may be cut off: copy it again"
    return UserError(
        f"{found} fields", allowed=f"{width} fields, as in the header", mend=mend, **where
    )


def read_pair(text, doses, codes=()):
    """What a text says that holds two alleles, with or without a sign between them: A/G, AG.

    Parameters
    ----------
    text : str
    doses : mapping of str to int
        Copies of ALT, 0 or 1, by allele.
    codes : collection of str
        Texts with a meaning of their own, so that they mark no missing allele.

    Returns
    -------
    set of int
        Count of ALT, HALF or MISSING; several where the text may be read in several ways.
    """
    tokens = {sign: None for sign in SIGNS if sign not in codes} | doses
    parts = re.split("[/|: ]", text)
    pairs = [parts] if len(parts) == 2 else []
    pairs += [(token, text[len(token) :]) for token in tokens if text.startswith(token)]
    found = set()
    for pair in pairs:
        if all(part in tokens for part in pair):
            told = [tokens[part] for part in pair if tokens[part] is not None]
            found.add(sum(told) if len(told) == 2 else HALF if told else MISSING)
    return found
