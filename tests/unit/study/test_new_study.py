"""A study written from two files: what is found in them, what is uncertain, nothing overwritten."""

import contextlib

import pytest
import yaml
from loaded_study import ROOT

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.errors import UserError
from soyfold.genotypes.markers import Codes
from soyfold.study import load
from soyfold.study.marker_tables import propose_codes
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
    small = read_chromosomes(ROOT / "resources/chromosomes/yeast_saccer3.tsv")
    ends = [(f"chr{k:02d}", int(n)) for k, n in enumerate(small.lengths, start=1)]
    chosen, (told,) = choose_assembly({}, ends)
    assert "yeast" in chosen and "soybean" not in told
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


# What a code counts of ALT where it is decided: a homozygote, the heterozygote, the other one.
KNOWN = {
    "counts": "0 1 2", "minus": "-1 0 1", "letters": "A H B", "pairs": "AA AB BB",
    "parted": "A/A A/B B/B", "words": "BY HET RM", "decimals": "0.0 1.0 2.0", "three": "1 2 3",
}  # fmt: skip


@pytest.mark.parametrize("kind", KNOWN)
def test_codes_are_found_however_rare_the_heterozygote_is(kind):
    texts = KNOWN[kind].split()
    for shares in ([500, 50, 450], [500, 3, 497]):
        codes, told = propose_codes(dict(zip(texts, shares, strict=True)) | {"NA": 20})
        assert [Codes(codes)[text.encode()] for text in texts] == [0, 1, 2]
        assert all(line.startswith("? codes") for line in told)


@pytest.mark.parametrize(("two", "mark"), [("0 1", None), ("1 2", None), ("0 2", "-1")])
def test_two_numbers_alone_are_homozygotes_and_marks_beside_them_are_told(two, mark):
    first, second = two.split()
    codes, told = propose_codes({first: 500, second: 500} | ({mark: 100} if mark else {}))
    assert Codes(codes)[first.encode()] == 0 and Codes(codes)[second.encode()] == 2
    assert any(f"({mark}), which become missing" in line for line in told) == bool(mark)


@pytest.mark.parametrize("cells", ["A C G T N", "AA AC CC NN", "A G R", "A/T T/T A/A"])
def test_bases_need_no_codes(cells):
    assert propose_codes(dict.fromkeys(cells.split(), 10)) == (None, [])


def test_codes_that_nobody_knows_are_asked_for():
    codes, (told,) = propose_codes({"0": 5, "1": 5, "2": 5, "7": 5})
    assert codes is None and told.startswith("? codes: no known ones ('0', '1', '2', '7')")


def test_a_marker_table_becomes_a_study_with_names_and_codes(tmp_path):
    """As the yeast's table: places and alleles in the names, parents' letters in the cells."""
    samples = [f"A{k:02d}" for k in range(20)]
    rows = [
        f"{k}_chr01_{1000 + k}_T_C\t" + "\t".join("BR"[(k + n) % 2] for n in range(20))
        for k in range(30)
    ]
    (tmp_path / "g.txt").write_text("\n".join(["\t".join(["marker", *samples]), *rows]) + "\n")
    values = [f"{name}\t{20 + n / 7:.3f}" for n, name in enumerate(samples)]
    (tmp_path / "p.tsv").write_text("\n".join(["\tgrowth", *values]) + "\n")
    with contextlib.chdir(ROOT):
        (study, _), told = write_study(
            "mine", str(tmp_path / "g.txt"), str(tmp_path / "p.tsv"), folder=tmp_path
        )
        config = yaml.safe_load((tmp_path / "mine.yaml").read_text())
        loaded = load(config, ROOT / "workflow/schemas", file=study)
        check_tables(loaded.settings, loaded.traits, loaded.schemes)
    assert config["genotypes"]["codes"] == {"B": 0, "R": 2}
    assert loaded.settings["genotypes"]["format"] == "marker_table"
    assert loaded.traits["growth"]["id_column"] is None
    said = [line for line in told if "marker_name" in line or "codes" in line]
    assert "chromosome chr01, position 1000, ref T, alt C" in said[0]
    assert "which of B and R is ALT" in said[1] and all(line.startswith("?") for line in said)


def test_a_file_that_is_no_table_is_refused_as_before(tmp_path):
    (tmp_path / "g.ped").write_text("x\n")
    with pytest.raises(UserError, match=r"make a bed of \.ped and \.map"):
        write_study("mine", str(tmp_path / "g.ped"), str(tmp_path / "g.ped"), folder=tmp_path)
