"""CPU seconds and memory of a job's start: its imports, beside those that it can't do without.

    python benchmarks/startup/measure_imports.py --out startup.tsv [--before OTHER_CHECKOUT]

Every figure is of a fresh process; the subjects take turns. Columns: benchmarks/README.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import pandas as pd

from soyfold.common.files import write_table

ROOT = Path(__file__).resolve().parents[2]
# What a job imports, and what its costs are compared with.
SUBJECTS = {
    "pandas": ("import pandas", None),
    "torch": ("import torch, pandas", None),
    "direct fit": (
        "import soyfold.training.fits, soyfold.training.direct_fits, soyfold.models.gblup",
        "pandas",
    ),
    "network fit": (
        "import soyfold.training.fits, soyfold.training.network_fits, soyfold.models.csafm",
        "torch",
    ),
    "tables": ("import soyfold.evaluation.measures, soyfold.evaluation.comparisons", "pandas"),
}
COLUMNS = ("version", "subject", "beside", "repeats", "cpu_seconds", "ratio", "peak_mb")
MEASURED = """
import json, resource
used = resource.getrusage(resource.RUSAGE_SELF)
# Not getrusage's memory: a new process inherits its parent's peak there.
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(json.dumps([used.ru_utime + used.ru_stime, int(peak) / 1024]))
"""


def measure(code, tree):
    """CPU seconds and peak memory (MiB) of a fresh process that runs `code`."""
    path = str(Path(tree).resolve() / "workflow" / "scripts")
    done = subprocess.run(
        [sys.executable, "-c", code + MEASURED], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return json.loads(done.stdout)


def measure_all(trees, repeats):
    """Rows of the table: `trees` by version, each subject `repeats` times, by turns."""
    found = {}
    for _ in range(repeats):
        for version, tree in trees.items():
            for subject, (code, _) in SUBJECTS.items():
                found.setdefault((version, subject), []).append(measure(code, tree))
    for (version, subject), figures in found.items():
        beside = SUBJECTS[subject][1]
        row = {"version": version, "subject": subject, "beside": beside, "repeats": repeats}
        row["cpu_seconds"] = statistics.median(seconds for seconds, _ in figures)
        row["peak_mb"] = statistics.median(memory for _, memory in figures)
        if beside:  # of the same round: a busy machine slows both
            pairs = zip(figures, found[version, beside], strict=True)
            row["ratio"] = statistics.median(ours[0] / theirs[0] for ours, theirs in pairs)
        yield row


def main(arguments=None):
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="table to write")
    parser.add_argument("--repeats", type=int, default=7, help="rounds")
    parser.add_argument("--before", help="another checkout of soyfold, to measure beside")
    chosen = parser.parse_args(arguments)
    trees = {"before": chosen.before, "now": ROOT} if chosen.before else {"now": ROOT}
    table = pd.DataFrame(measure_all(trees, chosen.repeats)).reindex(columns=COLUMNS)
    write_table(table.round({"cpu_seconds": 3, "ratio": 3, "peak_mb": 1}), chosen.out)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
