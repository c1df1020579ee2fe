"""Files that are whole or absent, errors in one line, logs that hold the traceback."""

import ast
import logging

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.common.files import read_sheet_rows, read_table, scratch, staged, write_table
from soyfold.common.logs import log, rule_log
from soyfold.common.programs import find_program, run_program


def test_staged_leaves_nothing_after_a_failure(tmp_path):
    target = tmp_path / "out.tsv"
    with pytest.raises(ZeroDivisionError), staged(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_staged_keeps_the_old_file_until_the_new_is_whole(tmp_path):
    target = tmp_path / "out.tsv"
    target.write_text("old")
    with pytest.raises(KeyError), staged(target) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert target.read_text() == "old"


@given(st.lists(st.floats(allow_infinity=False, width=32), min_size=1, max_size=20))
def test_tables_survive_the_round_trip(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("t") / "x.tsv"
    table = pd.DataFrame({"value": values, "name": ["Ä"] * len(values)})
    write_table(table, path)
    pd.testing.assert_frame_equal(read_table(path), table, rtol=1e-9, check_dtype=False)


def test_a_missing_column_is_named_with_the_header(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("a\tb\n1\t2\n")
    with pytest.raises(UserError, match=r"no column c; allowed: .*; to mend: the header has: a, b"):
        read_table(path, required=("a", "c"))


def test_user_errors_are_one_line():
    error = UserError("a\n b", file="f.vcf", at="line 3", allowed="c", mend="d")
    assert str(error) == "f.vcf, line 3: found a b; allowed: c; to mend: d"


def test_every_user_error_says_what_is_allowed_or_how_to_mend(root):
    silent = []
    for path in sorted((root / "workflow").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UserError":
                given = {keyword.arg for keyword in node.keywords}
                if not given & {"allowed", "mend", None}:
                    silent.append(f"{path.name}:{node.lineno}")
    assert silent == []


@pytest.mark.parametrize("error", [UserError("a word", file="x"), ValueError("a defect")])
def test_rule_log_ends_with_status_1_and_tells_user_errors_from_defects(tmp_path, capsys, error):
    log = tmp_path / "rule.log"
    with pytest.raises(SystemExit) as stopped, rule_log(log):
        logging.getLogger("soyfold").info("working")
        raise error
    assert stopped.value.code == 1
    text = log.read_text()
    assert "working" in text
    assert ("Traceback" in text) == isinstance(error, ValueError)
    terminal = capsys.readouterr().err.strip().splitlines()
    assert len(terminal) == 1 and str(error) in terminal[0]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device", "a.tsv"), "a.tsv: found no space left"),
        (OSError("2544 requested and 0 written"), "found no space left"),
        (
            RuntimeError("write failed:\n, filename = '/r/.part7.a.cool', errno = 28, error"),
            "/r/a.cool: found no space left",
        ),
        (PermissionError(13, "Permission denied", "a.tsv"), "a.tsv: found no permission"),
    ],
)
def test_rule_log_tells_what_the_system_refused_in_one_line(tmp_path, capsys, error, told):
    with pytest.raises(SystemExit), rule_log(tmp_path / "rule.log"):
        raise error
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("soyfold: ERROR") and told in line and "to mend: " in line
    assert "Traceback" not in (tmp_path / "rule.log").read_text()


def test_warnings_reach_the_terminal_and_progress_does_not(tmp_path, capsys):
    with rule_log(tmp_path / "rule.log"):
        log.info("progress")
        log.warning("WARNING %d calls", 3)
    log.warning("WARNING after the rule")
    assert capsys.readouterr().err == "soyfold: WARNING 3 calls\n"
    assert "WARNING 3 calls" in (tmp_path / "rule.log").read_text()


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / ".part1.a.tsv").write_text("half")
    (tmp_path / ".part1.other.a.tsv").write_text("another's")
    (tmp_path / ".part1.a").mkdir()
    (tmp_path / ".part1.a" / "x").write_text("half")
    with staged(tmp_path / "a.tsv") as temporary:
        temporary.write_text("whole")
    with scratch(tmp_path / "a") as folder:
        assert list(folder.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"a.tsv", ".part1.other.a.tsv"}


def test_programs_that_are_absent_or_fail_are_named(tmp_path):
    with pytest.raises(UserError, match="no program no-such-program-x"):
        find_program("no-such-program-x", install="install it")
    with pytest.raises(UserError, match="status 3"):
        run_program(["bash", "-c", "echo Error: broken; exit 3"], folder=tmp_path)
    assert run_program(["echo", "$HOME; ls"]) == "$HOME; ls\n"


@pytest.mark.parametrize(
    "words", ["Error: File write failure.", "IOException: No space left on device"]
)
def test_a_program_on_a_full_disk_is_told_as_any_full_disk(tmp_path, capfd, words):
    out = tmp_path / ".part17.lines/kept"
    with pytest.raises(SystemExit), rule_log(tmp_path / "log"):
        run_program(["bash", "-c", f"echo '{words}'; exit 6", "--out", str(out)])
    assert capfd.readouterr().err == (
        f"soyfold: ERROR {tmp_path}/lines: found no space left on the disk; to mend: make room,"
        " and start the same command again\n"
    )


def test_a_program_of_the_same_name_is_passed_over(tmp_path, monkeypatch):
    """PuTTY's plink, a script that can't start, then PLINK under either name, in PATH's order."""
    says = {
        "a/plink": "plink: Release 0.78",
        "c/plink": "PLINK v1.90b7",
        "d/plink1.9": "PLINK v1.9",
    }
    for place, words in says.items():
        program = tmp_path / place
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\necho {words}\n")
        program.chmod(0o755)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/plink").write_text("#!/no/such/interpreter\n")
    (tmp_path / "b/plink").chmod(0o755)
    places = [str(tmp_path / folder) for folder in "abcd"]

    def find(*folders, banner="PLINK v1.9"):
        monkeypatch.setenv("PATH", ":".join(folders))
        return find_program("plink1.9", "plink", install="install it", banner=banner)

    assert find(*places, banner=None) == find(*places, banner="plink: R") == f"{tmp_path}/a/plink"
    assert find(*places) == f"{tmp_path}/c/plink"
    assert find(*places[::-1]) == f"{tmp_path}/d/plink1.9"
    with pytest.raises(UserError, match=r"no PLINK v1\.9 on PATH, but .*a/plink \('plink: Release"):
        find(*places[:2])


def test_sheets_leave_out_what_is_blank_and_keep_their_lines(tmp_path):
    file = tmp_path / "sheet.tsv"
    file.write_bytes(b'\xef\xbb\xbfa\tb\t\t\r\n\r\n"x"\t1\t\r\n\t\t\t\t\r\nNA\r\ny\t\t\r\n')
    table = read_sheet_rows(file, required=("a", "b"))
    assert list(table.index) == [3, 5, 6] and list(table.columns) == ["a", "b"]
    assert table.fillna("-").to_numpy().tolist() == [["x", "1"], ["-", "-"], ["y", "-"]]
    for text, said in (
        ("a\tb\n\nx\t1\t\t2\n", "line 3: found a row of 4 cells; allowed: 2 cells by tabs: a, b"),
        ("a\tc\n", "found no column b; .* the header has: a, c"),
        ("a\tb\ta\n", "the column 'a' twice"),
        ("\n\t\n", "an empty file"),
    ):
        file.write_text(text)
        with pytest.raises(UserError, match=said):
            read_sheet_rows(file, required=("a", "b"))
