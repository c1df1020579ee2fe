"""What a run shows: a moving line or a line a job, and errors last, once."""

import io
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.common import progress
from soyfold.common.errors import UserError
from soyfold.common.logs import ERRORS_LAST, rule_log
from soyfold.common.progress import Clock, Progress, show_progress, span

LOST = "oil.csv, trait oil: found 2 joined lines"


class Terminal(io.StringIO):
    """A stream that says of itself that it is one."""

    def isatty(self):
        return True

    def screen(self):
        """Lines as they stand once all is written: each redraw erases its line first."""
        return [line.rpartition("\r\x1b[K")[2] for line in self.getvalue().split("\n")]


@pytest.fixture(params=[io.StringIO, Terminal])
def stream(request):
    return request.param()


@pytest.fixture
def logger():
    own = logging.Logger("snakemake-like")
    yield own
    for handler in own.handlers:
        handler.close()


def follow(logger, stream, jobs=None):
    handler = Progress(stream, jobs or {"join_trait": 2, "all": 1})
    logger.addHandler(handler)
    return handler


def begin(logger, jobid, text, rule="join_trait"):
    event = {"event": "job_info", "jobid": jobid, "rule_name": rule, "rule_msg": text}
    logger.info("rule", extra=event)


def end(logger, jobid, done, total=3):
    logger.info("Finished", extra={"event": "job_finished", "job_id": jobid})
    logger.info(None, extra={"event": "progress", "done": done, "total": total})


def fail(logger, jobid, log, status="returned non-zero exit status 1."):
    text = f"RuleException:\nCalledProcessError\nCommand 'python x.py' {status}"
    logger.error(text, extra={"event": "error", "exception": "RuleException"})
    event = {"event": "job_error", "jobid": jobid, "rule_name": "join_trait", "log": [str(log)]}
    logger.error("Error in rule", extra=event)
    logger.error("Exiting because a job execution failed. Look above for error messages")
    logger.error("WorkflowError:\nAt least one job did not complete successfully.")


def test_a_terminal_has_one_line_that_moves(logger):
    terminal = Terminal()
    handler = follow(logger, terminal)
    begin(logger, 1, "cohort: joining oil")
    begin(logger, 2, "cohort: joining protein")
    assert terminal.screen() == ["0 of 3 jobs | cohort: joining protein (and 1 more)"]
    end(logger, 2, 1)
    assert terminal.screen() == ["1 of 3 jobs | cohort: joining oil"]
    logger.warning("a word of Snakemake's")
    assert terminal.screen() == ["a word of Snakemake's", "1 of 3 jobs | cohort: joining oil"]
    end(logger, 1, 2)
    end(logger, 0, 3)
    handler.close()
    assert terminal.screen() == ["a word of Snakemake's", "3 jobs done in 0 s", ""]


def test_a_file_has_a_line_for_each_job(logger):
    file = io.StringIO()
    follow(logger, file)
    begin(logger, 1, "cohort: joining oil")
    end(logger, 1, 1)
    begin(logger, 2, None, rule="all")
    lines = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in file.getvalue().splitlines()]
    assert lines == ["     0 of 3  cohort: joining oil", "     1 of 3  all"]
    assert "\x1b" not in file.getvalue() and "\r" not in file.getvalue()


