"""Reading a marker table: a row a marker, a column a sample, a code or letters a genotype."""

import re

from soyfold.common.errors import UserError
from soyfold.common.textfiles import decode
from soyfold.genotypes.calls import MISSING, OTHER_CODE, Record
from soyfold.genotypes.hapmap import infer_alleles, letters, split_alleles
from soyfold.genotypes.tables import BETWEEN, COLUMNS, MARKS, open_table, read_pair
from soyfold.genotypes.vcf import Header

GROUPS = ("chromosome", "position", "ref", "alt")
# Alleles of codes whose letters nobody tells: they fit those of no other file by chance.
UNNAMED = ("REF", "ALT")
_MEMORY = 1 << 12  # texts that are remembered


def compile_name(pattern):
    """Compile `genotypes.marker_name`; None where there is none.

    Raises
    ------
    UserError
        If it is no regular expression, or lacks one of the named groups.
    """
    if not pattern:
        return None
    allowed = f"a regular expression with the groups {', '.join(f'(?P<{g}>...)' for g in GROUPS)}"
    at = "key genotypes.marker_name"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(f"{pattern!r} ({error})", at=at, allowed=allowed) from None
    missing = [group for group in GROUPS if group not in compiled.groupindex]
    if missing:
        raise UserError(f"{pattern!r} without {', '.join(missing)}", at=at, allowed=allowed)
    return compiled


def check(settings):
    """Refuse settings that are known to be wrong before a file is opened."""
    compile_name(settings.get("marker_name"))


class Codes(dict):
    """Codes of a marker table's cells, as they are asked for: bytes to int.

    Parameters
    ----------
    codes : mapping of str to int
        Cell text to count of ALT.
    """

    def __init__(self, codes):
        super().__init__()
        self._counts = {str(text).upper(): count for text, count in codes.items()}
        self._counts |= {str(text): count for text, count in codes.items()}
        # Letters of homozygotes may stand in pairs too: B/B, BR.
        self._doses = {a: n // 2 for a, n in self._counts.items() if a.isalpha() and n != 1}

    def __missing__(self, cell):
        """Read a text that wasn't read before."""
        if len(self) > _MEMORY:
            self.clear()
        self[cell] = code = self._read(cell.decode("utf-8", "replace").strip())
        return code

    def _read(self, text):
        upper = text.upper()
        number = text[:-2] if re.fullmatch(r"-?\d+\.0", text) else text  # of R and spreadsheets
        for form in (text, upper, number):
            if form in self._counts:
                return self._counts[form]
        if upper in MARKS:
            return MISSING
        pair = read_pair(upper, self._doses, self._counts)
        return pair.pop() if len(pair) == 1 else OTHER_CODE


def read(file, settings):
    """Header of a marker table, and its records as they are asked for.

    Parameters
    ----------
    file : path-like
    settings : mapping
        marker_name: regular expression that reads chromosome, position, ref and alt off the first
        column; where it is absent they have columns of their own (see `tables.COLUMNS`). codes:
        cell text to count of ALT; where they are absent, cells hold alleles, as HapMap's do.

    Raises
    ------
    UserError
        For a header without place, sample, or with one twice; for a row of another width.
    """
    table = open_table(file, least=1)
    pattern, codes = compile_name(settings.get("marker_name")), settings.get("codes")
    if pattern is None:
        _refuse_placeless(table, file)
    elif 2 * sum(bool(pattern.search(name)) for name in table.samples) > len(table.samples):
        raise UserError(
            f"markers in the header ({table.samples[0]}, ...)",
            file=file,
            allowed="a row for each marker, a column for each sample",
            mend="transpose the table (in R: t)",
        )
    rules = Codes(codes) if codes else None
    return Header(table.samples, {}), _records(table, pattern, rules, file)


def _refuse_placeless(table, file):
    lacking = [column for column in ("chromosome", "position") if column not in table.places]
    if lacking:
        raise UserError(
            f"no column {' or '.join(lacking)} before the samples, and no genotypes.marker_name"
            f" (columns: {', '.join(table.names[:6])}, ...)",
            file=file,
            allowed="; ".join(f"{column}: {COLUMNS[column]}" for column in COLUMNS),
            mend="add these columns from the map of the markers, or write genotypes.marker_name; a"
            " table with a row for each sample must be transposed first",
        )


def _records(table, pattern, rules, file):
    for number, line in table.rows:
        *cells, calls = line.split(b"\t", table.leading)
        told = {
            column: decode(cells[place], file=file, line=number).strip()
            for column, place in ({"marker": 0} | table.places).items()
        }
        name = told["marker"]
        if pattern is not None:
            match = pattern.search(name)
            if match is None:
                yield Record(number, "", "", name, "", "", b"", defect=_no_match(name, pattern))
                continue
            told |= match.groupdict()
        try:
            ref, alt = _alleles(told, calls, rules)
        except ValueError as error:
            defect = {"found": str(error), "allowed": "alleles like A/C", "mend": "correct it"}
            yield Record(number, "", "", name, "", "", b"", defect=defect)
            continue
        place = number, told["chromosome"], told["position"], name
        own = letters(*(a for a in (ref, alt) if a != ".")) if rules is None else rules
        yield Record(*place, ref, alt, BETWEEN + calls, rules=own)


def _no_match(name, pattern):
    return {
        "found": f"marker {name!r}",
        "allowed": f"names like {pattern.pattern}",
        "mend": "correct genotypes.marker_name in the config",
    }


def _alleles(told, calls, rules):
    """REF and ALT, with commas for several, by the columns of a marker."""
    if "ref" in told and "alt" in told:
        return told["ref"].upper(), told["alt"].upper().replace("/", ",")
    alleles = split_alleles(told.get("alleles", ""))
    if not alleles:
        alleles = UNNAMED if rules is not None else infer_alleles(calls) or ["."]
    return alleles[0], ",".join(alleles[1:]) or "."
