"""Certainty of models with covariates: what fixed effects leave unknown is in it, literally."""

import numpy as np
import pytest

from soyfold.models import (
    family_gblup,
    gblup,
    learned_contact_kernel,
    nonadditive_gblup,
    rkhs,
    rr_blup,
)

LINES, NEW = 48, 7
GROUPS = np.resize(["a", "b", "c", "d", ""], LINES).astype(str)


def draw(snps, weighted):
    random = np.random.default_rng(4)
    dosage = random.binomial(2, random.uniform(0.2, 0.8, snps), (LINES + NEW, snps))
    raw = random.normal(size=(LINES + NEW, 3)) + dosage[:, :3]
    raw -= raw[:LINES].mean(0)
    beside = raw @ np.linalg.inv(np.linalg.qr(raw[:LINES])[1])
    y = 9 + dosage[:LINES] @ random.normal(size=snps) / 3 + 8 * beside[:LINES].sum(1)
    weights = random.uniform(0.3, 3, LINES) if weighted else None
    return dosage.astype(np.int8), beside, y + random.normal(size=LINES), weights


def additive(model, dosage):
    z = dosage - model.centre
    return z @ z[:LINES].T, np.square(z).sum(1)


def of_effects(model, dosage, family):
    kernel, own = additive(model, dosage)
    return model.variances[0] * kernel, model.variances[0] * own, model.variances[1]


def of_families(model, dosage, family):
    kernel, own = additive(model, dosage)
    same = (family[:, None] == family[:LINES]) & (family[:LINES] != "")
    common, within, noise = model.variances
    return kernel * (common + within * same), own * (common + within * (family != "")), noise


def of_two(model, dosage, family):
    kernel, own = (x / model.scales[0] for x in additive(model, dosage))
    first, second, noise = model.variances / [1, model.scales[1], 1]
    return first * kernel + second * kernel**2, first * own + second * own**2, noise


def of_gaussian(model, dosage, family):
    apart = np.square(dosage[:, None].astype(float) - dosage[None, :LINES]).sum(2)
    kernel = np.exp(-apart / model.width)
    means, rows = kernel[:LINES].mean(0), kernel.mean(1)
    own = 1 - 2 * rows + means.mean()
    centred = kernel - means - rows[:, None] + means.mean()
    return model.variances[0] * centred, model.variances[0] * own, model.variances[1]


def of_pairs(model, dosage, family):
    z = (dosage - model.centre) * np.sqrt(model.snp_weights)
    own = [z[:, g::3] for g in range(3)]
    kernels, squares = [x @ x[:LINES].T for x in own], [np.square(x).sum(1) for x in own]
    told = [0.0, 0.0]
    for g, h in np.ndindex(3, 3):
        share = model.pairs[g, h] / 2
        told[0] += share * kernels[g] * kernels[h] + (g == h) * model.chromosomes[g] * kernels[g]
        told[1] += share * squares[g] * squares[h] + (g == h) * model.chromosomes[g] * squares[g]
    return *told, model.noise


MODELS = [
    (gblup, 60, of_effects), (rr_blup, 20, of_effects), (rkhs, 30, of_gaussian),
    (family_gblup, 30, of_families), (nonadditive_gblup, 30, of_two),
    (learned_contact_kernel, 30, of_pairs),
]  # fmt: skip


def literal(covariance, across, own, design, new):
    """Reliabilities and sd of errors of new lines, whose fixed effects are `new`."""
    inverse = np.linalg.inv(covariance)
    inner = np.linalg.inv(design.T @ inverse @ design)
    away = new - across @ inverse @ design
    caught = np.einsum("mi,ij,mj->m", across, inverse, across)
    known = across @ inverse @ design
    reliability = (caught - np.einsum("mp,pq,mq->m", known, inner, known)) / own
    return reliability, np.sqrt(own - caught + np.einsum("mp,pq,mq->m", away, inner, away))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("module", "snps", "parts"), MODELS)
def test_it_is_that_of_the_equations(module, snps, parts, weighted):
    dosage, beside, y, weights = draw(snps, weighted)
    family = np.resize(["x", "y", ""], LINES + NEW).astype(str)
    known, new = {}, {}
    if module is family_gblup:
        known, new = {"families": family[:LINES]}, {"families": family[LINES:]}
    told = {}
    if module is learned_contact_kernel:
        told = {"cim": 1 + np.eye(3), "snp_chromosome": np.arange(snps) % 3}
    model = module.fit(
        dosage[:LINES], y, parameters={"iterations": 9} if told else {}, seed=0, weights=weights,
        beside=beside[:LINES], **known, **told,
    )  # fmt: skip
    kernel, own, noise = parts(model, dosage, family)
    uneven = noise if weights is None else noise / weights
    covariance = kernel[:LINES] + np.diag(np.broadcast_to(uneven, LINES))
    fixed = np.column_stack([np.ones(LINES + NEW), beside])
    wanted = literal(covariance, kernel[LINES:], own[LINES:], fixed[:LINES], fixed[LINES:])
    single = 1e-3 if told else 1e-6
    for again in (model, module.from_state(model.state())):
        found = again.errors(dosage[LINES:], **new, beside=beside[LINES:])
        np.testing.assert_allclose(found, wanted, rtol=single, atol=single)
    # Whoever is at the mean of the covariates is told without them.
    at_mean = literal(covariance, kernel[LINES:], own[LINES:], fixed[:LINES],
                      np.eye(4)[[0] * NEW])  # fmt: skip
    np.testing.assert_allclose(
        model.errors(dosage[LINES:], **new), at_mean, rtol=single, atol=single
    )
    # Lines without their group, each from a fit of the others with the same variances.
    projection = np.linalg.inv(covariance)
    inner = fixed[:LINES].T @ projection @ fixed[:LINES]
    half = projection @ fixed[:LINES]
    projection -= half @ np.linalg.solve(inner, half.T)
    errors, sd = model.without(GROUPS, uneven * (projection @ y))
    assert np.isnan(errors[GROUPS == ""]).all()
    for name in "abcd":
        gone = name == GROUPS
        rest = np.ix_(~gone, ~gone)
        inverse = np.linalg.inv(covariance[rest])
        design = fixed[:LINES][~gone]
        effects = np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ y[~gone])
        across = kernel[:LINES][np.ix_(gone, ~gone)]
        predicted = fixed[:LINES][gone] @ effects
        predicted += across @ inverse @ (y[~gone] - design @ effects)
        np.testing.assert_allclose(errors[gone], y[gone] - predicted, rtol=10 * single,
                                   atol=10 * single)  # fmt: skip
        error = literal(covariance[rest], across, own[:LINES][gone], design, fixed[:LINES][gone])
        if module is not rkhs:  # whose kernel is centred by all lines
            np.testing.assert_allclose(sd[gone], error[1], rtol=10 * single)


def test_a_group_that_alone_tells_an_effect_is_not_told_without_it():
    """Its lines' level is known of no other line: nothing says what they would be."""
    dosage, _, y, _ = draw(60, False)
    alone = (GROUPS == "b").astype(float)
    base = (alone - alone.mean()) / np.linalg.norm(alone - alone.mean())
    model = gblup.fit(dosage[:LINES], y, parameters={}, seed=0, beside=base[:, None])
    left = y - model.predict(dosage[:LINES])
    left -= base * (base @ left)
    errors, sd = model.without(GROUPS, left)
    assert np.isnan(errors[GROUPS == "b"]).all() and np.isnan(sd[GROUPS == "b"]).all()
    assert np.isfinite(errors[np.isin(GROUPS, ["a", "c", "d"])]).all()
