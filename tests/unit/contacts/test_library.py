"""Libraries of every format against pairs counted one by one."""

import cooler
import numpy as np
import pandas as pd
import pytest
from hic_files import (
    ASSEMBLY,
    LENGTHS,
    RESOLUTION,
    dense_of,
    draw_pairs,
    file_bins,
    folded,
    row_of,
    sums_of,
    write_matrix,
    write_pairs,
)  # fmt: skip
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.contacts import pixels, sum_by_chromosome
from soyfold.contacts.grid import Grid
from soyfold.contacts.hicpro import detect_layout
from soyfold.contacts.library import load_library
from soyfold.contacts.merging import merge_libraries

NAMES = ASSEMBLY.names


def load(row, folder, *, resolution=None):
    cool, table = folder / f"{row['library']}.cool", folder / f"{row['library']}.tsv"
    load_library(row, ASSEMBLY, resolution=resolution, cool=cool, table=table)
    return cool, pd.read_csv(table, sep="\t").iloc[0]


def same_cooler(one, two):
    one, two = (cooler.Cooler(str(path)) for path in (one, two))
    pd.testing.assert_frame_equal(one.bins()[:], two.bins()[:])
    pd.testing.assert_frame_equal(one.pixels()[:], two.pixels()[:])


@pytest.fixture(scope="module")
def pairs():
    return draw_pairs(4_000)


@pytest.fixture(scope="module")
def from_pairs(pairs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    file = write_pairs(pairs, folder / "a.allValidPairs.gz")
    return load(row_of("hicpro_pairs", file, resolution=RESOLUTION), folder)


@pytest.fixture(scope="module")
def foreign_cool(pairs, tmp_path_factory):
    """A cooler with the file's own contigs, order and a scaffold."""
    path = tmp_path_factory.mktemp("cool") / "foreign.cool"
    upper = folded(dense_of(pairs, file_bins()))
    one, two = np.nonzero(upper)
    table = pd.DataFrame({"bin1_id": one, "bin2_id": two, "count": upper[one, two]})
    cooler.create_cooler(str(path), file_bins()[["chrom", "start", "end"]], table)
    return path


def test_pairs_equal_a_count_pair_by_pair(pairs, from_pairs):
    cool, counts = from_pairs
    expected = sums_of(pairs)
    pd.testing.assert_frame_equal(sum_by_chromosome(cool, NAMES), expected, check_dtype=False)
    on_grid = pairs["chr1"].ne("scaffold_7") & pairs["chr2"].ne("scaffold_7")
    same = pairs["chr1"] == pairs["chr2"]
    assert counts["contacts"] == on_grid.sum()
    assert counts["contacts_cis"] == (on_grid & same).sum()
    assert counts["contacts_trans"] == (on_grid & ~same).sum()
    assert counts["contacts_dropped"] == (~on_grid).sum()
    assert counts["contigs_dropped"] == 1


def test_coolers_have_canonical_chromosomes_in_genome_order(from_pairs):
    clr = cooler.Cooler(str(from_pairs[0]))
    assert dict(clr.chromsizes) == LENGTHS
    assert clr.chromnames == NAMES
    assert clr.binsize == RESOLUTION


def test_pairs_in_small_chunks_and_flushes_give_the_same_cooler(
    pairs, from_pairs, tmp_path, monkeypatch
):
    monkeypatch.setattr("soyfold.contacts.pairs.ROWS", 37)
    gather = pixels.gather
    monkeypatch.setattr(pixels, "gather", lambda chunks, n: gather(chunks, n, limit=100))
    file = write_pairs(pairs, tmp_path / "a.allValidPairs")
    cool, _ = load(row_of("hicpro_pairs", file, resolution=RESOLUTION), tmp_path)
    same_cooler(cool, from_pairs[0])


@pytest.mark.parametrize("layout", ["upper", "lower", "complete", "asis"])
def test_a_matrix_of_any_layout_is_the_pairs(layout, pairs, from_pairs, tmp_path):
    matrix, bed = write_matrix(dense_of(pairs, file_bins()), file_bins(), tmp_path, layout=layout)
    cool, counts = load(row_of("hicpro_matrix", matrix, bins=bed), tmp_path)
    same_cooler(cool, from_pairs[0])
    assert counts["contacts"] == from_pairs[1]["contacts"]
    assert counts["contacts_dropped"] == from_pairs[1]["contacts_dropped"]
    assert counts["values"] == "counts"


@given(st.integers(0, 2**32 - 1), st.sampled_from(["upper", "lower", "complete", "asis"]))
@settings(max_examples=40)
def test_the_layout_is_found_whatever_the_chunks(seed, layout):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 12))
    upper = np.triu(rng.poisson(3.0, (n, n)) + 1)
    both = np.triu(rng.poisson(3.0, (n, n)) + 1) + np.tril(rng.poisson(5.0, (n, n)) + 2)
    square = {
        "upper": upper, "lower": upper.T, "complete": upper + np.triu(upper, 1).T, "asis": both,
    }[layout]  # fmt: skip
    one, two = np.nonzero(square)
    order = rng.permutation(len(one))
    parts = np.array_split(order, 3)
    scale = rng.choice([1, 0.37])
    triplets = ((one[part], two[part], square[one, two][part] * scale) for part in parts)
    assert detect_layout(triplets, n) == (layout, scale == 1)


