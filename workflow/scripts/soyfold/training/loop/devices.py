"""Where a fit runs, what fits into its memory, and what is said when it doesn't."""

import contextlib
import os

import torch

from soyfold.common.errors import UserError

CPU_ALLOCATOR = ("can't allocate memory", "not enough memory", "alloc_cpu")


def device_name():
    """The device that a fit takes: cuda where there is one, else cpu."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class OneDevice:
    """What the loop asks of Lightning's Fabric, where one device computes in full precision."""

    global_rank, world_size = 0, 1

    def __init__(self):
        self.device = torch.device(device_name())

    def setup_module(self, module):
        """The module, on the device."""
        return module.to(self.device)

    def autocast(self):
        """Nothing: numbers stay as they are."""
        return contextlib.nullcontext()

    def no_backward_sync(self, module, *, enabled):
        """Nothing: no other device waits for gradients."""
        return contextlib.nullcontext()

    def backward(self, loss):
        """Gradients of a loss."""
        loss.backward()

    def all_reduce(self, value, *, reduce_op):
        """The value: no other device has one."""
        return value

    def broadcast(self, value):
        """The value: this is the first device."""
        return value


def be_deterministic(*, compiled=False):
    """Refuse algorithms whose result changes from run to run; on a GPU, where some have no other,
    warn of them.

    The debug mode is what `torch.use_deterministic_algorithms` sets too, but that loads the
    compiler (two seconds), and only a compiled network needs it.
    """
    on_cpu = device_name() == "cpu"
    if compiled:
        torch.use_deterministic_algorithms(True, warn_only=not on_cpu)
    torch.set_deterministic_debug_mode("error" if on_cpu else "warn")
    # They would also fill every new tensor with NaN, an aid in debugging alone.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"


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