def test_the_line_is_no_wider_than_the_terminal_and_keeps_the_time_left(logger, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    handler = follow(logger, terminal)
    begin(logger, 1, "cohort: joining oil")
    handler.started = handler.clock.started = handler.started - 100
    handler.running[1] = ("join_trait", "x", handler.started)
    end(logger, 1, 1)
    begin(logger, 2, "cohort: " + "very " * 20 + "long")
    (line,) = terminal.screen()
    assert len(line) < 40 and re.search(r"about \d+ (s|min) left$", line), line


def test_errors_stand_last_and_once(logger, stream, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(ERRORS_LAST, "1")
    log = tmp_path / "oil.log"
    with pytest.raises(SystemExit), rule_log(log):
        raise UserError("2 joined lines", file="oil.csv", at="trait oil")
    assert capsys.readouterr().err == ""  # the job leaves it to the run
    handler = follow(logger, stream)
    begin(logger, 1, "cohort: joining oil")
    begin(logger, 2, "cohort: joining protein")
    fail(logger, 1, log)
    assert LOST not in stream.getvalue()
    end(logger, 2, 1)
    handler.close()
    handler.close()
    text = stream.getvalue()
    assert text.endswith(f"soyfold: ERROR {LOST} (log: {log})\n") and text.count(LOST) == 1
    assert "1 of 3 jobs failed, 1 are done" in text
    assert "RuleException" not in text and "WorkflowError" not in text


def test_each_line_of_several_errors_is_told(logger, stream, tmp_path):
    log = tmp_path / "x.log"
    log.write_text("10:00:00  reading\n10:00:01  ERROR a.tsv: found x\n")
    other = tmp_path / "y.log"
    other.write_text(
        "10:00:01  unexpected KeyError\nTraceback (most recent call last):\nKeyError: 'k'\n"
    )
    handler = follow(logger, stream)
    for jobid, path in enumerate((log, other, tmp_path / "none.log")):
        begin(logger, jobid, f"cohort: job {jobid}")
        fail(logger, jobid, path, "died with <Signals.SIGKILL: 9>." if jobid == 2 else
             "returned non-zero exit status 1.")  # fmt: skip
    handler.close()
    assert stream.getvalue().splitlines()[-3:] == [
        f"soyfold: ERROR a.tsv: found x (log: {log})",
        "soyfold: ERROR cohort: job 1: a program or script ended with an error;"
        f" its log {other} ends: KeyError: 'k'",
        "soyfold: ERROR cohort: job 2: died with <Signals.SIGKILL: 9>",
    ]


def test_a_job_that_a_second_attempt_does_has_not_failed(logger, stream, tmp_path):
    handler = follow(logger, stream)
    begin(logger, 1, "training: gblup")
    fail(logger, 1, tmp_path / "none.log", "died with <Signals.SIGKILL: 9>.")
    begin(logger, 1, "training: gblup")
    end(logger, 1, 1)
    handler.close()
    assert "ERROR" not in stream.getvalue() and "SIGKILL" not in stream.getvalue()


def test_an_error_of_snakemake_itself_is_told(logger, stream):
    handler = follow(logger, stream)
    logger.error("WorkflowError:\nno such profile", extra={"event": "error", "exception": "X"})
    handler.close()
    assert stream.getvalue().endswith("WorkflowError:\nno such profile\n")


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=8), st.integers(0, 20))
def test_jobs_one_after_the_other_need_the_mean_each(times, left):
    clock = Clock({"fit": len(times) + left}, now=0.0)
    for seconds in times:
        clock.finish("fit", seconds)
    assert clock.seconds_left(sum(times)) == pytest.approx(left * sum(times) / len(times))


def test_jobs_side_by_side_need_less_and_rules_keep_their_own_means():
    clock = Clock({"fit": 6, "plot": 2}, now=0.0)
    assert clock.seconds_left(10.0) is None
    for _ in range(2):
        clock.finish("fit", 10.0)
    clock.finish("plot", 1.0)
    # 4 fits and a plot are left, and 21 s of work took 10.5 s.
    assert clock.seconds_left(10.5) == pytest.approx(41 / 2)
    # Two of the fits are at work since 5 s.
    busy = (21 + 10) / 15.5
    assert clock.seconds_left(15.5, [("fit", 10.5)] * 2) == pytest.approx((41 - 10) / busy)


def test_spans():
    assert [span(s) for s in (4.4, 89, 90, 1000, 5400, 36000)] == [
        "4 s", "89 s", "2 min", "17 min", "1.5 h", "10.0 h",
    ]  # fmt: skip


def test_it_stands_in_for_snakemakes_own_handler_alone(logger, monkeypatch):
    monkeypatch.delenv(ERRORS_LAST, raising=False)
    file, own, other = io.StringIO(), logging.StreamHandler(), logging.StreamHandler()
    own.name, own.stream, other.name = "DefaultStreamHandler", file, "DefaultLogFileHandler"
    logger.addHandler(other)
    show_progress(logger, {"all": 1})
    assert logger.handlers == [other] and not progress.os.environ.get(ERRORS_LAST)
    own.addFilter(lambda record: "quiet" not in record.msg)
    logger.addHandler(own)
    monkeypatch.setenv(ERRORS_LAST, "")
    show_progress(logger, {"all": 1})
    assert own not in logger.handlers and isinstance(logger.handlers[-1], Progress)
    logger.warning("quiet")
    logger.warning("loud")
    assert file.getvalue() == "loud\n"
