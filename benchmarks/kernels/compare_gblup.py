"""GBLUP per fold: soyfold, scikit-learn's KernelRidge at equal lambda, and JanusX.

    python benchmarks/kernels/compare_gblup.py --out gblup.tsv [--janusx OTHER_VENV/bin/python]

Every figure is of a fresh process; engines take turns. Columns: benchmarks/README.md.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import numpy as np
import pandas as pd
from engines import ENGINES

from soyfold.common.blocks import blocks
from soyfold.common.files import read_table, write_table
from soyfold.genotypes.bed import pack, write_bed, write_bim, write_fam
from soyfold.metrics import pearson

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = (
    "engine", "fold", "lines", "snps", "threads", "shared_seconds", "seconds", "first_fold_seconds",
    "next_trait_seconds", "cpu_seconds", "peak_mb", "heritability", "pcc", "reason",
)  # fmt: skip
JANUSX = "JanusX"


def real_case(cohort, trait, folds):
    """Dosages, values and (fit, test) rows of a study's splits: train + val predicts test."""
    samples = read_table(cohort / "samples.tsv", dtype={"sample": str})
    values = read_table(cohort / "phenotypes" / f"{trait}.tsv", dtype={"sample": str})
    values = values.set_index("sample").value.reindex(samples["sample"]).to_numpy()
    parts = []
    for path in sorted(cohort.glob("splits/given/seed*.tsv"))[:folds]:
        part = read_table(path, dtype=str).set_index("sample").part
        part = part.reindex(samples["sample"]).where(~np.isnan(values))
        parts.append([np.flatnonzero(part.isin(p)) for p in (["train", "val"], ["test"])])
    return np.load(cohort / "dosage.npy"), values, parts


def simulated_case(lines, snps, folds, seed=0):
    """Independent SNPs and a trait of heritability 0.6: the costs are those of real ones."""
    random = np.random.default_rng(seed)
    frequency = random.uniform(0.1, 0.9, snps)
    effects = random.normal(size=snps)
    dosage, genetic = np.empty((lines, snps), dtype=np.int8), np.empty(lines)
    for rows in blocks(lines):
        dosage[rows] = random.binomial(2, frequency, dosage[rows].shape)
        genetic[rows] = dosage[rows] @ effects
    genetic *= np.sqrt(0.6) / genetic.std()
    values = 35 + genetic + np.sqrt(0.4) * random.normal(size=lines)
    tested = max(1, lines // 10)
    orders = [random.permutation(lines) for _ in range(folds)]
    return dosage, values, [(np.sort(o[tested:]), np.sort(o[:tested])) for o in orders]


def prepare(folder, dosage, values, parts):
    """Write the case as the engines read it; JanusX wants PLINK files and a table a fold."""
    np.save(folder / "dosage.npy", dosage)
    np.save(folder / "values.npy", values)
    names = [f"line{number}" for number in range(len(dosage))]
    write_bed(pack(np.ascontiguousarray(dosage.T)), folder / "lines.bed")
    write_fam(names, folder / "lines.fam")
    snps = pd.DataFrame({"position": range(1, dosage.shape[1] + 1)})
    snps = snps.assign(chromosome="1", alt="A", ref="G")
    snps["variant"] = "snp" + snps.position.astype(str)
    write_bim(snps, folder / "lines.bim")
    for number, (fit, test) in enumerate(parts):
        np.savez(folder / f"fold{number}.npz", fit=fit, test=test)
        known = pd.DataFrame({"sample": names, "value": np.nan})
        known.loc[fit, "value"] = values[fit]
        write_table(known, folder / f"fold{number}.tsv")


def run(command, threads):
    """Run a command in a fresh process: (output, seconds, CPU seconds, peak MB, status)."""
    count = str(threads)
    environment = {
        **os.environ,
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), count),
    }
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        output.seek(0)
        text = output.read()
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    return text, seconds, cpu, peak, process.returncode


def own_row(engine, folder, number, threads):
    """A row of an engine that runs in this Python."""
    command = [sys.executable, str(Path(__file__).with_name("engines.py")), engine, str(folder)]
    text, _, cpu, peak, status = run([*command, str(number)], threads)
    if status:
        return {"reason": text.strip().splitlines()[-1] if text.strip() else f"status {status}"}
    return {**json.loads(text.splitlines()[-1]), "cpu_seconds": cpu, "peak_mb": peak}


