"""Reading a marker table: a row a marker, a column a sample, a code a genotype."""

import re

from soyfold.common.errors import UserError
from soyfold.common.textfiles import decode
from soyfold.genotypes.vcf import check_samples, check_width

GROUPS = ("chromosome", "position", "ref", "alt")
MISSING = ("", "NA", ".", "-")
_CALL = {0: b"0/0", 1: b"0/1", 2: b"1/1"}
BETWEEN = b".\t.\t.\tGT\t"  # QUAL, FILTER, INFO, FORMAT


def compile_name(pattern):
    """Compile `importing.marker_name`.

    Raises
    ------
    UserError
        If it is absent, no regular expression, or lacks one of the named groups.
    """
    allowed = f"a regular expression with the groups {', '.join(f'(?P<{g}>...)' for g in GROUPS)}"
    at = "key genotypes.marker_name"
    if not pattern:
        raise UserError("no pattern for a marker table", at=at, allowed=allowed)
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(f"{pattern!r} ({error})", at=at, allowed=allowed) from None
    missing = [group for group in GROUPS if group not in compiled.groupindex]
    if missing:
        raise UserError(f"{pattern!r} without {', '.join(missing)}", at=at, allowed=allowed)
    return compiled


def compile_codes(codes):
    """Call of each cell text, bytes to bytes, from `importing.codes`; MISSING is known without.

    Raises
    ------
    UserError
        If there are no codes.
    """
    if not codes:
        raise UserError(
            "no codes for a marker table", at="key genotypes.codes", allowed="cell text: 0, 1 or 2"
        )
    calls = dict.fromkeys((text.encode() for text in MISSING), b"./.")
    return calls | {str(text).encode(): _CALL[count] for text, count in codes.items()}


def read_header(lines, *, file):
    """Samples of a marker table: its first line without the first column."""
    for number, line in lines:
        samples = decode(line, file=file, line=number).split("\t")[1:]
        check_samples(samples, file=file, at=f"line {number}")
        return samples
    raise UserError("no header", file=file, allowed="a header: marker, then the samples, by tabs")


def read_records(lines, samples, *, file, marker_name, codes):
    """Yield a marker table's records in the form of `soyfold.genotypes.vcf.read_records`.

    Parameters
    ----------
    lines : iterator
        From `soyfold.genotypes.vcf.open_lines`, past the header.
    samples : list of str
    file : path-like
        For messages.
    marker_name : str
        Regular expression with the groups chromosome, position, ref, alt.
    codes : mapping of str to int
        Cell text to count of ALT. "", NA, . and - are missing calls unless they are codes.

    Raises
    ------
    UserError
        For a marker name that doesn't match, a wrong number of cells, or an unknown cell.
    """
    pattern = compile_name(marker_name)
    calls = compile_codes(codes)
    for number, line in lines:
        if not line:
            continue
        marker, *cells = line.split(b"\t")
        marker = decode(marker, file=file, line=number)
        at = f"line {number}"
        match = pattern.search(marker)
        if match is None:
            raise UserError(
                f"marker {marker!r}",
                file=file,
                at=at,
                allowed=f"names like {marker_name}",
                mend="correct genotypes.marker_name in the config",
            )
        check_width(1 + len(cells), 1 + len(samples), file=file, at=at)
        try:
            rest = b"\t".join(map(calls.__getitem__, cells))
        except KeyError:
            column = next(i for i, cell in enumerate(cells) if cell not in calls)
            allowed = sorted(text.decode() or "nothing" for text in calls)
            raise UserError(
                f"{cells[column].decode(errors='replace')!r} for sample {samples[column]}",
                file=file,
                at=at,
                allowed=", ".join(allowed),
                mend="correct the cell or genotypes.codes in the config",
            ) from None
        place = match.group(*GROUPS)
        yield number, place[0], place[1], marker, place[2], place[3], BETWEEN + rest
