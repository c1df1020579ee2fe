"""Where a record lies: on a chromosome of the study, or why not."""

import contextlib
import re

from soyfold.common.errors import UserError

# Why a place is none of the study's.
UNPLACED = "unplaced"
OTHER_CONTIG = "other contigs"
OTHER_HEADER = "header of another assembly"
BEYOND_END = "beyond the chromosome's end"
NO_ALIAS = "unknown chromosome"
# What stands for a chromosome, or a position, that isn't known; in PLINK's files 0.
UNKNOWN = frozenset({"", "0", "00", ".", "-", "?", "na", "nan", "un", "unknown", "unplaced"})


# Names that mean a chromosome by its number: were one dropped as a scaffold, a whole chromosome
# would be lost. Roman numerals count only after "chr" (chrM is the mitochondrion, Chr0 unplaced).
_NUMBERED = re.compile(
    r"(chromosome|chr|gm|lg)?[_ ]?0*[1-9]\d*|chr(omosome)?_?[ivx]+", re.IGNORECASE
)


class Places:
    """Judges places, and refuses those of another assembly.

    Parameters
    ----------
    chromosomes : soyfold.common.chromosomes.Chromosomes
    by_id : bool
        Whether ids may tell the variants, so that nothing is refused for its place.

    Attributes
    ----------
    refusal : UserError or None
        What would be said of the first place that is refused.
    """

    def __init__(self, chromosomes, *, by_id):
        self.chromosomes, self.by_id = chromosomes, by_id
        self.refusal = None
        self._other_header = False
        self._length = dict(zip(chromosomes.names, chromosomes.lengths.tolist(), strict=True))

    def find_elsewhere(self, contig, position, *, file, line):
        """Why a place is none of the study's; None if it is one.

        Parameters
        ----------
        contig : str
        position : int
            Base pairs, 0 where it isn't known.
        file, line
            For messages.

        Raises
        ------
        UserError
            Unless by id: for a position beyond the chromosome's end, or a numbered chromosome that
            no alias knows.
        """
        chromosome = self.chromosomes.aliases.get(contig)
        if position < 1 or (chromosome is None and contig.strip().lower() in UNKNOWN):
            return UNPLACED
        if chromosome is None:
            if not _NUMBERED.fullmatch(contig):
                return OTHER_CONTIG
            self.refuse(self.unknown(contig, file, line))
            return NO_ALIAS
        if position > self._length[chromosome]:
            try:
                self.chromosomes.refuse_beyond_end(
                    chromosome, position, file=file, at=f"line {line}"
                )
            except UserError as error:
                self.refuse(error)
            return BEYOND_END
        return OTHER_HEADER if self._other_header else None

    def refuse(self, error, *, header=False):
        """Raise what is said of another assembly, unless ids may tell the variants.

        Parameters
        ----------
        error : UserError
        header : bool
            Whether a file's header told it, so that no place is the study's.
        """
        if not self.by_id:
            raise error
        self.refusal = self.refusal or error
        self._other_header |= header

    def unknown(self, contig, file, line=None):
        """The `UserError` of a chromosome that no alias knows."""
        known = self.chromosomes.names
        return UserError(
            f"chromosome {contig!r}, which no alias knows",
            file=file, at=line and f"line {line}",
            allowed=f"the names and aliases in {self.chromosomes.file} ({known[0]} to {known[-1]})",
            mend="name the assembly of your file as `chromosomes` in the config,"
            " or add the name to the column aliases of that table",
        )  # fmt: skip


def read_position(text):
    """Base pairs, 0 where they aren't known; what is wrong, else. R writes 100000 as 1e+05."""
    with contextlib.suppress(ValueError):
        return int(text), None
    if text.strip().lower() in UNKNOWN:
        return 0, None
    with contextlib.suppress(ValueError):
        if float(text).is_integer():
            return int(float(text)), None
    return 0, {"found": f"position {text!r}", "allowed": "base pairs, an integer"}
