"""Time and memory of one form of attention, or of one encoder layer, at one size."""

import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn.functional import scaled_dot_product_attention

from soyfold.attention.biased import attention_statistics, biased_attention, plain_attention
from soyfold.models import cisem, csafm
from soyfold.models.declarations import declaration
from soyfold.models.encoder_layers import EncoderLayer

GROUPS = 20  # chromosomes of soybean
HEADS = 8
MEBI = 2**20


class Case(NamedTuple):
    """One row of the table; d_k is d_model / heads."""

    device: str
    dtype: str
    part: str  # attention | layer
    form: str
    tokens: int
    d_k: int
    backward: bool
    threads: int


def score_bias(q, H, chromosome):
    """s_i H[c(i), c(j)], (batch, heads, n, n): what the exact forms never build."""
    return q.sum(-1, keepdim=True) * H[chromosome[:, None], chromosome]


def naive_attention(q, k, v, H, chromosome):
    """Dense scores and bias."""
    scores = q @ k.transpose(-1, -2) + score_bias(q, H, chromosome)
    return (scores * q.shape[-1] ** -0.5).softmax(-1) @ v


def masked_attention(q, k, v, H, chromosome):
    """The bias as a mask of the fused call; where the mask needs a gradient that is not fused."""
    mask = score_bias(q, H, chromosome) * q.shape[-1] ** -0.5
    return scaled_dot_product_attention(q, k, v, attn_mask=mask)


def statistics(q, k, v, H, chromosome):
    """NAE, AAS and chromosome mass of the biased attention."""
    return attention_statistics(q, k, H, chromosome, biased=True)["nae"]


FORMS = {
    "plain": lambda q, k, v, H, chromosome: plain_attention(q, k, v),
    "sdpa": lambda q, k, v, H, chromosome: scaled_dot_product_attention(q, k, v),
    "augmented": partial(biased_attention, form="augmented"),
    "blocked": partial(biased_attention, form="blocked"),
    "mask": masked_attention,
    "naive": naive_attention,
    "statistics": statistics,
}
# (heads, n, n) matrices that are alive together, forward and forward with backward.
DENSE_MATRICES = {"mask": (2, 4), "naive": (3, 4)}
LAYERS = ("transformer", "csafm", "cisem")


def dense_mb(case):
    """MB that the n x n matrices of a form need; 0 for forms without any."""
    matrices = DENSE_MATRICES.get(case.form, (0, 0))[case.backward]
    width = getattr(torch, case.dtype).itemsize
    return matrices * HEADS * case.tokens**2 * width / MEBI


def make_layer(kind, d_model, H, chromosome):
    """One encoder layer of the paper's shape: FFN of 4 d, dropout as in training."""
    size = {"d_model": d_model, "heads": HEADS, "feed_forward": 4 * d_model}
    parameters = {**declaration(kind).defaults, **size}
    if kind == "csafm":
        return csafm.Layer(parameters, torch.nn.Parameter(H), chromosome)
    if kind == "cisem":
        return cisem.Layer(parameters, H, chromosome)
    return EncoderLayer(parameters)


def make_pass(case):
    """A function without arguments that runs a forward pass, and a backward one if wanted."""
    torch.manual_seed(0)
    to = {"device": case.device, "dtype": getattr(torch, case.dtype)}
    chromosome = torch.arange(case.tokens, device=case.device) * GROUPS // case.tokens
    H = torch.rand(GROUPS, GROUPS).to(case.device)
    if case.part == "layer":
        width = HEADS * case.d_k
        # Made on the CPU, where CISEM ranks its tokens, then moved.
        layer = make_layer(case.form, width, H.cpu(), chromosome.cpu()).to(**to)
        layer.train(case.backward)
        inputs = [torch.randn(1, case.tokens, width, **to, requires_grad=case.backward)]
        function = layer
    else:
        shape = (1, HEADS, case.tokens, case.d_k)
        inputs = [torch.randn(shape, **to, requires_grad=case.backward) for _ in range(3)]
        inputs += [H.requires_grad_(case.backward), chromosome]
        function = FORMS[case.form]

    def run():
        with torch.set_grad_enabled(case.backward):
            out = function(*inputs).sum()
        if case.backward:
            out.backward()
        if case.device == "cuda":
            torch.cuda.synchronize()

    return run


def seconds_of(run):
    """Seconds that a call takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def warm_up(case):
    """Load all code with a small pass."""
    torch.set_num_threads(case.threads)
    seconds_of(make_pass(case._replace(tokens=2 * GROUPS)))


def peak_mb(device):
    """Peak memory: the GPU's allocations, or this process' resident set (Linux)."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / MEBI
    # VmHWM and not getrusage, whose figure a forked process has from its parent.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_alone(case):
    """Seconds, peak MB and growth of the peak of one pass, in a process that did nothing else."""
    warm_up(case)
    run = make_pass(case)
    if case.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    before = peak_mb(case.device)
    seconds = seconds_of(run)
    peak = peak_mb(case.device)
    return {"seconds": seconds, "peak_mb": peak, "extra_mb": peak - before}


def time_in_turns(cases, *, seconds, repeats):
    """Seconds of each case's passes; the cases take turns, so a busy machine slows all alike.

    Parameters
    ----------
    cases : list of Case
    seconds : float
        No new round begins after so many, but there is always one.
    repeats : int
        Most rounds.

    Returns
    -------
    dict of Case to list of float
    """
    for case in cases:
        warm_up(case)
    runs = {case: make_pass(case) for case in cases}
    taken = {case: [] for case in cases}
    started = time.perf_counter()
    for _ in range(repeats):
        for case, run in runs.items():
            taken[case].append(seconds_of(run))
        if time.perf_counter() - started > seconds:
            break
    return taken
