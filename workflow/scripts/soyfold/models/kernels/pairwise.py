"""REML of many traits by ones and twos, each on all lines that have the values; G and R of all.

Lines that have the same traits share a likelihood. Where values weigh differently, each trait's
variances are those of its own weights; two traits, of which a line has but one weight here, take
the geometric mean of both, so that correlations are exact where traits weigh alike. Matrices that
are put together from pairs may be no covariances: their correlations are bent, eigenvalues below
`LEAST` raised to it.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from soyfold.common.logs import log
from soyfold.models.kernels.beside import part_of
from soyfold.models.kernels.covariances import Estimate, estimate
from soyfold.models.kernels.pooling import pool
from soyfold.models.kernels.traits import traits_likelihood
from soyfold.models.linear import MOST_BESIDE

ALIKE = 1e-6  # what two traits' correlation leaves to 1 at least
LEAST = 1e-3  # eigenvalue of correlations
NOISE = 1e-4  # least share of the residual in a trait's variance
MOST_KEPT = 4096  # estimates of earlier calls


@dataclass(frozen=True)
class Told:
    """What is known of some traits.

    Attributes
    ----------
    lines : int
        That have values of all of them.
    estimate : Estimate or None
    remark : str
        Why there is none.
    spread : float
        Mean variance of a line at a variance of 1 per unit of the kernel (`Kernel.spread`).
    """

    lines: int
    estimate: Estimate | None = None
    remark: str = ""
    spread: float = float("nan")


def estimate_pairs(values, kernel_of, *, fewest, beside=None, weights=None, kept=None):
    """REML of each trait, and of each two.

    Parameters
    ----------
    values : ndarray (n, T)
        NaN where a line has no value.
    kernel_of : callable
        Which of the lines, (n,) of bool, to their `matrices.Kernel`; with weights (n,) of these
        lines that of `likelihood.weighted_kernel`.
    fewest : int, keyword only
        Lines with which there is an estimate.
    beside : ndarray (n, p), keyword only, optional
        X of fixed effects beside the means.
    weights : ndarray (n, T), keyword only, optional
        How much each value counts; above 0.
    kept : (ndarray (n, L), dict), keyword only, optional
        Dosages that the kernel is of, and the estimates of earlier calls: those of the same lines
        and values are taken, new ones added.

    Returns
    -------
    dict of tuple of int to Told
        (0,), ..., (0, 1), ...: by the numbers of the traits.
    """
    (dosage, earlier), found = kept or (None, {}), {}
    for chosen, own, asked in _by_lines(values, weights):
        lines, part = int(chosen.sum()), None
        if beside is not None:
            part = part_of(beside, chosen, most=1.0)
        needed = max(fewest, int(np.ceil((0 if part is None else part.shape[1]) / MOST_BESIDE)))
        if lines < needed:
            found |= dict.fromkeys(asked, Told(lines, remark=f"{needed} lines needed"))
            continue
        keys = {}
        if dosage is not None:
            these = _digest(dosage[chosen], part, *own)
            keys = {traits: these + _digest(values[chosen][:, traits]) for traits in asked}
            found |= {traits: earlier[key] for traits, key in keys.items() if key in earlier}
        if not (left := [traits for traits in asked if traits not in found]):
            continue
        found |= _estimate_some(values[chosen], kernel_of(chosen, *own), left, part, *own)
        log.info("REML of %d lines: %d traits and pairs of traits", lines, len(left))
        if len(earlier) > MOST_KEPT:
            earlier.clear()
        earlier |= {keys[traits]: found[traits] for traits in left if keys}
    return found


def _by_lines(values, weights):
    """Lines (n,) of bool, their weights (none or one ndarray), which ones and twos have them."""
    known, count, together = ~np.isnan(values), values.shape[1], {}
    for traits in [(t,) for t in range(count)] + list(combinations(range(count), 2)):
        chosen, own = known[:, traits].all(axis=1), ()
        if weights is not None:
            own = (np.exp(np.log(weights[chosen][:, traits]).mean(axis=1)),)
        key = (chosen.tobytes(), *(one.tobytes() for one in own))
        together.setdefault(key, (chosen, own, []))[-1].append(traits)
    return together.values()


def _digest(*arrays):
    """Of what arrays hold; None counts as one without anything."""
    digest = hashlib.blake2b(digest_size=16)
    for array in map(np.ascontiguousarray, (() if one is None else one for one in arrays)):
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(array)
    return digest.digest()


def _estimate_some(values, kernel, asked, beside=None, weights=None):
    """`Told` of traits that the same lines have."""
    lines = len(values)
    own = sorted({trait for traits in asked for trait in traits})
    varied = [trait for trait in own if np.ptp(values[:, trait]) > 0]
    if not (kernel.spread > 0 and varied):
        remark = "values that don't differ" if kernel.spread > 0 else "lines that don't differ"
        return dict.fromkeys(asked, Told(lines, remark=remark))
    likelihood, found = traits_likelihood(kernel, values[:, varied], beside, weights), {}
    for traits in asked:
        if not set(traits) <= set(varied):
            found[traits] = Told(lines, remark="values that don't differ")
            continue
        some = likelihood.of([varied.index(trait) for trait in traits])
        if len(traits) == 2 and 1 - abs(some.phenotypic[0, 1]) < ALIKE:
            found[traits] = Told(lines, remark="values that follow from each other")
        else:
            found[traits] = Told(lines, estimate(some), spread=kernel.spread)
    return found


@dataclass(frozen=True)
class Covariances:
    """G, per unit of the kernel, and R of T traits, both positive definite or nearly so.

    Attributes
    ----------
    genetic, residual : ndarray (T, T)
    heritability : ndarray (T,)
    bent : bool
        Whether the pairs' correlations were no correlations of all traits.
    """

    genetic: np.ndarray
    residual: np.ndarray
    heritability: np.ndarray
    bent: bool

    @cached_property
    def canonical(self):
        """M (T, T) and q (T,) with M R M' = I and M G M' = diag(q)."""
        inverse = np.linalg.inv(np.linalg.cholesky(self.residual))
        ratios, vectors = np.linalg.eigh(inverse @ self.genetic @ inverse.T)
        return vectors.T @ inverse, np.maximum(ratios, 0.0)


def put_together(found, count):
    """`Covariances` of all traits: variances of each by itself, correlations of each two.

    Figures of few lines are held to those of the other traits (`pooling`).

    Parameters
    ----------
    found : dict of tuple of int to Told
        As `estimate_pairs` gives it; each trait by itself has an estimate.
    count : int
        T.
    """
    alone = [found[trait,] for trait in range(count)]
    total = np.array([_variance(found, trait, count) for trait in range(count)])
    own = np.array([one.estimate.heritability[0] for one in alone])
    shares = pool(
        own, [one.estimate.errors[0, 0, 0] for one in alone], [one.lines for one in alone],
        low=0.0, unknown=own,
    )  # fmt: skip
    genetic = total * shares
    residual = np.maximum(total - genetic, NOISE * total)
    whole, bent = zip(*(_correlate(found, count, kind) for kind in range(2)), strict=True)
    units = np.sqrt(genetic / [one.spread for one in alone]), np.sqrt(residual)
    made = [one * np.outer(sd, sd) for one, sd in zip(whole, units, strict=True)]
    return Covariances(*made, genetic / (genetic + residual), any(bent))


def _variances(told):
    """Variances of the values of each of its traits."""
    return np.diag(told.estimate.genetic + told.estimate.residual)


def _variance(found, trait, count):
    """A trait's variance, by its own lines and by those that have but another trait.

    That of one pair of traits is the maximum of their likelihood where the lines of one are among
    the other's (Anderson 1957, J Am Stat Assoc 52:200-203): lines that happen to differ much in
    the other trait do so in this one, too. The other trait is the one that tells most.
    """
    most, factor = 0.0, 1.0
    for other in range(count):
        pair = found.get((min(trait, other), max(trait, other)))
        if pair is None or pair.estimate is None:
            continue
        told, whole = pair.estimate.figures[2, 0, 1] ** 2, found[other,]
        if told * (1 - pair.lines / whole.lines) > most:
            most = told * (1 - pair.lines / whole.lines)
            among = _variances(pair)[int(other > trait)]
            factor = 1 + told * (_variances(whole)[0] / among - 1)
    return factor * _variances(found[trait,])[0]


def _correlate(found, count, kind):
    """Correlations (T, T), genetic (kind 0) or residual (1), and whether they had to be bent."""
    pairs = list(combinations(range(count), 2))
    lines = np.array([found[pair].lines for pair in pairs])

    def of(name, kind):
        told = (found[pair].estimate for pair in pairs)
        return np.array([np.nan if one is None else getattr(one, name)[kind, 0, 1] for one in told])

    # The phenotypic one is the best guess at both others where these can't be told (Cheverud 1988,
    # doi:10.1111/j.1558-5646.1988.tb02514.x), and known better than they are: (1 - r^2) / sqrt(n).
    seen = of("figures", 2)
    seen = pool(seen, (1 - seen**2) / np.sqrt(lines), lines, low=-1.0, unknown=np.nan_to_num(seen))
    pooled = pool(of("figures", kind), of("errors", kind), lines, low=-1.0, unknown=seen, near=seen)
    correlations = np.eye(count)
    for (first, second), value in zip(pairs, pooled, strict=True):
        correlations[first, second] = correlations[second, first] = value
    bent = bend(correlations)
    return bent, not np.allclose(bent, correlations, atol=1e-12)


def bend(correlations):
    """Correlations (T, T) whose eigenvalues are `LEAST` or more, near the given ones."""
    values, vectors = np.linalg.eigh(correlations)
    if values[0] >= LEAST:
        return correlations
    bent = vectors * np.maximum(values, LEAST) @ vectors.T
    sd = np.sqrt(np.diag(bent))
    return bent / np.outer(sd, sd)
