"""Import: a VCF, a PLINK bed or a marker table becomes a PLINK bed with canonical names."""

import re
import tempfile
from pathlib import Path

import numpy as np

from soyfold import bed, markers, vcf
from soyfold.errors import UserError
from soyfold.files import write_table
from soyfold.logs import log
from soyfold.plink import chromosome_codes, feed_plink, read_numbers, run_plink, write_numbered
from soyfold.variants import Sieve

SUFFIXES = {".vcf": "vcf", ".vcf.gz": "vcf", ".vcf.bgz": "vcf", ".bed": "bed"}


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
        mend="set genotypes.format: vcf, bed or marker_table",
    )


def check_settings(settings):
    """Refuse what can be known to be wrong before the file is opened; returns the format.

    Parameters
    ----------
    settings : mapping
        `genotypes` of the study.

    Raises
    ------
    UserError
        For a file name whose format is unknown, or a marker table without its keys.
    """
    kind = file_format(settings["file"], settings["format"])
    if kind == "marker_table":
        markers.compile_name(settings.get("marker_name"))
        markers.compile_codes(settings.get("codes"))
    return kind


def import_genotypes(file, *, settings, chromosomes, prefix, variants, threads, memory_mb):
    """Bring the user's genotypes into PLINK bed: canonical names, genome order, A1 = ALT.

    Records on other contigs, multiallelic ones (also those that share a position) and those
    without an alternate allele are dropped and listed. A half call (./1) is a missing call.

    Parameters
    ----------
    file : path-like
        .vcf, .vcf.gz, .bed (with .bim and .fam), or a marker table.
    settings : mapping
        `genotypes` of the study: format, marker_name, codes.
    chromosomes : soyfold.chromosomes.Chromosomes
    prefix : path-like
        Writes <prefix>.bed, .bim, .fam.
    variants : path-like
        Writes this table: every input record, kept or not, and why.
    threads, memory_mb : int
        For PLINK and Python together.

    Raises
    ------
    UserError
        For any defect of the file, with its line.
    """
    kind = file_format(file, settings.get("format", "auto"))
    sieve = Sieve(chromosomes, file=file)
    plink = {"threads": threads, "memory_mb": memory_mb}
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=Path(prefix).parent, prefix=".import_") as folder:
        folder = Path(folder)
        code = chromosome_codes(chromosomes.names)
        if kind == "bed":
            samples, table = _sort_bed(file, sieve, code, folder, plink)
        else:
            samples, table = _convert_text(file, kind, settings, sieve, code, folder, plink)
        order, people = read_numbers(folder / "kept")
        if not np.array_equal(np.sort(order), np.flatnonzero(table["kept"] == "yes")):
            raise RuntimeError("PLINK kept other variants than it was given")
        if not np.array_equal(people, np.arange(len(samples))):
            raise RuntimeError("PLINK kept other samples than it was given")
        (folder / "kept.bed").replace(f"{prefix}.bed")
    bed.write_bim(table.iloc[order], f"{prefix}.bim")
    bed.write_fam(samples, f"{prefix}.fam")
    write_table(table, variants)
    log.info(
        "%d samples, %d of %d variants kept%s",
        len(samples),
        len(order),
        len(table),
        "".join(f", {n} {why}" for why, n in table["reason"].value_counts().items()),
    )


def _convert_text(file, kind, settings, sieve, code, folder, plink):
    """Stream a VCF or marker table through the sieve into PLINK; one pass, a line at a time."""
    lines = vcf.open_lines(file)
    if kind == "vcf":
        samples = vcf.read_header(lines, file=file)
        records = vcf.read_records(lines, samples, file=file)
    else:
        samples = markers.read_header(lines, file=file)
        records = markers.read_records(
            lines,
            samples,
            file=file,
            marker_name=settings.get("marker_name"),
            codes=settings.get("codes"),
        )
    status, output = feed_plink(
        _canonical(records, len(samples), sieve, code),
        "--vcf",
        "/dev/stdin",
        "--vcf-half-call",
        "m",
        "--make-bed",
        "--out",
        folder / "streamed",
        **plink,
    )
    if status != 0:
        raise _plink_refusal(output, sieve, file)
    table = sieve.table()
    _drop_crowded(table, folder, plink)
    return samples, table


def _canonical(records, samples, sieve, code):
    """Yield the lines of a VCF that holds numbers for names (see `soyfold.plink`)."""
    header = "\t".join([*vcf.FIXED, *(f"s{i}" for i in range(samples))])
    yield f"##fileformat=VCFv4.2\n{header}\n".encode()
    aliases = sieve.chromosomes.aliases
    for index, (line, contig, position, name, ref, alt, rest) in enumerate(records):
        kept, place = sieve.judge(line, contig, position, name, ref, alt)
        if kept:
            yield b"%d\t%d\tv%d\tA\tC\t%s\n" % (code[aliases[contig]], place, index, rest)
    sieve.table()  # a file without a usable record is refused before PLINK sees its end


def _plink_refusal(output, sieve, file):
    """PLINK's complaint about a line of its input, as one about the user's line."""
    match = re.search(r"Error: Line (\d+) of \S+ (.*?\.)", " ".join(output.split()))
    if match is None:
        errors = output[output.find("Error") :] if "Error" in output else output[-300:]
        return UserError(f"PLINK stopped: {errors}", file=file, mend="see this rule's log")
    kept = sieve.kept_lines()
    return UserError(
        f"a record that PLINK refuses: it {match[2]}",
        file=file,
        at=f"line {kept[int(match[1]) - 3]}",
        allowed="calls like 0/0, 0|1, 1/1, ./., 0, 1, .",
    )


def _drop_crowded(table, folder, plink):
    """Drop what turned out to share its position only after it had been passed on."""
    numbers, _ = read_numbers(folder / "streamed")
    late = numbers[(table["kept"].to_numpy() != "yes")[numbers]]
    if not len(late):
        for suffix in ("bed", "bim", "fam"):
            (folder / f"streamed.{suffix}").replace(folder / f"kept.{suffix}")
        return
    streamed, late_file = folder / "streamed", folder / "late.txt"
    late_file.write_text("".join(f"v{i}\n" for i in late))
    keep = ["--exclude", late_file, "--make-bed", "--out", folder / "kept"]
    run_plink("--bfile", streamed, *keep, **plink)


def _sort_bed(file, sieve, code, folder, plink):
    """Sift the bim of a PLINK bed; PLINK drops and sorts by it."""
    stem = Path(file).with_suffix("")
    if not Path(file).is_file():
        raise UserError("no such file", file=file, mend="check genotypes.file in the config")
    bim, samples = bed.read_bim(f"{stem}.bim"), bed.read_fam(f"{stem}.fam")
    bed.open_bed(file, variants=len(bim), samples=len(samples))
    vcf.check_samples(samples, file=f"{stem}.fam")
    sieve.file = f"{stem}.bim"
    rows = bim[["chromosome", "position", "variant", "ref", "alt"]].itertuples(index=False)
    for line, row in enumerate(rows, start=1):
        sieve.judge(line, *row)
    table = sieve.table()
    numbered = write_numbered(table, len(samples), folder, code=code)
    dropped = folder / "dropped.txt"
    dropped.write_text("".join(f"v{i}\n" for i in np.flatnonzero(table["kept"] == "no")))
    keep = ["--exclude", dropped, "--make-bed", "--out", folder / "kept"]
    run_plink("--bed", file, *numbered, *keep, file=file, **plink)
    return samples, table
