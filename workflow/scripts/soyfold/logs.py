"""A rule's log file: progress, one-line user errors, tracebacks of true defects."""

import contextlib
import logging
import sys
import time

from soyfold.errors import UserError

log = logging.getLogger("soyfold")


@contextlib.contextmanager
def rule_log(path):
    """Send soyfold's log to `path` while a rule's script runs.

    A `UserError` becomes one line in the log and on the terminal and exit status 1; any other
    exception leaves its traceback in the log, so that the terminal stays readable.

    Parameters
    ----------
    path : path-like
        The rule's log file; overwritten.

    Raises
    ------
    SystemExit
        With status 1 after any exception inside the block.
    """
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    started = time.perf_counter()
    try:
        yield log
        log.info("done in %.1f s", time.perf_counter() - started)
    except UserError as error:
        log.error("ERROR %s", error)
        print(f"soyfold: ERROR {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except Exception as error:
        log.exception("unexpected %s", type(error).__name__)
        print(
            f"soyfold: unexpected {type(error).__name__}: {error} (traceback in {path})",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    finally:
        log.removeHandler(handler)
        handler.close()
