"""Work in a process of its own: what it leaves, what it raises, and how its end is told."""

import faulthandler
import os
import signal

import pytest

from soyfold.common.errors import UserError
from soyfold.common.logs import rule_log
from soyfold.contacts.isolated import run_isolated

HDF5 = (
    "Can't close dataset (file write failed: time = Sun Nov 22 01:25:52 2026\n, filename ="
    " '{}/.part17.x.cool', file descriptor = 4, errno = 28, error message = 'No space left')"
)


def fail(error):
    raise error


def crash():
    faulthandler.disable()  # pytest's
    os.write(2, b"Traceback (most recent call last): in h5py\n")
    os.kill(os.getpid(), signal.SIGSEGV)


def test_files_are_left_and_words_passed_on(tmp_path, capfd):
    out = tmp_path / "x.cool"

    def work():
        out.write_text("done")
        os.write(2, b"a warning\n")

    run_isolated(work, writes=out)
    assert out.read_text() == "done"
    assert capfd.readouterr().err == "a warning\n"


def test_a_user_error_is_the_same_line(tmp_path):
    error = UserError("no bins", file="a.cool", at="line 3", allowed="bins", mend="add some")
    with pytest.raises(UserError) as raised:
        run_isolated(lambda: fail(error), writes=tmp_path / "x.cool")
    assert str(raised.value) == str(error)


def test_a_crash_is_told_by_its_signal(tmp_path, capfd):
    with pytest.raises(RuntimeError, match="ended by SIGSEGV"):
        run_isolated(crash, writes=tmp_path / "x.cool")
    assert "Traceback" not in capfd.readouterr().err


def test_an_end_without_a_word_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="without a word"):
        run_isolated(lambda: os._exit(3), writes=tmp_path / "x.cool")


def crash_after(error):
    os.write(2, str(error).encode())
    crash()


@pytest.mark.parametrize("ending", [fail, crash_after])
def test_a_full_disk_is_one_line_however_hdf5_ends(tmp_path, capfd, ending):
    error = RuntimeError(HDF5.format(tmp_path))
    with pytest.raises(SystemExit), rule_log(tmp_path / "log"):
        run_isolated(lambda: ending(error), writes=tmp_path / "x.cool")
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"soyfold: ERROR {tmp_path}/x.cool: found no space left on the disk")
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_refused_write_that_h5py_only_prints_is_an_error(tmp_path, capfd):
    words = f"Exception ignored in: 'h5py.__dealloc__'\nRuntimeError: {HDF5.format(tmp_path)}\n"
    with pytest.raises(SystemExit), rule_log(tmp_path / "log"):
        run_isolated(lambda: os.write(2, words.encode()), writes=tmp_path / "x.cool")
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"soyfold: ERROR {tmp_path}/x.cool: found no space left on the disk")


def test_a_defect_leaves_its_traceback_in_the_log(tmp_path, capfd):
    with pytest.raises(SystemExit), rule_log(tmp_path / "log"):
        run_isolated(lambda: fail(KeyError("bins")), writes=tmp_path / "x.cool")
    (line,) = capfd.readouterr().err.splitlines()
    assert "KeyError" in line and "'bins'" in line
    assert "in fail" in (tmp_path / "log").read_text()
