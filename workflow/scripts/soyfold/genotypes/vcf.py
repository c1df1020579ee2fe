"""Reading a user's VCF: its lines, its samples, its records, with the place of any defect."""

import dataclasses
import io
import re
from collections import Counter
from pathlib import Path

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.common.textfiles import BAD_GZIP, decode, open_binary
from soyfold.genotypes.calls import Record

FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
_BGZF = b"\x1f\x8b\x08\x04"
# Bytes of the empty block with which bgzip ends a file: blocks may end with a line, so that only
# its absence tells a file that was cut off between two blocks.
_BGZF_END = 28
_CONTIG = re.compile(rb"##contig=<(?:.*,)?ID=([^,>]+)(?:,.*)?>", re.IGNORECASE)
_LENGTH = re.compile(rb"[<,]length=(\d+)", re.IGNORECASE)


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
    """Whether a file has the empty block at its end, or other members than bgzip's blocks."""
    with path.open("rb") as raw:
        block = 0
        while head := raw.read(18):
            if head[:4] != _BGZF or head[12:14] != b"BC":
                return True
            block = int.from_bytes(head[16:], "little") + 1
            raw.seek(block - len(head), io.SEEK_CUR)
        return block == _BGZF_END


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
            mend="rename them (of a VCF: bcftools reheader)",
        )


def check_width(found, expected, *, file, at, lines=()):
    """Refuse a line of genotypes with more or fewer fields by tabs than its header has.

    `lines` stands behind that line: only a file's last one is taken for one that was cut off.
    """
    if found != expected:
        if found == 1:
            mend = "write tabs between its fields"
        elif next(iter(lines), None) is None:
            mend = "it is the last line, where the file may be cut off: copy it again"
        else:
            mend = "see whether lines of another file, with other samples, begin there"
        raise UserError(
            f"{found} fields",
            file=file,
            at=at,
            allowed=f"{expected} fields by tabs, as in the header",
            mend=mend,
        )


@dataclasses.dataclass(frozen=True)
class Header:
    """What the lines above a VCF's records tell.

    Attributes
    ----------
    samples : list of str
    contigs : dict of str to int
        Lengths (bp) of the contigs that are declared with one.
    """

    samples: list
    contigs: dict


def read_header(lines, *, file):
    """Header of a VCF; `lines` (from `open_lines`) then stands at the first record.

    Raises
    ------
    UserError
        If the #CHROM line is absent or malformed, or names no sample or one twice.
    """
    contigs = {}
    for number, line in lines:
        if line.startswith(b"##"):
            name, length = _CONTIG.match(line), _LENGTH.search(line)
            if name and length:
                contigs[name[1].strip(b'" ').decode(errors="replace")] = int(length[1])
            continue
        return Header(_read_columns(line, number, file), contigs)
    raise UserError("no #CHROM line", file=file, allowed="a VCF", mend="the file may be cut off")


def _read_columns(line, number, file):
    """Samples of a #CHROM line."""
    at = f"line {number}"
    fields = decode(line.rstrip(b"\t"), file=file, line=number).split("\t")
    if tuple(fields) in (FIXED[:8], FIXED):
        raise UserError(
            "no samples: a VCF of sites alone", file=file, at=at, allowed="at least one sample"
        )
    if fields[0] in ("CHROM", "X.CHROM"):  # as R writes it
        fields[0] = FIXED[0]
    if tuple(fields[:9]) != FIXED:
        mend = "write the header so, if another program changed it; else copy the file again"
        if tuple(line.decode(errors="replace").split()[:9]) == FIXED:
            mend = "write tabs between the fields, here and in the records, where blanks are"
        elif b'"' in line:
            mend = "take the quotes out of the file (in R: write.table(..., quote = FALSE))"
        elif line[:2].lower() == b"rs":
            mend = "set genotypes.format: hapmap"
        raise UserError(
            f"{line[:60].decode(errors='replace')!r} where the header's last line should be",
            file=file,
            at=at,
            allowed=f"{' '.join(FIXED)} and the samples, by tabs",
            mend=mend,
        )
    check_samples(fields[9:], file=file, at=at)
    return fields[9:]


