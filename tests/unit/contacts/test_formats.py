"""One set of pairs in every Hi-C format gives the same sums, at the bin size chosen or coarsest."""

import gzip

import cooler
import numpy as np
import pandas as pd
import pytest
from hic_files import dense_of, file_bins, folded, row_of, write_hic, write_matrix, write_pairs

from soyfold.common.chromosomes import Chromosomes
from soyfold.common.errors import UserError
from soyfold.contacts import sum_by_chromosome
from soyfold.contacts.library import load_library

LENGTHS = {"chr1": 3_700, "chr2": 4_400, "chr10": 10_000, "chr11": 5_800}
ASSEMBLY = Chromosomes(
    list(LENGTHS), np.array(list(LENGTHS.values()), dtype=np.int64),
    {name: name for name in LENGTHS}, "assembly.tsv",
)  # fmt: skip
# As text sorts them, with other contigs before and behind: Mt, chr1, chr10, ..., scaffold_7.
CONTIGS = dict(sorted({**LENGTHS, "Mt": 900, "scaffold_7": 2_500}.items()))
SIZES = (1000, 2000, 5000)


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(3)
    ends = {}
    for end in (1, 2):
        ends[f"chr{end}"] = rng.choice(list(CONTIGS), size=1_500)
        lengths = np.array([CONTIGS[name] for name in ends[f"chr{end}"]])
        ends[f"pos{end}"] = rng.integers(1, lengths + 1)
    return pd.DataFrame(ends)


@pytest.fixture(scope="module")
def expected(pairs):
    """Counted by pandas, pair by pair, symmetric."""
    both = pd.concat([pairs, pairs[pairs.chr1 != pairs.chr2].rename(
        columns={"chr1": "chr2", "chr2": "chr1"})])  # fmt: skip
    table = pd.crosstab(both["chr1"], both["chr2"])
    return table.reindex(index=list(LENGTHS), columns=list(LENGTHS), fill_value=0).to_numpy()


def write_4dn(pairs, path, *, columns=None, sizes=CONTIGS, header=True):
    """A .pairs file; `columns` in another order and more of them than the standard's."""
    columns = columns or ["readID", "chr1", "pos1", "chr2", "pos2", "strand1", "strand2"]
    table = pairs.assign(readID=".", strand1="+", strand2="-", pair_type="UU")[columns]
    head = ["## pairs format v1.0", "#sorted: none", "#shape: upper triangle"]
    head += [f"#chromsize: {name} {length}" for name, length in sizes.items()]
    head.append(f"#columns: {' '.join(columns)}")
    text = "".join(line + "\n" for line in head) if header else ""
    text = (text + table.to_csv(sep="\t", header=False, index=False)).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return str(path)


def pixels(pairs, size):
    bins = file_bins(size, CONTIGS)
    upper = folded(dense_of(pairs, bins))
    one, two = np.nonzero(upper)
    return bins, pd.DataFrame({"bin1_id": one, "bin2_id": two, "count": upper[one, two]})


def write_cool(pairs, path, size=1000, group=""):
    bins, table = pixels(pairs, size)
    cooler.create_cooler(
        f"{path}{group}", bins[["chrom", "start", "end"]], table, mode="a" if group else "w"
    )
    return str(path)


def write_mcool(pairs, path):
    for size in SIZES:
        write_cool(pairs, path, size, f"::/resolutions/{size}")
    return str(path)


def write_hic9(pairs, path):
    """A .hic of version 9 (the real file of the other tests is of version 8)."""
    _, table = pixels(pairs, SIZES[0])
    columns = {"bin1_id": int, "bin2_id": int, "count": float}
    found = {name: table[name].astype(kind).tolist() for name, kind in columns.items()}
    return write_hic(path, CONTIGS, SIZES, found)


def matrix_row(pairs, folder, layout, **changes):
    bins = file_bins(1000, CONTIGS)
    matrix, bed = write_matrix(dense_of(pairs, bins), bins, folder, layout=layout)
    return row_of("hicpro_matrix", matrix, bins=bed, **changes)


ROWS = {
    "allValidPairs": lambda p, f: row_of(
        "hicpro_pairs", write_pairs(p, f / "a.allValidPairs.gz"), resolution=1000
    ),
    "pairs": lambda p, f: row_of("pairs", write_4dn(p, f / "a.pairs"), resolution=1000),
    "pairs.gz": lambda p, f: row_of("pairs", write_4dn(p, f / "a.pairs.gz"), resolution=1000),
    "upper": lambda p, f: matrix_row(p, f, "upper"),
    "lower": lambda p, f: matrix_row(p, f, "lower"),
    "complete": lambda p, f: matrix_row(p, f, "complete"),
    "cool": lambda p, f: row_of("cool", write_cool(p, f / "a.cool")),
    "mcool": lambda p, f: row_of("mcool", write_mcool(p, f / "a.mcool"), resolution=1000),
    "hic": lambda p, f: row_of("hic", write_hic9(p, f / "a.hic"), resolution=1000),
}


