"""A study written from two files: what is found in them, what is uncertain, nothing overwritten."""

import contextlib

import pytest
import yaml
from loaded_study import ROOT

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.errors import UserError
from soyfold.study import load
from soyfold.study.new_study import choose_assembly, propose_traits, write_study
from soyfold.study.tables import check_tables

A2 = "resources/chromosomes/soybean_wm82.a2.tsv"
SAMPLES = [f"PI{400000 + k}" for k in range(40)]


@pytest.mark.parametrize("file", ["oil.csv", "protein.csv"])
def test_the_study_that_is_written_can_be_run(tmp_path, file):
    with contextlib.chdir(ROOT):
        files, told = write_study(
            "mine", "resources/demo/genotypes.vcf.gz", f"resources/demo/phenotypes/{file}",
            folder=tmp_path,
        )  # fmt: skip
        config = yaml.safe_load((tmp_path / "mine.yaml").read_text())
        study = load(config, ROOT / "workflow/schemas", file=files[0])
        check_tables(study.settings, study.traits, study.schemes)
    assert config["chromosomes"] == A2 and len(study.traits) == 1
    assert all(f"# {line}" in (tmp_path / "mine.yaml").read_text() for line in told)
    with pytest.raises(UserError, match=r"mine\.yaml: found a file of this name"):
        write_study("mine", str(ROOT / A2), str(ROOT / A2), folder=tmp_path)


@pytest.mark.parametrize("name", ["soybean_wm82.a1", "soybean_wm82.a2", "maize_b73.v5"])
def test_declared_lengths_tell_the_assembly(name):
    table = read_chromosomes(ROOT / f"resources/chromosomes/{name}.tsv")
    contigs = dict(zip(table.names, map(int, table.lengths), strict=True))
    chosen, told = choose_assembly(contigs, [(table.names[0], 1)])
    assert chosen == f"resources/chromosomes/{name}.tsv" and not told[0].startswith("?")


def test_positions_tell_it_where_only_one_holds_them_else_it_is_uncertain():
    table = read_chromosomes(ROOT / A2)
    ends = [(name, int(n)) for name, n in zip(table.names, table.lengths, strict=True)]
    assert choose_assembly({}, ends)[0] == A2
    chosen, (told,) = choose_assembly({}, [(table.names[0], 1)])
    assert chosen == A2 and told.startswith("?") and "wm82.a1" in told
    with pytest.raises(UserError, match="found no assembly that fits"):
        choose_assembly({}, [("scaffold_9", 10**9)])


def write(tmp_path, header, row, *, rows=40):
    text = "\n".join(row(k) for k in range(rows))
    path = tmp_path / "table.csv"
    path.write_text(f"{header}\n{text}\n")
    return path


def test_ids_are_the_column_that_names_samples_however_it_is_spelt(tmp_path):
    table = write(tmp_path, "rep,name,line,oil (%),note", lambda k: (
        f"{k % 2},x{k},PI {400000 + k},{20 + k / 10},good"))  # fmt: skip
    (row,), told = propose_traits(table, SAMPLES)
    assert (row["id_column"], row["value_column"], row["unit"]) == ("line", "oil", "%")
    assert row["format"] == "npgs_wide" and "ids: column 'line' names 40 of 40 samples" in told


def test_lines_of_several_rows_are_plots_with_their_environment(tmp_path):
    table = write(tmp_path, "line,env,year,oil", lambda k: (
        f"PI{400000 + k % 20},E{k // 20},{2012 + k // 20},{20 + k / 10}"))  # fmt: skip
    (row,), told = propose_traits(table, SAMPLES)
    assert (row["format"], row["environment_column"]) == ("plots", "env")
    assert any(line.startswith("? lines have several rows") for line in told)


def test_a_table_of_other_lines_is_refused(tmp_path):
    table = write(tmp_path, "line,oil", lambda k: f"W{k},{k}")
    with pytest.raises(UserError, match="no column that names a sample"):
        propose_traits(table, SAMPLES)
