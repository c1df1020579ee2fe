"""Which records of the user's genotypes are kept, under which chromosome, id and reason."""

import bisect

import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.genotypes.places import OTHER_CONTIG, UNPLACED, Places, read_position

# Reasons for which a record is dropped at import, in the order of the counts in qc_counts.tsv.
UNREADABLE = "unreadable"
MULTIALLELIC = "multiallelic"
NO_ALTERNATE = "no alternate allele"
DUPLICATE = "duplicate"
IMPORT_REASONS = (UNREADABLE, UNPLACED, OTHER_CONTIG, MULTIALLELIC, NO_ALTERNATE, DUPLICATE)
THE_RULE = 0.5  # share of unreadable records, from which the file is refused
NAMED = 20  # duplicates that an error names
ABSENT = ("", ".", "0")  # ALT of a file in which no line has it; an allele that PLINK never saw


class Sieve:
    """Judges the records of one or several files in their order; remembers each with its verdict.

    Parameters
    ----------
    chromosomes : soyfold.common.chromosomes.Chromosomes
    invariant : bool
        Keep records whose ALT is absent: they say that all samples have REF.
    duplicates : {'refuse', 'first'}
        What becomes of a variant that stands there again.
    match : {'position', 'auto', 'id'}, optional
        How new lines' variants will be found; None for a study's own. Unless by position, those
        with an id are kept wherever they lie, and the table says why that is no place.

    Attributes
    ----------
    places : Places
        Which contigs and positions are the study's.
    file : path-like
        The user's file that is being read, for messages.
    lines : list of int
        Line of each record in its file.
    """

    def __init__(self, chromosomes, *, invariant=False, duplicates="refuse", match=None):
        self.chromosomes = chromosomes
        self.places = Places(chromosomes, by_id=match in ("auto", "id"))
        self._given = None if match is None else []  # own id and why it is elsewhere, by record
        self._invariant = invariant
        self._duplicates = duplicates
        self._defects = []  # (line, file, what is wrong)
        self._twice = []  # (index of a record, that of the first of the same variant)
        self.file = None
        self.lines = []
        self._files, self._starts = [], []
        self._records = []
        self._at = {}  # (chromosome, position) -> index of the first record there
        self._crowded = {}  # the same -> indices of all records there, if there are several
        self._ids = set()
        self._known = 0

    def begin(self, file):
        """Say that the records to come are those of `file`."""
        self.file = file
        self._files.append(file)
        self._starts.append(len(self.lines))

    def file_of(self, index):
        """The file that record `index` comes from."""
        return self._files[bisect.bisect_right(self._starts, index) - 1]

    def _place(self, index):
        line = f"line {self.lines[index]}"
        return line if len(self._files) == 1 else f"{line} of {self.file_of(index)}"

    def judge(self, line, contig, position, name, ref, alt, *, defect=None):
        """Judge one record.

        Parameters
        ----------
        line : int
            Line in the file, for messages.
        contig, position, name, ref, alt : str
            As in the file.
        defect : dict, optional
            Why nothing can be read off the record: what `UserError` says where that is the rule.

        Returns
        -------
        kept : bool
        position : int
            Base pairs, 1-based.

        Raises
        ------
        UserError
            For a position beyond the chromosome's end, or a numbered chromosome that no alias
            knows.
        """
        chromosome = self.chromosomes.aliases.get(contig)
        given, elsewhere = name if _is_id(name) else None, None
        if defect is None:
            position, defect = read_position(position)
        if defect:
            self._defects.append((line, self.file, defect))
            position, reason = 0, UNREADABLE
        else:
            elsewhere = self.places.find_elsewhere(contig, position, file=self.file, line=line)
            if elsewhere and not (self.places.by_id and given):
                reason = OTHER_CONTIG if elsewhere == OTHER_CONTIG else UNPLACED
            else:
                self._known += 1
                variant = (chromosome or contig, position, ref, alt)
                reason = self._judge_alleles(*variant, placed=elsewhere != UNPLACED)
            if reason is None:
                name = self._unique(name, chromosome or contig, position)
        self.lines.append(line)
        self._records.append((name, chromosome or contig, position, ref, alt, reason))
        if self._given is not None:
            self._given.append((given, elsewhere))
        return reason is None, position

    def _judge_alleles(self, chromosome, position, ref, alt, *, placed):
        """Why a variant is dropped for its alleles, or for those beside it; None if it is kept."""
        reason = None if self._invariant and alt in ABSENT else _reason(alt)
        if ref in ABSENT:
            return NO_ALTERNATE
        if reason != NO_ALTERNATE and placed:
            usable = reason is None
            twice = self._note_place(chromosome, position, ref, alt, usable=usable)
            return DUPLICATE if twice else reason
        return reason

    def drop(self, defect):
        """Take the last record for unreadable after all: its calls are."""
        self._defects.append((self.lines[-1], self.file, defect))
        self._records[-1] = (*self._records[-1][:-1], UNREADABLE)

    def _tell_defects(self):
        """Warn of unreadable records, or refuse the file where they are the rule."""
        if not self._defects:
            return
        line, file, defect = self._defects[0]
        found = defect["found"]
        count = f"{len(self._defects)} of {len(self._records)} records"
        if len(self._defects) > THE_RULE * len(self._records):
            words = {**defect, "found": f"{found} ({count} can't be read)"}
            raise UserError(file=file, at=f"line {line}", **words)
        log.warning(
            "WARNING %s, line %d: %s: %s can't be read, and are left out", file, line, found, count
        )

    def _unplaced(self):
        name, contig, position, *_ = self._records[0]
        return UserError(
            f"no place of any of {len(self._records)} variants (the first, {name!r}: chromosome"
            f" {contig!r}, position {position}; 0 is PLINK's word for one that isn't known)",
            file=self.file,
            allowed=f"the names and aliases in {self.chromosomes.file}, positions from 1",
            mend="write each variant's own chromosome and position, from the file that this one was"
            " made from, from the map of the markers or from ids that hold them",
        )

    def _note_place(self, chromosome, position, ref, alt, *, usable):
        """Note a place with several variants; whether a usable one was seen before."""
        index = len(self._records)
        first = self._at.setdefault((chromosome, position), index)
        if first == index:
            return False
        here = self._crowded.setdefault((chromosome, position), [first])
        for other in here if usable else ():
            if self._records[other][3:5] == (ref, alt):
                self._twice.append((index, other))
                return True
        here.append(index)
        return False

    def _refuse_twice(self):
        """Raise if variants stand there again: all are named in the log, some in the line."""
        told = []
        for index, other in self._twice:
            _, *variant, _ = self._records[index]
            places = f"{self._place(other)}, {self._place(index)}"
            told.append(f"{' '.join(map(str, variant))} ({places})")
        for words in told:
            log.info("twice: %s", words)
        more = f", and {len(told) - NAMED} more in the log" if len(told) > NAMED else ""
        raise UserError(
            f"{len(told)} variants twice: {', '.join(told[:NAMED])}{more}",
            file=self.file_of(self._twice[0][0]),
            allowed="each variant once",
            mend="remove one of each; or write `duplicates: first` under genotypes, which keeps the"
            " first of each and counts the others",
        )

    def _unique(self, name, chromosome, position):
        """The record's own id if it has one that is free and one word, else one from its place."""
        if name in self._ids or not _is_id(name):
            name = f"{chromosome}_{position}"
        while name in self._ids:
            name += "_2"
        self._ids.add(name)
        return name

    def kept(self):
        """Indices of the records that `judge` kept, in order."""
        return [index for index, record in enumerate(self._records) if record[-1] is None]

    def table(self):
        """All records in the file's order.

        Returns
        -------
        DataFrame
            variant, chromosome (canonical, or as in the file for other contigs), position (bp),
            ref, alt, kept (yes | no), reason (one of `IMPORT_REASONS`, or None); of new lines also
            id (as in the file, or None), elsewhere (why the place is none of the study's, or None).

        Raises
        ------
        UserError
            If there are no records, none on a known chromosome, or none that can be kept; for
            variants that are there again, if they are refused.
        """
        if not self._records:
            raise UserError(
                "no records", file=self.file, allowed="at least one variant",
                mend="the file may be cut off: copy it again",
            )  # fmt: skip
        self._tell_defects()
        if not self._known:
            if self.places.refusal:
                raise self.places.refusal
            placed = next((r[1] for r in self._records if r[-1] != UNPLACED), None)
            raise self._unplaced() if placed is None else self.places.unknown(placed, self.file)
        if self._twice and self._duplicates == "refuse":
            self._refuse_twice()
        if len(self._files) > 1:
            self._refuse_lacking()
        columns = ["variant", "chromosome", "position", "ref", "alt", "reason"]
        table = pd.DataFrame(self._records, columns=columns)
        for reason, indices in self._judge_crowded().items():
            table.loc[indices, "reason"] = reason
        table.insert(5, "kept", table["reason"].isna().map({True: "yes", False: "no"}))
        if self._given is not None:
            given = pd.DataFrame(self._given, columns=["id", "elsewhere"], dtype=object)
            table = table.join(given)
        if not (table["kept"] == "yes").any():
            reasons = table["reason"].value_counts().items()
            raise UserError(
                "no biallelic variant on a chromosome"
                f" ({', '.join(f'{count} {reason}' for reason, count in reasons)})",
                file=self.file, allowed="records with one REF and one ALT allele",
            )  # fmt: skip
        return table

    def _judge_crowded(self):
        """Indices to drop of the places with several records, by reason.

        A record without ALT says nothing against the one variant beside it.
        """
        dropped = {MULTIALLELIC: [], NO_ALTERNATE: []}
        for here in self._crowded.values():
            alone = [index for index in here if self._records[index][4] in ABSENT]
            one_variant = len(here) - len(alone) == 1
            dropped[NO_ALTERNATE if one_variant else MULTIALLELIC] += alone if one_variant else here
        return dropped

    def _refuse_lacking(self):
        """Raise if several files together have no record of a chromosome: one is not there."""
        seen = {chromosome for chromosome, _ in self._at}
        lacking = [name for name in self.chromosomes.names if name not in seen]
        if lacking:
            raise UserError(
                f"no record of chromosome {', '.join(lacking)} in {len(self._files)} files"
                f" ({self._files[0]}, ...)",
                at="key genotypes.file", allowed="files that cover each chromosome",
                mend="name the files of these chromosomes too",
            )  # fmt: skip


def _is_id(name):
    return name not in ("", ".") and len(name.split()) == 1


def _reason(alt):
    """Why a record on a known chromosome is dropped for its ALT; None if it is kept."""
    if "," in alt:
        return MULTIALLELIC
    # Absent, overlapping deletion, symbolic (<DEL>), breakend.
    if alt in (*ABSENT, "*") or alt[0] == "<" or "[" in alt or "]" in alt:
        return NO_ALTERNATE
    return None
