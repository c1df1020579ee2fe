"""Time and memory of chromosome-biased attention in its exact forms, beside plain attention.

    python benchmarks/attention/compare_forms.py --out forms.tsv [--tokens 1024 2048] [--repeats 5]

Forms take turns in one process, so that a busy machine slows all of them alike; times are medians
of forward and backward. Extra memory is the growth of the peak resident set in a process that runs
one form alone. `naive` adds the n x n matrix s_i H[c(i), c(j)] to dense scores.
"""

import argparse
import multiprocessing
import statistics
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import pandas as pd
import torch

from soyfold.attention import biased_attention, plain_attention
from soyfold.files import write_table

GROUPS = 20


def sdpa_attention(q, k, v, H, chromosome):
    """PyTorch's own call: the yardstick of all ratios."""
    return torch.nn.functional.scaled_dot_product_attention(q, k, v)


def widened_attention(q, k, v, H, chromosome):
    """Plain attention at the width that the kernel likes, as the Transformer uses it."""
    return plain_attention(q, k, v)


def naive_attention(q, k, v, H, chromosome):
    """Dense scores and bias, (batch, heads, n, n)."""
    scores = q @ k.transpose(-1, -2)
    scores = scores + q.sum(-1, keepdim=True) * H[chromosome[:, None], chromosome]
    return (scores * q.shape[-1] ** -0.5).softmax(-1) @ v


FORMS = {
    "sdpa": sdpa_attention,
    "plain": widened_attention,
    "augmented": partial(biased_attention, form="augmented"),
    "blocked": partial(biased_attention, form="blocked"),
    "auto": partial(biased_attention, form="auto"),
    "naive": naive_attention,
}


def make_inputs(batch, heads, n, d_k):
    torch.manual_seed(0)
    q, k, v = (torch.randn(batch, heads, n, d_k, requires_grad=True) for _ in range(3))
    return q, k, v, torch.rand(GROUPS, GROUPS, requires_grad=True), torch.arange(n) * GROUPS // n


def run_once(form, inputs):
    """Seconds of one forward and backward pass."""
    started = time.perf_counter()
    FORMS[form](*inputs).sum().backward()
    return time.perf_counter() - started


def peak_mb():
    """Peak resident set of this program (VmHWM: unlike getrusage's, not its parent's), Linux."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def extra_memory(form, case, threads):
    """MB that the peak grows by in two passes, after a small pass has loaded all code."""
    torch.set_num_threads(threads)
    run_once(form, make_inputs(1, 1, 2 * GROUPS, case[-1]))
    inputs = make_inputs(*case)
    before = peak_mb()
    for _ in range(2):
        run_once(form, inputs)
    return peak_mb() - before


def compare(case, options):
    """Rows of the table for one (batch, heads, n, d_k)."""
    inputs = make_inputs(*case)
    forms = [form for form in FORMS if form != "naive" or case[2] <= options.naive_up_to]
    seconds = {form: [] for form in forms}
    for repeat in range(options.repeats + 1):
        for form in forms:
            taken = run_once(form, inputs)
            if repeat:  # the first round warms up
                seconds[form].append(taken)
    medians = {form: statistics.median(times) for form, times in seconds.items()}
    # A fresh process for each, since a peak never falls again.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        memory = {form: pool.apply(extra_memory, (form, case, options.threads)) for form in forms}
    for form in forms:
        yield {
            **dict(zip(("batch", "heads", "tokens", "d_k"), case, strict=True)),
            "threads": options.threads,
            "form": form,
            "seconds": medians[form],
            "time_to_sdpa": medians[form] / medians["sdpa"],
            "extra_mb": memory[form],
            "memory_to_sdpa": memory[form] / memory["sdpa"],
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="TSV to write")
    parser.add_argument("--tokens", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--d-k", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--naive-up-to", type=int, default=4096, help="largest n for naive")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    for n in options.tokens:
        for d_k in options.d_k:
            rows.extend(compare((options.batch, options.heads, n, d_k), options))
            print(pd.DataFrame(rows[-len(FORMS) :]).to_string(index=False), flush=True)
    write_table(pd.DataFrame(rows), options.out)


if __name__ == "__main__":
    main()