def test_iced_matrices_keep_their_fractions_and_arent_balanced_again(pairs, tmp_path):
    dense = folded(dense_of(pairs, file_bins())) / 7
    matrix, bed = write_matrix(dense, file_bins(), tmp_path, layout="complete", decimals=6)
    cool, counts = load(row_of("hicpro_matrix", matrix, bins=bed), tmp_path)
    assert counts["values"] == "iced"
    merged = tmp_path / "merged.cool"
    merge_libraries(
        [cool], [tmp_path / "lib.tsv"], balance=True, cool=merged, table=tmp_path / "libraries.tsv"
    )
    sums = sum_by_chromosome(merged, NAMES, balanced=True)
    np.testing.assert_allclose(sums, sums_of(pairs) / 7, rtol=1e-5)


def test_a_cooler_of_other_names_and_order_is_the_pairs(foreign_cool, from_pairs, tmp_path):
    cool, counts = load(row_of("cool", foreign_cool), tmp_path)
    same_cooler(cool, from_pairs[0])
    assert counts["contigs_dropped"] == 1


def test_an_mcool_gives_the_resolution_asked_for_or_the_coarsest(
    foreign_cool, pairs, from_pairs, tmp_path
):
    mcool = tmp_path / "all.mcool"
    cooler.zoomify_cooler(str(foreign_cool), str(mcool), [1000, 2000, 4000], chunksize=10_000)
    coarsest, _ = load(row_of("mcool", mcool, library="a"), tmp_path)
    assert cooler.Cooler(str(coarsest)).binsize == 4000
    finest, _ = load(row_of("mcool", mcool, library="b", resolution=1000), tmp_path)
    same_cooler(finest, from_pairs[0])
    # The study's 6 kb aren't in the file: read at 2 kb, coarsened to 6 kb.
    coarsened, counts = load(row_of("mcool", mcool, library="c"), tmp_path, resolution=6000)
    assert cooler.Cooler(str(coarsened)).binsize == counts["resolution"] == 6000
    for path in (coarsest, finest, coarsened):
        assert (sum_by_chromosome(path, NAMES) == sums_of(pairs)).all(axis=None)


