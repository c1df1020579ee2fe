"""Where a fit runs, what fits into its memory, and what is said when it doesn't."""

import contextlib

import torch

from soyfold.common.errors import UserError

CPU_ALLOCATOR = ("can't allocate memory", "not enough memory", "alloc_cpu")


def device_name():
    """The device that a fit takes: cuda where there is one, else cpu."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def stays_on_device(dosage):
    """Whether the dosage matrix may lie on the device: there, half of the free memory holds it.

    Parameters
    ----------
    dosage : tensor (n, L) int8
    """
    if device_name() == "cpu":
        return True
    free, _ = torch.cuda.mem_get_info()
    return dosage.numel() <= free / 2


def peak_gpu_memory_mb():
    """Most memory that tensors took on the GPU so far, in MB; None without a GPU."""
    return torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else None


def is_memory_error(error):
    """Whether an exception is that of an exhausted memory, of a GPU or the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(known in text for known in CPU_ALLOCATOR)


@contextlib.contextmanager
def memory_errors(*, n, batch_size, model):
    """Turn an exhausted memory into one line that says what to lower.

    Parameters
    ----------
    n : int
        Tokens a line.
    batch_size : int
    model : str

    Raises
    ------
    UserError
        In place of torch.OutOfMemoryError, MemoryError or the CPU allocator's RuntimeError.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_memory_error(error):
            raise
        raise UserError(
            f"too little memory on {device_name()} for {n} tokens x batch_size {batch_size}",
            at=f"model {model}",
            mend="a lower batch_size with a higher accumulate, tokens: window, fewer layers, or "
            "precision: bf16-mixed",
        ) from error
