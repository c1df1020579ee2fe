"""PLINK 2, for what PLINK 1.9 lacks: association scans with covariates, large component analyses.

As for PLINK 1.9 (`plink`), it sees numbers instead of names.
"""

import functools
import subprocess

from soyfold.errors import UserError
from soyfold.plink import HEADROOM_MB, MOST_CHROMOSOMES
from soyfold.programs import find_program, run_program


@functools.lru_cache(maxsize=1)
def find_plink2():
    """Full path of PLINK 2.

    Raises
    ------
    UserError
        If it is not on PATH.
    """
    install = "apt-get install plink2, or conda install -c bioconda plink2"
    path = find_program("plink2", install=install)
    version = subprocess.run(
        [path, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    ).stdout
    if not version.startswith("PLINK v2"):
        raise UserError(f"{path} is not PLINK 2: {version[:40]!r}", mend=install)
    return path


def run_plink2(*arguments, threads, memory_mb, file=None):
    """Run PLINK 2 with the options that every call needs; `file` is named if it fails."""
    command = [
        find_plink2(), "--chr-set", MOST_CHROMOSOMES, "no-x", "no-y", "no-xy", "no-mt",
        "--threads", threads, "--memory", int(max(500, memory_mb - HEADROOM_MB)), *arguments,
    ]  # fmt: skip
    return run_program(command, file=file)
