"""HDF5 in a process of its own: on a full disk the library writes tracebacks as it closes a file,
or ends its process by SIGSEGV (HDF5 2.0), and neither can be caught from within.
"""

import contextlib
import ctypes
import errno
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path

from soyfold.common.errors import UserError
from soyfold.common.logs import HDF5_REFUSED, log

FULL = 2**16  # bytes: with less room a crash is the disk's fault
PR_SET_PDEATHSIG = 1  # of Linux's prctl


def run_isolated(work, *, writes):
    """Run `work()` in a forked process; what it raises is raised here.

    Parameters
    ----------
    work : callable
        Without arguments and result; its files are what it leaves.
    writes : path-like, keyword only
        The file that it is to write, which tells the disk that may be full.

    Raises
    ------
    UserError
        As `work`.
    OSError
        As `work`; or no space left, if the process came to any other end on a full disk.
    RuntimeError
        With HDF5's words on a write that the system refused, which `logs.rule_log` tells in
        one line (h5py only prints them where an object closes by itself, and goes on: the file may
        lack data); for any other error of `work`, or its end by a signal; its traceback is logged.
    """
    error, trace = "ended without a word", ""
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    with tempfile.TemporaryFile() as told:
        process = context.Process(target=_run, args=(work, writer, told.fileno()))
        process.start()
        writer.close()
        with contextlib.suppress(EOFError), reader:
            error, trace = reader.recv()
        process.join()
        told.seek(0)
        said = told.read().decode(errors="replace")
    refused = HDF5_REFUSED.search(f"{trace}\n{said}")
    if process.exitcode == 0 and not refused:
        print(said, end="", file=sys.stderr)
        return
    if process.exitcode < 0:
        error, trace = f"ended by {signal.Signals(-process.exitcode).name}", ""
    if isinstance(error, UserError):
        raise error
    if refused:
        Path(writes).unlink(missing_ok=True)
        raise RuntimeError(refused[0])
    if shutil.disk_usage(Path(writes).parent).free < FULL:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(writes))
    log.error("%s", trace or said)
    raise error if isinstance(error, Exception) else RuntimeError(error)


def _run(work, writer, stderr):
    """The child: what the parent shall know of it goes through the pipe, all else to a file."""
    os.dup2(stderr, 2)
    _end_with_parent()
    try:
        work()
    except (UserError, OSError) as error:
        writer.send((error, traceback.format_exc()))
    except Exception as error:
        writer.send((f"{type(error).__name__}: {error}", traceback.format_exc()))
    else:
        os._exit(0)  # no handler of HDF5's at the end: all files are closed
    os._exit(1)


def _end_with_parent():
    """A job that is killed shall not go on writing; elsewhere than on Linux it does."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
