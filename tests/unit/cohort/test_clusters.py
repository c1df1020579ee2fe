"""Clusters of lines that are nearly the same, against a dense comparison of all pairs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from soyfold.cohort.clusters import find_clusters
from soyfold.genotypes import bed


def write(folder, counts):
    """Counts of ALT (n, variants), -1 missing, as a bed."""
    n, variants = counts.shape
    bed.write_bed(bed.pack(counts.T), folder / "lines.bed")
    bed.write_fam([f"PI{i}" for i in range(n)], folder / "lines.fam")
    rows = "".join(f"Gm01\tss{i}\t0\t{i + 1}\tT\tC\n" for i in range(variants))
    (folder / "lines.bim").write_text(rows)
    return folder / "lines.bed"


def dense_clusters(counts, identity):
    """Labels by comparing every pair in full."""
    both = (counts[:, None] >= 0) & (counts[None] >= 0)
    equal = (both & (counts[:, None] == counts[None])).sum(axis=2)
    linked = equal > identity * both.sum(axis=2)
    return connected_components(linked, directed=False)[1]


def same_partition(a, b):
    pairs = {(x, y) for x, y in zip(a, b, strict=True)}
    return len(pairs) == len(set(a)) == len(set(b))


@settings(max_examples=60)
@given(
    st.integers(1, 25), st.integers(1, 200), st.floats(0.5, 0.99), st.floats(0, 0.5),
    st.integers(0, 10**6),
)  # fmt: skip
def test_as_a_dense_comparison(tmp_path_factory, n, variants, identity, missing, seed):
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 3, (max(1, n // 3), variants))
    counts = kinds[random.integers(0, len(kinds), n)].astype(np.int8)
    changed = random.random(counts.shape) < random.uniform(0, 0.3, (n, 1))
    counts[changed] = random.integers(0, 3, changed.sum())
    counts[random.random(counts.shape) < missing] = bed.MISSING
    found = find_clusters(write(tmp_path_factory.mktemp("bed"), counts), identity=identity)
    assert same_partition(found["cluster"], dense_clusters(counts, identity))
    assert (found.groupby("cluster")["sample"].transform("size") == found["lines"]).all()
    assert (found.groupby("cluster")["sample"].transform("first") == found["cluster"]).all()


def test_the_threshold_itself_is_not_over_it(tmp_path):
    counts = np.zeros((3, 100), dtype=np.int8)
    counts[1, :2] = 2  # 0.98 equal
    counts[2, 99] = 1  # 0.99 equal to the first, 0.97 to the second
    found = find_clusters(write(tmp_path, counts), identity=0.98)
    assert found["cluster"].tolist() == ["PI0", "PI1", "PI0"]
    assert found["lines"].tolist() == [2, 1, 2]


def test_lines_far_apart_are_one_cluster_where_others_link_them(tmp_path):
    counts = np.zeros((4, 100), dtype=np.int8)
    for line in range(4):
        counts[line, : 5 * line] = 2
    found = find_clusters(write(tmp_path, counts), identity=0.94)
    assert found["cluster"].nunique() == 1


def test_lines_without_common_calls_are_not_alike(tmp_path):
    counts = np.full((2, 64), bed.MISSING, dtype=np.int8)
    counts[0, :32] = counts[1, 32:] = 1
    assert find_clusters(write(tmp_path, counts), identity=0.5)["cluster"].nunique() == 2
