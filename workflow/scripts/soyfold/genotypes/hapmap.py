"""Reading HapMap genotypes (TASSEL's .hmp.txt): a row a SNP, one- or two-letter calls."""

import functools

from soyfold.common.errors import UserError
from soyfold.common.textfiles import decode
from soyfold.genotypes.markers import BETWEEN
from soyfold.genotypes.vcf import check_samples, check_width

FIXED = ("rs#", "alleles", "chrom", "pos", "strand")  # of eleven columns before the samples
LEADING = 11
MISSING = ("", ".", "N", "NN", "NA", "X", "XX")
# Letters of two alleles at once (IUPAC); TASSEL's 0 is a heterozygous insertion.
_BOTH = {"AG": "R", "CT": "Y", "CG": "S", "AT": "W", "GT": "K", "AC": "M", "+-": "0"}
_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_STRANDS = {"+": False, "": False, ".": False, "NA": False, "-": True}
_ALLELES = frozenset("ACGT+-")


def read_header(lines, *, file):
    """Samples of a HapMap file; `lines` (from `vcf.open_lines`) then stands at a record.

    Raises
    ------
    UserError
        If the header isn't HapMap's, or names no sample or one twice.
    """
    for number, line in lines:
        fields = decode(line, file=file, line=number).split("\t")
        names = tuple(field.lower() for field in fields[: len(FIXED)])
        if names[:1] not in (("rs#",), ("rs",)) or names[1:] != FIXED[1:]:
            raise UserError(
                f"{' '.join(fields[:5])[:60]!r} where the header should be",
                file=file,
                at=f"line {number}",
                allowed=f"{' '.join(FIXED)}, six further columns and the samples, by tabs",
            )
        check_samples(fields[LEADING:], file=file, at=f"line {number}")
        return fields[LEADING:]
    raise UserError("no header", file=file, allowed=f"{' '.join(FIXED)}, ... and the samples")


@functools.cache
def call_table(ref, alt=None):
    """Call of each cell text, bytes to bytes, for a SNP of two alleles, or of REF alone.

    `-` and `--` are missing calls where `-` is no allele of the SNP.
    """
    calls = {text.encode(): b"./." for text in (*MISSING, "-", "--")}
    for allele, call in ((ref, b"0/0"), (alt, b"1/1")):
        if allele is not None:
            calls |= {allele.encode(): call, (2 * allele).encode(): call}
    if alt is None:
        return calls
    both = {ref + alt, alt + ref}
    letters = {_BOTH[pair] for pair in both if pair in _BOTH}
    return calls | {text.encode(): b"0/1" for text in both | letters}


def split_alleles(text, strand):
    """REF and ALT of the column `alleles` (`A/C`), on the plus strand, with commas for several.

    The first allele is REF, and ALT is "." where there is one allele alone. On the minus strand
    both are complemented.

    Raises
    ------
    ValueError
        With what was found, for other texts than alleles of one letter, `+` and `-`.
    """
    alleles = [allele for allele in text.upper().split("/") if allele not in ("N", "NA", ".", "")]
    if not alleles or not set(alleles) <= _ALLELES or len(set(alleles)) != len(alleles):
        raise ValueError(f"alleles {text!r}")
    if strand.upper() not in _STRANDS:
        raise ValueError(f"strand {strand!r}")
    if _STRANDS[strand.upper()]:
        alleles = [allele.translate(_COMPLEMENT) for allele in alleles]
    return alleles[0], ",".join(alleles[1:]) or "."


def read_records(lines, samples, *, file):
    """Yield a HapMap file's records in the form of `soyfold.genotypes.vcf.read_records`.

    REF is the first allele of the column `alleles`; the minus strand is brought to the plus.

    Parameters
    ----------
    lines : iterator
        From `soyfold.genotypes.vcf.open_lines`, past the header.
    samples : list of str
    file : path-like
        For messages.

    Raises
    ------
    UserError
        For a wrong number of fields, alleles of several letters, another strand than + and -, or
        a call of an allele that the SNP doesn't have.
    """
    for number, line in lines:
        if not line:
            continue
        *leading, cells = line.split(b"\t", LEADING)
        cells = cells.split(b"\t")
        at = f"line {number}"
        check_width(len(leading) + len(cells), LEADING + len(samples), file=file, at=at)
        name, alleles, contig, position, strand = (
            decode(field, file=file, line=number).strip() for field in leading[:5]
        )
        try:
            ref, alt = split_alleles(alleles, strand)
        except ValueError as error:
            raise UserError(
                str(error),
                file=file,
                at=at,
                allowed="alleles like A/C, each A, C, G, T, + or -; strand + or -",
            ) from None
        rest = b""  # of a record that is dropped for its many alleles nobody asks for calls
        if len(alt) == 1:
            rest = BETWEEN + _calls(cells, alleles.upper().split("/"), samples, file, at)
        yield number, contig, position, name, ref, alt, rest


def _calls(cells, alleles, samples, file, at):
    """The calls of a record; `alleles` as the file's own strand has them."""
    calls = call_table(*(allele for allele in alleles if allele in _ALLELES))
    try:
        return b"\t".join(map(calls.__getitem__, cells))
    except KeyError:
        pass
    try:
        return b"\t".join(calls[cell.strip().upper()] for cell in cells)
    except KeyError:
        column = next(i for i, cell in enumerate(cells) if cell.strip().upper() not in calls)
        raise UserError(
            f"{cells[column].decode(errors='replace')!r} for sample {samples[column]}",
            file=file,
            at=at,
            allowed=", ".join(sorted(text.decode() or "nothing" for text in calls)),
            mend="correct the cell or the column alleles",
        ) from None
