"""Counting the calls that became missing, by sample and record, and telling them."""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.genotypes.calls import (
    BEYOND_ALT,
    CODES,
    HALF,
    MISSING,
    NO_CALLS,
    OTHER_CODE,
    OTHER_LETTERS,
    PLACEHOLDER,
    PLOIDY,
    UNCERTAIN,
    UNREADABLE,
    UNSEPARATED,
    WITHOUT_READS,
)

_NUMBERED = "calls like 0/0, 0|1, 1/1, ./., 0, 1, . of the record's own alleles"
# Of calls that aren't understood: what they are, what is allowed, how to mend them.
_WORDS = {
    PLOIDY: (
        "of more than two alleles",
        _NUMBERED,
        "call the lines as diploids (gatk --sample-ploidy 2)",
    ),
    BEYOND_ALT: (
        "of an allele beyond ALT",
        _NUMBERED,
        "write all alleles of such records in ALT, which drops and counts them as multiallelic",
    ),
    UNSEPARATED: ("without a separator", _NUMBERED, "write / between the two alleles"),
    UNREADABLE: (
        "of other signs",
        _NUMBERED,
        "write calls as 0/0, 0/1, 1/1, and missing ones as ./.",
    ),
    NO_CALLS: (
        "of records without GT, DS or GP",
        "FORMAT with GT, or with DS or GP",
        "call genotypes (GT), or give dosages (DS) or probabilities (GP)",
    ),
    OTHER_LETTERS: (
        "of other alleles than the marker's",
        "the marker's alleles (A, AA, AG, A/G), their IUPAC letter; N, NA or - for missing calls",
        "correct the cells, or the columns alleles and strand; a marker table's codes stand in"
        " genotypes.codes",
    ),
    OTHER_CODE: (
        "that are none of genotypes.codes",
        "the texts of genotypes.codes; NA, N or - for missing calls",
        "name them in genotypes.codes",
    ),
}
# Columns of samples.tsv and variants.tsv, and the codes that they count.
COLUMNS = {
    "uncertain_calls": [UNCERTAIN],
    "calls_without_reads": [WITHOUT_READS],
    "placeholder_calls": [PLACEHOLDER],
    "half_calls": [HALF],
    "not_understood_calls": list(_WORDS),
}
_SUMS = np.array([[code in codes for codes in COLUMNS.values()] for code in range(CODES)], int)
FEW = 0.01
THE_RULE = 0.05  # share of calls that aren't understood, from which the file is refused
FEWEST_RECORDS = 3  # from which a sample without any call that is understood is told
_READS = "have no reads behind them (DP 0, or AD or PL of zeros)"
_UNREAD = (
    "where calls come from elsewhere than from these reads, remove these fields"
    " (bcftools annotate -x FORMAT/DP,FORMAT/AD,FORMAT/PL)"
)


def find_defect(codes, samples, cells, order=None):
    """What is wrong with a table's marker, if more than half of its calls aren't understood.

    Parameters
    ----------
    codes, samples, cells, order
        As `CallTally.add` takes them.

    Returns
    -------
    dict or None
        As `UserError` takes it.
    """
    odd = (codes == OTHER_LETTERS) | (codes == OTHER_CODE)
    if 2 * odd.sum() <= (codes != MISSING).sum():
        return None
    first = int(np.argmax(odd))
    what, allowed, mend = _WORDS[int(codes[first])]
    found = f"calls {what}, first {_cell(cells, first, order)!r} for sample {samples[first]}"
    return {"found": found, "allowed": allowed, "mend": mend}


def _cell(cells, sample, order):
    """Text of a sample's cell."""
    place = sample if order is None else order[sample]
    return cells.split(b"\t")[place].decode(errors="replace")


