"""Import: VCF, PLINK bed, HapMap or marker tables become a PLINK bed with canonical names."""

import os
from pathlib import Path

import numpy as np

from soyfold.common.errors import UserError
from soyfold.common.files import scratch, write_table
from soyfold.common.logs import log
from soyfold.common.textfiles import GZIP
from soyfold.genotypes import bed, vcf
from soyfold.genotypes.call_tally import CallTally, find_defect
from soyfold.genotypes.calls import COUNT, NO_CALLS, grammar, read_calls, split_alternates
from soyfold.genotypes.hard_calls import HardCaller, has_dosages
from soyfold.genotypes.plink import chromosome_codes, read_numbers, run_plink, write_numbered
from soyfold.genotypes.sieve import Sieve
from soyfold.genotypes.sources import FORMATS, common_format, match_samples, shown

CERTAINTY = 0.9  # the schema's default
BLOCK = 256  # variants that are packed at once


def import_genotypes(file, *, settings, chromosomes, prefix, variants, threads, memory_mb):
    """Bring the user's genotypes into PLINK bed: canonical names, genome order, A1 = ALT.

    Records on other contigs, multiallelic ones (also those that share a position) and, unless
    they are asked for, those without an alternate allele are dropped and listed. What is no call
    of two alleles (`calls`), or a dosage that is near no genotype (`hard_calls`), is a missing
    call, and counted.

    Parameters
    ----------
    file : path-like, or list of them
        .vcf, .vcf.gz, .bed (with .bim and .fam), HapMap, or marker tables; several, such as one
        for each chromosome, have the same samples in any order and are read one after the other.
    settings : mapping
        `genotypes` of the study: format, marker_name, codes, dosage_certainty, duplicates; and of
        new lines `invariant`, whether to keep records without ALT (all may have REF; default no),
        and `match`, how their variants will be found (`Sieve`).
    chromosomes : soyfold.common.chromosomes.Chromosomes
    prefix : path-like
        Writes <prefix>.bed, .bim, .fam, and .samples.tsv: each sample's calls that became missing,
        a column for each reason (`soyfold.genotypes.call_tally.COLUMNS`).
    variants : path-like
        Writes this table: every input record, kept or not, and why; the same counts.
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
    how = {"invariant": False, "duplicates": "refuse", "match": None}
    sieve = Sieve(chromosomes, **{key: settings.get(key, value) for key, value in how.items()})
    plink = {"threads": threads, "memory_mb": memory_mb}
    with scratch(prefix) as folder:
        code = chromosome_codes(chromosomes.names)
        if kind == "bed":
            samples, table, tally = _sort_bed(files, sieve, code, folder, plink)
        else:
            samples, table, tally = _convert_text(files, kind, settings, sieve, code, folder, plink)
        order, people = read_numbers(folder / "kept")
        if not np.array_equal(np.sort(order), np.flatnonzero(table["kept"] == "yes")):
            raise RuntimeError("PLINK kept other variants than it was given")
        if not np.array_equal(people, np.arange(len(samples))):
            raise RuntimeError("PLINK kept other samples than it was given")
        (folder / "kept.bed").replace(f"{prefix}.bed")
    bed.write_bim(table.iloc[order], f"{prefix}.bim")
    bed.write_fam(samples, f"{prefix}.fam")
    counts = tally.of_records(len(table))
    write_table(table.join(counts), variants)
    write_table(tally.of_samples(), f"{prefix}.samples.tsv")
    log.info(
        "%s: %d samples, %d of %d variants kept%s; made missing: %s",
        shown(files),
        len(samples),
        len(order),
        len(table),
        "".join(f", {n} {why}" for why, n in table["reason"].value_counts().items()),
        ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.sum().items()),
    )


def _convert_text(files, kind, settings, sieve, code, folder, plink):
    """Stream text files through the sieve into a bed; one pass, a line at a time."""
    read = FORMATS[kind].read
    headers = [read(file, settings)[0] for file in files]
    samples = headers[0].samples
    orders = [
        match_samples(header.samples, samples, file=file, first_file=files[0])
        for file, header in zip(files, headers, strict=True)
    ]
    for k, (file, header) in enumerate(zip(files, headers, strict=True)):
        if all(header.contigs != other.contigs for other in headers[:k]):
            try:
                vcf.check_contigs(header.contigs, sieve.chromosomes, file=file)
            except UserError as error:
                sieve.places.refuse(error, header=True)
    del headers

    def records():
        for file, order in zip(files, orders, strict=True):
            sieve.begin(file)
            for record in read(file, settings)[1]:
                yield record, order

    caller = HardCaller(samples, settings.get("dosage_certainty", CERTAINTY))
    tally = CallTally(samples)
    bed.write_bed(_packed(records(), sieve, caller, tally), folder / "streamed.bed")
    table = sieve.table()
    tally.tell(shown(files))
    source, rows = folder / "streamed.bed", np.array(sieve.kept())
    if caller.all_haploid(len(rows)):
        bed.make_homozygous(source)
        log.warning(
            "WARNING %s: no dosage (DS) is near 2: read as haploid, whose 1 is ALT and counts"
            " twice; if these are diploids without two ALT, give calls (GT) or probabilities (GP)",
            shown(files),
        )
    _sort(table, rows, source, len(samples), code, folder, plink, files)
    return samples, table, tally


def _packed(records, sieve, caller, tally):
    """Packed rows of the records that the sieve keeps, in blocks; their calls are counted."""
    codes = []
    for index, (record, order) in enumerate(records):
        line, *place, ref, alternates, rest, rules, defect = record
        alt, roles = split_alternates(ref, alternates)
        if not sieve.judge(line, *place, ref, alt, defect=defect)[0]:
            continue
        *_, info, form, cells = rest.split(b"\t", 4)
        tally.blocks += alt == "." and b"END=" in info
        where = {"file": sieve.file, "line": line, "form": form, "cells": cells, "order": order}
        own = _read_codes(rules, roles, caller, tally, **where)
        own = own if order is None else own[order]
        if rules is not None and (defect := find_defect(own, caller.samples, cells, order)):
            sieve.drop(defect)
            continue
        codes.append(own)
        tally.add(index, own, **where)
        if len(codes) == BLOCK:
            yield bed.pack(COUNT.take(codes))
            codes = []
    if codes:
        yield bed.pack(COUNT.take(codes))


def _read_codes(rules, roles, caller, tally, *, form, cells, **where):
    """Codes of a record's cells, in their order; `rules` are a table's own."""
    samples = len(caller.samples)
    if rules is not None:
        return np.frombuffer(bytes(map(rules.__getitem__, cells.split(b"\t"))), np.uint8)
    if has_dosages(form):
        return caller.call(form, cells, **where)
    rules = grammar(form, roles)
    if rules is None:
        return np.full(samples, NO_CALLS, dtype=np.uint8)
    if rules.untold and (filled := cells.count(b"0/0" + rules.untold)):
        tally.untold[0] += filled
        tally.untold[1] += cells.count(b"1/1" + rules.untold)
    return read_calls(cells, rules, samples)


def _sort(table, rows, source, samples, code, folder, plink, files):
    """PLINK drops and sorts the rows of a bed, which are so numbered in the table."""
    here = table.iloc[rows]
    numbered = write_numbered(here, samples, folder, code=code)
    dropped = folder / "dropped.txt"
    dropped.write_text("".join(f"v{i}\n" for i in here.index[here["kept"] == "no"]))
    keep = ["--exclude", dropped, "--make-bed", "--out", folder / "kept"]
    run_plink("--bed", source, *numbered, *keep, file=shown(files), **plink)


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
    source = files[0]
    if len(files) > 1:
        source = folder / "joined.bed"
        sizes = [len(bim) for bim in bims]
        bed.write_bed(_joined_rows(files, sizes, orders, len(samples)), source)
    _sort(table, np.arange(len(table)), source, len(samples), code, folder, plink, files)
    return samples, table, CallTally(samples)


def _read_bed_parts(file):
    """bim and samples of a PLINK bed, whose size is checked."""
    stem = Path(file).with_suffix("")
    if not Path(file).is_file():
        raise UserError("no such file", file=file, mend="check genotypes.file in the config")
    with Path(file).open("rb") as stream:
        if stream.read(2) == GZIP:
            raise UserError("a gzipped bed", file=file, allowed="a .bed", mend="gunzip it")
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
