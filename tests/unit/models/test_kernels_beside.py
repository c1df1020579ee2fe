"""Covariates in models of several kernels: literal least squares, and effects that mislead."""

import numpy as np
import pytest
from scipy import sparse

from soyfold.common.groups import REST, Groups
from soyfold.models import (
    contact_kernel,
    family_gblup,
    gblup,
    group_gblup,
    learned_contact_kernel,
    nonadditive_gblup,
)
from soyfold.models.group_kernel import fit_kernels
from soyfold.models.kernels.groups import group_products

LINES, NEW, SNPS = 70, 11, 36
CODE = np.repeat([0, 1, 2], 12)
CIM = np.array([[9.0, 3, 1], [3, 9, 2], [1, 2, 9]])


def draw(seed=0, weighted=False):
    """Dosages, families, X that SNPs tell of, y, weights."""
    random = np.random.default_rng(seed)
    dosage = random.binomial(2, random.uniform(0.2, 0.8, SNPS), (LINES + NEW, SNPS))
    family = np.array(["a", "b", ""])[random.integers(0, 3, LINES + NEW)]
    raw = np.column_stack(
        [random.random(LINES) < 0.2 + 0.3 * dosage[:LINES, 0], random.normal(size=LINES)]
    )
    y = 40 + 0.5 * dosage[:LINES] @ random.normal(size=SNPS) + raw @ [4.0, 1.5]
    y += 1.5 * dosage[:LINES, 1] * dosage[:LINES, 30] + random.normal(size=LINES)
    weights = random.uniform(0.3, 3, LINES) if weighted else None
    return dosage.astype(np.int8), family, raw, y, weights


def literal(covariance, between, y, raw, weights):
    """GLS predictions of new lines at the covariates' weighted means; the likelihood."""
    fixed = np.column_stack([np.ones(len(y)), raw - np.average(raw, axis=0, weights=weights)])
    inverse = np.linalg.inv(covariance)
    inner = fixed.T @ inverse @ fixed
    effects = np.linalg.solve(inner, fixed.T @ inverse @ y)
    dual = inverse @ (y - fixed @ effects)
    logs = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(inner)[1]
    return effects[0] + between @ dual, -0.5 * (logs + y @ dual)


def additive(dosage, weights):
    z = dosage - np.average(dosage[:LINES], axis=0, weights=weights)
    return z @ z[:LINES].T


def products(dosage, weights, pairs):
    z = dosage - np.average(dosage[:LINES], axis=0, weights=weights)
    own = [z[:, g == CODE] @ z[:LINES, g == CODE].T for g in range(3)]
    return sum(pairs[g, h] * own[g] * own[h] for g, h in ((0, 1), (0, 2), (1, 2)))


def family_parts(dosage, family, model, weights):
    same = (family[:, None] == family[:LINES]) & (family[:LINES] != "")
    kernel = additive(dosage, None)
    return [kernel, kernel * same], model.variances


def nonadditive_parts(dosage, family, model, weights):
    kernel = additive(dosage, None)
    kernels = [kernel / model.scales[0], np.square(kernel / model.scales[0]) / model.scales[1]]
    return kernels, model.variances


def contact_parts(dosage, family, model, weights):
    told, parts = model.summary(), []
    for kernel in (additive(dosage, weights), products(dosage, weights, model.weights)):
        centred = kernel[:LINES] - np.average(kernel[:LINES], axis=0, weights=weights)
        trace = np.trace(centred - np.average(centred, axis=1, weights=weights)[:, None])
        parts.append(kernel / (trace / (LINES - 1)))
    mixed = (1 - told["share"]) * parts[0] + told["share"] * parts[1]
    centred = mixed[:LINES] - np.average(mixed[:LINES], axis=0, weights=weights)
    centred -= np.average(centred, axis=1, weights=weights)[:, None]
    own = np.ones(LINES) if weights is None else weights
    genetic = told["variance_genetic"] / (own @ np.diag(centred) / (LINES - 1))
    shares = genetic * np.array([1 - told["share"], told["share"]])
    return parts, np.append(shares, told["variance_residual"])


def learned_parts(dosage, family, model, weights):
    z = (dosage - model.centre) * np.sqrt(model.snp_weights)
    own = [z[:, g == CODE] @ z[:LINES, g == CODE].T for g in range(3)]
    met = [own[g] * own[h] for g, h in ((0, 1), (0, 2), (1, 2))]
    sizes = [*model.chromosomes, *model.pairs[np.triu_indices(3, 1)], model.noise]
    return [*own, *met], np.array(sizes)


