"""The demo's Hi-C: HiC-Pro's layout, chromosomes that touch, balanced matrices."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from soyfold.common.chromosomes import read_chromosomes
from soyfold.simulation import contacts
from soyfold.simulation.contacts import balance, contact_shares, draw_contacts, draw_touching
from soyfold.study import settings


@pytest.fixture(scope="module")
def demo(root):
    return root / "resources" / "demo"


@pytest.fixture(scope="module")
def libraries(root):
    schema = root / "workflow" / "schemas" / "hic.schema.yaml"
    return settings.read_sheet(root / "config" / "hic.tsv", schema, key="library")


def chromosome_sums(root, row):
    """Contacts by chromosome pair (canonical names, upper triangle), one line at a time."""
    table = read_chromosomes(root / "resources" / "chromosomes" / "soybean_wm82.a2.tsv")
    number = {alias: table.names.index(name) for alias, name in table.aliases.items()}
    sums = np.zeros((20, 20))
    if row["format"] == "hicpro_pairs":
        for line in gzip.decompress((root / row["file"]).read_bytes()).decode().splitlines():
            fields = line.split("\t")
            assert len(fields) == 12
            if fields[1] in number and fields[4] in number:
                sums[number[fields[1]], number[fields[4]]] += 1
        return sums
    bins = {}
    for line in (root / row["bins"]).read_text().splitlines():
        name, _, _, index = line.split("\t")
        bins[index] = number.get(name)
    for line in (root / row["file"]).read_text().splitlines():
        first, second, count = line.split("\t")
        if bins[first] is not None and bins[second] is not None:
            sums[bins[first], bins[second]] += int(count)
    return sums


@pytest.mark.parametrize("library", ["leaf_pairs", "root_matrix"])
def test_touching_chromosomes_stand_out(library, libraries, root, demo):
    table = read_chromosomes(root / "resources" / "chromosomes" / "soybean_wm82.a2.tsv")
    sums = chromosome_sums(root, libraries[library])
    assert np.array_equal(sums, np.triu(sums))
    ratio = np.triu(sums / np.outer(table.lengths, table.lengths), k=1)
    touch = pd.read_csv(demo / "truth.tsv", sep="\t").query("kind == 'touch'")
    pairs = {
        (table.names.index(a), table.names.index(b))
        for a, b in zip(touch.chromosome, touch.chromosome_2, strict=True)
    }
    top = np.argsort(ratio, axis=None)[::-1][: len(pairs)]
    assert (
        set(zip(*map(np.ndarray.tolist, np.unravel_index(top, ratio.shape)), strict=True)) == pairs
    )
    assert np.trace(sums) / sums.sum() == pytest.approx(0.6, abs=0.02)


def test_iced_matrix_is_the_raw_one_balanced(libraries, root):
    raw = root / libraries["root_matrix"]["file"]
    path = str(raw).replace("/raw/", "/iced/").replace(".matrix", "_iced.matrix")
    raw, iced = (pd.read_csv(p, sep="\t", header=None) for p in (raw, path))
    assert raw[[0, 1]].equals(iced[[0, 1]])
    full = np.zeros((raw[1].max(), raw[1].max()))
    full[iced[0] - 1, iced[1] - 1] = iced[2]
    full = np.triu(full) + np.triu(full, k=1).T
    coverage = full.sum(axis=0)
    assert np.ptp(coverage[coverage > 0]) / coverage.max() < 1e-3


def test_contacts_in_parts_are_as_many_by_pair_of_chromosomes(monkeypatch, tmp_path):
    """What memory allows at a time changes the draws, and neither their numbers nor the cells."""
    lengths = np.array([40_000, 90_000, 20_000], dtype=np.int64)
    names = ["a", "b", "c"]

    def by_pair(contacts):
        sums = np.zeros((3, 3), dtype=int)
        for first, _, contig, _ in contacts:
            np.add.at(sums[first], contig, 1)
        return sums

    shares = contact_shares(lengths, draw_touching(3, 1, np.random.default_rng(1)))
    whole = by_pair(draw_contacts(lengths, shares, 5_000, np.random.default_rng(5)))
    monkeypatch.setattr(contacts, "MOST", 300)
    parts = list(draw_contacts(lengths, shares, 5_000, np.random.default_rng(5)))
    assert len(parts) > 10 and max(len(part[1]) for part in parts) <= 300 + 3
    np.testing.assert_array_equal(by_pair(parts), whole)
    paths = contacts.write_matrices(tmp_path, "lib", names, lengths, 1_000, iter(parts))
    table = pd.read_csv(paths["raw"], sep="\t", header=None)
    assert not table.duplicated([0, 1]).any() and table[2].sum() == 5_000
    cells = {}
    offset = np.concatenate([[0], np.cumsum(lengths // 1_000)])
    for first, start, contig, end in parts:
        for s, c, e in zip(start, contig, end, strict=True):
            key = (offset[first] + (s - 1) // 1_000 + 1, offset[c] + (e - 1) // 1_000 + 1)
            cells[key] = cells.get(key, 0) + 1
    assert cells == {(i, j): n for i, j, n in table.itertuples(index=False)}


def test_balance_keeps_the_total_and_empty_bins():
    row, column = np.array([0, 0, 1, 1, 3]), np.array([0, 1, 1, 3, 3])
    count = np.array([4, 2, 9, 3, 5])
    balanced = balance(row, column, count, 5)
    assert balanced.sum() == pytest.approx(count.sum())
    full = np.zeros((5, 5))
    full[row, column] = full[column, row] = balanced
    assert full.sum(axis=0)[[0, 1, 3]] == pytest.approx(full.sum(axis=0)[0], rel=1e-5)
    assert full[2].sum() == full[4].sum() == 0


@hypothesis_settings(max_examples=30)
@given(
    lengths=st.lists(st.integers(2_000, 10**8), min_size=1, max_size=6),
    count=st.integers(1, 400),
    seed=st.integers(0, 99),
)
def test_contacts_lie_on_their_chromosomes_and_none_is_lost(lengths, count, seed):
    lengths = np.array(lengths, dtype=np.int64)
    rng = np.random.default_rng(seed)
    shares = contact_shares(lengths, draw_touching(len(lengths), 2, rng))
    assert shares.sum() == pytest.approx(1)
    total = 0
    for first, start, contig, end in draw_contacts(lengths, shares, count, rng):
        total += len(start)
        assert ((start >= 1) & (start <= lengths[first])).all()
        assert ((end >= 1) & (end <= lengths[contig])).all()
        assert (contig >= first).all() and (start[contig == first] < end[contig == first]).all()
        assert (np.diff(start) >= 0).all()
    assert total == count
