"""Bad Hi-C input: one line that names file, place, what was found and what is allowed."""

import gzip
import sys
from pathlib import Path

import cooler
import numpy as np
import pandas as pd
import pytest
from hic_files import (
    ASSEMBLY,
    CONTIGS,
    dense_of,
    draw_pairs,
    file_bins,
    folded,
    row_of,
    write_matrix,
    write_pairs,
)  # fmt: skip

from soyfold.common.errors import UserError
from soyfold.contacts import sum_by_chromosome
from soyfold.contacts.library import load_library
from soyfold.contacts.merging import merge_libraries
from soyfold.study.settings import read_libraries

NAMES = ASSEMBLY.names


@pytest.fixture
def load(tmp_path):
    def loading(row, **options):
        folder = tmp_path / "out"
        options = {"resolution": None, **options}
        load_library(row, ASSEMBLY, cool=folder / "a.cool", table=folder / "a.tsv", **options)

    return loading


@pytest.fixture
def refused(load, tmp_path):
    """Load a row that must be refused; nothing half-written may be left."""

    def refusing(row, *patterns, **options):
        with pytest.raises(UserError) as caught:
            load(row, **options)
        message = str(caught.value)
        assert "\n" not in message
        for pattern in patterns:
            assert pattern in message
        assert not list((tmp_path / "out").glob("*"))
        assert not list((tmp_path / "out").glob(".*"))

    return refusing


@pytest.fixture
def matrix(tmp_path):
    """A matrix file with one cell of its lines, and of its bins, changed."""

    def writing(*, line=None, bins=None):
        bins = file_bins() if bins is None else bins
        dense = dense_of(draw_pairs(500), file_bins())
        path, bed = write_matrix(dense, bins, tmp_path)
        if line is not None:
            lines = Path(path).read_text().splitlines()
            lines[4] = line
            Path(path).write_text("\n".join(lines) + "\n")
        return row_of("hicpro_matrix", path, bins=bed)

    return writing


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("0\t3\t2", "bin 0, and bin 37"),
        ("1\t999\t2", "bin 999, beyond the last"),
        ("1\t3\t-2", "a count"),
        ("1\tx3\t2", "bin2 'x3'"),
        ("1\t3\tmany", "count 'many'"),
        ("1\t3", "a line of 2 cells"),
        ("1\t3\tnan", "count 'nan'"),
    ],
)
def test_a_bad_line_of_a_matrix_is_named(line, found, matrix, refused):
    row = matrix(line=line)
    refused(row, row["file"], "line 5", found)


def test_bins_that_skip_a_number(matrix, refused):
    bins = file_bins()
    bins.loc[3:, "number"] += 1
    refused(matrix(bins=bins), "line 4", "bin number 5")


def test_bins_of_another_assembly(matrix, refused):
    bins = file_bins(contigs={**CONTIGS, "Chr04": 11_501})
    refused(matrix(bins=bins), "Gm04 of 11501 bp", "11001 bp", "assembly.tsv")


def test_bins_of_restriction_fragments(matrix, refused):
    bins = file_bins()
    bins.loc[1, ["start", "end"]] = [1100, 2000]
    refused(matrix(bins=bins), "the bin Chr03:1100-2000", "bins of one size")


def test_bins_missing(matrix, refused):
    bins = file_bins().drop(index=2)
    refused(matrix(bins=bins.assign(number=range(1, len(bins) + 1))), "bins of Gm03 missing")


def test_bins_that_lack_a_chromosome(matrix, refused):
    bins = file_bins(contigs={name: size for name, size in CONTIGS.items() if name != "Chr02"})
    refused(matrix(bins=bins), "no contacts of chromosome Gm02")


def test_two_contigs_for_one_chromosome(matrix, refused):
    bins = file_bins(contigs={**CONTIGS, "Gm03": 4_200})
    refused(matrix(bins=bins), "'Chr03' and 'Gm03', both Gm03")


def test_a_matrix_without_its_bins(matrix, refused):
    refused({**matrix(), "bins": None}, "no bins", "_abs.bed")


def test_pairs_that_lack_a_chromosome(tmp_path, refused):
    pairs = draw_pairs(300)
    pairs = pairs[(pairs["chr1"] != "Chr02") & (pairs["chr2"] != "Chr02")]
    file = write_pairs(pairs, tmp_path / "a.allValidPairs")
    refused(row_of("hicpro_pairs", file, resolution=1000), file, "no contacts of chromosome Gm02")


@pytest.mark.parametrize("position", [0, 9_501])
def test_pairs_off_the_chromosome(position, tmp_path, refused):
    pairs = draw_pairs(300)
    pairs.loc[7, ["chr2", "pos2"]] = ["Chr01", position]
    file = write_pairs(pairs, tmp_path / "a.allValidPairs")
    row = row_of("hicpro_pairs", file, resolution=1000)
    refused(row, file, "line 8, pos2", f"position {position} on Gm01", "1 to 9500 (assembly.tsv)")


def test_pairs_with_text_for_a_position(tmp_path, refused):
    pairs = draw_pairs(50).astype(object)
    pairs.loc[20, "pos1"] = "12k"
    file = write_pairs(pairs, tmp_path / "a.allValidPairs")
    refused(row_of("hicpro_pairs", file, resolution=1000), "line 21", "pos1 '12k'")


def test_pairs_of_too_few_columns(tmp_path, refused):
    file = tmp_path / "a.allValidPairs"
    file.write_text("Chr01\t1\tChr02\t2\n")
    refused(row_of("hicpro_pairs", file, resolution=1000), str(file), "allValidPairs")


