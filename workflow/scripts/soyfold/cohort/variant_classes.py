"""Classes of variants: by the motif that a reference's flank makes of them, or by substitution."""

import numpy as np
import pandas as pd

from soyfold.cohort.reference import (
    BASES,
    BITS,
    OTHER,
    compare_with_reference,
    read_sequences,
    refuse_beyond_end,
    refuse_other_assembly,
)

BY_SUBSTITUTION = ["transition", "transversion", "strandless"]
TATA_BOX = "TATAWAW"
KEYS = ["variant", "chromosome", "position", "ref", "alt"]
# IUPAC codes as sets of bases.
IUPAC = BASES | {
    "R": 5, "Y": 10, "S": 6, "W": 9, "K": 12, "M": 3, "B": 14, "D": 13, "H": 11, "V": 7, "N": 15,
}  # fmt: skip
_A, _C, _G, _T = BASES.values()
_COMPLEMENT = str.maketrans("ACGTRYKMBDHV", "TGCAYRMKVHDB")


def classify_by_substitution(variants):
    """Class of each variant by REF and ALT: ndarray (L,) of str.

    transition: A/G or C/T; strandless: A/T or C/G, which look alike from both strands;
    transversion: A/C or G/T; other: no SNP.
    """
    pair = ["".join(sorted(pair)) for pair in ("AG", "CT", "AT", "CG", "AC", "GT")]
    names = np.repeat(["transition", "strandless", "transversion"], 2)
    ref, alt = (variants[name].str.upper().to_numpy(dtype=str) for name in ("ref", "alt"))
    both = np.char.add(np.where(ref < alt, ref, alt), np.where(ref < alt, alt, ref))
    return np.select([both == each for each in pair], names, OTHER)


def _bits_of(alleles):
    """Bits of alleles of one base (L,); 0 for all others."""
    return np.where(alleles.str.len() == 1, BITS[alleles.to_numpy("S1").view(np.uint8)], 0)


class Flanks:
    """SNPs of one chromosome and what is around them in the reference.

    Parameters
    ----------
    variants : DataFrame
        position, ref, alt.
    bases : ndarray of uint8
        The chromosome's characters.
    flank : int
        Bases on each side.
    """

    def __init__(self, variants, bases, flank):
        self.flank = flank
        place = variants["position"].to_numpy()[:, None] - 1 + np.arange(-flank, flank + 1)
        inside = (place >= 0) & (place < len(bases))  # beyond a chromosome's end nothing is known
        self.reference = np.where(inside, BITS[bases[np.where(inside, place, 0)]], 0)
        self.alleles = {name: _bits_of(variants[name]) for name in ("ref", "alt")}
        self.is_snp = (self.alleles["ref"] > 0) & (self.alleles["alt"] > 0)

    def having(self, allele):
        """The flank with `ref` or `alt` in its middle: (L, 2 flank + 1) bits."""
        window = self.reference.copy()
        window[:, self.flank] = self.alleles[allele]
        return window

    def at_rich(self, share):
        """Whether `share` of the bases around are A or T, at least half of which are known."""
        around = np.delete(self.reference, self.flank, axis=1)
        known = (around > 0).sum(1)
        return (known >= self.flank) & (((around & (_A | _T)) > 0).sum(1) >= share * known)


def _has_motif(window, motif):
    """Whether a window (L, w) of bits holds a motif of IUPAC codes, on either strand."""
    found = np.zeros(len(window), bool)
    for text in {motif, motif.translate(_COMPLEMENT)[::-1]}:
        starts = window.shape[1] - len(text) + 1
        here = np.ones((len(window), starts), bool)
        for offset, code in enumerate(text):
            here &= (window[:, offset : offset + starts] & IUPAC[code]) > 0
        found |= here.any(1)
    return found


def _has_cpg(window, middle):
    """Whether the middle base is part of a CG."""
    left, base, right = (window[:, middle + step] for step in (-1, 0, 1))
    return ((left == _C) & (base == _G)) | ((base == _C) & (right == _G))


