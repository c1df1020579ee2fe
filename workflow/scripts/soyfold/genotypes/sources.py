"""Which files hold the user's genotypes, and in what format: known before one is opened."""

from pathlib import Path

from soyfold.common.errors import UserError
from soyfold.genotypes import markers

SUFFIXES = {
    ".vcf": "vcf",
    ".vcf.gz": "vcf",
    ".vcf.bgz": "vcf",
    ".bed": "bed",
    ".hmp.txt": "hapmap",
    ".hmp.txt.gz": "hapmap",
    ".hmp": "hapmap",
    ".hmp.gz": "hapmap",
}
PLACEHOLDER = "{chromosome}"
# What other programs' own formats are rewritten with.
_REWRITTEN = {
    ".bcf": "write it as a VCF (bcftools view -Oz)",
    ".pgen": "write it as a bed (plink2 --pfile ... --make-bed)",
    ".ped": "write it as a bed (plink --file ... --make-bed)",
}


def file_format(file, declared="auto"):
    """Format of the genotypes: as declared, or by the suffix.

    Raises
    ------
    UserError
        If `declared` is auto and the suffix says nothing.
    """
    if declared != "auto":
        return declared
    for suffix, kind in SUFFIXES.items():
        if str(file).lower().endswith(suffix):
            return kind
    raise UserError(
        f"the file name {Path(file).name!r}",
        file=file,
        at="key genotypes.file",
        allowed=f"{', '.join(SUFFIXES)}",
        mend=_REWRITTEN.get(
            Path(file).suffix.lower(), "set genotypes.format: vcf, bed, hapmap or marker_table"
        ),
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
    """Refuse what can be known to be wrong before a file is opened; returns the format.

    Parameters
    ----------
    settings : mapping
        `genotypes` of the study.

    Raises
    ------
    UserError
        For a file name whose format is unknown, several formats, or a marker table without its
        keys.
    """
    file = settings["file"]
    kind = common_format([file] if isinstance(file, str) else file, settings["format"])
    if kind == "marker_table":
        markers.compile_name(settings.get("marker_name"))
        markers.compile_codes(settings.get("codes"))
    return kind


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
