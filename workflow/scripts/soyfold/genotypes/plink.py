"""PLINK 1.9, which sees numbers instead of names.

PLINK turns chrX into a sex chromosome, Chr01 into 1, refuses some sample ids and splits others. So
every call gets chromosomes as 1, 2, ... in genome order, variants as v0, v1, ..., samples as s0,
s1, ... and alleles as C (ALT) and A (REF); soyfold puts the names back by number.
"""

import functools

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.programs import find_program, run_program
from soyfold.genotypes import bed

MOST_CHROMOSOMES = 95  # what --chr-set takes
HEADROOM_MB = 1000  # for Python beside PLINK's workspace


@functools.lru_cache(maxsize=1)
def find_plink():
    """Full path of PLINK 1.9, told apart from PuTTY's program of the same name.

    Raises
    ------
    UserError
        If it is not on PATH.
    """
    install = "apt-get install plink1.9, or conda install -c bioconda plink"
    return find_program("plink1.9", "plink", install=install, banner="PLINK v1.9")


def chromosome_codes(names):
    """Number of each chromosome for PLINK: 1, 2, ... in genome order.

    Raises
    ------
    UserError
        For more chromosomes than PLINK 1.9 can tell apart.
    """
    if len(names) > MOST_CHROMOSOMES:
        raise UserError(
            f"{len(names)} chromosomes",
            at="key chromosomes",
            allowed=f"at most {MOST_CHROMOSOMES}, the most that PLINK 1.9 can tell apart",
        )
    return {name: number for number, name in enumerate(names, start=1)}


def plink_command(*arguments, threads, memory_mb):
    """The command line of PLINK with the options that every call needs."""
    return [
        find_plink(),
        "--chr-set",
        MOST_CHROMOSOMES,
        "no-x",
        "no-y",
        "no-xy",
        "no-mt",
        "--double-id",
        "--keep-allele-order",
        "--threads",
        threads,
        "--memory",
        int(max(500, memory_mb - HEADROOM_MB)),
        *arguments,
    ]


def run_plink(*arguments, threads, memory_mb, file=None):
    """Run PLINK; returns its output. `file` is named if it fails."""
    command = plink_command(*arguments, threads=threads, memory_mb=memory_mb)
    return run_program(command, file=file)


def write_numbered(variants, samples, folder, *, code, letter="s"):
    """Write a bim and a fam that hold numbers, for PLINK to read beside a bed.

    Parameters
    ----------
    variants : DataFrame
        chromosome, position; a row per row of the bed, whose index is its number.
    samples : int
    folder : Path
    code : mapping
        Chromosome name to number; names that it lacks become 0.
    letter : str
        Before the samples' numbers, where two sets of samples must not share names.

    Returns
    -------
    list of str
        The arguments --bim and --fam.
    """
    numbered = pd.DataFrame(
        {
            "chromosome": variants["chromosome"].map(code).fillna(0).astype(int),
            "variant": [f"v{i}" for i in variants.index],
            "position": variants["position"],
            "alt": "C",
            "ref": "A",
        }
    )
    bed.write_bim(numbered, folder / "numbered.bim")
    bed.write_fam([f"{letter}{i}" for i in range(samples)], folder / "numbered.fam")
    return ["--bim", str(folder / "numbered.bim"), "--fam", str(folder / "numbered.fam")]


def read_numbers(prefix):
    """Indices of the variants and of the samples that PLINK wrote, two int64 arrays, in order."""
    variants = bed.read_bim(f"{prefix}.bim")["variant"]
    samples = pd.Series(bed.read_fam(f"{prefix}.fam"), dtype=str)
    return tuple(names.str[1:].astype(np.int64).to_numpy() for names in (variants, samples))
