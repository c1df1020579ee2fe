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
    PLACEHOLDER,
    PLOIDY,
    UNCERTAIN,
    UNREADABLE,
    UNSEPARATED,
    WITHOUT_READS,
)

# Of calls that aren't understood: what they are, how to mend them.
_WORDS = {
    PLOIDY: ("of more than two alleles", "call the lines as diploids (gatk --sample-ploidy 2)"),
    BEYOND_ALT: (
        "of an allele beyond ALT",
        "write all alleles of such records in ALT, which drops and counts them as multiallelic",
    ),
    UNSEPARATED: ("without a separator", "write / between the two alleles"),
    UNREADABLE: ("of other signs", "write calls as 0/0, 0/1, 1/1, and missing ones as ./."),
    NO_CALLS: (
        "of records without GT, DS or GP",
        "call genotypes (GT), or give dosages (DS) or probabilities (GP)",
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
_READS = "have no reads behind them (DP 0, or AD or PL of zeros)"
_UNREAD = (
    "where calls come from elsewhere than from these reads, remove these fields"
    " (bcftools annotate -x FORMAT/DP,FORMAT/AD,FORMAT/PL)"
)


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
        self._of_samples += _SUMS[codes]
        for code in _WORDS.keys() & set(np.flatnonzero(found)) - self._first.keys():
            sample = int(np.argmax(codes == code))
            cell = cells.split(b"\t")[sample if order is None else order[sample]]
            cell = b"FORMAT " + form if code == NO_CALLS else cell
            self._first[code] = (file, line, self.samples[sample], cell.decode(errors="replace"))

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
                allowed="calls like 0/0, 0|1, 1/1, ./., 0, 1, . of the record's own alleles",
                mend=_WORDS[code][1],
            )
        log.warning(
            "WARNING %s, line %d: %s: missing, counted in not_understood_calls; to mend: %s",
            *(file, line, found, _WORDS[code][1]),
        )
