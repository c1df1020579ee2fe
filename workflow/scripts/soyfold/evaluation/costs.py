"""What the networks cost: the paper's Table 3, each network in a process of its own."""

import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from soyfold.common.errors import UserError
from soyfold.common.files import read_cim, read_table
from soyfold.common.logs import log
from soyfold.evaluation.printed import PRINTED_AS
from soyfold.training.tasks import Cohort

REFERENCE = "transformer"  # relative_flops is 1 there, as in the paper
MEBIBYTE = 2**20
KILLED = 9  # exit status
WARM_UP, FEWEST, MOST, BUDGET_SECONDS = 3, 5, 100, 10.0  # passes, passes, passes, s
COLUMNS = [
    "model", "parameters", "parameters_M", "parameters_M_paper", "gflops", "relative_flops",
    "relative_flops_paper", "ms_per_sample", "ms_per_sample_paper", "peak_memory_mb", "device",
    "threads", "n_tokens", "snps", "preset",
]  # fmt: skip


def _attention_flops(query, key, value, *_, **__):
    return sdpa_flop_count(query, key, value)


def _mkldnn_flops(x, input_weights, state_weights, *_, **__):
    """One layer and direction of an LSTM or GRU; shapes."""
    return 2 * math.prod(x[:-1]) * (math.prod(input_weights) + math.prod(state_weights))


def _cudnn_flops(x, weights, *_, **__):
    """All layers and directions; shapes, biases among them."""
    return 2 * math.prod(x[:-1]) * sum(math.prod(w) for w in weights if len(w) == 2)


# Fused kernels that torch's counter leaves out: without these, attention on a CPU and an LSTM
# would count as nothing.
UNCOUNTED = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops,
    torch.ops.aten.mkldnn_rnn_layer: _mkldnn_flops,
    torch.ops.aten._cudnn_rnn: _cudnn_flops,
}


@torch.no_grad()
def count_flops(network, g):
    """Floating-point operations of one forward pass, by torch's counter.

    Matrix products, convolutions, attention and recurrent cells count, a multiplication and an
    addition as two; what is done element by element doesn't. Columns that the attention adds for
    the CIM, or to please a kernel, count, because they are computed.

    Parameters
    ----------
    network : nn.Module
    g : Tensor (batch, L)

    Returns
    -------
    int
    """
    with FlopCounterMode(display=False, custom_mapping=UNCOUNTED) as counter:
        network(g)
    return counter.get_total_flops()


def _wait_for(device):
    if device == "cuda":
        torch.cuda.synchronize()


@torch.no_grad()
def time_forward(network, g):
    """Milliseconds of a forward pass: median of 5 to 100 after a warm-up, about 10 s at most."""
    for _ in range(WARM_UP):
        network(g)
    times = []
    while len(times) < FEWEST or (len(times) < MOST and sum(times) < BUDGET_SECONDS):
        _wait_for(g.device.type)
        started = time.perf_counter()
        network(g)
        _wait_for(g.device.type)
        times.append(time.perf_counter() - started)
    return 1e3 * statistics.median(times)


