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
    with pytest.raises(UserError, match="line 2: found a line with too few columns"):
        bed.read_bim(tmp_path / "x.bim")
    with pytest.raises(UserError, match=r"no such file.*beside it"):
        bed.read_fam(tmp_path / "x.fam")
