"""Gzip files without a date or a name inside: the same content gives the same bytes."""

import contextlib
import gzip
from pathlib import Path


@contextlib.contextmanager
def zipped(path, level=6):
    """Open `path` to write gzip, binary, with nothing in it that changes from run to run."""
    with (
        Path(path).open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=level, mtime=0) as stream,
    ):
        yield stream
