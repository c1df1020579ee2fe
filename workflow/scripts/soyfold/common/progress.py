"""What a run shows: one line that moves on a terminal, else a line a job; errors last.

Stands in for the handler that Snakemake writes the terminal with; its log file keeps every word.
"""

import collections
import logging
import os
import re
import shutil
import sys
import threading
import time
from pathlib import Path

from soyfold.common.logs import ERRORS_LAST

# Snakemake's words on what is shown here in another way, or concerns its log alone.
_PASSED_OVER = re.compile(
    r"Select jobs to execute|Exiting because a job|At least one job did not complete|Elapsed time"
    r"|Complete log|Activating conda|Removing (temporary )?output|Touching output|Storing output"
    r"|Job \d+ has been submitted|Job rate limit|Trying to restart|Shutting down|Group job"
    # Of a script that has written why into its log.
    r"|returned non-zero exit status 1\."
)
_ENDED = re.compile(r"died with <Signals\.\w+: \d+>|returned non-zero exit status \d+")
_TOLD = re.compile(r"^(?:\d\d:\d\d:\d\d  )?(?:soyfold: )?ERROR (?P<line>.*)")
_ERASE = "\r\033[K"


def span(seconds):
    """A time in words: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Clock:
    """How long the jobs of each rule took, and what that says of those that are left.

    Parameters
    ----------
    jobs : dict of str to int
        Jobs to run, by rule.
    """

    def __init__(self, jobs, *, now):
        self.left = collections.Counter(jobs)
        self.started = now
        self.taken = collections.defaultdict(list)

    def finish(self, rule, seconds):
        """Note that a job ended."""
        self.left[rule] -= 1
        self.taken[rule].append(seconds)

    def seconds_left(self, now, running=()):
        """Seconds that the run will take; None while nothing is known.

        A rule that hasn't run yet is taken to need the mean of all jobs; as many jobs are taken to
        run at a time as did so far.

        Parameters
        ----------
        now : float
        running : sequence of (str, float)
            Rule and start of the jobs at work.
        """
        times = [seconds for rule in self.taken.values() for seconds in rule]
        if not times or now <= self.started:
            return None
        mean = sum(times) / len(times)
        known = {rule: sum(taken) / len(taken) for rule, taken in self.taken.items()}
        spent = [min(now - start, known.get(rule, mean)) for rule, start in running]
        rest = sum(max(n, 0) * known.get(rule, mean) for rule, n in self.left.items()) - sum(spent)
        busy = sum(times) + sum(now - start for _, start in running)
        return max(rest, 0) / max(busy / (now - self.started), 1)


class Progress(logging.Handler):
    """Snakemake's events as progress, and what failed at the end.

    Parameters
    ----------
    stream : file
        The terminal, or what stands for it.
    jobs : dict of str to int
        Jobs to run, by rule.
    """

    def __init__(self, stream, jobs):
        super().__init__(logging.INFO)
        self.stream = stream
        self.moving = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.started = time.monotonic()
        self.clock = Clock(jobs, now=self.started)
        self.done, self.total = 0, sum(jobs.values())
        self.running, self.failed, self.errors = {}, {}, {}
        self.ended = threading.Event()
        if self.moving:
            threading.Thread(target=self._tick, daemon=True).start()

    def emit(self, record):
        """Take an event; nothing that goes wrong here may end a run."""
        try:
            event = str(getattr(record, "event", None))
            getattr(self, f"_{event}", self._say)(record)
            if self.moving and not self.ended.is_set():
                self._draw()
        except Exception:
            self.handleError(record)

    def close(self):
        """Tell what failed: the last that is written."""
        with self.lock or threading.Lock():
            if not self.ended.is_set() or self.failed or self.errors:
                self._end()
                told = [line for lines in self.failed.values() for line in lines]
                if self.failed:
                    self._write(
                        f"\n{len(self.failed)} of {self.total} jobs failed, {self.done} are done"
                        " and stay so; mend what stands below and start the same command again"
                    )
                for line in dict.fromkeys([*told, *self.errors]):
                    self._write(line)
                self.failed, self.errors = {}, {}
        super().close()

    def _job_info(self, record):
        text = record.rule_msg or record.rule_name.replace("_", " ")
        self.running[record.jobid] = (record.rule_name, text, time.monotonic())
        if not self.moving:
            self._write(f"{time.strftime('%H:%M:%S')}  {self.done:>5} of {self.total}  {text}")

    def _job_finished(self, record):
        self.failed.pop(record.job_id, None)  # another attempt did it
        if record.job_id in self.running:
            rule, _, start = self.running.pop(record.job_id)
            self.clock.finish(rule, time.monotonic() - start)

    def _progress(self, record):
        self.done, self.total = record.done, record.total
        if self.done == self.total:
            self._end()
            self._write(f"{self.total} jobs done in {span(time.monotonic() - self.started)}")

    def _job_error(self, record):
        _, text, _ = self.running.pop(record.jobid, (None, record.rule_name, None))
        self.failed[record.jobid] = self._told(text, record.log)
        if not self.moving:
            self._write(f"{time.strftime('%H:%M:%S')}  failed: {text}")

    def _group_error(self, record):
        for job in record.job_error_info:
            _, text, _ = self.running.pop(job["jobid"], (None, job["rule_name"], None))
            self.failed[job["jobid"]] = self._told(text, [*job["log"], *record.aux_logs])

    def _job_started(self, record):
        """A job that starts tells of itself."""

    _shellcmd = _resources_info = _rulegraph = _debug_dag = _job_started

    def _say(self, record):
        """What else Snakemake says: errors wait for the end, the rest stands as it is."""
        text = record.getMessage() if record.msg else ""
        if not text.strip() or _PASSED_OVER.search(text):
            return
        if record.levelno >= logging.ERROR:
            self.errors[text] = None
        else:
            self._write(text)

    def _told(self, text, logs):
        """Lines on a failed job: its own errors, else why it ended and the end of its log."""
        ends = []
        for path in logs:
            lines = Path(path).read_text(errors="replace").splitlines() if _is_there(path) else []
            if told := [found["line"] for found in map(_TOLD.match, lines) if found]:
                return [f"soyfold: ERROR {line} (log: {path})" for line in told]
            ends += [f"its log {path} ends: {line.strip()}" for line in lines[-1:]]
        why = [_why(error) for error in self.errors] or ["a program or script ended with an error"]
        self.errors = {}
        return [f"soyfold: ERROR {text}: {'; '.join([*why, *ends])}"]

    def _tick(self):
        while not self.ended.wait(1):
            with self.lock:
                if not self.ended.is_set():
                    self._draw()

    def _draw(self):
        now = time.monotonic()
        jobs = list(self.running.values())
        parts = [f"{self.done} of {self.total} jobs"]
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        if jobs:
            parts.append(jobs[-1][1] + (f" (and {len(jobs) - 1} more)" if len(jobs) > 1 else ""))
        left = self.clock.seconds_left(now, [(rule, start) for rule, _, start in jobs])
        if left is not None and now - self.started > 10:
            parts.append(f"about {span(left)} left")
        width = shutil.get_terminal_size().columns - 1
        # The time left is what may not be cut.
        *front, end = parts
        line = " | ".join(front)[: max(width - len(end) - 3, 0)] + f" | {end}" if front else end
        self.stream.write(f"{_ERASE}{line[:width]}")
        self.stream.flush()

    def _end(self):
        if self.moving and not self.ended.is_set():
            self.stream.write(_ERASE)
        self.ended.set()

    def _write(self, text):
        self.stream.write(f"{_ERASE if self.moving and not self.ended.is_set() else ''}{text}\n")
        self.stream.flush()


def _why(error):
    """What a Snakemake error says, in a line."""
    ended = _ENDED.search(error)
    return ended[0] if ended else " ".join(error.split())


def _is_there(path):
    return Path(path).is_file() and os.access(path, os.R_OK)


def show_progress(logger, jobs):
    """Put `Progress` in the place of Snakemake's own handler of the terminal.

    Where there is none, since the user has asked for another logger, nothing changes.

    Parameters
    ----------
    logger : logging.Logger
        Snakemake's.
    jobs : dict of str to int
        Jobs to run, by rule.
    """
    own = [handler for handler in logger.handlers if handler.name == "DefaultStreamHandler"]
    for handler in own:
        progress = Progress(getattr(handler, "stream", sys.stderr), jobs)
        for one in handler.filters:
            progress.addFilter(one)
        logger.removeHandler(handler)
        logger.addHandler(progress)
        os.environ[ERRORS_LAST] = "1"  # jobs leave their errors to it
