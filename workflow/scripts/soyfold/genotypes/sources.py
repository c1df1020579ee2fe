"""Which files hold the user's genotypes, and in what format: known before one is opened."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from soyfold.common.errors import UserError
from soyfold.common.textfiles import BAD_GZIP, open_binary
from soyfold.genotypes import hapmap, markers, vcf

MAGIC = b"\x6c\x1b"  # of a bed, whatever its third byte says


@dataclass(frozen=True)
class Format:
    """What there is to know of a format; a further one is a further entry of `FORMATS`.

    Attributes
    ----------
    suffixes : tuple of str
        With which a file's name ends; none where it says nothing.
    read : callable, optional
        File and settings to a `vcf.Header` and `calls.Record`s; None for `bed`, whose rows are
        handed to PLINK as they are.
    begins : callable
        Whether a file with this first line (bytes) is of the format.
    check : callable
        Refuses settings that are known to be wrong before a file is opened.
    beside : tuple of str
        Suffixes of the files that belong to it.
    """

    suffixes: tuple
    read: object = None
    begins: object = lambda line: False
    check: object = lambda settings: None
    beside: tuple = ()


_GZIPPED = ("", ".gz", ".bgz")
FORMATS = {
    "vcf": Format(tuple(f".vcf{end}" for end in _GZIPPED), vcf.read, vcf.begins),
    "bed": Format((".bed",), begins=lambda line: line[:2] == MAGIC, beside=(".bim", ".fam")),
    "hapmap": Format(
        tuple(f".hmp{text}{end}" for text in (".txt", "") for end in _GZIPPED),
        hapmap.read,
        hapmap.begins,
    ),
    "marker_table": Format((), markers.read, check=markers.check),
}
SUFFIXES = {suffix: name for name, kind in FORMATS.items() for suffix in kind.suffixes}
PLACEHOLDER = "{chromosome}"
# What other programs write: how to make it one of the formats.
_MADE_ANEW = {
    (".ped", ".map"): "make a bed of .ped and .map (plink --file NAME --make-bed --out NAME)",
    (".tped", ".tfam"): "make a bed of .tped and .tfam (plink --tfile NAME --make-bed --out NAME)",
    (".bim", ".fam"): "name the .bed, beside which .bim and .fam lie",
    (".pgen", ".pvar", ".psam"): "make a bed (plink2 --pfile NAME --make-bed --out NAME)",
    (".bgen",): "make a bed (plink2 --bgen NAME ref-first --make-bed --out NAME)",
    (".bcf",): "write a VCF (bcftools view -Oz)",
    (".xlsx", ".xls", ".ods"): "save the sheet as text with tabs, and set genotypes.format",
    (".rds", ".rda", ".rdata", ".h5", ".hdf5", ".gds"): "export a VCF or HapMap from the program",
}


def _first_line(file):
    """First line of a file, up to 64 KiB; b"" where it can't be read, which its job then tells."""
    with contextlib.suppress(UserError, OSError, *BAD_GZIP), open_binary(file) as stream:
        return stream.readline(1 << 16)
    return b""


def file_format(file, declared="auto"):
    """Format of the genotypes: as declared, by what the file holds, or by the suffix.

    Raises
    ------
    UserError
        If `declared` is auto and neither content nor suffix says anything.
    """
    if declared != "auto":
        return declared
    line = _first_line(file) if Path(file).is_file() else b""
    name = str(file).lower()
    for kind, form in FORMATS.items():
        if form.begins(line):
            return kind
    for suffix, kind in SUFFIXES.items():
        if name.endswith(suffix):
            return kind
    made = next((how for ends, how in _MADE_ANEW.items() if name.endswith(ends)), None)
    raise UserError(
        f"the file name {Path(file).name!r}",
        file=file,
        at="key genotypes.file",
        allowed=f"{', '.join(SUFFIXES)}",
        mend=made or f"set genotypes.format: {', '.join(FORMATS)}",
    )


def common_format(files, declared="auto"):
    """Format that all `files` share (see `file_format`).

    Raises
    ------
    UserError
        If there are no files, or of several formats.
    """
    if not files:
        raise UserError("no file", at="key genotypes.file", allowed="at least one")
    kinds = {file_format(file, declared): file for file in files}
    if len(kinds) > 1:
        raise UserError(
            "files of several formats: "
            + ", ".join(f"{Path(file).name} ({kind})" for kind, file in kinds.items()),
            at="key genotypes.file",
            allowed="one format for all files",
        )
    return next(iter(kinds))


