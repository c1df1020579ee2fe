"""A rule's log file: progress, one-line user errors, tracebacks of true defects."""

import contextlib
import errno
import logging
import os
import re
import sys
import time

from soyfold.common.errors import UserError

log = logging.getLogger("soyfold")

# Set where the process that started a job tells its errors, from its log, when all jobs have ended.
ERRORS_LAST = "SOYFOLD_ERRORS_LAST"

# HDF5's words on a file that the system refused to open, read or write.
HDF5_REFUSED = re.compile(r"filename = '(?P<file>[^']*)'.*?errno = (?P<number>\d+)", re.DOTALL)

# What the system may refuse without a defect of soyfold's: found, how to mend it.
_REFUSALS = {
    errno.ENOSPC: ("no space left on the disk", "make room, and start the same command again"),
    errno.EDQUOT: ("the disk quota used up", "make room, and start the same command again"),
    errno.EACCES: ("no permission", "give yourself the right to read it, or to write there"),
    errno.EROFS: ("a file system that is read-only", "name another folder as SOYFOLD_RESULTS"),
    errno.EMFILE: ("too many open files", "raise the limit (ulimit -n)"),
}


class _Handler(logging.FileHandler):
    """Writes a log while there is room; a full disk is told once, by the rule itself."""

    def handleError(self, record):
        """Say nothing: logging's own traceback would hide the rule's error."""


def _refusal(error):
    """A `UserError` of what the system refused; None for any other error.

    HDF5 tells the system's number in its message alone, and NumPy only how much it could write.
    """
    text = str(error)
    number, file = getattr(error, "errno", None), getattr(error, "filename", None)
    if told := HDF5_REFUSED.search(text):
        number, file = int(told["number"]), told["file"]
    elif isinstance(error, OSError) and re.fullmatch(r"\d+ requested and \d+ written", text):
        number = errno.ENOSPC
    if number not in _REFUSALS:
        return None
    found, mend = _REFUSALS[number]
    return UserError(found, file=file and re.sub(r"\.part\d+\.", "", str(file)), mend=mend)


def _tell(line):
    if not os.environ.get(ERRORS_LAST):
        print(f"soyfold: {line}", file=sys.stderr)


@contextlib.contextmanager
def rule_log(path):
    """Send soyfold's log to `path` while a rule's script runs.

    What is logged as `log.warning("WARNING ...")` also goes to the terminal: nobody reads the log
    of a job that ended well. A `UserError`, or what the system refuses (no space, no permission),
    becomes one line in the log and on the terminal (which `progress` writes, where it is at work)
    and exit status 1; any other exception leaves its traceback in the log, so that the terminal
    stays readable.

    Parameters
    ----------
    path : path-like
        The rule's log file; overwritten.

    Raises
    ------
    SystemExit
        With status 1 after any exception inside the block.
    """
    handler = _Handler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    terminal = logging.StreamHandler(sys.stderr)
    erase = "\r\033[K" if sys.stderr.isatty() else ""  # what progress has drawn there
    terminal.setFormatter(logging.Formatter(f"{erase}soyfold: %(message)s"))
    terminal.addFilter(lambda record: str(record.msg).startswith("WARNING "))
    log.addHandler(handler)
    log.addHandler(terminal)
    log.setLevel(logging.INFO)
    started = time.perf_counter()
    try:
        yield log
        log.info("done in %.1f s", time.perf_counter() - started)
    except Exception as error:
        told = error if isinstance(error, UserError) else _refusal(error)
        if told is not None:
            for line in str(told).splitlines():
                log.error("ERROR %s", line)
            _tell(f"ERROR {told}")
            raise SystemExit(1) from None
        log.exception("unexpected %s", type(error).__name__)
        text = " ".join(str(error).split())
        _tell(f"unexpected {type(error).__name__}: {text} (traceback in {path})")
        raise SystemExit(1) from None
    finally:
        log.removeHandler(terminal)
        log.removeHandler(handler)
        with contextlib.suppress(OSError):  # a full disk, told above
            handler.close()
