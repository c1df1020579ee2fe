"""GBLUP with products of groups: as dense kernels tell it, and better where groups are planted."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from soyfold.common.errors import UserError
from soyfold.common.groups import REST, Groups
from soyfold.metrics import pearson
from soyfold.models import gblup, group_gblup
from soyfold.models.group_kernel import fit_kernels
from soyfold.models.kernels.groups import permute_groups

PARAMETERS = {"hypothesis": "planted"}
SNPS, COUNT, FITTED = 60, 12, 220


def draw_groups(weights=None):
    """Twelve groups of four SNPs here and there; 14 SNPs in none, two in two."""
    members = np.zeros((SNPS, COUNT + 1), bool)
    order = np.random.default_rng(1).permutation(SNPS)
    for group in range(COUNT):
        members[order[4 * group : 4 * group + 4], group] = True
    members[order[[0, 5]], 7] = True
    members[:, -1] = ~members.any(1)
    table = np.eye(COUNT + 1)
    if weights is not None:
        table[:-1, :-1] = weights
    return Groups([*map(str, range(COUNT)), REST], sparse.csr_array(members), table)


def ring():
    """Weights of groups that go with themselves and, half as much, with the next one."""
    table = np.eye(COUNT)
    here, there = np.arange(COUNT), (np.arange(COUNT) + 1) % COUNT
    table[here, there] = table[there, here] = 0.5
    return table


@pytest.fixture(scope="module")
def planted():
    """Dosages of 300 lines, and values of which products within the groups are the most."""
    rng, groups = np.random.default_rng(4), draw_groups()
    dosage = 2 * rng.integers(0, 2, (300, SNPS)).astype(np.int8)
    x = dosage - 1.0
    products = np.zeros(len(x))
    for own in groups.named.snps():
        for k, first in enumerate(own):
            products += x[:, own[k + 1 :]] @ rng.normal(size=len(own) - k - 1) * x[:, first]
    parts = [x @ rng.normal(size=SNPS), products, rng.normal(size=len(x))]
    shares = np.sqrt([0.15, 0.7, 0.15])
    return dosage, 20 + 3 * sum(
        s * part / part.std() for s, part in zip(shares, parts, strict=True)
    )


def fitted(planted, groups, y=None):
    dosage, values = planted
    y = values if y is None else y
    return group_gblup.fit(
        dosage[:FITTED], y[:FITTED], parameters=PARAMETERS, seed=0, groups=groups
    )


@pytest.mark.parametrize("weights", [None, ring()], ids=["alone", "ring"])
def test_predictions_are_those_of_dense_kernels(planted, weights):
    dosage, y = planted
    groups = draw_groups(weights)
    centred = dosage - dosage[:FITTED].mean(0)
    members = groups.named.members.toarray().astype(float)
    by_pair = np.sqrt(members @ groups.named.weights @ members.T)
    # The literal form: a feature for each ordered pair of SNPs, weighted by their groups.
    features = (by_pair * centred[:, :, None] * centred[:, None, :]).reshape(len(dosage), -1)
    kernels = [centred @ centred.T, features @ features.T]
    old, new = slice(FITTED), slice(FITTED, None)
    known = fit_kernels([kernel[old, old] for kernel in kernels], y[old])
    own = [np.diag(kernel)[new] for kernel in kernels]
    wanted, _ = known.predict([kernel[new, old] for kernel in kernels], own)
    model = fitted(planted, groups)
    np.testing.assert_allclose(model.predict(dosage[new]), wanted, atol=2e-3 * y.std())
    assert model.summary()["share"] == pytest.approx(known.share, abs=1e-3)
    assert model.summary()["log_likelihood"] == pytest.approx(known.log_likelihood, abs=0.01)


def test_planted_products_are_found_and_by_permuted_groups_not(planted):
    dosage, y = planted
    tested = dosage[FITTED:], y[FITTED:]
    real, permuted = (
        fitted(planted, groups) for groups in (draw_groups(), permute_groups(draw_groups(), 1))
    )
    alone = gblup.fit(dosage[:FITTED], y[:FITTED], parameters={}, seed=0)
    told = [pearson(tested[1], model.predict(tested[0])) for model in (real, permuted, alone)]
    assert told[0] > 0.7 > max(told[1:]) + 0.2
    assert real.summary()["gain"] > 20 > permuted.summary()["gain"]
    assert real.summary()["share"] > 0.5


def test_a_stored_model_predicts_the_same(planted, tmp_path):
    dosage, _ = planted
    model = fitted(planted, draw_groups(ring()))
    np.savez(tmp_path / "state.npz", **model.state())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as stored:
        again = group_gblup.from_state(dict(stored))
    np.testing.assert_array_equal(again.predict(dosage), model.predict(dosage))


def test_without_products_it_is_gblup(planted):
    dosage, y = planted
    groups = draw_groups()
    members = np.zeros((SNPS, COUNT + 1), bool)
    members[:, -1] = True
    none = dataclasses.replace(groups, members=sparse.csr_array(members))
    model = fitted(planted, none)
    alone = gblup.fit(dosage[:FITTED], y[:FITTED], parameters={}, seed=0)
    np.testing.assert_allclose(model.predict(dosage), alone.predict(dosage), atol=1e-3 * y.std())
    assert model.summary()["share"] == 0 and not len(model.lines)


def test_groups_of_other_snps_are_refused(planted):
    dosage, y = planted
    with pytest.raises(UserError, match="groups of 60 SNPs; allowed: 59"):
        group_gblup.fit(dosage[:, 1:], y, parameters=PARAMETERS, seed=0, groups=draw_groups())
