"""Dosages and genotype probabilities of an imputed VCF -> calls, where they are certain enough."""

import numpy as np
from numba import njit

from soyfold.common.errors import UserError
from soyfold.genotypes.calls import MISSING, UNCERTAIN

BAD = 255
_TAB, _COLON, _COMMA, _DOT, _MINUS, _PLUS = (ord(c) for c in "\t:,.-+")
SLACK = 0.02  # by which rounded probabilities may miss a sum of 1, and dosages 0 and 2


def has_dosages(form):
    """Whether a record's FORMAT (bytes) has dosages or probabilities and no genotype calls."""
    parts = form.split(b":")
    return b"GT" not in parts and (b"DS" in parts or b"GP" in parts)


@njit(nogil=True)
def _number(text, start, end):
    """The decimal number in text[start:end]; NaN where it is none, or blank, or a dot."""
    value, scale, exponent, digits = 0.0, 1.0, 0, 0
    seen_dot = False
    at = start
    negative = at < end and text[at] == _MINUS
    if at < end and (text[at] == _MINUS or text[at] == _PLUS):
        at += 1
    while at < end:
        c = text[at]
        if 48 <= c <= 57:
            value = 10.0 * value + (c - 48)
            digits += 1
            if seen_dot:
                scale *= 10.0
        elif c == _DOT and not seen_dot:
            seen_dot = True
        else:
            break
        at += 1
    if digits == 0:
        return np.nan
    if at < end and (text[at] == 101 or text[at] == 69):  # e, E
        at += 1
        below = at < end and text[at] == _MINUS
        if at < end and (text[at] == _MINUS or text[at] == _PLUS):
            at += 1
        if at == end:
            return np.nan
        while at < end and 48 <= text[at] <= 57:
            exponent = min(10 * exponent + (text[at] - 48), 400)
            at += 1
        exponent = -exponent if below else exponent
    if at != end:
        return np.nan
    value = value / scale * 10.0**exponent
    return -value if negative else value


@njit(nogil=True)
def _call_dosage(text, start, end, certainty):
    dosage = _number(text, start, end)
    if not -SLACK <= dosage <= 2 + SLACK:  # NaN too
        return BAD
    nearest = min(max(round(dosage), 0), 2)
    return nearest if abs(dosage - nearest) <= 1 - certainty + 1e-9 else UNCERTAIN


@njit(nogil=True)
def _call_probabilities(text, start, end, certainty):
    best, likeliest, count, total = -1.0, 0, 0, 0.0
    at = start
    while at <= end:
        stop = at
        while stop < end and text[stop] != _COMMA:
            stop += 1
        p = _number(text, at, stop)
        if not -SLACK <= p <= 1 + SLACK:
            return BAD
        if p > best:
            best, likeliest = p, count
        count += 1
        total += p
        at = stop + 1
    if count not in (2, 3) or abs(total - 1) > SLACK:
        return BAD
    if count == 2:  # haploid
        likeliest *= 2
    return likeliest if best >= certainty - 1e-9 else UNCERTAIN


@njit(nogil=True)
def _part(text, start, end, field):
    """Where a cell's part between colons begins and ends; empty where the cell is shorter."""
    for _ in range(field):
        while start < end and text[start] != _COLON:
            start += 1
        start += 1
    start = min(start, end)
    stop = start
    while stop < end and text[stop] != _COLON:
        stop += 1
    return start, stop


@njit(nogil=True)
def call_record(text, dosage, probabilities, certainty, calls):
    """Call each sample of a record.

    Parameters
    ----------
    text : ndarray (m,) uint8
        The samples' cells, tabs between them.
    dosage, probabilities : int
        Which of a cell's parts between colons holds which; -1 for none. The dosage is called, but
        for a haploid call, of two probabilities, whose dosage ends at 1.
    certainty : float
    calls : ndarray (n,) uint8
        Written: count of ALT, MISSING, UNCERTAIN or BAD.

    Returns
    -------
    int
        Cells that were found.
    """
    sample, at, size = 0, 0, len(text)
    while at <= size and sample < len(calls):
        end = at
        while end < size and text[end] != _TAB:
            end += 1
        haploid = False
        if probabilities >= 0:
            start, stop = _part(text, at, end, probabilities)
            haploid = np.sum(text[start:stop] == _COMMA) == 1
        by_dosage = dosage >= 0 and not haploid
        if by_dosage:
            start, stop = _part(text, at, end, dosage)
        if start == stop or (stop - start == 1 and text[start] == _DOT):
            calls[sample] = MISSING
        elif by_dosage:
            calls[sample] = _call_dosage(text, start, stop, certainty)
        else:
            calls[sample] = _call_probabilities(text, start, stop, certainty)
        sample += 1
        at = end + 1
    return sample


class HardCaller:
    """Calls of records without GT, and how many of them were too uncertain.

    A dosage (DS, 0 to 2) is called if it is within 1 - `certainty` of a whole number; with
    probabilities (GP), the likeliest genotype is if its probability reaches `certainty`. DS is
    taken where a record has both, but for a haploid call, whose GP are two and whose DS ends at 1:
    its ALT counts twice, as a haploid GT does. Of DS alone only the whole file can tell that
    (`all_haploid`).

    Parameters
    ----------
    samples : list of str
    certainty : float
        Above 0.5, up to 1.
    """

    def __init__(self, samples, certainty):
        self.samples = samples
        self.certainty = certainty
        self._alone = 0  # records of DS without GP
        self._most = 0

    def all_haploid(self, records):
        """Whether all `records` have DS alone, whose calls reach 1 and never 2: those of haploids.

        Their 1 is ALT; which dosages are certain enough is the same.
        """
        return self._alone == records and self._most == 1

    def call(self, form, cells, *, file, line, order=None):
        """Call one record.

        Parameters
        ----------
        form : bytes
            FORMAT, with DS or GP.
        cells : bytes
            The samples' cells, tabs between them.
        file, line
            For messages.
        order : list of int, optional
            Place of each sample among the cells, if another one.

        Returns
        -------
        ndarray (n,) uint8
            Count of ALT, MISSING, or UNCERTAIN where no genotype was certain enough.

        Raises
        ------
        UserError
            For a cell that is no dosage from 0 to 2, or no probabilities that add up to 1.
        """
        parts = form.split(b":")
        key = b"DS" if b"DS" in parts else b"GP"
        where = [parts.index(name) if name in parts else -1 for name in (b"DS", b"GP")]
        calls = np.empty(len(self.samples), dtype=np.uint8)
        call_record(np.frombuffer(cells, dtype=np.uint8), *where, self.certainty, calls)
        wrong = np.flatnonzero(calls == BAD)
        if len(wrong):
            cell = cells.split(b"\t")[wrong[0]].decode(errors="replace")
            sample = wrong[0] if order is None else order.index(wrong[0])
            raise UserError(
                f"{key.decode()} in {cell!r} for sample {self.samples[sample]}",
                file=file,
                at=f"line {line}",
                allowed="a dosage of ALT from 0 to 2, or ."
                if key == b"DS"
                else "probabilities of 0/0, 0/1, 1/1 that add up to 1, or .",
            )
        self._alone += b"GP" not in parts
        self._most = max(self._most, calls[calls < MISSING].max(initial=0))
        return calls
