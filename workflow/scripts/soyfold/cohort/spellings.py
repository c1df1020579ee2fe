"""Ids that name one line and are spelt in two ways: joined where that is safe, else shown.

Spreadsheets write 2048 as 2048.0, R writes DS11-02002 as DS11.02002 and 2048 as X2048, keyboards
have two letters that look alike, files two forms of one umlaut. Ids that differ in nothing else are
joined one to one; those that differ in more (O for 0, Mar-01 for 3-1) are only shown side by side.
"""

import calendar
import difflib
import re
import unicodedata

import pandas as pd

from soyfold.cohort.accessions import accession_keys, split_accessions

# Cyrillic and Greek letters that look like Latin ones.
_ALIKE = str.maketrans(
    "АВЕКМНОРСТУХЅІЈаеорсухѕіјΑΒΕΖΗΙΚΜΝΟΡΤΥΧαο",  # noqa: RUF001
    "ABEKMHOPCTYXSIJaeopcyxsijABEZHIKMNOPTYXao",
)
MOST_COMPARED = 2000  # names among which `nearest_name` looks


def _visible(text):
    """Without what nobody sees: forms of one letter, letters that look alike, odd spaces."""
    text = "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf"
    )
    dashed = "".join("-" if unicodedata.category(c) == "Pd" else c for c in text)
    return " ".join(dashed.replace("\N{MINUS SIGN}", "-").translate(_ALIKE).split())


def _whole(text):
    """Whole numbers without decimals and leading zeros: 2048.0 and 02048 are 2048."""
    found = re.fullmatch(r"0*([0-9]+)(?:[.,]0+)?", text)
    return found[1] if found else text


def _unprefixed(text):
    """Without the X that R's make.names puts before a digit."""
    return re.sub(r"^X(?=[0-9])", "", text)


def _separated(text):
    """With one sign between the parts: R writes dots for all."""
    return re.sub(r"[\s._/-]+", " ", text).strip()


# In this order; two ids that are equal after one of them are joined for that reason.
_SAFE = {
    "characters that look alike or can't be seen": _visible,
    "R's X before a digit": _unprefixed,
    "a whole number's .0 or zeros": _whole,
    "dots or other separators": _separated,
    "upper and lower case": str.casefold,
}


def safe_keys(ids, prefixes):
    """What is left of each id when its spelling is taken away.

    Parameters
    ----------
    ids : Series of str, length n
    prefixes : sequence of str
        Prefixes of accession ids.

    Returns
    -------
    Series of str, length n
    """
    plain = ids.map(lambda text: _separated(_whole(_unprefixed(_visible(text)))))
    return accession_keys(plain, prefixes).str.casefold().set_axis(ids.index)


def differ_in(one, other):
    """Why two ids with one safe key aren't the same text."""
    for why, step in _SAFE.items():
        one, other = step(one), step(other)
        if one == other:
            return why
    return "the spelling of an accession"


def _letters(_, text):
    """With digits for the letters that are typed in their place."""
    return [text.replace(" ", "").translate(str.maketrans("oil", "011"))]


def _number(name, _):
    """As a spreadsheet keeps what looks like a number: 1E05 is 100000."""
    return [repr(float(name))] if re.fullmatch(r"[0-9]+(\.[0-9]*)?([eE]\+?[0-9]+)?", name) else []


def _month(word):
    """Number of a month's name, in full or cut to three letters or more; 0 for another word."""
    months = [name.casefold() for name in calendar.month_name]
    return next((k for k in range(1, 13) if len(word) > 2 and months[k].startswith(word)), 0)


def _dates(_, text):
    """Pairs of numbers that a spreadsheet takes for one date; 3-1 is Mar-01 and 1-Mar."""
    day = re.fullmatch(r"[0-9]{2}([0-9]{2}) ([0-9]{2}) ([0-9]{2})(?:t.*)?", text)
    if day:
        year, month, number = map(int, day.groups())
        return [f"{month} {number}", f"{month} {year}"]
    parts = re.fullmatch(r"([a-z]+|[0-9]{1,4}) ?([a-z]+|[0-9]{1,4})", text)
    if not parts:
        return []
    one, other = ((_month(part), part) for part in parts.groups())
    if one[0] and other[1].isdigit():
        return [f"{one[0]} {int(other[1]) % 100}"]
    if other[0] and one[1].isdigit():
        return [f"{other[0]} {int(one[1]) % 100}"]
    if " " in text and (one[1] + other[1]).isdigit():
        return [f"{int(a) % 100} {int(b) % 100}" for a, b in (parts.groups(), parts.groups()[::-1])]
    return []


def _lost(_, text):
    """Without what an encoding loses: all that is not ASCII, or a sign in its place."""
    return [re.sub(r"[^\x00-\x7f?]+|\?+", "?", text)] if re.search(r"[^\x00-\x7f]|\?", text) else []


def _parts(_, text):
    """The words that a longer name begins or ends with."""
    words = text.split()
    inner = [words[:k] for k in range(1, len(words))] + [words[k:] for k in range(1, len(words))]
    return [text, *(" ".join(part) for part in inner if len("".join(part)) > 3)]


_LETTER, _DATE = "a letter for a digit", "taken for a date"
_PART = "more in one name than in the other"
# Why an id may be a sample's, and the keys of its name and safe key, one of which both then have.
_NEAR = {
    _LETTER: _letters,
    "separators left out": lambda _, text: [text.replace(" ", "")],
    "taken for a number": _number,
    _DATE: _dates,
    "letters lost to an encoding": _lost,
    _PART: _parts,
}
# Where both are accessions these say nothing: PI 12 3 is not PI 123, and a suffix is never dropped.
_NOT_OF_ACCESSIONS = ("separators left out", _PART)


def near_pairs(ids, samples, prefixes):
    """Ids that are perhaps a sample's, one to one, with the likely cause.

    Parameters
    ----------
    ids, samples : Series of str
        Those that found no partner.
    prefixes : sequence of str
        Prefixes of accession ids.

    Returns
    -------
    dict of str to (str, str)
        Sample and cause by id.
    """
    pairs = {}
    names = pd.concat([ids, samples])
    plain = dict(zip(names, safe_keys(names, prefixes), strict=True))
    accession = split_accessions(names, prefixes)["prefix"].notna()
    accessions = set(names[accession.to_numpy()])
    for why, keys in _NEAR.items():
        of_ids, of_samples = (_by_key(side, plain, keys) for side in (ids, samples))
        for key, found in of_ids.items():
            both = [*found, *of_samples.get(key, ())]
            if len(found) == 1 and len(both) == 2 and _tells(why, key, both, plain, accessions):
                pairs.setdefault(both[0], (both[1], why))
    return pairs


def _by_key(names, plain, keys):
    """Names by each of their keys."""
    found = {}
    for name in names:
        for key in set(keys(name, plain[name])):
            found.setdefault(key, []).append(name)
    return found


def _tells(why, key, both, plain, accessions):
    """Whether a common key says that two names may be one."""
    if why in _NOT_OF_ACCESSIONS and accessions.issuperset(both):
        return False
    texts = [plain[name] for name in both]
    if why == _PART:  # of a whole name, not of two longer ones
        return key in texts
    if why == _LETTER:
        return len({text.replace(" ", "") for text in texts}) == 2
    return why != _DATE or not all(re.fullmatch("[0-9]+ [0-9]+", text) for text in texts)


def nearest_name(name, names):
    """The name that is spelt most like another, or None where none is near."""
    close = difflib.get_close_matches(name, list(names)[:MOST_COMPARED], n=1, cutoff=0.5)
    return close[0] if close else None
