"""The file from which a killed fit goes on, at the start of the epoch in which it was killed.

It is Lightning's checkpoint as plain tensors and numbers, behind a line of JSON that holds a digest
of it and the fingerprint of the fit. Neither a damaged file nor another fit's is ever gone on from.
A training that is over leaves its outcome there instead: a fit may have several, one after another.
"""

import hashlib
import io
import json
import pickle
import time
from pathlib import Path

import numpy as np
import torch
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO
from lightning.pytorch.callbacks import Callback

from soyfold.common.files import staged
from soyfold.common.logs import log

MAGIC = b"soyfold resume 1\n"
CHECKPOINT_SECONDS = 60  # a fit loses at most this and an epoch, and writes at most so often


class Unusable(Exception):
    """A resume file that this fit can't go on from."""


def fingerprint(**parts):
    """Digest each of the parts that decide a fit.

    Parameters
    ----------
    **parts
        Arrays, or what JSON can hold.

    Returns
    -------
    dict of str to str
    """
    digests = {}
    for name, part in parts.items():
        if isinstance(part, np.ndarray) and part.dtype != object:
            content = (
                f"{part.dtype.str}{part.shape}".encode() + np.ascontiguousarray(part).tobytes()
            )
        else:
            content = json.dumps(part, sort_keys=True, default=str).encode()
        digests[name] = hashlib.sha256(content).hexdigest()[:16]
    return digests


def _read(path, expected):
    """Payload of a resume file, as bytes; `Unusable` if it is damaged or another fit's."""
    content = Path(path).read_bytes()
    if not content.startswith(MAGIC):
        raise Unusable("it is no resume file")
    header, _, payload = content[len(MAGIC) :].partition(b"\n")
    try:
        facts = json.loads(header)
        found, digest = facts["fingerprint"], facts["sha256"]
        names = found.keys() | expected.keys()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unusable("its header is damaged") from None
    if hashlib.sha256(payload).hexdigest() != digest:
        raise Unusable("it is damaged or cut short")
    differing = sorted(name for name in names if found.get(name) != expected.get(name))
    if differing:
        raise Unusable(f"it belongs to another fit: different {', '.join(differing)}")
    return payload


class ResumeIO(CheckpointIO):
    """How Lightning writes and reads its checkpoint.

    Parameters
    ----------
    expected : dict
        As `fingerprint` makes it.
    """

    def __init__(self, expected):
        self.expected = expected

    def save_checkpoint(self, checkpoint, path, storage_options=None):
        """Write atomically."""
        payload = io.BytesIO()
        torch.save(checkpoint, payload)
        payload = payload.getvalue()
        facts = {"sha256": hashlib.sha256(payload).hexdigest(), "fingerprint": self.expected}
        with staged(path) as temporary:
            temporary.write_bytes(MAGIC + json.dumps(facts).encode() + b"\n" + payload)

    def load_checkpoint(self, path, map_location="cpu", weights_only=True):
        """Read; `Unusable` says why not. Nothing but tensors and numbers is ever unpickled."""
        payload = io.BytesIO(_read(path, self.expected))
        try:
            return torch.load(payload, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise Unusable(f"it can't be read: {str(error).splitlines()[0]}") from None

    def remove_checkpoint(self, path):
        """Remove it if it is there."""
        Path(path).unlink(missing_ok=True)


def _start_epoch(loop):
    """Set an epoch loop's counters to 0, as it will do itself once this epoch's hooks have run.

    With the last epoch's counters, Lightning would take the stored epoch for one walked to its end.
    """
    loop.batch_progress.reset_on_run()
    loop.scheduler_progress.reset_on_run()
    loop.automatic_optimization.optim_progress.reset_on_run()
    loop.val_loop.batch_progress.total.reset()


class Resume(Callback):
    """Keep a resume file while a fit runs.

    The file is written when an epoch starts: by then everything of the last one, early stopping
    too, has been decided.

    Parameters
    ----------
    path : path-like
    expected : dict
        Fingerprint of this fit.
    seconds : float
        Least time from one write to the next.
    last : bool
        No training follows in this fit, so that nobody will ask for this one's outcome.

    Attributes
    ----------
    resumed : int
        How often this fit went on from a file.
    """

    def __init__(self, path, expected, seconds=CHECKPOINT_SECONDS, *, last=True):
        self.path, self.seconds, self.last_training = Path(path), seconds, last
        self.io = ResumeIO(expected)
        self.resumed = 0
        self.written = -1
        self.last = time.monotonic()

    def _load(self, key):
        """What the file holds under `key`, or None; says in the log why the file is of no use."""
        if not self.path.is_file():
            return None
        try:
            return self.io.load_checkpoint(self.path).get(key)
        except (Unusable, OSError, AttributeError) as error:
            log.warning("%s can't be used: %s; training starts over", self.path, error)
            self.path.unlink()
            return None

    def outcome(self):
        """What `finish` wrote of this training when it was over, or None."""
        outcome = self._load("outcome")
        if outcome is not None:
            log.info("trained already: %s", self.path)
        return outcome

    def finish(self, outcome):
        """Write what the training left: a dict of tensors, numbers, strings, lists of such."""
        if self.last_training:
            return
        self.io.save_checkpoint({"outcome": outcome}, self.path)

    def usable(self):
        """The path if a training can go on from it, else None."""
        epoch = self._load("epoch")
        if epoch is None:
            return None
        log.info("resuming at epoch %d from %s", epoch + 1, self.path)
        return str(self.path)

    def state_dict(self):
        """Travels in the file."""
        return {"resumed": self.resumed}

    def load_state_dict(self, state):
        """A file is gone on from once more."""
        self.resumed = state["resumed"] + 1

    def on_train_epoch_start(self, trainer, module):
        """Write the file if it is time; all ranks do what the first one says."""
        epoch = trainer.current_epoch
        if self.written < 0:
            self.written = epoch  # the epoch from which this process goes on: nothing is new yet
        due = epoch > self.written and time.monotonic() - self.last >= self.seconds
        if trainer.strategy.broadcast(due):
            _start_epoch(trainer.fit_loop.epoch_loop)
            trainer.save_checkpoint(self.path)
            self.written, self.last = epoch, time.monotonic()

    def remove(self):
        """The fit's outputs stand: the file has done its work."""
        self.path.unlink(missing_ok=True)
