"""Calling the outside programs: PLINK 1.9, PLINK 2 and Beagle."""

import errno
import os
import re
import shutil
import subprocess
from pathlib import Path

from soyfold.common.errors import UserError
from soyfold.common.logs import log


def find_program(*names, install, banner=None):
    """Full path of a program: the first on PATH under one of the names that is the right one.

    Parameters
    ----------
    *names : str
        In a folder that has several, the first of them is looked at first.
    install : str
        The command that would bring it, for messages.
    banner : str, optional
        How the answer to `--version` begins, where other programs bear the name too.

    Raises
    ------
    UserError
        If none is there, or other programs alone.
    """
    places = (shutil.which(name, path=at) for at in os.get_exec_path() for name in names)
    found = list(filter(None, places))
    if not found:
        raise UserError(f"no program {' or '.join(names)} on PATH", mend=install)
    others = []
    for path in found:
        told = banner and _version(path)
        if banner is None or told.startswith(banner):
            return path
        others.append(f"{path} ({told[:40]!r})")
    raise UserError(f"no {banner} on PATH, but {', '.join(others)}", mend=install)


def _version(path):
    """What a program says of itself; nothing where it can't be started."""
    try:
        return subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            check=False,
        ).stdout
    except OSError:
        return ""


def without_progress(output):
    """A program's output without the percentages that it wrote over one another."""
    return re.sub(r"(\d+%[\b\r]*)+", "", output).rstrip()


def check_room(output, folder):
    """Raise what the system refused if a failed program says that it could not write.

    Parameters
    ----------
    output : str
        What the program said.
    folder : path-like
        Where it writes.

    Raises
    ------
    OSError
        No space left (or a quota used up: PLINK 1.9 doesn't say which); `logs.rule_log`
        tells it in one line.
    """
    # PLINK's words, and those of Java.
    if "File write failure" in output or "No space left on device" in output:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def writing_folder(command, folder=None):
    """Where a command writes: the folder of its `--out`, or the one it runs in."""
    if "--out" in command:
        return Path(command[command.index("--out") + 1]).parent
    return folder or "."


def run_program(command, *, folder=None, file=None, env=None):
    """Run a command (list of arguments, never a shell) and log its output.

    Parameters
    ----------
    command : sequence
        Program and arguments.
    folder : path-like, optional
        Working folder.
    file : path-like, optional
        The user's file that the program works on, named if it fails.
    env : mapping, optional
        Environment of the program.

    Raises
    ------
    UserError
        If the program exits with another status than 0; its last lines are quoted, and `output`
        has all.
    OSError
        No space left, if the program says so.
    """
    command = [str(part) for part in command]
    log.info("$ %s", " ".join(command))
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    log.info("%s", without_progress(done.stdout))
    if done.returncode != 0:
        check_room(done.stdout, writing_folder(command, folder))
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        lines = [line for line in lines if not line.startswith("\tat ")]  # Java's stack
        error_lines = [line for line in lines if "rror" in line or "xception" in line]
        error_lines = error_lines or lines[-2:]
        error = UserError(
            f"{Path(command[0]).name} stopped with status {done.returncode}:"
            f" {' '.join(error_lines[-3:])}",
            file=file,
            mend="see the whole output in this rule's log",
        )
        error.output = done.stdout
        raise error
    return done.stdout