def _memory(field):
    """Bytes of this process by /proc (VmRSS now, VmHWM at most); elsewhere the most so far.

    getrusage isn't asked first: a new process inherits its parent's peak there.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields[field].split()[0]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure(block, *, dosage, variants, cim, threads):
    """One network's cost, in this process: batch 1, float32, no gradients.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    dosage, variants, cim : path-like
        Of the cohort and contacts storeys.
    threads : int
        CPU threads.

    Returns
    -------
    dict
        parameters (trainable), flops (a sample), ms_per_sample, peak_memory_mb (MiB beyond what
        the process had after its imports; on a GPU what torch had allocated at most), device,
        threads, n_tokens, snps.
    """
    from soyfold.training.network_fits import build_network

    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    snps = read_table(variants, required=("chromosome", "column"), dtype={"chromosome": str})
    chromosome = snps.sort_values("column").chromosome.to_numpy()
    matrix = np.load(dosage, mmap_mode="r")
    before = _memory("VmRSS")
    cohort = Cohort(matrix, None, None, chromosome, read_cim(cim))
    layout, network = build_network(block, cohort, 0)
    network.eval().to(device)
    g = torch.from_numpy(np.array(matrix[:1], dtype=np.float32) - 1.0).to(device)
    ms = time_forward(network, g)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else _memory("VmHWM") - before
    return {
        "parameters": sum(p.numel() for p in network.parameters() if p.requires_grad),
        "flops": count_flops(network, g),
        "ms_per_sample": ms,
        "peak_memory_mb": peak / MEBIBYTE,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "threads": threads,
        "n_tokens": layout.n_tokens,
        "snps": matrix.shape[1],
    }


def _measure_each(blocks, **options):
    """Print each network's cost as a line of JSON; each has a fork of this process to itself.

    Forking after the imports spares every network the seconds that torch takes to load. It is
    safe because this process has computed nothing: no thread and no GPU context is open.
    """
    import soyfold.training.network_fits  # noqa: F401

    for block in blocks:
        with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
            try:
                print(json.dumps(pool.submit(measure, block, **options).result()), flush=True)
            except BrokenProcessPool:
                raise SystemExit(KILLED) from None


def measure_costs(blocks, **options):
    """Costs of several networks, one after the other, each in a process of its own.

    Parameters
    ----------
    blocks : list of dict
        The models' entries of the registry.
    **options
        dosage, variants, cim, threads of `measure`.

    Returns
    -------
    DataFrame
        name, model (label), preset, and what `measure` gives.

    Raises
    ------
    UserError
        If a process is killed, as it is where memory runs out.
    RuntimeError
        If one fails otherwise; its last lines are quoted.
    """
    files = {name: str(options[name]) for name in ("dosage", "variants", "cim")}
    request = {"blocks": blocks, "threads": options["threads"], **files}
    scripts = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([scripts, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "soyfold.evaluation.costs"],
        input=json.dumps(request), capture_output=True, text=True, check=False,
        # Asking CUDA itself whether it is there would open a context that no fork survives.
        env={**os.environ, "PYTHONPATH": path, "PYTORCH_NVML_BASED_CUDA_CHECK": "1"},
    )  # fmt: skip
    costs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode == KILLED or done.returncode < 0:
        raise UserError(
            f"the measurement of {blocks[len(costs)]['label']} killed",
            mend="give rule measure_cost more memory, or set evaluation.paper_tables: false",
        )
    if done.returncode:
        raise RuntimeError(f"{blocks[len(costs)]['label']}: {done.stderr.strip()[-2000:]}")
    rows = []
    for block, cost in zip(blocks, costs, strict=True):
        log.info("%s: %s", block["label"], cost)
        facts = {"name": block["name"], "model": block["label"], "preset": block["preset"]}
        rows.append({**facts, **cost})
    return pd.DataFrame(rows)


def cost_table(costs, paper):
    """The paper's Table 3 with its own values beside ours.

    Parameters
    ----------
    costs : DataFrame
        As `measure_costs` returns it.
    paper : DataFrame
        The printed tables: table, model, metric, value.

    Returns
    -------
    DataFrame
        model, parameters, parameters_M (10^6), gflops (10^9 a sample), relative_flops (to the
        Transformer; NaN without one), ms_per_sample, peak_memory_mb, device, threads, n_tokens,
        snps, preset; `..._paper` is what the paper prints: of CSAFM beside csafm_gau, if both it
        and csafm are measured.
    """
    table = costs.assign(parameters_M=costs.parameters / 1e6, gflops=costs.flops / 1e9)
    reference = costs.loc[costs.name == REFERENCE, "flops"]
    table["relative_flops"] = table.flops / (reference.iloc[0] if len(reference) else np.nan)
    printed = paper[paper.table == 3].set_index(["model", "metric"]).value
    known = PRINTED_AS if set(PRINTED_AS) <= set(table.name) else {}
    rows = [known.get(*pair) for pair in zip(table.name, table.model, strict=True)]
    for metric in ("parameters_M", "relative_flops", "ms_per_sample"):
        table[f"{metric}_paper"] = [printed.get((row, metric), np.nan) for row in rows]
    return table[COLUMNS]


if __name__ == "__main__":
    _measure_each(**json.load(sys.stdin))
