"""The file from which a killed fit goes on, at the start of the epoch in which it was killed.

It holds plain tensors and numbers, behind a line of JSON with a digest of them and the fingerprint
of the fit. Neither a damaged file nor another fit's is ever gone on from.
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


def _payload(path, expected):
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


def _write(path, expected, content):
    """Write a resume file atomically."""
    payload = io.BytesIO()
    torch.save(content, payload)
    payload = payload.getvalue()
    facts = {"sha256": hashlib.sha256(payload).hexdigest(), "fingerprint": expected}
    with staged(path) as temporary:
        temporary.write_bytes(MAGIC + json.dumps(facts).encode() + b"\n" + payload)


class Resume:
    """Keep a resume file while a fit runs.

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
        self.expected = expected
        self.resumed = 0
        self.written = time.monotonic()

    def _load(self, key):
        """What the file holds under `key`, or None; says in the log why the file is of no use.

        Nothing but tensors and numbers is ever unpickled.
        """
        if not self.path.is_file():
            return None
        try:
            payload = io.BytesIO(_payload(self.path, self.expected))
            return torch.load(payload, map_location="cpu", weights_only=True).get(key)
        except (Unusable, OSError, AttributeError) as error:
            why = error
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            why = f"it can't be read: {str(error).splitlines()[0]}"
        log.warning("%s can't be used: %s; training starts over", self.path, why)
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
        if not self.last_training:
            _write(self.path, self.expected, {"outcome": outcome})

    def restore(self, parts):
        """Give parts by name, with `load_state_dict`, what the file holds of them.

        Returns
        -------
        int
            The epoch to go on with, from 0.
        """
        state = self._load("training")
        if state is None:
            return 0
        log.info("resuming at epoch %d from %s", state["epoch"] + 1, self.path)
        for name, part in parts.items():
            part.load_state_dict(state["parts"][name])
        self.resumed = state["resumed"] + 1
        return state["epoch"]

    def offer(self, epoch, parts):
        """Write the file before an epoch (from 0) if it is time."""
        if time.monotonic() - self.written < self.seconds:
            return
        states = {name: part.state_dict() for name, part in parts.items()}
        state = {"epoch": epoch, "resumed": self.resumed, "parts": states}
        _write(self.path, self.expected, {"training": state})
        self.written = time.monotonic()
