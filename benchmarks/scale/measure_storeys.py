"""Time and memory of each storey on a simulated study, and the share of soyfold's own Python.

    python benchmarks/scale/measure_storeys.py --out scale.tsv \\
        --lines 20000 --snps 42000 --pairs 100000000

Columns: benchmarks/README.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import pandas as pd
from steps import CHROMOSOMES, STEPS

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import write_table

MEASURED = ("seconds", "python_cpu", "programs_cpu")
PEAKS = ("python_mb", "programs_mb")
SHARED = ("genotypes", "imputation", "cohort")  # storeys that PLINK and Beagle work in
BUDGETS = {"python_share": 0.10, "python_mb": 4096, "cim_ratio": 1.0, "cim_mb": 2048}


def run_step(step, given):
    """Cost of one job in a fresh process."""
    script = Path(__file__).with_name("steps.py")
    done = subprocess.run(
        [sys.executable, str(script), step, json.dumps(given)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"step {step} failed")
    return json.loads(done.stdout.splitlines()[-1])


def jobs_of(step, sizes):
    """The chromosomes of a step's jobs, None for a step of one job.

    Beagle fills the chromosomes that the sizes name, by default all; the others have a stand-in.
    """
    names = read_chromosomes(CHROMOSOMES).names
    chosen = sizes.get("chromosomes") or names
    if step == "fill_chromosomes":
        return [None] if set(chosen) < set(names) else []
    return chosen if step == "impute_chromosome" else [None]


def measure(sizes, folder, steps=tuple(STEPS)):
    """Cost of each step: a row each, times added up and peaks the largest over its jobs."""
    rows = []
    for step in steps:
        jobs = [
            run_step(step, {"folder": str(folder), **sizes, **({"chromosome": n} if n else {})})
            for n in jobs_of(step, sizes)
        ]
        if not jobs:
            continue
        cost = {key: sum(job[key] for job in jobs) for key in MEASURED}
        cost |= {key: max(job[key] for job in jobs) for key in PEAKS}
        rows.append({"storey": STEPS[step][0], "step": step, "jobs": len(jobs), **cost})
        print(f"{step:20s} {cost['seconds']:9.1f} s {cost['python_mb']:7.0f} MiB", flush=True)
    return pd.DataFrame(rows)


def judge(table):
    """The budgets' figures from a table of steps.

    Returns
    -------
    dict
        python_share: CPU seconds of soyfold's own processes (start included) over those of the
        programs that they start, in genotypes, imputation and cohort; python_mb: the largest of
        these processes, and that of the simulator; cim_ratio: CPU seconds of pairs -> cooler ->
        CIM over those of `cooler cload pairs`; cim_mb: its peak. Absent where a step is.
    """
    found = {}
    shared = table[table["storey"].isin(SHARED)]
    if shared["programs_cpu"].sum():
        found["python_share"] = shared["python_cpu"].sum() / shared["programs_cpu"].sum()
    own = table[table["storey"].isin([*SHARED, "simulation"])]
    if len(own):
        found["python_mb"] = own["python_mb"].max()
    by_step = table.set_index("step")
    if {"build_cim", "cload_pairs"} <= set(by_step.index):
        ours = by_step.loc["build_cim"]
        other = by_step.loc["cload_pairs"]
        found["cim_ratio"] = (ours["python_cpu"] + ours["programs_cpu"]) / other["programs_cpu"]
        found["cim_mb"] = ours["python_mb"]
    return found


def main(arguments=None):
    """Read the command line, measure, write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--lines", type=int, default=2_000)
    parser.add_argument("--snps", type=int, default=4_200)
    parser.add_argument("--pairs", type=int, default=5_000_000)
    parser.add_argument("--bin-size", type=int, default=100_000, help="of the cooler, bp")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--chromosomes", nargs="+", help="only these by Beagle, the others by a stand-in"
    )
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--folder", type=Path, help="keep the files here (default: removed)")
    given = vars(parser.parse_args(arguments))
    out, folder, steps = (given.pop(name) for name in ("out", "folder", "steps"))
    with tempfile.TemporaryDirectory() as temporary:
        table = measure(given, folder or temporary, steps)
    beagle = jobs_of("impute_chromosome", given)
    facts = {**given, "chromosomes": len(beagle), "processors": os.cpu_count()}
    for name, value in facts.items():
        table[name] = value
    write_table(table.round(dict.fromkeys((*MEASURED, *PEAKS), 1)), out)
    for name, value in judge(table).items():
        print(f"{name:14s} {value:10.3f}  budget at full size {BUDGETS[name]:g}")


if __name__ == "__main__":
    main()