def test_pairs_without_a_resolution(tmp_path, refused):
    file = write_pairs(draw_pairs(50), tmp_path / "a.allValidPairs")
    refused(row_of("hicpro_pairs", file), "no resolution", "hic.tsv")


def test_truncated_gzip(tmp_path, refused):
    file = write_pairs(draw_pairs(3_000), tmp_path / "a.allValidPairs.gz")
    content = Path(file).read_bytes()
    Path(file).write_bytes(content[: len(content) // 2])
    refused(row_of("hicpro_pairs", file, resolution=1000), file, "truncated or damaged gzip")


@pytest.mark.parametrize("name", ["a.allValidPairs", "a.allValidPairs.gz"])
def test_an_empty_file(name, tmp_path, refused):
    file = tmp_path / name
    file.write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")
    refused(row_of("hicpro_pairs", file, resolution=1000), str(file), "an empty file")


def test_no_such_file(tmp_path, refused):
    file = tmp_path / "absent"
    for kind in ("hicpro_pairs", "cool", "mcool"):
        refused(row_of(kind, file, resolution=1000), str(file))


@pytest.mark.parametrize("kind", ["cool", "mcool", "hic"])
def test_a_file_of_another_kind(kind, tmp_path, refused):
    if kind == "hic":
        pytest.importorskip("hicstraw")
    file = tmp_path / "a.file"
    file.write_text("text\n" * 10)
    refused(row_of(kind, file), str(file))


def test_hic_without_hicstraw(tmp_path, refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "hicstraw", None)
    (tmp_path / "a.hic").write_bytes(b"HIC\0" + bytes(60))
    refused(row_of("hic", tmp_path / "a.hic"), "hicstraw", "pip install hic-straw")


def write_cool(path, bins=None):
    bins = file_bins() if bins is None else bins
    upper = folded(dense_of(draw_pairs(500), bins))
    one, two = np.nonzero(upper)
    table = pd.DataFrame({"bin1_id": one, "bin2_id": two, "count": upper[one, two]})
    cooler.create_cooler(str(path), bins[["chrom", "start", "end"]], table)
    return str(path)


def test_a_bin_size_that_the_file_lacks_or_that_does_not_divide(tmp_path, refused):
    file = write_cool(tmp_path / "a.cool")
    refused(row_of("cool", file, resolution=5000), file, "no bins of 5000 bp", "1000")
    refused(row_of("cool", file), "no bins that divide 2500 bp", resolution=2500)


def test_libraries_of_bin_sizes_without_a_common_multiple(tmp_path):
    coolers, tables = [], []
    for size in (2000, 3000):
        file = write_cool(tmp_path / f"{size}.cool", file_bins(size))
        coolers.append(tmp_path / f"l{size}.cool")
        tables.append(tmp_path / f"l{size}.tsv")
        row = row_of("cool", file)
        load_library(row, ASSEMBLY, resolution=None, cool=coolers[-1], table=tables[-1])
    with pytest.raises(UserError, match=r"l2000\.cool: found bins of 2000 bp.*divide 3000"):
        merge_libraries(
            coolers, tables, balance=True, cool=tmp_path / "m.cool", table=tmp_path / "m.tsv"
        )
    assert not (tmp_path / "m.cool").exists()
    assert not (tmp_path / "m.tsv").exists()


def test_sums_of_an_unknown_chromosome_or_without_weights(tmp_path):
    file = write_cool(tmp_path / "a.cool")
    with pytest.raises(UserError, match="no chromosome Gm01"):
        sum_by_chromosome(file, ["Gm01"])
    with pytest.raises(UserError, match="'Chr01' wanted twice"):
        sum_by_chromosome(file, ["Chr01", "Chr01"])
    with pytest.raises(UserError, match="no balancing weights"):
        sum_by_chromosome(file, ["Chr01"], balanced=True)
    with pytest.raises(UserError, match="no cooler"):
        sum_by_chromosome(tmp_path / "absent.cool", ["Chr01"])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("m\thicpro_matrix\ta.matrix\tNA\tNA", "library m: found no bins"),
        ("p\thicpro_pairs\ta.allValidPairs\tNA\tNA", "library p: found no resolution"),
    ],
)
def test_the_sheet_is_refused_before_the_first_job(line, found, tmp_path, root):
    sheet = tmp_path / "hic.tsv"
    sheet.write_text(f"library\tformat\tfile\tbins\tresolution\n{line}\n")
    study = {"contacts": {"libraries": str(sheet), "resolution": "coarsest"}}
    with pytest.raises(UserError, match=found):
        read_libraries(study, root / "workflow" / "schemas")


def test_a_group_of_a_file_comes_apart_from_its_path(tmp_path, root):
    sheet = tmp_path / "hic.tsv"
    lines = ["library\tformat\tfile\tbins\tresolution\t", "", "\t\t\t\t\t"]
    lines += ["a\tmcool\tx.mcool::/resolutions/1000\tNA\tNA\t\t", "b\tcool\ty.cool"]
    sheet.write_text("\ufeff" + "\r\n".join([*lines, "\t\t", ""]))
    study = {"contacts": {"libraries": str(sheet), "resolution": "coarsest"}}
    libraries = read_libraries(study, root / "workflow" / "schemas")
    assert list(libraries) == ["a", "b"]
    assert libraries["a"]["file"] == "x.mcool" and libraries["a"]["group"] == "/resolutions/1000"
    assert libraries["b"]["file"] == "y.cool" and libraries["b"]["group"] is None
    sheet.write_text("\r\n".join([*lines, "c\tcool"]))
    with pytest.raises(UserError, match=r"hic.tsv, line 6 key file: found None"):
        read_libraries(study, root / "workflow" / "schemas")
