"""The dosage matrix: direction, order, keys, bounded blocks, missing calls."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.cohort.dosage import write_dosage
from soyfold.common.errors import UserError
from soyfold.genotypes import bed

CODE = {2: 0b00, -1: 0b01, 1: 0b10, 0: 0b11}  # PLINK's two bits for counts of A1


def write_plink(folder, counts):
    """Write counts of ALT, (variants, samples), bit by bit as PLINK's specification says."""
    n_variants, n = counts.shape
    rows = bytearray([0x6C, 0x1B, 0x01])
    for variant in counts:
        for start in range(0, n, 4):
            four = variant[start : start + 4]
            rows.append(sum(CODE[int(count)] << (2 * i) for i, count in enumerate(four)))
    (folder / "merged.bed").write_bytes(bytes(rows))
    bim = pd.DataFrame(
        {
            "chromosome": np.where(np.arange(n_variants) % 2, "Gm02", "Gm01"),
            "variant": [f"ss{i}" for i in range(n_variants)],
            "position": np.arange(n_variants) + 100,
            "alt": "T",
            "ref": "C",
        }
    )
    bed.write_bim(bim, folder / "merged.bim")
    bed.write_fam([f"PI{i}" for i in range(n)], folder / "merged.fam")
    return folder / "merged.bed"


def run(folder, counts, **options):
    files = {name: folder / name for name in ("dosage", "samples", "variants")}
    files["dosage"] = folder / "dosage.npy"
    write_dosage(write_plink(folder, counts), **files, **options)
    return np.load(files["dosage"], mmap_mode="r"), *(
        pd.read_csv(files[name], sep="\t") for name in ("samples", "variants")
    )


@settings(max_examples=25)
@given(st.integers(1, 13), st.integers(1, 20), st.integers(1, 400), st.integers(0, 10**6))
def test_counts_of_alt_whatever_the_block(tmp_path_factory, n, n_variants, block, seed):
    counts = np.random.default_rng(seed).integers(0, 3, (n_variants, n)).astype(np.int8)
    dosage, samples, variants = run(tmp_path_factory.mktemp("d"), counts, cells=block)
    assert dosage.dtype == np.int8
    assert dosage.flags.c_contiguous
    np.testing.assert_array_equal(dosage, counts.T)
    assert samples.columns.tolist() == ["sample", "row"]
    assert samples["row"].tolist() == list(range(n))
    assert variants["column"].tolist() == list(range(n_variants))


def test_keys_name_rows_and_columns(tmp_path):
    _, samples, variants = run(tmp_path, np.array([[0, 2], [1, 1]], dtype=np.int8))
    assert samples["sample"].tolist() == ["PI0", "PI1"]
    assert variants.iloc[1].tolist() == ["ss1", "Gm02", 101, "C", "T", 1]
    assert variants.columns.tolist() == [
        "variant", "chromosome", "position", "ref", "alt", "column",
    ]  # fmt: skip


def test_a_missing_call_is_refused_and_leaves_nothing(tmp_path):
    counts = np.ones((5, 6), dtype=np.int8)
    counts[3, 4] = -1
    with pytest.raises(UserError, match=r"sample PI4, variant ss3: found missing calls: 1"):
        run(tmp_path, counts, cells=12)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".bed", ".bim", ".fam"]