class CallTally:
    """How many calls of each sample and each record became missing, and why.

    Parameters
    ----------
    samples : list of str

    Attributes
    ----------
    blocks : int
        Records of REF that stand for all places up to an END (GVCF).
    untold : list of int
        Calls 0/0, and 1/1, of which nothing else is told, in records that tell of others' reads.
    """

    def __init__(self, samples):
        self.samples = samples
        self.blocks, self.untold = 0, [0, 0]
        self._of_samples = np.zeros((len(samples), len(COLUMNS)), dtype=np.int64)
        self._of_records = {}
        self._of_codes = np.zeros(CODES, dtype=np.int64)  # of records with other than plain calls
        self._calls, self._known = 0, False
        self._first = {}

    def add(self, index, codes, *, file, line, form, cells, order=None):
        """Count the calls of a record.

        Parameters
        ----------
        index : int
            Of the record.
        codes : ndarray (n,) uint8
            What the samples' calls were read as.
        file, line, form, cells
            Where they stand; FORMAT and the samples' cells, for messages.
        order : list of int, optional
            Place of each sample among the cells.
        """
        self._calls += len(codes)
        self._known = self._known or bool((codes < MISSING).any())
        if not (codes >= UNCERTAIN).any():
            return
        found = np.bincount(codes, minlength=CODES)
        self._of_codes += found
        self._of_records[index] = found @ _SUMS
        here = np.flatnonzero(codes >= UNCERTAIN)
        self._of_samples[here] += _SUMS[codes[here]]
        for code in _WORDS.keys() & set(np.flatnonzero(found)) - self._first.keys():
            sample = int(np.argmax(codes == code))
            cell = _cell(cells, sample, order)
            cell = f"FORMAT {form.decode(errors='replace')}" if code == NO_CALLS else cell
            self._first[code] = (file, line, self.samples[sample], cell)

    def of_records(self, records):
        """Counts of each of so many records, a column for each of `COLUMNS`."""
        table = pd.DataFrame.from_dict(self._of_records, orient="index", columns=list(COLUMNS))
        return table.reindex(range(records), fill_value=0).astype(np.int64)

    def of_samples(self):
        """Counts of each sample: sample, and a column for each of `COLUMNS`."""
        table = pd.DataFrame(self._of_samples, columns=list(COLUMNS))
        table.insert(0, "sample", self.samples)
        return table

    def tell(self, file):
        """Warn of calls that aren't what they look like.

        Raises
        ------
        UserError
            If calls that can't be understood are the rule, or no call has a read behind it.
        """
        self._tell_odd()
        calls, count = self._calls, self._of_codes
        if count[WITHOUT_READS] and not self._known:
            raise UserError(
                f"no call with reads: {count[WITHOUT_READS]} of {calls} {_READS}",
                file=file,
                mend=_UNREAD,
            )
        if count[WITHOUT_READS]:
            log.warning(
                "WARNING %s: %d of %d calls %s: missing, counted in calls_without_reads; %s",
                *(file, count[WITHOUT_READS], calls, _READS, _UNREAD),
            )
        if count[PLACEHOLDER]:
            log.warning(
                "WARNING %s: %d of %d calls are of <NON_REF>, <*> or *: missing, counted in"
                " placeholder_calls",
                *(file, count[PLACEHOLDER], calls),
            )
        ref, alt = self.untold
        if ref > FEW * calls and alt < FEW * ref:
            log.warning(
                "WARNING %s: %d of %d calls are 0/0 with nothing told of their reads, where 1/1"
                " calls tell of theirs: taken as REF; if they were filled in (bcftools merge -0),"
                " merge without that, and they are missing",
                *(file, ref, calls),
            )
        if self.blocks:
            log.warning(
                "WARNING %s: %d records are blocks of places with REF up to an END (GVCF), of which"
                " only the first place is read; to mend: genotype the file at the study's SNPs"
                " (gatk GenotypeGVCFs --include-non-variant-sites, bcftools convert --gvcf2vcf)",
                *(file, self.blocks),
            )

    def _tell_odd(self):
        odd = {code: int(self._of_codes[code]) for code in _WORDS if self._of_codes[code]}
        if not odd:
            return
        self._refuse_columns()
        code, calls = max(odd, key=odd.get), self._calls
        file, line, sample, cell = self._first[code]
        kinds = ", ".join(f"{count} {_WORDS[kind][0]}" for kind, count in odd.items())
        found = f"{sum(odd.values())} of {calls} calls that aren't understood ({kinds};"
        found += f" first {cell!r} for sample {sample})"
        if sum(odd.values()) > THE_RULE * calls:
            raise UserError(
                found,
                file=file,
                at=f"line {line}",
                allowed=_WORDS[code][1],
                mend=_WORDS[code][2],
            )
        log.warning(
            "WARNING %s, line %d: %s: missing, counted in not_understood_calls; to mend: %s",
            *(file, line, found, _WORDS[code][2]),
        )

    def _refuse_columns(self):
        """Raise for a column of a table that isn't a sample's: none of its cells is a call."""
        records = self._calls // len(self.samples)
        odd = self._of_samples[:, list(COLUMNS).index("not_understood_calls")] == records
        code = next((code for code in (OTHER_LETTERS, OTHER_CODE) if code in self._first), None)
        if code is not None and records >= FEWEST_RECORDS and odd.any() and not odd.all():
            raise UserError(
                f"no call that is understood in the column {self.samples[int(np.argmax(odd))]}",
                file=self._first[code][0],
                allowed=_WORDS[code][1],
                mend="remove the column if it is no sample",
            )