def check_settings(settings):
    """Refuse what can be known to be wrong before a job runs; returns the format.

    Parameters
    ----------
    settings : mapping
        `genotypes` of the study.

    Raises
    ------
    UserError
        For a file whose format is unknown, several formats, or wrong settings of a marker table.
    """
    file = settings["file"]
    kind = common_format([file] if isinstance(file, str) else file, settings["format"])
    FORMATS[kind].check(settings)
    return kind


def files_beside(files, kind):
    """The files that belong to those of a format, such as a bed's .bim and .fam.

    Where one is absent, the job says so in one line.
    """
    beside = FORMATS[kind].beside if kind in FORMATS else ()
    paths = [Path(file).with_suffix(end) for file in files for end in beside]
    return [str(path) for path in paths if path.is_file()]


def format_like(file, study_format):
    """Format of new lines' file: by content or suffix, or that of the study's own."""
    try:
        return file_format(file)
    except UserError:
        return study_format


def list_files(file, chromosomes):
    """Files of the genotypes, in genome order where a pattern names them.

    Parameters
    ----------
    file : str or list of str
        A path, several, or a pattern with `{chromosome}`, which stands for a chromosome's
        canonical name or one of its aliases, whichever file is there.
    chromosomes : soyfold.common.chromosomes.Chromosomes

    Returns
    -------
    list of str

    Raises
    ------
    UserError
        Naming the chromosomes of a pattern without a file, or with several; or a file given twice.
    """
    if not isinstance(file, str):
        twice = next((name for k, name in enumerate(file) if name in file[:k]), None)
        if twice is not None:
            raise UserError(
                "the file twice", file=twice, at="key genotypes.file", allowed="each once"
            )
        return list(file)
    if PLACEHOLDER not in file:
        return [file]
    names = {chromosome: [] for chromosome in chromosomes.names}
    for alias, chromosome in chromosomes.aliases.items():
        names[chromosome].append(alias)
    found = {
        chromosome: [
            path for name in aliases if Path(path := file.replace(PLACEHOLDER, name)).is_file()
        ]
        for chromosome, aliases in names.items()
    }
    _refuse_unpaired(file, names, found)
    return [paths[0] for paths in found.values()]


def _refuse_unpaired(pattern, names, found):
    """Raise for chromosomes of a pattern that have no file, or several."""
    at = "key genotypes.file"
    lacking = [chromosome for chromosome, paths in found.items() if not paths]
    if lacking:
        tried = ", ".join(pattern.replace(PLACEHOLDER, name) for name in names[lacking[0]][:3])
        raise UserError(
            f"no file of chromosome {', '.join(lacking)} (tried {tried}, ...)",
            file=pattern,
            at=at,
            allowed="a file for each chromosome, by its name or an alias",
            mend="put the files there, or list the files that there are",
        )
    for chromosome, paths in found.items():
        if len(paths) > 1:
            raise UserError(
                f"several files of chromosome {chromosome}: {', '.join(paths)}",
                file=pattern,
                at=at,
                allowed="one file for each chromosome",
                mend="list the files that are meant",
            )


def match_samples(samples, first, *, file, first_file):
    """Bring the samples of a further file into the order of the first.

    Parameters
    ----------
    samples, first : list of str
        Samples of `file` and of `first_file`, each once.
    file, first_file : path-like
        For messages.

    Returns
    -------
    list of int or None
        Where each of the first file's samples stands in this one; None if in the same place.

    Raises
    ------
    UserError
        If they aren't the same set.
    """
    if samples == first:
        return None
    place = {name: column for column, name in enumerate(samples)}
    absent = [name for name in first if name not in place]
    further = sorted(place.keys() - set(first))
    if absent or further:
        said = [
            f"{len(names)} samples {what} ({', '.join(names[:3])}{', ...' if names[3:] else ''})"
            for names, what in ((absent, "absent"), (further, "that the first file lacks"))
            if names
        ]
        raise UserError(
            " and ".join(said),
            file=file,
            allowed=f"the samples of {first_file}, in any order",
            mend="take the files of one set of samples (bcftools view -S)",
        )
    return [place[name] for name in first]


def shown(files):
    """Name of the files in one line, for messages and logs."""
    return str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
