"""Several devices, or mixed precision: Lightning's Fabric, set up so that a rule's script never
notices.

Several devices are a process each, spawned, since CUDA doesn't survive a fork. What the fit needs
afterwards comes back through a file, an error at the end of its traceback.
"""

import contextlib
import functools
import logging
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins.environments import LightningEnvironment

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.training.loop.devices import device_name, is_memory_error

# Lightning's advice doesn't concern a fit's user. Here, since a spawned process imports this module
# before Fabric speaks.
for name in ("lightning.fabric", "lightning.pytorch"):  # both tell what Fabric does
    logging.getLogger(name).setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="lightning")


def fabric(devices, precision):
    """Lightning's Fabric for a fit on one or several devices."""
    return Fabric(
        accelerator="cpu" if device_name() == "cpu" else "gpu",
        devices=devices,
        strategy="ddp_spawn" if devices > 1 else "auto",
        precision=precision,
        # On a cluster too the processes are ours: Slurm's task is the one that starts them.
        plugins=[LightningEnvironment()],
    )


@contextlib.contextmanager
def _hidden_main():
    """Hide the script that runs: a spawned process would run it once more to import it."""
    main = sys.modules["__main__"]
    known = {name: vars(main).get(name) for name in ("__file__", "__spec__")}
    main.__file__ = main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(known)


def _file_handlers():
    return [handler for handler in log.handlers if isinstance(handler, logging.FileHandler)]


def _run_as_one(where, network, function, path, logs):
    """A process's part; the first one logs where the main process does, and writes the outcome."""
    if where.global_rank == 0:
        for name, formatter in logs:
            handler = logging.FileHandler(name, mode="a", encoding="utf-8")
            handler.setFormatter(formatter)
            log.addHandler(handler)
        log.setLevel(logging.INFO)
    outcome = function(where, network)
    if where.global_rank == 0:
        torch.save(outcome, path)


def _raise_as_told(traceback):
    """Raise the error at the end of a process's traceback, if a user can mend it."""
    kind, _, line = traceback.rstrip().splitlines()[-1].partition(": ")
    if kind.rpartition(".")[2] == UserError.__name__:
        # It is a whole line already, as UserError made it: only its type is to be given back.
        raise UserError.__new__(UserError, line) from None
    if kind.rpartition(".")[2] == "OutOfMemoryError" or is_memory_error(RuntimeError(line)):
        raise MemoryError(line) from None


def run(function, network, arguments, *, devices, precision):
    """`function(fabric, network, **arguments)`, here or in a process for each device.

    Parameters
    ----------
    function : callable
        Of a module's top, for several devices; returns tensors, numbers, strings, lists and dicts
        of such.
    network : nn.Module
        Each process has a copy.
    arguments : dict
    devices : int
    precision : str

    Returns
    -------
    What `function` returns, of several in the first process.

    Raises
    ------
    UserError, MemoryError
        As the process raised it.
    """
    where = fabric(devices, precision)
    function = functools.partial(function, **arguments)
    if devices == 1:
        return function(where, network)
    logs = [(handler.baseFilename, handler.formatter) for handler in _file_handlers()]
    with TemporaryDirectory() as folder, _hidden_main():
        path = Path(folder) / "outcome.pt"
        try:
            where.launch(_run_as_one, network, function, path, logs)
        except torch.multiprocessing.ProcessRaisedException as error:
            _raise_as_told(str(error))
            raise
        finally:
            for handler in _file_handlers():  # the process has written on in the same files
                handler.stream.seek(0, 2)
        return torch.load(path, weights_only=True, map_location="cpu")
