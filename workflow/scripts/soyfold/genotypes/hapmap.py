"""Reading HapMap genotypes (TASSEL's .hmp.txt): a row a SNP, calls by letters."""

import functools
import re
from collections import Counter

from soyfold.common.errors import UserError
from soyfold.common.textfiles import decode
from soyfold.genotypes.calls import MISSING, OTHER_LETTERS, Record
from soyfold.genotypes.tables import (
    BETWEEN,
    FURTHER,
    MARKS,
    NAMES,
    SIGNS,
    WORDS,
    bare,
    open_table,
    read_pair,
)
from soyfold.genotypes.vcf import Header

REQUIRED = {"marker": "rs#", "alleles": "alleles", "chromosome": "chrom", "position": "pos"}
# Letters of two alleles at once (IUPAC); TASSEL's 0 is a heterozygous insertion.
_BOTH = {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC", "0": "+-"}
_BASES = frozenset("ACGT")
_ALLELE = re.compile("[ACGT]+|[ID+-]")
_NO_ALLELE = frozenset({"", "N", "NA", ".", "?", "X", "0"})
_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_STRANDS = dict.fromkeys(("+", "", ".", "?", "N", "NA", "1", "F", "FORWARD", "PLUS"), False)
_STRANDS |= dict.fromkeys(("-", "-1", "R", "REVERSE", "MINUS"), True)
_MEMORY = 1 << 12  # cells of a SNP that are remembered


def begins(line):
    """Whether a file's first line (bytes) is HapMap's header."""
    cells = re.split(r"[\t,; ]", line.decode("utf-8", "replace"))[:12]
    return {"alleles", "chromosome", "position"} <= {NAMES.get(bare(cell)) for cell in cells}


class Letters(dict):
    """Codes of a SNP's cells, as they are asked for: bytes to int.

    A cell holds one allele (homozygous), two with or without a sign between them (A/G, A|G, AG), an
    IUPAC letter, or a mark for a missing call or allele.

    Parameters
    ----------
    ref : str
    alt : str, optional
        None where all samples have REF, as far as the file tells.
    """

    def __init__(self, ref, alt=None):
        super().__init__()
        self._doses = {ref: 0} if alt is None else {ref: 0, alt: 1}
        self._both = alt is not None and frozenset((ref, alt))

    def __missing__(self, cell):
        """Read a text that wasn't read before."""
        if len(self) > _MEMORY:
            self.clear()
        self[cell] = code = self._read(cell.decode("utf-8", "replace").strip().upper())
        return code

    def _read(self, text):
        if frozenset(_BOTH.get(text, "")) == self._both:
            return 1
        if text in WORDS:
            return MISSING
        found = read_pair(text, self._doses)
        if text in self._doses:
            found.add(2 * self._doses[text])
        if not found and (text in MARKS or text in {*SIGNS}):
            return MISSING
        return found.pop() if len(found) == 1 else OTHER_LETTERS


@functools.lru_cache(maxsize=1024)
def letters(ref, alt=None):
    """The `Letters` of two alleles."""
    return Letters(ref, alt)


def infer_alleles(cells):
    """Alleles of the calls themselves, the most frequent first, where a file doesn't name them.

    Parameters
    ----------
    cells : bytes
        By tabs. Only A, C, G, T are found.
    """
    seen = Counter()
    for cell, count in Counter(cells.split(b"\t")).items():
        text = re.sub("[/|: ]", "", cell.decode("utf-8", "replace").upper())
        text = _BOTH.get(text, 2 * text if len(text) == 1 else text)
        if len(text) == 2:
            for base in _BASES & set(text):
                seen[base] += count * text.count(base)
    return sorted(seen, key=lambda base: (-seen[base], base))


def split_alleles(text):
    """Alleles of the column `alleles`: A/C, [A/C], AT/A, +/-; none where it says nothing.

    Raises
    ------
    ValueError
        With what was found, for other texts.
    """
    bare = text.upper().strip("[] ")
    if bare in MARKS:
        return []
    alleles = [allele.strip() for allele in re.split(r"[/|,>\\:]", bare)]
    if len(bare) == 2 and set(bare) <= _BASES:  # AG for A/G
        alleles = list(bare)
    alleles = list(dict.fromkeys(allele for allele in alleles if allele not in _NO_ALLELE))
    if not all(map(_ALLELE.fullmatch, alleles)):
        raise ValueError(f"alleles {text!r}")
    return alleles


def on_plus(alleles, strand):
    """Alleles on the plus strand.

    Raises
    ------
    ValueError
        With what was found, for a strand that is neither plus nor minus.
    """
    minus = _STRANDS.get(strand.strip().upper())
    if minus is None:
        raise ValueError(f"strand {strand!r}")
    if not minus:
        return alleles
    return [a[::-1].translate(_COMPLEMENT) if set(a) <= _BASES else a for a in alleles]


def read(file, settings=None):
    """Header of a HapMap file, and its records as they are asked for.

    REF is the first allele of the column `alleles`, or the more frequent one where it says nothing;
    the minus strand is brought to the plus.

    Raises
    ------
    UserError
        If the header isn't HapMap's, or names no sample or one twice; for a row of another width.
    """
    table = open_table(file)
    lacking = [name for column, name in REQUIRED.items() if column not in table.places]
    if lacking:
        columns = " ".join([*REQUIRED.values(), "strand", *FURTHER])
        raise UserError(
            f"{' '.join(table.names[:5])[:60]!r} where the header should be, without"
            f" {', '.join(lacking)}",
            file=file,
            allowed=f"{columns} and the samples; the last seven may lack",
            mend="name these columns so",
        )
    return Header(table.samples, {}), _records(table, file)


def _records(table, file):
    for number, line in table.rows:
        *cells, calls = line.split(b"\t", table.leading)
        told = {
            column: decode(cells[place], file=file, line=number).strip()
            for column, place in table.places.items()
        }
        place = number, told["chromosome"], told["position"], told["marker"]
        try:
            own = split_alleles(told["alleles"]) or infer_alleles(calls)
            plus = on_plus(own, told.get("strand", "+"))
        except ValueError as error:
            yield Record(*place, "", "", b"", defect=_defect(error))
            continue
        ref, alt = plus[0] if plus else ".", ",".join(plus[1:]) or "."
        yield Record(*place, ref, alt, BETWEEN + calls, rules=letters(*own[:2]) if own else {})


def _defect(error):
    return {
        "found": str(error),
        "allowed": "alleles like A/C or AT/A, of A, C, G, T or + and -; strand + or -",
        "mend": "correct these columns",
    }