def fit(module, dosage, y, seed=0, **told):
    extra = {}
    if module in (contact_kernel, learned_contact_kernel):
        extra = {"cim": CIM, "snp_chromosome": CODE}
    parameters = {"iterations": 30} if module is learned_contact_kernel else {}
    return module.fit(dosage, y, parameters=parameters, seed=seed, **extra, **told)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("module", "parts_of"),
    [
        (family_gblup, family_parts),
        (nonadditive_gblup, nonadditive_parts),
        (contact_kernel, contact_parts),
        (learned_contact_kernel, learned_parts),
    ],
)
def test_they_are_those_of_generalised_least_squares(module, parts_of, weighted):
    dosage, family, raw, y, weights = draw(1, weighted)
    base = np.linalg.qr(raw - raw.mean(0))[0]
    families = {"families": family[:LINES]} if module is family_gblup else {}
    model = fit(module, dosage[:LINES], y, weights=weights, beside=base, **families)
    kernels, variances = parts_of(dosage, family, model, weights)
    noise = np.diag(np.ones(LINES) if weights is None else 1 / weights)

    def told(sizes):
        mixed = sum(s * kernel for s, kernel in zip(sizes[:-1], kernels, strict=True))
        return literal(mixed[:LINES] + sizes[-1] * noise, mixed[LINES:], y, raw, weights)

    expected, height = told(variances)
    others = {"families": family[LINES:]} if families else {}
    single = 2e-4 if module is learned_contact_kernel else 1e-7  # its kernels are float32
    np.testing.assert_allclose(
        model.predict(dosage[LINES:], **others), expected, atol=single * np.ptp(expected)
    )
    if module is not learned_contact_kernel:  # which has a prior
        for k, factor in np.ndindex(len(variances), 2):
            moved = variances.copy()
            moved[k] *= (0.95, 1.05)[factor]
            assert told(moved)[1] < height + 1e-4


@pytest.mark.parametrize("weighted", [False, True])
def test_groups_are_fitted_beside_covariates_and_weights(weighted):
    dosage, _, raw, y, weights = draw(2, weighted)
    base = np.linalg.qr(raw - raw.mean(0))[0]
    members = np.zeros((SNPS, 4), bool)
    members[np.arange(SNPS), np.minimum(np.arange(SNPS) // 6, 3)] = True
    groups = Groups(["a", "b", "c", REST], sparse.csr_array(members), np.eye(4))
    known = {"weights": weights, "beside": base}
    model = group_gblup.fit(dosage[:LINES], y, parameters={}, seed=0, groups=groups, **known)
    z = (dosage - dosage[:LINES].mean(0)) / model.scale
    kernels = [z @ z[:LINES].T, group_products(z, groups, z[:LINES])]
    found = fit_kernels([kernel[:LINES] for kernel in kernels], y, **known)
    mixed = sum(s * kernel for s, kernel in zip(found.variances[:-1], kernels, strict=True))
    noise = np.ones(LINES) if weights is None else 1 / weights
    covariance = mixed[:LINES] + found.variances[-1] * np.diag(noise)
    expected, _ = literal(covariance, mixed[LINES:], y, raw, weights)
    np.testing.assert_allclose(model.predict(dosage[LINES:]), expected, rtol=1e-4)


def test_chosen_loci_and_lines_of_reml_are_beside_covariates_too():
    """A number that moves y tenfold would else choose loci, and be the likelihood's noise."""
    dosage, _, raw, y, _ = draw(3)
    base = np.linalg.qr(raw - raw.mean(0))[0]
    told = []
    for moved in (y, y + raw @ [300.0, -200.0]):
        model = nonadditive_gblup.fit(
            dosage[:LINES], moved, seed=0, beside=base,
            parameters={"kernel": "pairwise", "loci": 6, "reml_lines": 40},
        )  # fmt: skip
        told.append((model.loci.tolist(), model.summary(), model.predict(dosage[LINES:])))
    assert told[0][0] == told[1][0]
    assert told[0][1]["heritability"] == pytest.approx(told[1][1]["heritability"], abs=1e-6)
    np.testing.assert_allclose(np.diff([told[0][2], told[1][2]], axis=0).std(), 0, atol=1e-6)


def effect_of_sex(model, dosage, base, y, sex):
    """What the fit says that females have more, given the lines' genetic values."""
    told = base @ np.linalg.lstsq(base, y - model.predict(dosage), rcond=None)[0]
    return told[sex].mean() - told[~sex].mean()


@pytest.mark.parametrize("module", [gblup, nonadditive_gblup])
def test_a_sex_that_goes_with_the_better_lines_is_told_from_their_genes(module):
    """Two groups that drifted apart; most females are of the better one; sex itself adds 2."""
    found = []
    for seed in range(4):
        random = np.random.default_rng(seed)
        group = np.arange(160) % 2
        frequency = np.clip(random.uniform(0.3, 0.7, 60) + np.array([[-0.2], [0.2]]), 0.05, 0.95)
        dosage = random.binomial(2, frequency[group]).astype(np.int8)
        effects = np.abs(random.normal(size=60)) * 0.25
        sex = random.random(160) < np.where(group, 0.85, 0.15)
        genetic = dosage @ effects
        y = genetic + 2.0 * sex + random.normal(size=160)
        base = (sex - sex.mean())[:, None] / np.linalg.norm(sex - sex.mean())
        told = {"parameters": {}, "seed": 0}
        naive = y[sex].mean() - y[~sex].mean()
        off = y - base @ (base.T @ y)  # as for models without fixed effects of their own
        model, projected, without = (
            module.fit(dosage, y, beside=base, **told),
            module.fit(dosage, off, **told),
            module.fit(dosage, y, **told),
        )
        found.append(
            [naive, effect_of_sex(model, dosage, base, y, sex)]
            + [np.corrcoef(one.predict(dosage), genetic)[0, 1]
               for one in (model, projected, without)]
        )  # fmt: skip
    naive, told, within, projected, without = np.mean(found, axis=0)
    assert naive > 6 and told == pytest.approx(2, abs=0.6)
    assert within > projected + 0.015 and within > without
