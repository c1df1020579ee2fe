"""A reference: its sequences, and whether the variants are of its assembly."""

import numpy as np

from soyfold.common.errors import UserError
from soyfold.common.logs import log

OTHER = "other"  # class of what is no SNP, of no motif, or not as the reference has it
MOST_DIFFERING = 0.05  # share of variants whose REF isn't the reference's
BASES = dict(zip("ACGT", (1, 2, 4, 8), strict=True))  # as bits, which make sets of them
BITS = np.zeros(256, np.uint8)  # of a reference's bytes: 0 for all that isn't known to be a base
BITS[[ord(base) for base in BASES] + [ord(base.lower()) for base in BASES]] = [*BASES.values()] * 2


def read_sequences(file, chromosomes, wanted):
    """Walk through the sequences of a FASTA, two in memory at a time.

    One is told when the next is read: of a file that was cut off, the last is none.

    Parameters
    ----------
    file : path-like
        FASTA: plain, gzip or bgzip; no index is needed.
    chromosomes : soyfold.common.chromosomes.Chromosomes
    wanted : collection of str
        Chromosomes, by their canonical names.

    Yields
    ------
    chromosome : str
        Canonical name, of `wanted`.
    bases : ndarray (length,) uint8
        Characters.

    Raises
    ------
    UserError
        For a file that is no FASTA, without a chromosome wanted, or with one twice.
    """
    from pysam import FastxFile  # its htslib loads what else nothing here needs

    seen, names, waiting = set(), [], None
    try:
        for record in FastxFile(str(file)):
            names.append(record.name)
            chromosome = chromosomes.aliases.get(record.name)
            if chromosome not in wanted:
                continue
            if chromosome in seen:
                raise UserError(
                    f"{chromosome} twice, the second time as {record.name!r}", file=file,
                    allowed="a sequence for each chromosome",
                )  # fmt: skip
            seen.add(chromosome)
            if waiting:
                yield waiting
            waiting = chromosome, np.frombuffer(record.sequence.encode("ascii"), np.uint8)
    except (OSError, ValueError) as error:  # a Unicode error is one of the latter
        mend = "copy or download it again"
        raise UserError(f"no FASTA ({error})", file=file, mend=mend) from None
    if waiting:
        yield waiting
    missing = [name for name in wanted if name not in seen]
    if missing:
        found = ", ".join([*names[:3], *(["..."] if names[3:] else [])]) or "none at all"
        raise UserError(
            f"no sequence of {', '.join(missing)}; found {found}", file=file,
            allowed=f"the names and aliases in {chromosomes.file}",
            mend="add the FASTA's names to the aliases there, or take the FASTA of that assembly",
        )  # fmt: skip


def compare_with_reference(variants, bases):
    """What the reference has in the place of each REF.

    Parameters
    ----------
    variants : DataFrame
        position, ref; none of them beyond the reference's end.
    bases : ndarray of uint8

    Returns
    -------
    found : ndarray (L,) of str
        In capitals.
    differs : ndarray (L,) of bool
        Where that is another REF, and known: no N is among it.
    """
    found, differs = np.empty(len(variants), dtype=object), np.zeros(len(variants), bool)
    lengths = variants["ref"].str.len().to_numpy()
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        place = variants["position"].to_numpy()[rows, None] - 1 + np.arange(length)
        letters = bases[np.minimum(place, len(bases) - 1)]
        letters = np.where(letters >= ord("a"), letters - 32, letters).astype(np.uint8)
        found[rows] = letters.view(f"S{length}")[:, 0].astype(str)
        known = (BITS[letters] > 0).all(1)
        differs[rows] = known & (found[rows] != variants["ref"].str.upper().to_numpy()[rows])
    return found, differs


def refuse_beyond_end(variants, bases, chromosome, file):
    beyond = ~variants["position"].between(1, len(bases)).to_numpy()
    if beyond.any():
        row = variants.iloc[beyond.argmax()]
        raise UserError(
            f"{len(bases)} bases of {chromosome}, and variant {row.variant} at {row.position}"
            f" (such variants: {beyond.sum()})",
            file=file, allowed="a reference that reaches as far as the variants",
            mend="take the FASTA of the assembly that the positions are of",
        )  # fmt: skip


def refuse_other_assembly(variants, found, differs, file):
    """Raise where REF is too often another than the reference's; tell of it where it is some."""
    count, share = int(differs.sum()), differs.mean()
    if not count:
        return
    row = variants.iloc[differs.argmax()]
    swapped = int((found == variants["alt"].str.upper().to_numpy())[differs].sum())
    told = (
        f"REF differs from the reference at {count} of {len(variants)} variants ({share:.1%}; at"
        f" {swapped} ALT is the reference's), first {row.variant}: REF {row.ref}, there"
        f" {found[differs.argmax()]}"
    )
    if share > MOST_DIFFERING:
        raise UserError(
            told, file=file, allowed=f"at most {MOST_DIFFERING:.0%}",
            mend="take the FASTA of the assembly that the positions are of: most likely they are of"
            " another",
        )  # fmt: skip
    log.warning("WARNING %s; they are in class %s", told, OTHER)
