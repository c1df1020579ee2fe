"""What a run ends with: one screen that tells what was lost and what was found."""

import io
import sys

import pandas as pd
import pytest

from soyfold.common.files import write_table
from soyfold.report.summary import print_summary


@pytest.fixture
def study(tmp_path):
    """A finished study's tables, as far as the summary reads them."""
    qc = pd.DataFrame(
        {"step": ["raw file", "minor allele frequency"], "samples_left": [416, 400],
         "variants_left": [2096, 2000]}
    )  # fmt: skip
    write_table(qc, tmp_path / "genotypes/qc_counts.tsv")
    joins = pd.DataFrame(
        {"trait": ["oil", "oil", "protein"], "status": ["matched", "genotype_only", "matched"],
         "why": "x", "count": [380, 20, 400]}
    )  # fmt: skip
    write_table(joins, tmp_path / "cohort/join_counts.tsv")
    for storey, seconds in (("genotypes", 3661.0), ("cohort", 59.6)):
        bench = pd.DataFrame({"s": [seconds], "cpu_time": [1.0], "max_rss": [10.0]})
        write_table(bench, tmp_path / f"benchmarks/{storey}/a.tsv")
    tables = {}
    for number in range(12):
        table = pd.DataFrame(
            {"metric": "PCC", "model": ["Mean", "GBLUP"], "mean": [float("nan"), 0.5], "sd": 0.1,
             "seeds": 3, "guards": ["constant output", None]}
        )  # fmt: skip
        tables[f"trait{number}"] = tmp_path / f"evaluation/tables/table_trait{number}.tsv"
        write_table(table, tables[f"trait{number}"])
    return tmp_path, tables


def test_one_screen_of_plain_text(study, capsys):
    results, tables = study
    print_summary(
        study="A study", results=results, tables=tables, scheme="random", study_file="my.yaml"
    )
    out = capsys.readouterr().out
    assert "\033" not in out, "no colours where nobody looks"
    lines = out.splitlines()
    assert len(lines) <= 40
    own = [line for line in lines if str(results) not in line]
    assert max(map(len, own)) <= 80
    assert "416 to 400 samples, 2,096 to 2,000 SNPs" in out and "1:01:01" in out
    assert "2 traits: 380 to 400 joined, 0 to 20 lost" in out
    assert "... and 4 traits more" in out and "12 tables" in out
    assert "! constant output: Mean (trait0)" in out
    assert "make report STUDY=my.yaml" in out


def test_a_report_that_is_there_is_named_alone(study, capsys):
    results, tables = study
    (results / "report").mkdir()
    (results / "report/report.html").write_text("x")
    print_summary(study="S", results=results, tables=tables, scheme="random", study_file="s.yaml")
    assert "make report" not in capsys.readouterr().out


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", "\N{CHECK MARK}"), ("ascii", "+")])
@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_has_a_tick_in_its_own_letters(study, monkeypatch, encoding, mark, colour):
    results, tables = study
    terminal = Terminal(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    if colour:
        monkeypatch.delenv("NO_COLOR", raising=False)
    else:
        monkeypatch.setenv("NO_COLOR", "1")
    print_summary(study="S", results=results, tables=tables, scheme="random")
    terminal.flush()
    text = terminal.buffer.getvalue().decode(encoding)
    assert (f"\033[32m{mark}\033[0m genotypes" in text) == colour
    assert (f"\n{mark} genotypes" in text) != colour