def test_weights_that_a_cooler_carries_are_kept(foreign_cool, pairs, tmp_path):
    weighted = tmp_path / "weighted.cool"
    weighted.write_bytes(foreign_cool.read_bytes())
    weights = np.random.default_rng(1).uniform(0.5, 2.0, len(file_bins()))
    weights[[0, 11]] = np.nan
    pixels.store_weights(weighted, weights)
    cool, counts = load(row_of("cool", weighted), tmp_path)
    assert counts["weights"] == "carried"
    merged = tmp_path / "merged.cool"
    merge_libraries(
        [cool], [tmp_path / "lib.tsv"], balance=True, cool=merged, table=tmp_path / "libraries.tsv"
    )
    dense = np.nan_to_num(folded(dense_of(pairs, file_bins())) * np.outer(weights, weights))
    contig = file_bins()["chrom"].map(ASSEMBLY.aliases).to_numpy()
    sums = sum_by_chromosome(merged, NAMES, balanced=True)
    for one in NAMES:
        for two in NAMES:
            block = dense[np.ix_(contig == one, contig == two)].sum()
            if one != two:
                block += dense[np.ix_(contig == two, contig == one)].sum()
            assert sums.loc[one, two] == pytest.approx(block, rel=1e-12)


def test_libraries_merge_at_the_coarsest_resolution_and_balance(pairs, from_pairs, tmp_path):
    other = draw_pairs(3_000, seed=5)
    matrix, bed = write_matrix(dense_of(other, file_bins(2000)), file_bins(2000), tmp_path)
    cool, _ = load(row_of("hicpro_matrix", matrix, bins=bed), tmp_path)
    merged, table = tmp_path / "merged.cool", tmp_path / "libraries.tsv"
    tables = [from_pairs[0].with_suffix(".tsv"), tmp_path / "lib.tsv"]
    merge_libraries([from_pairs[0], cool], tables, balance=True, cool=merged, table=table)
    clr = cooler.Cooler(str(merged))
    assert clr.binsize == 2000
    raw = sum_by_chromosome(merged, NAMES)
    assert (raw == sums_of(pairs) + sums_of(other)).all(axis=None)
    rows = clr.matrix(balance=True)[:]
    for diagonal in (-1, 0, 1):  # what ICE leaves out
        rows[np.eye(len(rows), k=diagonal, dtype=bool)] = 0
    marginals = np.nansum(rows, axis=0)
    np.testing.assert_allclose(marginals[~np.isnan(clr.bins()["weight"][:])], 1, atol=0.02)
    libraries = pd.read_csv(table, sep="\t")
    assert list(libraries["resolution"]) == [1000, 2000]
    assert list(libraries["resolution_merged"]) == [2000, 2000]
    assert not list(tmp_path.glob(".part*"))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == []


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_sums_equal_those_of_the_dense_matrix(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    grid = Grid(ASSEMBLY, RESOLUTION)
    dense = np.triu(rng.poisson(0.6, (grid.size, grid.size)))
    dense[0, 0] += 1
    one, two = np.nonzero(dense)
    path = tmp_path_factory.mktemp("random") / "r.cool"
    table = pd.DataFrame({"bin1_id": one, "bin2_id": two, "count": dense[one, two]})
    cooler.create_cooler(str(path), grid.table(), table)
    weights = rng.uniform(0.2, 3.0, grid.size)
    weights[rng.random(grid.size) < 0.2] = np.nan
    pixels.store_weights(path, weights)
    wanted = [str(name) for name in rng.permutation(NAMES)[: rng.integers(1, 5)]]
    of_bin = np.array(NAMES)[grid.chromosome_of_bin]
    balanced = np.nan_to_num(dense * np.outer(weights, weights))
    for matrix, sums in (
        (dense, sum_by_chromosome(str(path), wanted)),
        (balanced, sum_by_chromosome(path, wanted, balanced=True)),
    ):
        full = matrix + np.triu(matrix, 1).T
        assert list(sums.index) == list(sums.columns) == wanted
        for a in wanted:
            for b in wanted:
                block = full if a != b else matrix
                expected = block[np.ix_(of_bin == a, of_bin == b)].sum()
                assert sums.loc[a, b] == pytest.approx(expected, rel=1e-12)


def test_sums_in_chunks_are_the_sums(from_pairs, monkeypatch):
    whole = sum_by_chromosome(from_pairs[0], NAMES)
    monkeypatch.setattr("soyfold.contacts.sums.CHUNK", 7)
    assert (sum_by_chromosome(from_pairs[0], NAMES) == whole).all(axis=None)
    assert (whole == whole.T).all(axis=None)
    assert whole.dtypes.eq(np.int64).all()