def load(row, folder, *, resolution=None):
    cool, table = folder / "out.cool", folder / "out.tsv"
    load_library(row, ASSEMBLY, resolution=resolution, cool=cool, table=table)
    return cool, pd.read_csv(table, sep="\t").iloc[0]


@pytest.mark.parametrize("form", ROWS)
def test_every_format_in_lexicographic_order_with_other_contigs(form, pairs, expected, tmp_path):
    cool, counts = load(ROWS[form](pairs, tmp_path), tmp_path)
    clr = cooler.Cooler(str(cool))
    assert clr.chromnames == list(LENGTHS) and clr.binsize == 1000
    np.testing.assert_array_equal(sum_by_chromosome(cool, list(LENGTHS)), expected)
    on_grid = pairs["chr1"].isin(LENGTHS) & pairs["chr2"].isin(LENGTHS)
    assert counts["contacts"] == on_grid.sum() and counts["contigs_dropped"] == 2
    if form == "hic":
        assert np.isnan(counts["contacts_dropped"])  # never read, so not counted
    else:
        assert counts["contacts_dropped"] == (~on_grid).sum()


@pytest.mark.parametrize("form", ROWS)
def test_a_study_fixes_the_resolution_of_every_format(form, pairs, expected, tmp_path):
    row = {**ROWS[form](pairs, tmp_path), "resolution": None}
    cool, counts = load(row, tmp_path, resolution=4000)
    assert cooler.Cooler(str(cool)).binsize == counts["resolution"] == 4000
    np.testing.assert_array_equal(sum_by_chromosome(cool, list(LENGTHS)), expected)


@pytest.mark.parametrize(("form", "size"), [("cool", 1000), ("mcool", 5000), ("hic", 5000)])
def test_without_a_choice_the_coarsest_is_taken(form, size, pairs, tmp_path):
    cool, _ = load({**ROWS[form](pairs, tmp_path), "resolution": None}, tmp_path)
    assert cooler.Cooler(str(cool)).binsize == size


def test_pairs_of_other_columns_or_without_a_header(pairs, expected, tmp_path):
    columns = ["pair_type", "chr2", "chr1", "pos2", "strand1", "pos1"]
    for name, more in {"a": {"columns": columns}, "b": {"header": False}}.items():
        file = write_4dn(pairs, tmp_path / f"{name}.pairs", **more)
        cool, _ = load(row_of("pairs", file, resolution=1000), tmp_path)
        np.testing.assert_array_equal(sum_by_chromosome(cool, list(LENGTHS)), expected)


def test_unmapped_ends_are_dropped_and_counted(pairs, tmp_path):
    unmapped = pairs.copy()
    unmapped.loc[:9, ["chr1", "pos1"]] = ["!", 0]
    file = write_4dn(unmapped, tmp_path / "a.pairs")
    _, counts = load(row_of("pairs", file, resolution=1000), tmp_path)
    kept = unmapped["chr1"].isin(LENGTHS) & unmapped["chr2"].isin(LENGTHS)
    assert counts["contacts"] == kept.sum() and counts["contacts_dropped"] == (~kept).sum()
    assert counts["contigs_dropped"] == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pos1": "0"}, "line 18, pos1: found position 0 on chr2, as in a file that counts"),
        ({"pos2": "99999"}, r"line 18, pos2: found position 99999 on chr11; allowed: 1 to 5800"),
        ({"pos1": "12k"}, r"line 18: found pos1 '12k'; allowed: a whole number"),
        ({"sizes": {"chr1": 4_000}}, r"line 4: found chr1 of 4000 bp; allowed: 3700 bp"),
        ({"sizes": {"chr1": "4k"}}, r"line 4: found '#chromsize: chr1 4k'"),
        ({"columns": ["readID", "chr1", "pos1", "chr2"]}, "found #columns without pos2"),
        ({"pairs": 0}, "found no rows; allowed: a .pairs file"),
    ],
)  # fmt: skip
def test_defects_of_pairs_name_their_line(change, said, pairs, tmp_path):
    bad = pairs.iloc[: change.pop("pairs", 300)].astype(object).copy()
    for name in ("pos1", "pos2"):
        if name in change:
            bad.loc[7, ["chr1", "chr2", name]] = ["chr2", "chr11", change.pop(name)]
    file = write_4dn(bad, tmp_path / "a.pairs", **change)
    with pytest.raises(UserError, match=rf"a\.pairs(, )?.*{said}"):
        load(row_of("pairs", file, resolution=1000), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"a.pairs"}


def test_truncated_pairs(pairs, tmp_path):
    file = tmp_path / "a.pairs.gz"
    write_4dn(pairs, file)
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(UserError, match="truncated or damaged gzip"):
        load(row_of("pairs", file, resolution=1000), tmp_path)
