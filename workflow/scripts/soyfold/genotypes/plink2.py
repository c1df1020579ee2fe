"""PLINK 2, for what PLINK 1.9 lacks: association scans with covariates, large component analyses.

As for PLINK 1.9 (`plink`), it sees numbers instead of names.
"""

import functools

from soyfold.common.programs import find_program, run_program
from soyfold.genotypes.plink import HEADROOM_MB, MOST_CHROMOSOMES


@functools.lru_cache(maxsize=1)
def find_plink2():
    """Full path of PLINK 2.

    Raises
    ------
    UserError
        If it is not on PATH.
    """
    install = "apt-get install plink2, or conda install -c bioconda plink2"
    return find_program("plink2", install=install, banner="PLINK v2")


def run_plink2(*arguments, threads, memory_mb, file=None):
    """Run PLINK 2 with the options that every call needs.

    Parameters
    ----------
    *arguments
        Options beside those.
    threads, memory_mb : int
        For PLINK and Python together.
    file : path-like, optional
        The user's file, named if it fails.

    Raises
    ------
    UserError
        If PLINK 2 is absent or ends with an error.
    """
    command = [
        find_plink2(), "--chr-set", MOST_CHROMOSOMES, "no-x", "no-y", "no-xy", "no-mt",
        "--threads", threads, "--memory", int(max(500, memory_mb - HEADROOM_MB)), *arguments,
    ]  # fmt: skip
    return run_program(command, file=file)
