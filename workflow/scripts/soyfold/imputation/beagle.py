"""Runs of Beagle on packed genotypes: fill gaps, phase a panel, impute new samples from it."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.programs import find_program, run_program
from soyfold.genotypes import bed
from soyfold.genotypes.plink import chromosome_codes, read_numbers, run_plink, write_numbered

WINDOW_CM = 40.0  # Beagle's own default
WINDOW_VARIANTS = 20_000  # up to this many, a chromosome is one window
BASES_PER_CM = 1e6  # what Beagle assumes without a genetic map
# Below this many genotypes the second compiler costs more than it brings; the records are equal.
SMALL_CELLS = 150_000
FEWEST_SAMPLES = 10
JAVA_MB = 1000  # what Java and Python need beside the heap
JAVA_VARIABLES = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
SHOWN_HEAP = 0.9  # Java leaves a part of the heap out of what Beagle says that it has


def window_cm(positions):
    """Length of Beagle's window, in cM.

    The whole chromosome where it has few enough variants: by its default of 40 cM Beagle stops at
    a first window that holds a single variant ("Window has only one position").

    Parameters
    ----------
    positions : ndarray (v,) int64
        Base pairs, sorted.
    """
    if len(positions) > WINDOW_VARIANTS:
        return WINDOW_CM
    return max(WINDOW_CM, float(np.ceil((positions[-1] - positions[0]) / BASES_PER_CM)) + 1)


def java_options(cells, heap_mb):
    """Options of the Java machine, for `_JAVA_OPTIONS`: heap, and a start that suits the work.

    Java reads that variable last, so that the heap holds against a wrapper's command line (that of
    bioconda says `-Xmx1g`) and against what a site sets for all; its other options stay.
    """
    options = [os.environ.get("_JAVA_OPTIONS", ""), "-Xms64m", f"-Xmx{heap_mb}m"]
    if not any("GC" in os.environ.get(name, "") for name in JAVA_VARIABLES):
        options.append("-XX:+UseSerialGC")  # a collector that takes no further thread
    if cells < SMALL_CELLS:
        options.append("-XX:TieredStopAtLevel=1")
    return " ".join(option for option in options if option)


def run_beagle(parts, samples, *, settings, memory_mb, folder):
    """Impute the missing calls of chromosomes, one after the other.

    Beagle's records depend on its seed and on its number of threads, and on nothing else that
    changes from run to run; so both come from the settings, not from the machine. What comes
    first has the records that it would have alone.

    Parameters
    ----------
    parts : list of (ndarray (v, b) uint8, ndarray (v,) int64)
        Packed genotypes of a chromosome, v >= 2, and base pairs, sorted.
    samples : int
    settings : mapping
        seed, iterations, burnin, threads.
    memory_mb : int
        Of the job; the Java heap is `JAVA_MB` less.
    folder : Path
        Empty; for the files in between. Beagle runs inside it with short names, since Debian's
        wrapper breaks paths at spaces.

    Returns
    -------
    list of ndarray (v, b) uint8
        Packed genotypes in the same order.

    Raises
    ------
    UserError
        For fewer than `FEWEST_SAMPLES`, with which Beagle stops or guesses.
    """
    if samples < FEWEST_SAMPLES:
        raise UserError(
            f"missing calls in {samples} samples",
            at="key imputation",
            allowed=f"at least {FEWEST_SAMPLES} samples for Beagle to learn from",
            mend="add samples, loosen genotypes.filters, or give genotypes without missing calls",
        )
    _write_calls(parts, samples, "before", settings, memory_mb, folder)
    sizes = [len(rows) for rows, _ in parts]
    window = max(window_cm(positions) for _, positions in parts)
    _start("gt=before.vcf.gz", window, sum(sizes) * samples, settings, memory_mb, folder)
    imputed = _read_calls(sum(sizes), samples, settings, memory_mb, folder)
    return np.split(imputed, np.cumsum(sizes)[:-1])


def phase_panel(rows, samples, positions, *, settings, memory_mb, folder):
    """Phase one chromosome's complete genotypes, for `impute_from_panel`.

    Parameters
    ----------
    rows : ndarray (v, b) uint8
        Packed genotypes, v >= 2.
    positions : ndarray (v,) int64
        Base pairs, sorted.
    samples, settings, memory_mb, folder
        As for `run_beagle`.

    Returns
    -------
    Path
        Beagle's VCF in `folder`.
    """
    _write_calls([(rows, positions)], samples, "before", settings, memory_mb, folder, letter="r")
    window = window_cm(positions)
    _start("gt=before.vcf.gz", window, len(rows) * samples, settings, memory_mb, folder)
    return folder / "after.vcf.gz"


def impute_from_panel(rows, samples, positions, known, panel, *, settings, memory_mb, folder):
    """Impute one chromosome of new samples from a phased panel.

    Parameters
    ----------
    rows : ndarray (v, b) uint8
        Packed genotypes of the new samples at the panel's variants.
    samples : int
    positions : ndarray (v,) int64
        Of the panel's variants: base pairs, sorted.
    known : ndarray (k,) int64
        The variants that the new samples have a call of, k >= 2.
    panel : path-like
        What `phase_panel` gave.
    settings, memory_mb, folder
        As for `run_beagle`.

    Returns
    -------
    ndarray (v, b) uint8
        Packed genotypes without a missing call.
    """
    own = [(rows[known], positions[known])]
    _write_calls(own, samples, "before", settings, memory_mb, folder)
    (folder / "panel.vcf.gz").symlink_to(Path(panel).resolve())
    inputs = "gt=before.vcf.gz ref=panel.vcf.gz"
    window = window_cm(positions)
    _start(inputs, window, len(rows) * samples, settings, memory_mb, folder)
    return _read_calls(len(rows), samples, settings, memory_mb, folder)


def _plink(settings, memory_mb):
    return {"threads": settings["threads"], "memory_mb": memory_mb}


def _write_calls(parts, samples, stem, settings, memory_mb, folder, letter="s"):
    """<stem>.vcf.gz of packed rows; Beagle refuses a panel that shares names with the samples."""
    numbers = np.repeat(np.arange(len(parts)), [len(rows) for rows, _ in parts])
    positions = np.concatenate([positions for _, positions in parts])
    variants = pd.DataFrame({"chromosome": numbers, "position": positions})
    bed.write_bed(np.concatenate([rows for rows, _ in parts]), folder / f"{stem}.bed")
    code = chromosome_codes(range(len(parts)))
    numbered = write_numbered(variants, samples, folder, code=code, letter=letter)
    recode = ["--recode", "vcf-iid", "bgz", "--out", folder / stem]
    run_plink("--bed", folder / f"{stem}.bed", *numbered, *recode, **_plink(settings, memory_mb))


def _start(inputs, window, cells, settings, memory_mb, folder):
    """Run Beagle on what lies in its folder; it writes after.vcf.gz."""
    program = find_program(
        "beagle", install="apt-get install beagle, or conda install -c bioconda beagle"
    )
    heap_mb = int(max(200, memory_mb - JAVA_MB))
    options = {name: settings[name] for name in ("seed", "burnin", "iterations")}
    options |= {"nthreads": settings["threads"], "window": f"{window:g}"}
    environment = os.environ | {"_JAVA_OPTIONS": java_options(cells, heap_mb)}
    command = [program, *inputs.split(), "out=after"]
    command += [f"{name}={value}" for name, value in options.items()]
    try:
        run_program(command, folder=folder, env=environment)
    except UserError as error:
        if "OutOfMemoryError" in str(error):
            raise _out_of_memory(error.output, heap_mb, program) from None
        raise


def _out_of_memory(output, heap_mb, program):
    """What set the heap that was too small: the study, or a `beagle` that lets nobody else."""
    told = re.search(r"Command line: java -Xmx(\d+)m", output)
    if told and int(told[1]) < SHOWN_HEAP * heap_mb:
        return UserError(
            f"Beagle out of memory with a heap of {told[1]} MB, where imputation.memory_gb asks"
            f" for {heap_mb} MB",
            file=program,
            allowed="a script that starts java with the _JAVA_OPTIONS that it is given",
            mend="take what sets -Xmx or _JAVA_OPTIONS out of it, or put another beagle on PATH",
        )
    return UserError(
        f"Beagle out of memory with a heap of {heap_mb} MB",
        at="key imputation.memory_gb",
        mend="raise it",
    )


def _read_calls(variants, samples, settings, memory_mb, folder):
    """Packed rows of after.vcf.gz."""
    after = folder / "after"
    make = ["--make-bed", "--out", after]
    run_plink("--vcf", f"{after}.vcf.gz", *make, **_plink(settings, memory_mb))
    return _aligned(folder, variants, samples)


def _aligned(folder, variants, samples):
    """Rows of Beagle's result, after a look whether they are those that it was given."""
    found = read_numbers(folder / "after")
    for numbers, size in zip(found, (variants, samples), strict=True):
        if not np.array_equal(numbers, np.arange(size)):
            raise RuntimeError("Beagle's result holds other variants or samples than it was given")
    alleles = bed.read_bim(Path(folder) / "after.bim")
    if not ((alleles["alt"] == "C") & (alleles["ref"] == "A")).all():
        raise RuntimeError("Beagle's result has REF and ALT the other way round")
    return np.array(bed.open_bed(folder / "after.bed", variants=variants, samples=samples))
