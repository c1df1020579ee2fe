"""Threads that share out slices of samples and heads, each slice worked on by few threads.

PyTorch shares out one operation at a time: all threads meet after each. Where the operations are
small and many, or another process holds a core, they wait more than they work.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from threading import Barrier

import torch

# Floats of one slice's keys: 512 KB, so that what a slice adds up stays in a core's cache.
SLICE_ELEMENTS = 2**17


def head_slices(batch, heads, elements):
    """Slices of samples and heads, one for each thread at least where there are as many heads.

    Parameters
    ----------
    batch, heads : int
    elements : int
        Numbers that one head of one sample has (tokens x width).

    Returns
    -------
    list of (slice, slice)
        Of one sample, and of SLICE_ELEMENTS at most where one head hasn't more.
    """
    parts = -(-torch.get_num_threads() // batch)
    share = max(1, min(SLICE_ELEMENTS // elements, -(-heads // parts)))
    return [
        (slice(b, b + 1), slice(h, h + share)) for b in range(batch) for h in range(0, heads, share)
    ]


@contextmanager
def one_thread():
    """Operations of this thread alone: of small ones, several threads wait more than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _pool(workers, each, process):
    """Executor of `workers` threads that use `each` threads within an operation."""
    all_there = Barrier(workers)

    def begin():
        torch.get_num_threads()  # a thread's first call gives it the number of all
        torch.set_num_threads(each)  # of this thread alone
        all_there.wait()

    pool = ThreadPoolExecutor(workers, initializer=begin)
    ours = torch.get_num_threads()
    list(pool.map(int, range(workers)))
    torch.set_num_threads(ours)  # what threads that are yet to be made will use
    return pool


def share_out(function, items):
    """[function(item) for item in items], by as many threads as PyTorch has, without gradients."""

    def call(item):
        with torch.no_grad():  # a thread has its own mode
            return function(item)

    threads = torch.get_num_threads()
    workers = min(threads, len(items))
    if workers < 2:
        return [call(item) for item in items]
    # A forked process has none of its parent's threads.
    return list(_pool(workers, threads // workers, os.getpid()).map(call, items))
