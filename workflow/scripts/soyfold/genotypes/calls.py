"""What a cell of a VCF says of a sample: a genotype, nothing, or what is no call of two alleles."""

import functools
import re
from typing import NamedTuple

import numpy as np

from soyfold.genotypes.sieve import ABSENT

# What a cell is read as: the count of ALT, or why it is a missing call.
MISSING, UNCERTAIN, WITHOUT_READS, PLACEHOLDER, HALF = 3, 4, 5, 6, 7
PLOIDY, BEYOND_ALT, UNSEPARATED, UNREADABLE, NO_CALLS = 8, 9, 10, 11, 12  # not understood
OTHER_LETTERS, OTHER_CODE = 13, 14  # the same, of HapMap and marker tables
CODES = 15
COUNT = np.array([0, 1, 2, *[-1] * (CODES - 3)], dtype=np.int8)  # as soyfold.genotypes.bed has them

# Alternates that stand for any allele that nobody saw, or for a deletion that began further up.
PLACEHOLDERS = frozenset({"<NON_REF>", "<*>", "<X>", "X", "*", *ABSENT})

# What tells of reads: their number, those of each allele, the genotypes' likelihoods, the quality.
DEPTH, LIKELIHOODS = (b"DP", b"NR"), (b"PL", b"GL")
_ZERO = re.compile(rb"-?0(\.0*)?(,-?0(\.0*)?)*")
_FEW = 64  # samples, up to which arrays cost more than they save
_MEMORY = 1 << 17  # cells that are remembered
_TAB = ord("\t")
# Signs of zeros, the first in the lowest bits: 0,0 or 0.0 by first and third; -0, and -0.0.
_ZEROS, _MINUS_ZERO, _MINUS_POINT = 0x300030, 0x2C302D, 0x302E302D


class Record(NamedTuple):
    """A marker of a text file.

    Attributes
    ----------
    line : int
    contig, position, name, ref, alt : str
        As in the file; `alt` with commas between several.
    rest : bytes
        A VCF's columns from QUAL on; of a table, its cells behind such columns.
    rules : mapping of bytes to int, optional
        Code of each cell, where it isn't a VCF's.
    defect : dict, optional
        What makes the marker useless, as `UserError` takes it.
    """

    line: int
    contig: str
    position: str
    name: str
    ref: str
    alt: str
    rest: bytes
    rules: object = None
    defect: dict = None


@functools.lru_cache(maxsize=4096)
def split_alternates(ref, alt):
    """The real alternate alleles of a record, and what the numbers in its calls mean.

    Parameters
    ----------
    ref, alt : str
        As in the file; `alt` with commas between several.

    Returns
    -------
    alt : str
        Without placeholders and REF itself; "." where nothing else is there.
    roles : tuple of int
        By number in a call: 0 is REF, 1 another allele, PLACEHOLDER one that says nothing.
    """
    alternates = [] if alt in ABSENT else alt.split(",")
    real = [a for a in alternates if a not in PLACEHOLDERS and a != ref]
    return ",".join(real) or ".", (0, *(1 if a in real else PLACEHOLDER for a in alternates))


def read_alleles(text, roles):
    """Code of a call (bytes) such as 0/1, 0|1, 1 or ./.

    Parameters
    ----------
    text : bytes
    roles : tuple of int
        From `split_alternates`.
    """
    text = text.strip()
    if not text.strip(b"./|"):
        return MISSING
    alleles = re.split(rb"[/|]", text[1:] if text[:1] in b"/|" else text)  # VCF 4.4: |0|1
    if not all(a == b"." or a.isdigit() for a in alleles):
        return UNREADABLE
    numbers = [int(a) for a in alleles if a != b"."]
    beyond = max(numbers) >= len(roles)
    if len(alleles) == 1 and len(text) > 1 and (beyond or text[:1] == b"0"):
        return UNSEPARATED
    if len(alleles) > 2:
        return PLOIDY
    if beyond:
        return BEYOND_ALT
    told = [roles[number] for number in numbers]
    if PLACEHOLDER in told:
        return PLACEHOLDER
    if len(numbers) < len(alleles):
        return HALF
    return sum(told) if len(told) == 2 else 2 * told[0]


def has_reads(parts):
    """Whether reads stand behind a call, as far as its cell tells.

    None do where the depth is 0, where all genotypes are equally likely, or where no allele has a
    read and nothing says otherwise.

    Parameters
    ----------
    parts : mapping of bytes to bytes
        FORMAT's keys (DP, AD, ...) to what the cell says.
    """
    zero = {key for key, text in parts.items() if _ZERO.fullmatch(text)}
    several = {key for key in zero if b"," in parts[key]}
    if zero & set(DEPTH) or several & set(LIKELIHOODS):
        return False
    counted = any(parts.get(key, b".") != b"." for key in DEPTH)
    return b"AD" not in several or (counted and b"GQ" not in zero)


