"""What a study file says of a marker table, proposed from its first rows: where its markers lie,
what its cells mean."""

import re
from collections import Counter
from itertools import islice

from soyfold.genotypes.calls import OTHER_LETTERS
from soyfold.genotypes.hapmap import Letters
from soyfold.genotypes.markers import Codes
from soyfold.genotypes.tables import MARKS, open_table

ROWS = 500  # that are looked at
RARE = 0.005  # a text of a smaller share of the called cells decides nothing
CERTAIN = 0.99  # share of the names that a pattern reads
# Where places stand in names: chr01_27915_T_C, S1:27915:T/C.
NAMES = (
    r"(?P<chromosome>[A-Za-z0-9.]+)[_:-](?P<position>\d+)"
    r"[_:-](?P<ref>[ACGT]+)[_:/>-](?P<alt>[ACGT]+)"
)
# Texts of numbers to counts of ALT, and what they are taken for; the first that holds all wins.
NUMBERS = [
    ({"0": 0, "1": 2}, "0 and 1 alone are the two homozygotes"),
    ({"1": 0, "2": 2}, "1 and 2 alone are the two homozygotes"),
    ({"0": 0, "1": 1, "2": 2}, "numbers are copies of ALT"),
    ({"-1": 0, "0": 1, "1": 2}, "-1, 0, 1 are 0, 1, 2 copies of ALT"),
    ({"1": 0, "2": 1, "3": 2}, "1, 2, 3 are 0, 1, 2 copies of ALT"),
]
ABSENT = {"-1", "9"}  # what programs write for a missing call beside 0, 1, 2
_BASES = [Letters(a, b) for a, b in ("AC", "AG", "AT", "CG", "CT", "GT", "+-")]
_HETEROZYGOTES = ("H", "HET")
_SIGN = re.compile("[/|: ]|(?=[A-Z])")  # AB, A/B


def propose_settings(file):
    """Settings of `genotypes` for a marker table, and what of them is uncertain.

    Parameters
    ----------
    file : path-like

    Returns
    -------
    settings : dict
        format, marker_name where places stand in the markers' names, codes where the cells hold no
        letters of bases.
    told : list of str
        What is a guess begins with `?`.

    Raises
    ------
    UserError
        If the file is no such table.
    """
    table = open_table(file, least=1)
    rows = [line.split(b"\t") for _, line in islice(table.rows, ROWS)]
    settings, told = {"format": "marker_table"}, []
    if not {"chromosome", "position"} <= set(table.places):
        names = [row[0].decode("utf-8", "replace") for row in rows]
        settings["marker_name"], line = _read_names(names)
        told += line
    cells = Counter(cell.strip().upper() for row in rows for cell in row[table.leading :])
    codes, line = propose_codes({c.decode("utf-8", "replace"): n for c, n in cells.items()})
    settings |= {"codes": codes} if codes else {}
    return {key: value for key, value in settings.items() if value}, told + line


def _read_names(names):
    """The pattern of the markers' names, or None, and what is told of it."""
    found = [match for match in map(re.compile(NAMES).search, names) if match]
    if not names or len(found) < CERTAIN * len(names):
        return None, []  # reading the table says what is lacking
    said = ", ".join(f"{key} {value}" for key, value in found[0].groupdict().items())
    return NAMES, [f"? marker_name: {found[0].string} is read as {said}"]


def propose_codes(cells):
    """Codes of a marker table's cells: text to count of ALT; None where they are letters of bases.

    Parameters
    ----------
    cells : mapping of str to int
        How often each text was met, in upper case.

    Returns
    -------
    codes : dict of str to int, or None
    told : list of str
    """
    called = Counter()
    for text, count in cells.items():
        called[text[:-2] if re.fullmatch(r"-?\d+\.0", text) else text] += count
    called = {text: count for text, count in called.items() if text not in MARKS}
    total = sum(called.values())
    often = sorted(text for text, count in called.items() if count >= RARE * total)
    if not often or all(_is_bases(text) for text in often):
        return None, []
    codes, meaning = _of_numbers(often) or _of_letters(often, called) or (None, "")
    if codes is None:
        shown = ", ".join(repr(text) for text in often[:6])
        return None, [f"? codes: no known ones ({shown}): write genotypes.codes, count of ALT each"]
    read = Codes(codes)
    other = {t: n for t, n in called.items() if read[t.encode()] not in (0, 1, 2)}
    told = [f"? codes: {meaning}"]
    if other:
        shown = ", ".join(sorted(other, key=other.get, reverse=True)[:6])
        told.append(
            f"? codes: none for {sum(other.values()) / total:.2%} of the called cells ({shown}),"
            " which become missing calls"
        )
    return codes, told


def _is_bases(text):
    return any(rule[text.encode()] != OTHER_LETTERS for rule in _BASES)


def _of_numbers(texts):
    """The first codes of numbers that hold all texts, or all but marks of missing calls."""
    for left in (set(texts), set(texts) - ABSENT):
        found = next((known for known in NUMBERS if left and left <= set(known[0])), None)
        if found:
            return found
    return None


def _of_letters(texts, called):
    """Codes of two homozygotes by letters or words, alone or in pairs (AA, A/B), beside H."""
    both = [text for text in _HETEROZYGOTES if text in called]
    words = [text for text in texts if text not in both]
    letters = sorted({part for text in words for part in _SIGN.split(text) if part})
    if len(letters) != 2:
        letters = words
    if len(letters) != 2 or re.search(r"\d", "".join(words)):
        return None
    ref, alt = letters
    codes = {ref: 0, **dict.fromkeys(both, 1), alt: 2}
    return codes, f"the file doesn't say which of {ref} and {alt} is ALT; {alt} is taken for it"
