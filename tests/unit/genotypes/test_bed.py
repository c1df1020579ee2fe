"""soyfold.genotypes.bed: packed genotypes, their direction, and files that don't fit together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pandas_plink import read_plink1_bin

from soyfold.common.errors import UserError
from soyfold.genotypes import bed

COUNTS = hnp.arrays(
    np.int8,
    st.tuples(st.integers(0, 5), st.integers(1, 11)),
    elements=st.integers(-1, 2),
)


@given(COUNTS)
def test_pack_and_unpack_are_inverse(counts):
    rows = bed.pack(counts)
    assert rows.shape == (len(counts), -(-counts.shape[1] // 4))
    assert np.array_equal(bed.unpack(rows, counts.shape[1]), counts)


@given(COUNTS)
def test_made_homozygous_a_bed_has_2_for_1_and_all_else_as_before(tmp_path_factory, counts):
    path = tmp_path_factory.mktemp("bed") / "x.bed"
    bed.write_bed(np.vstack([bed.pack(counts), bed.pack(counts * 0 + 1)]), path)
    bed.make_homozygous(path)
    variants, samples = counts.shape
    found = bed.unpack(bed.open_bed(path, variants=2 * variants, samples=samples), samples)
    np.testing.assert_array_equal(found[:variants], np.where(counts == 1, 2, counts))
    assert (found[variants:] == 2).all()


@given(COUNTS)
def test_blocks_cover_all_variants_in_order(counts):
    rows = bed.pack(counts)
    seen = list(bed.blocks(rows, counts.shape[1], cells=10))
    assert [i for part, _ in seen for i in range(part.start, part.stop)] == list(range(len(counts)))
    for part, block in seen:
        assert np.array_equal(block, counts[part])


def write_set(folder, counts):
    variants, samples = counts.shape
    bim = pd.DataFrame(
        {
            "chromosome": "chrX",
            "variant": [f"m{i}" for i in range(variants)],
            "position": np.arange(1, variants + 1),
            "alt": "G",
            "ref": "A",
        }
    )
    bed.write_bed(bed.pack(counts), folder / "x.bed")
    bed.write_bim(bim, folder / "x.bim")
    bed.write_fam([f"s{i}" for i in range(samples)], folder / "x.fam")


def test_a1_is_alt_for_pandas_plink(tmp_path):
    counts = np.array([[0, 1, 2, -1, 2], [2, 2, 0, 1, -1]], dtype=np.int8)
    write_set(tmp_path, counts)
    files = (str(tmp_path / f"x.{suffix}") for suffix in ("bed", "bim", "fam"))
    dosage = read_plink1_bin(*files, ref="a0", verbose=False)
    expected = np.where(counts < 0, np.nan, counts).T
    assert np.array_equal(dosage.values, expected, equal_nan=True)
    assert set(dosage.chrom.values) == {"chrX"}
    assert list(dosage.a0.values) == ["G", "G"]


def test_files_come_back(tmp_path):
    write_set(tmp_path, np.zeros((3, 2), dtype=np.int8))
    bim = bed.read_bim(tmp_path / "x.bim")
    assert bim["position"].tolist() == [1, 2, 3] and bim["alt"].tolist() == ["G"] * 3
    assert bed.read_fam(tmp_path / "x.fam") == ["s0", "s1"]
    rows = bed.open_bed(tmp_path / "x.bed", variants=3, samples=2)
    assert rows.shape == (3, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first bytes none"),
        (b"PK\x03", "a PLINK bed"),
        (b"\x6c\x1b\x00\x00", "a row a sample"),
        (bed.MAGIC + b"\x00\x00", "6 bytes for the 3 variants"),
    ],
)
def test_other_files_are_refused(tmp_path, content, said):
    (tmp_path / "x.bed").write_bytes(content)
    with pytest.raises(UserError, match=said):
        bed.open_bed(tmp_path / "x.bed", variants=3, samples=2)


def test_bim_defects_are_named(tmp_path):
    (tmp_path / "x.bim").write_text("1 a 0 10 G A\n1 b 0 10.5 G A\n")
    with pytest.raises(UserError, match=r"x.bim, line 2: found position '10.5'"):
        bed.read_bim(tmp_path / "x.bim")
    (tmp_path / "x.bim").write_text("1 a 0 10 G A\n1 b 0 11 G\n")
    with pytest.raises(UserError, match="line 2: found a line of 5 columns; allowed: 6: chr"):
        bed.read_bim(tmp_path / "x.bim")
    with pytest.raises(UserError, match=r"no such file.*beside it"):
        bed.read_fam(tmp_path / "x.fam")


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        (b"F1 a 0 0 0 -9\nF2 b 0 0 0 -9\n", ["a", "b"]),
        (b"\xef\xbb\xbfF1 a 0 0 1\r\nF2 b 0 0 2\r\n\r\n", ["a", "b"]),  # no phenotypes
        (b"a 0 0 1 -9\nb 0 0 2 -9\n", ["a", "b"]),  # no families
        (b"F1\ta\t0\t0\t0\t-9\t\nF2\tb\t0\t0\t0\t-9\t\t\n\t\t\n", ["a", "b"]),
        (b"  F1   a 0 0 0 -9 \n\n  F2   b 0 0 0 -9 \n", ["a", "b"]),
        (b'"F1" "a" 0 0 0 -9\n"F2" "b" 0 0 0 -9\n', ["a", "b"]),  # R's quotes
        (b"#FID IID PAT MAT SEX PHENO\nF1 a 0 0 0 -9\nF2 b 0 0 0 -9\n", ["a", "b"]),
        (b"F1\tPI 1\t0\t0\t0\t-9\n", ["PI 1"]),
        ("F\t鲁豆35\t0\t0\t0\t-9\n".encode("utf-16"), ["鲁豆35"]),
        (b"\n", []),
        (b"", []),
    ],
)
def test_fams_of_other_programs(tmp_path, text, samples):
    (tmp_path / "x.fam").write_bytes(text)
    assert bed.read_fam(tmp_path / "x.fam") == samples


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"PI 1 PI 1 0 0 0 -9\n", "line 1: found a line of at least 8 columns"),
        (b"F a 0 0 0 -9\nF b 0 0 0\n", "line 2: found a line of 5 columns"),
        (b"a\nb\n", "line 1: found a line of 1 columns; allowed: 6: .* or 5: "),
        (
            "F 中黄35 0 0 0 -9\n".encode("gbk"),
            "line 1: found .*'中黄35' as GBK",
        ),
    ],
)
def test_fams_that_are_refused(tmp_path, text, said):
    (tmp_path / "x.fam").write_bytes(text)
    with pytest.raises(UserError, match=said):
        bed.read_fam(tmp_path / "x.fam")


def test_a_bim_without_centimorgans_or_with_blank_lines(tmp_path):
    path = tmp_path / "x.bim"
    path.write_text("1 a 0 100000 G A\n1 b 0 0 T C\n")
    whole = bed.read_bim(path)
    path.write_text("CHR\tSNP\tBP\tA1\tA2\n1\ta\t1e+05\tG\tA\t\n\n1\tb\tNA\tT\tC\n\n")
    short = bed.read_bim(path)
    assert short.equals(whole) and short["position"].tolist() == [100000, 0]
    assert short.attrs["lines"] == [2, 4] and "lines" not in whole.attrs


@pytest.mark.parametrize(
    ("ids", "read"),
    [
        (["Gm01:7", "S2_9_A_G"], ["Gm01", "2"]),
        (["Gm01:8", "S2_9_A_G"], None),  # another position
        (["Gm01:7", "ss9"], None),
        (["Gm77:7", "S2_9"], None),
    ],
)
def test_chromosome_0_is_read_off_the_ids_only_without_a_doubt(tmp_path, ids, read):
    (tmp_path / "x.bim").write_text(f"0 {ids[0]} 0 7 G A\n0 {ids[1]} 0 9 G A\n")
    bim = bed.read_bim(tmp_path / "x.bim")
    found = bed.read_places(bim, {"Gm01": "Gm01", "2": "Gm02"}, file="x.bim")
    assert found["chromosome"].tolist() == (read or ["0", "0"])
    bim.loc[0, "chromosome"] = "Gm01"
    assert bed.read_places(bim, {"Gm01": "Gm01", "2": "Gm02"}, file="x.bim") is bim
