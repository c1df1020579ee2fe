"""Reading a user's VCF: its lines, its samples, its records, with the place of any defect."""

import io
from collections import Counter
from pathlib import Path

from soyfold.common.errors import UserError
from soyfold.common.textfiles import BAD_GZIP, decode, open_binary

FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
_BGZF = b"\x1f\x8b\x08\x04"
# The empty block with which bgzip ends a file: blocks may end with a line, so that only its
# absence tells a file that was cut off between two blocks.
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def open_lines(file):
    """Yield (number, line) of a text file; lines are bytes of UTF-8 without their ends.

    As `textfiles.open_binary` has them.

    Raises
    ------
    UserError
        If the file is absent, empty, or a gzip that is damaged or cut off.
    """
    path = Path(file)
    if not path.is_file():
        raise UserError("no such file", file=file, mend="check genotypes.file in the config")
    if not path.stat().st_size:
        raise UserError(
            "an empty file", file=file, allowed="a VCF, PLINK bed, HapMap or marker table"
        )
    number = 0
    try:
        with open_binary(file) as stream:
            for number, line in enumerate(stream, start=1):
                yield number, line.rstrip(b"\r\n")
        if not _ends_whole(path):
            raise EOFError("no end-of-file block")
    except BAD_GZIP as error:
        raise UserError(
            f"a gzip file that is cut off or damaged ({error})",
            file=file,
            at=f"after line {number}",
            mend="copy or download it again (test it with gzip -t)",
        ) from None


def _ends_whole(path):
    """Whether a file is no bgzip, or has the empty block at its end."""
    with path.open("rb") as raw:
        head = raw.read(18)
        if head[:4] != _BGZF or head[12:14] != b"BC":
            return True
        raw.seek(-len(_BGZF_END), io.SEEK_END)
        return raw.read() == _BGZF_END


def check_samples(samples, *, file, at=None):
    """Refuse samples that are absent, twice there, or that PLINK's files couldn't name.

    Parameters
    ----------
    samples : list of str
    file, at : str
        Where they stand, for messages.

    Raises
    ------
    UserError
        Naming up to five of them.
    """
    if not samples:
        raise UserError("no samples", file=file, at=at, allowed="at least one sample")
    twice = [name for name, count in Counter(samples).items() if count > 1]
    if twice:
        raise UserError(
            f"{len(twice)} sample ids twice: {', '.join(twice[:5])}",
            file=file,
            at=at,
            allowed="each sample once",
            mend="rename or remove one of each",
        )
    reserved = ("0", "NA")  # PLINK's missing parent, a missing cell of soyfold's tables
    odd = [
        name
        for name in samples
        if name in reserved or len(name.split()) != 1 or name != name.strip()
    ]
    if odd:
        raise UserError(
            f"{len(odd)} sample ids with spaces, empty, 0 or NA: {', '.join(map(repr, odd[:5]))}",
            file=file,
            at=at,
            allowed="ids that are one word",
            mend="rename them (bcftools reheader)",
        )


def check_width(found, expected, *, file, at):
    """Refuse a line of genotypes with more or fewer fields by tabs than its header has."""
    if found != expected:
        raise UserError(
            f"{found} fields",
            file=file,
            at=at,
            allowed=f"{expected} fields by tabs, as in the header",
            mend="the file may be cut off or damaged there: copy it again",
        )


def read_header(lines, *, file):
    """Samples of a VCF; `lines` (from `open_lines`) then stands at the first record.

    Raises
    ------
    UserError
        If the #CHROM line is absent or malformed, or names no sample or one twice.
    """
    for number, line in lines:
        if line.startswith(b"##"):
            continue
        fields = decode(line, file=file, line=number).split("\t")
        if tuple(fields[:9]) != FIXED:
            raise UserError(
                f"{line[:60].decode(errors='replace')!r} where the header's last line should be",
                file=file,
                at=f"line {number}",
                allowed=f"{' '.join(FIXED)} and the samples, by tabs",
            )
        check_samples(fields[9:], file=file, at=f"line {number}")
        return fields[9:]
    raise UserError("no #CHROM line", file=file, allowed="a VCF", mend="the file may be cut off")


def has_calls(form):
    """Whether a record's FORMAT (bytes) begins with genotype calls."""
    return form == b"GT" or form.startswith(b"GT:")


def has_dosages(form):
    """Whether a record's FORMAT (bytes) has dosages or probabilities and no genotype calls."""
    parts = form.split(b":")
    return b"GT" not in parts and (b"DS" in parts or b"GP" in parts)


def read_records(lines, samples, *, file):
    """Yield a VCF's records: line, contig, position, id, ref, alt (str), rest of the line (bytes).

    Raises
    ------
    UserError
        For a record with a wrong number of fields, or one without GT, DS or GP.
    """
    width = 9 + len(samples)
    for number, line in lines:
        if not line:
            continue
        check_width(line.count(b"\t") + 1, width, file=file, at=f"line {number}")
        *five, rest = line.split(b"\t", 5)
        form = rest.split(b"\t", 4)[3]
        if not has_calls(form) and not has_dosages(form):
            raise UserError(
                f"FORMAT {form.decode(errors='replace')!r}",
                file=file,
                at=f"line {number}",
                allowed="FORMAT that begins with GT (genotype calls), or has DS or GP (dosages)",
            )
        yield number, *(decode(field, file=file, line=number) for field in five), rest
