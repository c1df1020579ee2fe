"""Time and memory of attention with a chromosome prior in its forms, and of one encoder layer.

    python benchmarks/attention/compare_forms.py --out forms.tsv [--tokens 1024 2048] [--d-k 8]

The columns are explained in benchmarks/README.md.
"""

import argparse
import itertools
import multiprocessing
import os
import platform
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))
os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as workflow/rules/common.smk does

import pandas as pd
import torch
from measure import FORMS, HEADS, LAYERS, Case, dense_mb, measure_alone, time_in_turns

from soyfold.common.files import write_table

COLUMNS = (
    "processor", "device", "dtype", "part", "form", "heads", "d_k", "tokens", "pass", "threads",
    "repeats", "seconds", "time_to_plain", "extra_mb", "memory_to_naive", "peak_mb", "reason",
)  # fmt: skip


def all_threads():
    return len(os.sched_getaffinity(0))


def reason_to_skip(case, options):
    """Why a case isn't measured, or None."""
    if case.form == "sdpa" and case.d_k % 8 == 0 and case.d_k >= 16:
        return "the same call as plain at this width"
    if case.form == "statistics" and case.backward:
        return "has no gradient"
    if case.form == "blocked" and case.device != "cpu":
        return "a form for CPUs"
    needed, limit = dense_mb(case), options.memory_limit_mb
    if needed > limit:
        return f"n x n matrices of about {needed:.0f} MB, limit {limit} MB"
    return None


def alone(case):
    """`measure_alone` in a fresh process; None where the machine ended it for its memory."""
    # The server has torch loaded and forks, so that a fresh process costs no seconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "pandas"])
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(measure_alone, case).result()
        except BrokenProcessPool:
            return None


def make_row(case, **figures):
    settings = {"processor": processor(), **case._asdict(), "heads": HEADS}
    settings["pass"] = "forward+backward" if settings.pop("backward") else "forward"
    return {**settings, **figures}


def compare_attention(device, tokens, d_k, backward, threads, options):
    """Rows of all forms at one size; times are medians of turns, memory is of one pass alone."""
    cases = [
        Case(device, options.dtype, "attention", form, tokens, d_k, backward, threads)
        for form in options.forms
    ]
    reasons = {case: reason_to_skip(case, options) for case in cases}
    chosen = [case for case in cases if reasons[case] is None]
    taken = time_in_turns(chosen, seconds=options.seconds, repeats=options.repeats)
    for case in cases:
        if reasons[case]:
            yield make_row(case, reason=reasons[case])
            continue
        times = taken[case]
        row = make_row(case, repeats=len(times), seconds=statistics.median(times))
        yield row | (remembered(case, options) or {"reason": "out of memory"})


def remembered(case, options, known={}):  # noqa: B006 - memory hardly hangs on the threads
    """Memory of a case, measured once with all threads: a thread's own share is small."""
    key = case._replace(threads=options.threads[-1])
    if key not in known:
        known[key] = alone(key)
    return known[key] and {name: known[key][name] for name in ("extra_mb", "peak_mb")}


def compare_layers(device, backward, options):
    """Rows of one layer of each model at the paper's size."""
    for kind in LAYERS:
        case = Case(
            device, options.dtype, "layer", kind, options.layer_tokens, options.layer_d_k,
            backward, options.threads[-1],
        )  # fmt: skip
        found = alone(case)
        yield (
            make_row(case, repeats=1, **found) if found else make_row(case, reason="out of memory")
        )


def add_ratios(rows):
    """The table with each row's time to plain's and memory to naive's at the same size."""
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    size = ["device", "dtype", "part", "d_k", "tokens", "pass", "threads"]
    for ratio, of, form in (
        ("time_to_plain", "seconds", ("plain", "transformer")),
        ("memory_to_naive", "extra_mb", ("naive",)),
    ):
        base = table[table["form"].isin(form)].set_index(size)[of]
        base = base.reindex(pd.MultiIndex.from_frame(table[size])).to_numpy(dtype=float)
        table[ratio] = table[of].to_numpy(dtype=float) / base
    return table


def measure(options):
    """Yield lists of rows, one list for each size."""
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices:
        threads = options.threads if device == "cpu" else options.threads[-1:]
        grid = itertools.product(options.tokens, options.d_k, (False, True), threads)
        for tokens, d_k, backward, count in grid:
            yield list(compare_attention(device, tokens, d_k, backward, count, options))
        for backward in (False, True) if options.layer_tokens else ():
            yield list(compare_layers(device, backward, options))


def processor():
    """Name of the CPU, and the vectors that PyTorch's kernels use of it."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    cpu = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "unknown")
    return f"{cpu} ({torch.backends.cpu.get_cpu_capability()})"


def machine():
    """What the figures were measured on, one line."""
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    versions = f"torch {torch.__version__}, Python {platform.python_version()}"
    return f"{processor()}, {all_threads()} cores{gpu}; {versions}"


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="TSV to write")
    parser.add_argument("--tokens", type=int, nargs="+", default=[1024, 2048, 4096, 8192, 16384])
    parser.add_argument("--d-k", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, all_threads()}))
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--repeats", type=int, default=7, help="most rounds of a size")
    parser.add_argument("--seconds", type=float, default=4, help="no new round after so many")
    parser.add_argument("--memory-limit-mb", type=int, default=6000, help="for n x n matrices")
    parser.add_argument("--layer-tokens", type=int, default=42453, help="0: no layers")
    parser.add_argument("--layer-d-k", type=int, default=32)
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_options(arguments)
    print(machine(), flush=True)
    rows = []
    for more in measure(options):
        rows.extend(more)
        print(add_ratios(more).dropna(axis=1, how="all").to_string(index=False), flush=True)
        write_table(add_ratios(rows), options.out)  # what stands, should the run be ended


if __name__ == "__main__":
    main()
