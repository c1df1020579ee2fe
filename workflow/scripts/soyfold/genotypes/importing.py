"""Import: VCF, PLINK bed, HapMap or marker tables become a PLINK bed with canonical names."""

import operator
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import scratch, write_table
from soyfold.common.logs import log
from soyfold.genotypes import bed, hapmap, markers, vcf
from soyfold.genotypes.hard_calls import HardCaller
from soyfold.genotypes.plink import (
    chromosome_codes,
    feed_plink,
    read_numbers,
    run_plink,
    write_numbered,
)
from soyfold.genotypes.sieve import Sieve
from soyfold.genotypes.sources import common_format, match_samples, shown

CERTAINTY = 0.9  # the schema's default


def import_genotypes(file, *, settings, chromosomes, prefix, variants, threads, memory_mb):
    """Bring the user's genotypes into PLINK bed: canonical names, genome order, A1 = ALT.

    Records on other contigs, multiallelic ones (also those that share a position) and, unless
    they are asked for, those without an alternate allele are dropped and listed. A half call
    (./1) is a missing call, and so is a dosage that is near no genotype (`hard_calls`),
    which is counted.

    Parameters
    ----------
    file : path-like, or list of them
        .vcf, .vcf.gz, .bed (with .bim and .fam), HapMap, or marker tables; several, such as one
        for each chromosome, have the same samples in any order and are read one after the other.
    settings : mapping
        `genotypes` of the study: format, marker_name, codes, dosage_certainty; and `invariant`,
        whether to keep records without ALT (of new lines, who may all have REF; default no).
    chromosomes : soyfold.common.chromosomes.Chromosomes
    prefix : path-like
        Writes <prefix>.bed, .bim, .fam.
    variants : path-like
        Writes this table: every input record, kept or not, and why; uncertain_calls.
    threads, memory_mb : int
        For PLINK and Python together.

    Raises
    ------
    UserError
        For any defect of a file, with its line; for files whose samples differ, or that together
        lack a chromosome.
    """
    files = [file] if isinstance(file, str | os.PathLike) else list(file)
    kind = common_format(files, settings.get("format", "auto"))
    sieve = Sieve(chromosomes, invariant=settings.get("invariant", False))
    plink = {"threads": threads, "memory_mb": memory_mb}
    with scratch(prefix) as folder:
        code = chromosome_codes(chromosomes.names)
        if kind == "bed":
            samples, table = _sort_bed(files, sieve, code, folder, plink)
        else:
            samples, table = _convert_text(files, kind, settings, sieve, code, folder, plink)
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
        "%s: %d samples, %d of %d variants kept%s; %d uncertain calls made missing",
        shown(files),
        len(samples),
        len(order),
        len(table),
        "".join(f", {n} {why}" for why, n in table["reason"].value_counts().items()),
        table["uncertain_calls"].sum(),
    )


def _read_text(file, kind, settings):
    """Samples of a VCF, HapMap or marker table; its records, read as they are asked for."""
    lines = vcf.open_lines(file)
    if kind == "vcf":
        samples = vcf.read_header(lines, file=file)
        return samples, vcf.read_records(lines, samples, file=file)
    if kind == "hapmap":
        samples = hapmap.read_header(lines, file=file)
        return samples, hapmap.read_records(lines, samples, file=file)
    samples = markers.read_header(lines, file=file)
    names = {"marker_name": settings.get("marker_name"), "codes": settings.get("codes")}
    return samples, markers.read_records(lines, samples, file=file, **names)