class Grammar(dict):
    """Codes of the cells of records that share FORMAT and alleles: bytes to int, as asked for.

    Parameters
    ----------
    form : bytes
        FORMAT, with GT.
    roles : tuple of int
        From `split_alternates`.
    """

    def __init__(self, form, roles):
        super().__init__()
        self.keys_of_cell = form.split(b":")
        self.roles = roles
        # Where there are dosages or probabilities calls are imputed: they need no reads.
        self.asks_for_reads = not {b"DS", b"GP"} & set(self.keys_of_cell)

    def __missing__(self, cell):
        """Read a cell that wasn't read before."""
        if len(self) > _MEMORY:
            self.clear()
        parts = dict(zip(self.keys_of_cell, cell.split(b":"), strict=False))
        code = read_alleles(parts.get(b"GT", b""), self.roles)
        if code < MISSING and self.asks_for_reads and not has_reads(parts):
            code = WITHOUT_READS
        self[cell] = code
        return code

    @functools.cached_property
    def untold(self):
        """Text behind a call of which nothing else is told; None where there is nothing to tell."""
        tells = self.asks_for_reads and self.places(*DEPTH, *LIKELIHOODS, b"AD")
        return b":." * (len(self.keys_of_cell) - 1) if tells else None

    def places(self, *keys):
        """Places of keys in a cell."""
        return [at for at, key in enumerate(self.keys_of_cell) if key in keys]

    @functools.cached_property
    def plain(self):
        """Codes of calls like 0/1, by third and first sign, and of 1, by 0 and 1; else CODES."""
        table = np.full((256, 256), CODES, dtype=np.uint8)
        for first in b"01.":
            table[0, first] = read_alleles(b"%c" % first, self.roles)
            for second in b"01.":
                table[second, first] = read_alleles(b"%c/%c" % (first, second), self.roles)
        return table


@functools.lru_cache(maxsize=64)
def grammar(form, roles):
    """The `Grammar` of a FORMAT (bytes) and roles; None where it has no GT."""
    return Grammar(form, roles) if b"GT" in form.split(b":") else None


def read_calls(cells, rules, samples):
    """Read a record's calls.

    The plain ones, such as 0/1 with reads, are found with arrays; the rest, one by one.

    Parameters
    ----------
    cells : bytes
        The samples' cells, tabs between them.
    rules : Grammar
    samples : int

    Returns
    -------
    ndarray (samples,) uint8
        Count of ALT, or one of this module's codes.
    """
    if samples <= _FEW:
        return np.fromiter(map(rules.__getitem__, cells.split(b"\t")), np.uint8, samples)
    fields = _Fields(cells, samples)
    signs = fields.signs(rules.places(b"GT")[0])
    between, after = signs >> 8 & 0xFF, signs >> 24
    codes = rules.plain.take(signs & 0xFF | signs >> 8 & 0xFF00)
    odd = (codes == CODES) | ~(_is_one(between, b"/|") & _is_one(after, b"\t:"))
    if odd.any():
        alone = _is_one(between, b"\t:")
        codes[alone] = rules.plain.take(signs[alone] & 0xFF)
        odd = (codes == CODES) | odd & ~alone
    if rules.asks_for_reads:
        zero = np.zeros(samples, dtype=bool)
        for place in rules.places(*DEPTH):
            zero |= _is_one(fields.signs(place) & 0xFF, b"0-")
        for place in rules.places(b"AD", *LIKELIHOODS):
            signs = fields.signs(place)
            zero |= signs & 0xFF00FF == _ZEROS
            zero |= (signs & 0xFFFFFF == _MINUS_ZERO) | (signs == _MINUS_POINT)
        odd |= zero & (codes < MISSING)
    if odd.any():
        places = np.flatnonzero(odd)
        codes[places] = [rules[cell] for cell in fields.cells(places)]
    return codes


def _is_one(signs, two):
    return (signs == two[0]) | (signs == two[1])


class _Fields:
    """The parts of a record's cells, as arrays."""

    def __init__(self, cells, samples):
        self._text = b"%b\t\t\t\t" % cells
        self._size, self._samples = len(cells) + 1, samples
        # Each place's sign and the next three as one number, the first in its lowest bits.
        self._four = np.ndarray(self._size, dtype="<u4", buffer=self._text, strides=(1,))

    @functools.cached_property
    def _marks(self):
        """Ends of all parts; which of them end a cell; the first of each cell."""
        text = np.frombuffer(self._text, dtype=np.uint8, count=self._size)
        marks = np.flatnonzero(_is_one(text, b"\t:"))
        last = np.flatnonzero(text[marks] == _TAB)
        return marks, last, np.concatenate(([0], last[:-1] + 1))

    def _starts(self, place):
        """Where each cell's part at `place` begins; the last tab where the cell ends before."""
        marks, last, first = self._marks
        if place == 0:
            return np.concatenate(([0], marks[last[:-1]] + 1))
        before = first + (place - 1)  # the mark before the part
        return np.where(before < last, marks[np.minimum(before, last)] + 1, self._size - 1)

    def signs(self, place):
        """The first four signs of each cell's part at `place`; tabs where the cell ends before.

        Behind a shorter part's end they are those of the next one.
        """
        if place == 0 and self._size == 4 * self._samples:
            signs = np.frombuffer(self._text, dtype="<u4", count=self._samples)
            if (signs >> 24 == _TAB).all():  # cells like 0/1 alone
                return signs
        return self._four[self._starts(place)]

    def cells(self, places):
        """The cells (bytes) of some samples."""
        marks, last, _ = self._marks
        starts, ends = self._starts(0)[places], marks[last[places]]
        return [self._text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