def find_motifs(variants, bases, *, flank, at_rich, kmers):
    """Which SNPs of a chromosome fit which class.

    Parameters
    ----------
    variants : DataFrame
        position (bp, from 1), ref, alt.
    bases : ndarray of uint8
        The chromosome's characters.
    flank : int, keyword only
        Bases on each side of a SNP that are looked at.
    at_rich : float, keyword only
        Share of A and T in the flank from which it is AT-rich.
    kmers : sequence of str, keyword only
        IUPAC codes.

    Returns
    -------
    dict of str to ndarray (L,) of bool
        By class, those that come first first: the k-mers and the TATA box, in the flank with REF or
        with ALT, on either strand; cpg_made, cpg_destroyed: ALT makes the only CG of the SNP, or
        takes it; at_rich. No class for a variant that is no SNP.
    """
    flanks = Flanks(variants, bases, flank)
    with_ref, with_alt = flanks.having("ref"), flanks.having("alt")
    cpg = [_has_cpg(window, flank) for window in (with_ref, with_alt)]

    def holds(motif):
        return _has_motif(with_ref, motif) | _has_motif(with_alt, motif)

    fits = {motif: holds(motif) for motif in kmers}
    fits |= {"cpg_made": cpg[1] & ~cpg[0], "cpg_destroyed": cpg[0] & ~cpg[1]}
    fits |= {"tata_box": holds(TATA_BOX), "at_rich": flanks.at_rich(at_rich)}
    return {name: found & flanks.is_snp for name, found in fits.items()}


def classify_by_motif(variants, file, chromosomes, **settings):
    """Class of each variant by its flank in a reference.

    Parameters
    ----------
    variants : DataFrame
        `KEYS`, chromosomes by their canonical names.
    file : path-like
        FASTA of the positions' assembly.
    chromosomes : soyfold.common.chromosomes.Chromosomes
    **settings
        Of `find_motifs`.

    Returns
    -------
    fits : dict of str to ndarray (L,) of bool
        As `find_motifs` gives them, but none for a variant whose REF isn't the reference's.
    found : ndarray (L,) of str
        What the reference has in REF's place.
    differs : ndarray (L,) of bool

    Raises
    ------
    UserError
        As `read_sequences`; for a position beyond the reference's end, or where REF isn't the
        reference's at more than `MOST_DIFFERING` of the variants: another assembly.
    """
    names = variants["chromosome"].to_numpy()
    found, differs = np.full(len(variants), "", dtype=object), np.zeros(len(variants), bool)
    fits = {}
    for chromosome, bases in read_sequences(file, chromosomes, dict.fromkeys(names)):
        rows = np.flatnonzero(names == chromosome)
        own = variants.iloc[rows]
        refuse_beyond_end(own, bases, chromosome, file)
        found[rows], differs[rows] = compare_with_reference(own, bases)
        for name, of_own in find_motifs(own, bases, **settings).items():
            fits.setdefault(name, np.zeros(len(variants), bool))[rows] = of_own & ~differs[rows]
    refuse_other_assembly(variants, found, differs, file)
    return fits, found, differs


def classify_variants(variants, chromosomes, *, reference=None):
    """Classes of variants, and how many there are of each.

    Parameters
    ----------
    variants : DataFrame
        `KEYS`.
    chromosomes : soyfold.common.chromosomes.Chromosomes
    reference : dict, optional, keyword only
        file, and the settings of `find_motifs`; without it variants are classed by substitution.

    Returns
    -------
    classes : DataFrame
        `KEYS`, class, in_reference (what the reference has in REF's place).
    counts : DataFrame
        class, variants, share, fitting (those that would be of it if no other class came first),
        ref_differs: those whose REF isn't the reference's, which are `other`.

    Raises
    ------
    UserError
        As `classify_by_motif`.
    """
    found, differs = np.full(len(variants), None, dtype=object), np.zeros(len(variants), bool)
    if reference:
        fits, found, differs = classify_by_motif(variants, chromosomes=chromosomes, **reference)
    else:
        own = classify_by_substitution(variants)
        fits = {name: own == name for name in BY_SUBSTITUTION}
    names = np.select(list(fits.values()), list(fits), OTHER)
    fits[OTHER] = names == OTHER
    counts = pd.DataFrame(
        {
            "class": list(fits),
            "variants": [int((names == name).sum()) for name in fits],
            "share": [float((names == name).mean()) for name in fits],
            "fitting": [int(fit.sum()) for fit in fits.values()],
            "ref_differs": [int(differs[names == name].sum()) for name in fits],
        }
    )
    if not reference:
        counts["ref_differs"] = None
    return variants[KEYS].assign(**{"class": names, "in_reference": found}), counts