def _convert_text(files, kind, settings, sieve, code, folder, plink):
    """Stream text files through the sieve into PLINK; one pass, a line at a time."""
    headers = [_read_text(file, kind, settings)[0] for file in files]
    samples = headers[0]
    orders = [
        match_samples(header, samples, file=file, first_file=files[0])
        for file, header in zip(files, headers, strict=True)
    ]
    del headers

    def records():
        for file, order in zip(files, orders, strict=True):
            sieve.begin(file)
            for *fixed, rest in _read_text(file, kind, settings)[1]:
                yield *fixed, rest, order

    caller = HardCaller(samples, settings.get("dosage_certainty", CERTAINTY))
    uncertain = {}
    status, output = feed_plink(
        _canonical(records(), samples, sieve, code, caller, uncertain),
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
        raise _plink_refusal(output, sieve, files)
    table = sieve.table()
    table["uncertain_calls"] = pd.Series(uncertain, dtype=np.int64).reindex(
        table.index, fill_value=0
    )
    _drop_crowded(table, folder, plink)
    return samples, table


def _canonical(records, samples, sieve, code, caller, uncertain):
    """Yield the lines of a VCF that holds numbers for names (see `soyfold.genotypes.plink`).

    `uncertain` takes the uncertain calls of records with dosages, by index.
    """
    header = "\t".join([*vcf.FIXED, *(f"s{i}" for i in range(len(samples)))])
    yield f"##fileformat=VCFv4.2\n{header}\n".encode()
    aliases = sieve.chromosomes.aliases
    for index, (line, contig, position, name, ref, alt, rest, order) in enumerate(records):
        kept, place = sieve.judge(line, contig, position, name, ref, alt)
        if kept:
            *_, form, cells = rest.split(b"\t", 4)
            if vcf.has_dosages(form):
                rest, uncertain[index] = caller.call(rest, file=sieve.file, line=line)
                *_, cells = rest.split(b"\t", 4)
            if order is not None:
                cells = b"\t".join(operator.itemgetter(*order)(cells.split(b"\t")))
            head = (code[aliases[contig]], place, index)
            yield b"%d\t%d\tv%d\tA\tC\t.\t.\t.\tGT\t%s\n" % (*head, cells)
    sieve.table()  # a file without a usable record is refused before PLINK sees its end


def _plink_refusal(output, sieve, files):
    """PLINK's complaint about a line of its input, as one about the user's line."""
    match = re.search(r"Error: Line (\d+) of \S+ (.*?\.)", " ".join(output.split()))
    if match is None:
        errors = output[output.find("Error") :] if "Error" in output else output[-300:]
        return UserError(f"PLINK stopped: {errors}", file=shown(files), mend="see this rule's log")
    index = sieve.kept()[int(match[1]) - 3]
    return UserError(
        f"a record that PLINK refuses: it {match[2]}",
        file=sieve.file_of(index),
        at=f"line {sieve.lines[index]}",
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


def _sort_bed(files, sieve, code, folder, plink):
    """Sift the bims of PLINK beds; PLINK drops and sorts by them."""
    bims, orders, samples = [], [], None
    for file in files:
        bim, own = _read_bed_parts(file)
        samples = own if samples is None else samples
        orders.append(match_samples(own, samples, file=file, first_file=files[0]))
        bims.append(bim)
        sieve.begin(Path(file).with_suffix(".bim"))
        bim = bed.read_places(bim, sieve.chromosomes.aliases, file=sieve.file)
        lines = bim.attrs.get("lines", range(1, len(bim) + 1))
        rows = bim[["chromosome", "position", "variant", "ref", "alt"]].itertuples(index=False)
        for line, row in zip(lines, rows, strict=True):
            sieve.judge(line, *row)
    table = sieve.table()
    table["uncertain_calls"] = 0
    source = files[0]
    if len(files) > 1:
        source = folder / "joined.bed"
        sizes = [len(bim) for bim in bims]
        bed.write_bed(_joined_rows(files, sizes, orders, len(samples)), source)
    numbered = write_numbered(table, len(samples), folder, code=code)
    dropped = folder / "dropped.txt"
    dropped.write_text("".join(f"v{i}\n" for i in np.flatnonzero(table["kept"] == "no")))
    keep = ["--exclude", dropped, "--make-bed", "--out", folder / "kept"]
    run_plink("--bed", source, *numbered, *keep, file=shown(files), **plink)
    return samples, table


def _read_bed_parts(file):
    """bim and samples of a PLINK bed, whose size is checked."""
    stem = Path(file).with_suffix("")
    if not Path(file).is_file():
        raise UserError("no such file", file=file, mend="check genotypes.file in the config")
    bim, samples = bed.read_bim(f"{stem}.bim"), bed.read_fam(f"{stem}.fam")
    bed.open_bed(file, variants=len(bim), samples=len(samples))
    vcf.check_samples(samples, file=f"{stem}.fam")
    return bim, samples


def _joined_rows(files, sizes, orders, samples):
    """Packed rows of several beds one after the other, in blocks, samples in the first's order."""
    for file, variants, order in zip(files, sizes, orders, strict=True):
        rows = bed.open_bed(file, variants=variants, samples=samples)
        for part, counts in bed.blocks(rows, samples):
            yield rows[part] if order is None else bed.pack(counts[:, order])