def janusx_row(python, folder, number, threads, values):
    """A row of JanusX: the seconds that it reports of kernel and fit, the process's memory."""
    command = [
        python, "-m", "janusx.script.JanusX", "gs", "-BLUP", "-v", "-t", str(threads),
        "-bfile", str(folder / "lines"), "-p", str(folder / f"fold{number}.tsv"),
        "-o", str(folder / "janusx"), "-prefix", f"fold{number}",
    ]  # fmt: skip
    text, _, cpu, peak, status = run(command, threads)
    # Its progress is coloured and counts minutes from 60 s on.
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    fitted = re.search(r"Fitting \.\.\.\s*Finished \[([\d.]+)s\]", plain)
    kernel = re.search(r"GRM \.\.\.\s*Finished \[([\d.]+)s\]", plain)
    heritability = re.search(r"PVE\S*\s+([\d.]+)", plain)
    if status or not fitted:
        return {"reason": f"status {status}: {' '.join(plain.split()[-12:])}"}
    found = pd.read_csv(folder / f"janusx/fold{number}.value.gebv.tsv", sep="\t", index_col=0)
    with np.load(folder / f"fold{number}.npz") as rows:
        test = rows["test"]
    predicted = found.BLUP.reindex([f"line{row}" for row in test]).to_numpy()
    return {
        "shared_seconds": float(kernel[1]) if kernel else np.nan,
        "seconds": float(fitted[1]),
        "next_trait_seconds": float(fitted[1]),
        "cpu_seconds": cpu,
        "peak_mb": peak,
        "heritability": float(heritability[1]) if heritability else np.nan,
        "pcc": pearson(values[test], predicted),
    }


def measure(folder, dosage, values, parts, options):
    """Yield a row of each engine for each fold; the products once."""
    once = own_row("products", folder, 0, options.threads)
    facts = {"snps": dosage.shape[1], "threads": options.threads}
    yield {**facts, **once, "engine": "products", "lines": len(dosage)}
    for number, (fit, _) in enumerate(parts):
        facts |= {"fold": number, "lines": len(fit)}
        for engine in options.engines:
            row = {**facts, "engine": engine, **own_row(engine, folder, number, options.threads)}
            if "linear" not in engine:
                row["shared_seconds"] = once.get("seconds")
            yield row
        if options.janusx:
            # Its own kernel of all lines is kept beside the PLINK files for the next fold.
            found = janusx_row(options.janusx, folder, number, options.threads, values)
            yield {**facts, "engine": JANUSX, **found}


def as_table(rows):
    """The rows, with what a first fold costs: all that its study shares included."""
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    shared = table.groupby("engine").shared_seconds.transform("first").fillna(0)
    table["first_fold_seconds"] = (table.seconds + shared).where(table.fold.notna())
    return table


def machine():
    """What the figures were measured on, one line."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    cpu = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "unknown")
    load = f"load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores"
    return f"{cpu}, {load}; numpy {np.__version__}, Python {platform.python_version()}"


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="TSV to write")
    parser.add_argument("--cohort", type=Path, default=ROOT / "results/soynam/cohort")
    parser.add_argument("--trait", default="protein")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--lines", type=int, default=5314, help="where there is no cohort")
    parser.add_argument("--snps", type=int, default=4341, help="where there is no cohort")
    own = [name for name in ENGINES if name != "products"]
    parser.add_argument("--engines", nargs="+", choices=own, default=own)
    parser.add_argument("--janusx", help="python of an environment that has JanusX")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_options(arguments)
    print(machine(), flush=True)
    if (options.cohort / "dosage.npy").is_file():
        case = real_case(options.cohort, options.trait, options.folds)
    else:
        print(f"no cohort at {options.cohort}: simulated lines", flush=True)
        case = simulated_case(options.lines, options.snps, options.folds)
    if not options.janusx:
        print("JanusX skipped: name the python of its environment with --janusx", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), *case)
        rows = []
        for row in measure(Path(folder), *case, options):
            rows.append(row)
            print(as_table(rows[-1:]).dropna(axis=1).to_string(index=False), flush=True)
            write_table(as_table(rows), options.out)  # what stands, should the run be ended


if __name__ == "__main__":
    main()
