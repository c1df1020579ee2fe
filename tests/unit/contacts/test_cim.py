"""Normalisations against their closed forms; what every control must keep."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.errors import UserError
from soyfold.common.files import read_cim
from soyfold.contacts.cim import (
    NORMALISATIONS,
    distinct_orders,
    expected_between,
    expected_sums,
    make_control,
    normalise,
    permute,
    write_cim,
)  # fmt: skip
from soyfold.contacts.figure import plot_cim

OFF = ~np.eye(20, dtype=bool)


@pytest.fixture(scope="module")
def soybean(root):
    return read_chromosomes(root / "resources" / "chromosomes" / "soybean_wm82.a2.tsv")


def random_sums(chromosomes, seed):
    """Positive symmetric sums with the large diagonal of real Hi-C."""
    rng = np.random.default_rng(seed)
    n = len(chromosomes.names)
    half = np.triu(rng.gamma(2.0, 10.0, (n, n)) + 0.1)
    sums = half + np.triu(half, 1).T + np.diag(rng.gamma(2.0, 500.0, n))
    return pd.DataFrame(sums, index=chromosomes.names, columns=chromosomes.names)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_normalisations_have_their_closed_forms(soybean, seed):
    sums = random_sums(soybean, seed)
    S = sums.to_numpy()
    length = soybean.lengths / 1e6
    H = {method: normalise(sums, method, chromosomes=soybean) for method in NORMALISATIONS}
    np.testing.assert_allclose(H["log1p_max"], np.log(1 + S) / np.log(1 + S.max()), rtol=1e-12)
    assert H["log1p_max"].to_numpy().max() == 1
    np.testing.assert_allclose(H["row"].sum(axis=1), 1)
    np.testing.assert_allclose(H["row"], S / S.sum(axis=1)[:, None])
    np.testing.assert_allclose(H["length"], S / length[:, None] / length[None, :])
    np.testing.assert_array_equal(np.diag(H["observed_expected"]), 1)
    for method, matrix in H.items():
        assert list(matrix.index) == list(matrix.columns) == soybean.names
        assert np.allclose(matrix, matrix.T) == (method != "row")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_expected_contacts_have_the_observed_marginals(soybean, seed):
    S = random_sums(soybean, seed).to_numpy()
    E = expected_between(S)
    between = np.where(OFF, S, 0)
    np.testing.assert_allclose(np.nansum(E, axis=1), between.sum(axis=1), rtol=1e-9)
    ratio = E[:, 0] / E[:, 1]  # rank one off the diagonal
    np.testing.assert_allclose(ratio[2:], ratio[2], rtol=1e-9)


def test_a_structureless_genome_has_observed_equal_to_expected(soybean):
    sums = expected_sums(soybean)
    H = normalise(sums, "observed_expected", chromosomes=soybean)
    np.testing.assert_allclose(H, 1, rtol=1e-9)


def test_expected_sums_are_those_of_a_balanced_map_of_1_mb_bins(soybean):
    S = expected_sums(soybean).to_numpy()
    length = soybean.lengths / 1e6
    # A row of the balanced map sums to 1; a chromosome's rows to its length, the diagonal block
    # (each contact once) standing for both of its triangles.
    np.testing.assert_allclose(S.sum(axis=1) + np.diag(S), length, rtol=1e-12)
    np.testing.assert_allclose(S[3, 7] / S[3, 9], length[7] / length[9])
    np.testing.assert_allclose(S[4, 4], length[4] ** 2 / length.sum() / 2)
    scaled = expected_sums(soybean, total_between=1234.5).to_numpy()
    assert np.triu(scaled, 1).sum() == pytest.approx(1234.5)


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_zero_diagonal_leaves_contacts_within_chromosomes_out(method, soybean):
    sums = random_sums(soybean, 1)
    H = normalise(sums, method, chromosomes=soybean, zero_diagonal=True)
    assert (np.diag(H) == 0).all()
    inflated = sums + np.diag(np.full(20, 1e6))
    again = normalise(inflated, method, chromosomes=soybean, zero_diagonal=True)
    pd.testing.assert_frame_equal(H, again)
    if method == "log1p_max":
        assert H.to_numpy().max() == 1


def control(name, soybean, method="log1p_max"):
    sums = random_sums(soybean, 3)
    cim = normalise(sums, method, chromosomes=soybean)
    options = {"chromosomes": soybean, "method": method, "zero_diagonal": False}
    return cim, sums, make_control(name, cim, sums, **options)


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_permuted_keeps_all_but_which_chromosomes_meet(soybean, seed):
    cim, _, permuted = control(f"permuted{seed}", soybean)
    assert list(permuted.index) == list(permuted.columns) == soybean.names
    for part in (lambda m: np.sort(m, axis=None), lambda m: np.sort(np.diag(m))):
        np.testing.assert_array_equal(part(permuted.to_numpy()), part(cim.to_numpy()))
    assert (permuted == permuted.T).all(axis=None)
    assert (permuted != cim).any(axis=None)
    pd.testing.assert_frame_equal(permuted, permute(cim, seed))


def test_permutations_of_two_chromosomes_are_never_the_identity():
    cim = pd.DataFrame([[1.0, 2.0], [2.0, 3.0]], index=list("ab"), columns=list("ab"))
    for seed in range(20):
        assert permute(cim, seed).to_numpy().tolist() == [[3, 2], [2, 1]]
    with pytest.raises(UserError, match="1 chromosome"):
        permute(cim.iloc[:1, :1], 0)


def named(values):
    names = [f"c{i}" for i in range(len(values))]
    return pd.DataFrame(values, index=names, columns=names)


def symmetric(n, seed=0):
    values = np.random.default_rng(seed).random((n, n))
    return named(values + values.T)


def shuffles(cim, count):
    """The CIM and its permuted ones, as tuples."""
    tables = [cim, *(permute(cim, k) for k in range(1, count + 1))]
    return [tuple(table.to_numpy().ravel()) for table in tables]


@pytest.mark.parametrize(("chromosomes", "there"), [(2, 1), (3, 5), (4, 23)])
def test_permuted_are_distinct_as_long_as_there_are_more(chromosomes, there):
    found = shuffles(symmetric(chromosomes), 30)
    assert len(set(found[: there + 1])) == there + 1
    assert len(set(found)) == there + 1
    assert found[1 + there : 1 + 2 * there] == found[1 : 1 + there][: 30 - there]


def test_a_shuffle_that_symmetry_undoes_is_none():
    """Chromosomes 0 and 1 alike, 2 and 3 alike: 4! / (2! 2!) = 6 matrices, 5 beside the CIM."""
    kind = np.array([0, 0, 1, 1])
    cim = named(np.array([[5.0, 2.0], [2.0, 7.0]])[np.ix_(kind, kind)])
    found = shuffles(cim, 5)
    assert len(set(found)) == 6
    constant = named(np.ones((4, 4)))
    pd.testing.assert_frame_equal(permute(constant, 3), constant)


def test_every_shuffle_is_as_likely_as_another():
    cims = [symmetric(3, seed) for seed in range(3)]
    firsts = [distinct_orders(cims[k % 3], [k]) for k in range(1200)]
    counts = pd.Series([tuple(order[0]) for order in firsts]).value_counts()
    assert len(counts) == 5 and np.abs(counts - 240).max() < 4 * np.sqrt(1200 * 0.2 * 0.8)


def test_shuffles_of_many_chromosomes_are_those_of_their_seeds(soybean):
    cim, _, third = control("permuted3", soybean)
    order = np.random.default_rng(3).permutation(20)
    np.testing.assert_array_equal(third, cim.to_numpy()[np.ix_(order, order)])
    assert len(set(shuffles(cim, 20))) == 21


def test_the_expected_control_has_the_observed_contacts_between_chromosomes(soybean):
    _, sums, expected = control("expected", soybean)
    null = expected_sums(soybean, total_between=np.triu(sums, 1).sum()).to_numpy()
    np.testing.assert_allclose(expected, np.log1p(null) / np.log1p(null).max())


def test_expected_control_of_a_study_without_hi_c_is_its_cim(soybean):
    sums = expected_sums(soybean)
    options = {"chromosomes": soybean, "zero_diagonal": False}
    cim = normalise(sums, "log1p_max", **options)
    again = make_control("expected", cim, sums, method="log1p_max", **options)
    pd.testing.assert_frame_equal(cim, again)


def test_identity_constant_and_zero(soybean):
    cim, _, constant = control("constant", soybean)
    assert (constant == cim.to_numpy().mean()).all(axis=None)
    np.testing.assert_array_equal(control("identity", soybean)[2], np.eye(20))
    np.testing.assert_array_equal(control("zero", soybean)[2], np.zeros((20, 20)))
    for name in ("shuffled", "permuted"):
        with pytest.raises(UserError, match=rf"control '{name}'.*permuted<k>, expected"):
            control(name, soybean)


def broken(soybean, value):
    sums = random_sums(soybean, 0)
    sums.loc["Gm03", "Gm05"] = sums.loc["Gm05", "Gm03"] = value
    return sums


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
@pytest.mark.parametrize("method", NORMALISATIONS)
def test_sums_that_are_no_counts_are_refused(value, method, soybean):
    with pytest.raises(UserError, match=r"s\.tsv: found .* contacts of Gm03 and Gm05"):
        normalise(broken(soybean, value), method, chromosomes=soybean, file="s.tsv")


def test_a_chromosome_without_contacts_is_refused(soybean):
    sums = random_sums(soybean, 0)
    sums.loc["Gm07"] = sums["Gm07"] = 0.0
    with pytest.raises(UserError, match="no contacts of chromosome Gm07"):
        normalise(sums, "log1p_max", chromosomes=soybean)
    sums.loc["Gm07", "Gm07"] = 5.0
    normalise(sums, "row", chromosomes=soybean)
    with pytest.raises(UserError, match="without contacts to others"):
        normalise(sums, "observed_expected", chromosomes=soybean)
    with pytest.raises(UserError, match=r"normalisation 'log'.*observed_expected"):
        normalise(sums, "log", chromosomes=soybean)


def test_marginals_that_nothing_explains_are_refused(soybean):
    sums = random_sums(soybean, 0) * 1e-3
    sums.loc["Gm01", "Gm02"] = sums.loc["Gm02", "Gm01"] = 0.0
    star = sums.copy() * 0.0
    star.loc["Gm01"] = star["Gm01"] = 1.0  # Gm01 has half of all contacts: no product fits
    with pytest.raises(UserError, match="no marginals explain"):
        normalise(star, "observed_expected", chromosomes=soybean)
    normalise(sums, "observed_expected", chromosomes=soybean)  # a zero pair alone is no obstacle


def test_the_table_comes_back_and_refuses_other_chromosomes(soybean, tmp_path):
    cim, _, _ = control("zero", soybean)
    write_cim(cim, tmp_path / "cim.tsv")
    assert (tmp_path / "cim.tsv").read_text().startswith("chromosome\tGm01\tGm02\t")
    back = read_cim(tmp_path / "cim.tsv", soybean.names)
    pd.testing.assert_frame_equal(back, cim, check_names=False, rtol=1e-9)
    with pytest.raises(UserError, match="chromosomes Gm01"):
        read_cim(tmp_path / "cim.tsv", soybean.names[::-1])


@pytest.mark.parametrize("method", ["log1p_max", "observed_expected"])
def test_the_heat_map_is_drawn_the_same_each_time(method, soybean, tmp_path):
    cim = normalise(random_sums(soybean, 0), method, chromosomes=soybean)
    svg = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for file in svg:
        files = [file, tmp_path / "a.png"]
        plot_cim(cim, method=method, title="A study", source="Hi-C of 2 libraries", files=files)
    assert svg[0].read_bytes() == svg[1].read_bytes()
    assert b"Hi-C of 2 libraries" in svg[0].read_bytes()
    assert (tmp_path / "a.png").stat().st_size > 10_000