def check_contigs(contigs, chromosomes, *, file):
    """Compare the lengths that a header declares with those of the chromosome table.

    Contigs that the table doesn't know do no harm.

    Parameters
    ----------
    contigs : dict of str to int
        From `read_header`.
    chromosomes : soyfold.common.chromosomes.Chromosomes
    file : path-like
        For messages.

    Raises
    ------
    UserError
        If most of the chromosomes in the header have another length: the positions are another
        assembly's. A few are warned of.
    """
    known = {name: chromosomes.aliases[name] for name in contigs if name in chromosomes.aliases}
    other = [
        f"{name} of {contigs[name]} bp in the header, {chromosomes.length(chromosome)} in"
        f" {chromosomes.file}"
        for name, chromosome in known.items()
        if contigs[name] != chromosomes.length(chromosome)
    ]
    if not other:
        return
    found = f"lengths of another assembly for {len(other)} of {len(known)} chromosomes: {other[0]}"
    mend = (
        "name the assembly of your file as `chromosomes` in the config; if only the header is"
        " wrong, take its ##contig lines out (bcftools annotate, or an editor)"
    )
    if 2 * len(other) > len(known):
        raise UserError(found, file=file, allowed="one assembly for all files", mend=mend)
    log.warning("WARNING %s: %s; %s", file, found, mend)


def _refuse_other_header(line, number, samples, file):
    """Raise unless the #CHROM line of a header among the records names the first one's samples."""
    again = decode(line.rstrip(b"\t"), file=file, line=number).split("\t")[9:]
    at = f"line {number}"
    if again == samples:
        log.info("%s, %s: the header again: files joined by cat, read on", file, at)
        return
    pairs = zip([*again, "none"], [*samples, "none"], strict=False)
    other, first = next(pair for pair in pairs if pair[0] != pair[1])
    raise UserError(
        f"a second header: {len(again)} samples, the first has {len(samples)}; {other} stands where"
        f" it has {first}",
        file=file,
        at=at,
        allowed="one header, or further ones with the same samples in the same order",
        mend="name the files that were joined by cat as a list, or join them with bcftools concat"
        " (more records of the same samples) or merge (more samples)",
    )


def begins(line):
    """Whether a file's first line (bytes) is a VCF's."""
    return line.startswith((b"##fileformat=VCF", b"#CHROM\t"))


def read(file, settings=None):
    """Header of a VCF, and its records as they are asked for."""
    lines = open_lines(file)
    header = read_header(lines, file=file)
    return header, read_records(lines, header.samples, file=file)


def read_records(lines, samples, *, file):
    """Yield a VCF's records, `calls.Record`.

    Headers among them, where files were joined by cat, are left out.

    Raises
    ------
    UserError
        For a record with a wrong number of fields, or a header with other samples.
    """
    tabs, again = 8 + len(samples), None  # again: line at which a further header begins
    for number, line in lines:
        if not line.strip(b"\t \x1a"):  # a sheet's empty rows; the end as DOS marks it
            continue
        if line[:1] == b"#":
            again = again or number
            if line[:2] != b"##" and b"\t" in line:
                _refuse_other_header(line, again, samples, file)
                again = None
            continue
        found = line.count(b"\t")
        if found > tabs and line.endswith(b"\t" * (found - tabs)):
            line, found = line[: tabs - found], tabs  # of programs that end each line with one
        check_width(found + 1, tabs + 1, file=file, at=f"line {number}", lines=lines)
        *five, rest = line.split(b"\t", 5)
        contig, position, name, ref, alt = (decode(field, file=file, line=number) for field in five)
        yield Record(number, contig, position, name, ref.upper(), alt.upper(), rest)
