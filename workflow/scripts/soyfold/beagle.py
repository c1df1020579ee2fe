"""One run of Beagle on packed genotypes."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold import bed
from soyfold.errors import UserError
from soyfold.plink import read_numbers, run_plink, write_numbered
from soyfold.programs import find_program, run_program

WINDOW_CM = 40.0  # Beagle's own default
WINDOW_VARIANTS = 20_000  # up to this many, a chromosome is one window
BASES_PER_CM = 1e6  # what Beagle assumes without a genetic map
# Below this many genotypes the compiler costs more than it brings: 0.5 s a run, equal records.
SMALL_CELLS = 500_000
JAVA_MB = 1000  # what Java and Python need beside the heap


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
    """Options of the Java machine: heap, and a start that suits the size of the work."""
    options = [os.environ.get("JAVA_TOOL_OPTIONS", ""), f"-Xmx{heap_mb}m"]
    options.append("-XX:+UseSerialGC")  # a collector that takes no further thread
    if cells < SMALL_CELLS:
        options.append("-XX:TieredStopAtLevel=1")
    return " ".join(option for option in options if option)


def run_beagle(rows, samples, positions, *, settings, memory_mb, folder):
    """Impute one chromosome's missing calls.

    Beagle's records depend on its seed and on its number of threads, and on nothing else that
    changes from run to run; so both come from the settings, not from the machine.

    Parameters
    ----------
    rows : ndarray (v, b) uint8
        Packed genotypes, v >= 2.
    samples : int
    positions : ndarray (v,) int64
        Base pairs, sorted.
    settings : mapping
        seed, iterations, burnin, threads.
    memory_mb : int
        Of the job; the Java heap is `JAVA_MB` less.
    folder : Path
        Empty; for the files in between. Beagle runs inside it with short names, since Debian's
        wrapper breaks paths at spaces.

    Returns
    -------
    ndarray (v, b) uint8
        Packed genotypes in the same order.
    """
    plink = {"threads": settings["threads"], "memory_mb": memory_mb}
    variants = pd.DataFrame({"chromosome": "1", "position": positions})
    bed.write_bed(rows, folder / "before.bed")
    numbered = write_numbered(variants, samples, folder, code={"1": 1})
    before, after = folder / "before", folder / "after"
    recode = ["--recode", "vcf-iid", "bgz", "--out", before]
    run_plink("--bed", f"{before}.bed", *numbered, *recode, **plink)
    program = find_program(
        "beagle", install="apt-get install beagle, or conda install -c bioconda beagle"
    )
    cells, heap_mb = len(rows) * samples, int(max(200, memory_mb - JAVA_MB))
    options = {name: settings[name] for name in ("seed", "burnin", "iterations")}
    options |= {"nthreads": settings["threads"], "window": f"{window_cm(positions):g}"}
    environment = os.environ | {"JAVA_TOOL_OPTIONS": java_options(cells, heap_mb)}
    command = [program, "gt=before.vcf.gz", "out=after"]
    command += [f"{name}={value}" for name, value in options.items()]
    try:
        run_program(command, folder=folder, env=environment)
    except UserError as error:
        if "OutOfMemoryError" not in str(error):
            raise
        raise UserError(
            f"Beagle out of memory with a heap of {heap_mb} MB",
            at="key imputation.memory_gb",
            mend="raise it",
        ) from None
    run_plink("--vcf", f"{after}.vcf.gz", "--make-bed", "--out", after, **plink)
    return _aligned(folder, len(rows), samples)


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
