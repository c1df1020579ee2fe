"""What one network costs, in this process: parameters, operations, latency, memory."""

import math
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch._dynamo  # what the counter loads at its first use: here, before processes are forked
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from soyfold.common.files import read_cim, read_table
from soyfold.training.cohorts import Cohort
from soyfold.training.network_fits import build_network
from soyfold.training.thinning import kept_snps

MEBIBYTE = 2**20
WARM_UP, FEWEST, MOST, BUDGET_SECONDS = 3, 5, 100, 10.0  # passes, passes, passes, s


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
    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    snps = read_table(variants, required=("chromosome", "column"), dtype={"chromosome": str})
    snps = snps.sort_values("column")
    chromosome = snps.chromosome.to_numpy()
    matrix = np.load(dosage, mmap_mode="r")
    kept = kept_snps(block, matrix, chromosome)  # by all lines, and so nearly those of a split
    taken = np.ones(len(chromosome), bool) if kept is None else kept
    before = _memory("VmRSS")
    place = snps.position.to_numpy()[taken] if "position" in snps else None
    cohort = Cohort(matrix, None, None, chromosome[taken], read_cim(cim), kept=kept, position=place)
    layout, network = build_network(block, cohort, 0)
    network.eval().to(device)
    g = torch.from_numpy(np.array(matrix[:1, taken], dtype=np.float32) - 1.0).to(device)
    ms = time_forward(network, g)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else _memory("VmHWM") - before
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "flops": count_flops(network, g),
        "ms_per_sample": ms,
        "peak_memory_mb": peak / MEBIBYTE,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "threads": threads,
        "n_tokens": layout.n_tokens,
        "snps": matrix.shape[1],
    }
