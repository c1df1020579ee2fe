"""Several devices: Lightning's processes, started and heard so that a rule's script never notices.

The processes are spawned, since CUDA doesn't survive a fork. What the fit needs afterwards comes
back through a file, an error at the end of its traceback.
"""

import contextlib
import logging
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from lightning.pytorch.callbacks import Callback

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.training.loop.devices import is_memory_error, peak_gpu_memory_mb


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


def quiet():
    """Lightning's advice on workers, loggers and sanity checks doesn't concern a fit's user."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")


def _file_handlers():
    return [handler for handler in log.handlers if isinstance(handler, logging.FileHandler)]


class Report(Callback):
    """In the first process: progress to the log, and at the end what the fit needs, to a file.

    Parameters
    ----------
    path : pathlib.Path
    record, stopwatch, resume
        The fit's other callbacks; resume may be None.
    """

    def __init__(self, path, record, stopwatch, resume):
        self.path, self.record, self.stopwatch, self.resume = path, record, stopwatch, resume
        self.logs = [(handler.baseFilename, handler.formatter) for handler in _file_handlers()]

    def __setstate__(self, state):
        """A process has received this: Lightning hasn't said anything yet."""
        vars(self).update(state)
        quiet()

    def on_fit_start(self, trainer, module):
        """Log where the main process does."""
        if trainer.is_global_zero:
            for name, formatter in self.logs:
                handler = logging.FileHandler(name, mode="a", encoding="utf-8")
                handler.setFormatter(formatter)
                log.addHandler(handler)
            log.setLevel(logging.INFO)

    def on_fit_end(self, trainer, module):
        """Write what the main process asks for."""
        if trainer.is_global_zero:
            outcome = {
                "record": self.record.state_dict(),
                "stopwatch": self.stopwatch.figures(),
                "resumed": self.resume.resumed if self.resume else 0,
                "peak": peak_gpu_memory_mb(),
            }
            torch.save(outcome, self.path)


def _raise_as_told(traceback):
    """Raise the error at the end of a process's traceback, if a user can mend it."""
    kind, _, line = traceback.rstrip().splitlines()[-1].partition(": ")
    if kind.rpartition(".")[2] == UserError.__name__:
        # It is a whole line already, as UserError made it: only its type is to be given back.
        raise UserError.__new__(UserError, line) from None
    if kind.rpartition(".")[2] == "OutOfMemoryError" or is_memory_error(RuntimeError(line)):
        raise MemoryError(line) from None


def fit_on_several(trainer, *arguments, record, stopwatch, resume, **options):
    """`trainer.fit` of a spawning strategy; fills `record`, `stopwatch` and `resume` as it would.

    Parameters
    ----------
    trainer : lightning.pytorch.Trainer
    *arguments, **options
        Of `trainer.fit`.
    record, stopwatch, resume
        Callbacks of the trainer; resume may be None.

    Returns
    -------
    float or None
        Peak memory of the first GPU in MB.

    Raises
    ------
    UserError, MemoryError
        As the process raised it.
    """
    with TemporaryDirectory() as folder, _hidden_main():
        path = Path(folder) / "outcome.pt"
        trainer.callbacks.append(Report(path, record, stopwatch, resume))
        try:
            trainer.fit(*arguments, **options)
        except torch.multiprocessing.ProcessRaisedException as error:
            _raise_as_told(str(error))
            raise
        finally:
            for handler in _file_handlers():  # the process has written on in the same files
                handler.stream.seek(0, 2)
        outcome = torch.load(path, weights_only=True, map_location="cpu")
    record.load_state_dict(outcome["record"])
    vars(stopwatch).update(outcome["stopwatch"])
    if resume:
        resume.resumed = outcome["resumed"]
    return outcome["peak"]
