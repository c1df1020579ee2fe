"""Variances of chromosomes and of their pairs, learned by REML with a prior (L-BFGS).

    ln A_g  = alpha + a_g,                              a_g  ~ N(0, v_a)
    ln M_gh = constant + 2 tau ln H_gh + t_gh,          t_gh ~ N(0, v_t)

H are the contacts, tau from 0 to `STEEPEST` is how far they count, and the constant is such that
s_p is what all pairs together add to the lines' variance. Without a prior G (G - 1) / 2 variances
would be fitted to noise; with it a pair has to earn what sets it apart from what H says of it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from soyfold.models.kernels.stacked import evaluate

STEEPEST = 15.0  # highest tau
LEAST = 1e-3  # of H, whose mean is 1: what no contact at all counts as
NOISE = (1e-4, 1e1)  # bounds of s_e, of s_a = exp(alpha) and s_p: values have a variance of 1
CHROMOSOMES = (1e-6, 1e2)
PAIRS = (1e-6, 1e1)
FAR = 12.0  # bound of a and t
FIRST = 4  # parameters before a and t: ln s_e, alpha, ln s_p, tau
NOWHERE = 1e10  # minus the height where genetic variances drown the noise in float32's rounding
START = 0.1  # of s_p, where nothing is known
TAU = 1.0  # where its search begins


@dataclass(frozen=True)
class Variances:
    """A point of the search in terms of V.

    Attributes
    ----------
    noise : float
    chromosomes : ndarray (G,)
        A.
    pairs : ndarray (G, G)
        M, symmetric with a diagonal of 0.
    """

    noise: float
    chromosomes: np.ndarray
    pairs: np.ndarray


class Posterior:
    """Log of likelihood times prior, as a function of [ln s_e, alpha, ln s_p, tau, a, t].

    Parameters
    ----------
    stack : soyfold.models.kernels.stacked.KernelStack
    values : ndarray (n,)
        With a variance near 1.
    contacts : ndarray (G, G)
        H, symmetric; all 0 leaves no pair.
    prior : (float, float), keyword only
        v_a and v_t; infinite for none.
    uneven : float or ndarray (n,), keyword only
        See `stacked.evaluate`.
    beside : ndarray (n, p), keyword only, optional
        Likewise.
    """

    def __init__(self, stack, values, contacts, *, prior=(1.0, 1.0), uneven=1.0, beside=None):
        self.stack, self.values, self.uneven = stack, values, uneven
        self.beside = np.zeros((len(values), 0)) if beside is None else beside
        self.precisions = 1 / np.asarray(prior, dtype=np.float64)
        self.own, self.sizes = stack.variances()
        self.count = len(self.own)
        first, second = np.triu_indices(self.count, 1)
        # Those of chromosomes without SNPs that differ aren't there.
        there = (self.sizes[first, second] > 0) & contacts.any()
        self.first, self.second = first[there], second[there]
        self.size = self.sizes[self.first, self.second]
        self.log_contacts = np.log(np.maximum(contacts[self.first, self.second], LEAST))
        self.last = None

    @property
    def told(self):
        """Whether contacts differ between pairs."""
        return bool(len(self.size)) and np.ptp(self.log_contacts) > 1e-9

    def start(self, noise, genetic, tau):
        """The parameters of GBLUP with these variances, and pairs of `START`."""
        known = [np.log(noise), np.log(genetic), np.log(START), tau]
        return np.concatenate([known, np.zeros(self.count + len(self.size))])

    def shares(self, theta):
        """Each pair's share of s_p, (P,)."""
        exponents = 2 * theta[3] * self.log_contacts + theta[FIRST + self.count :]
        shares = np.exp(exponents - exponents.max(initial=-np.inf)) * self.size
        return shares / shares.sum()

    def variances(self, theta, *, pairs=True):
        """`Variances` at these parameters; with `pairs` False without any."""
        matrix = np.zeros((self.count, self.count))
        if pairs:
            matrix[self.first, self.second] = np.exp(theta[2]) * self.shares(theta) / self.size
        chromosomes = np.exp(theta[1] + theta[FIRST : FIRST + self.count])
        return Variances(float(np.exp(theta[0])), chromosomes, matrix + matrix.T)

    def log_prior(self, theta):
        """Of a and t, without constants."""
        a, t = np.split(theta[FIRST:], [self.count])
        return -0.5 * float(self.precisions @ (a @ a, t @ t))

    def evaluate(self, theta, *, pairs=True):
        """Log posterior, its gradient, and the likelihood beneath it."""
        now = self.variances(theta, pairs=pairs)
        found = evaluate(
            self.stack, self.values, now.chromosomes, now.pairs, now.noise, self.uneven,
            self.beside,
        )  # fmt: skip
        gradient = np.zeros_like(theta)
        a, t = np.split(theta[FIRST:], [self.count])
        by_a = found.by_chromosome * now.chromosomes
        gradient[:2] = found.by_noise * now.noise, by_a.sum()
        gradient[FIRST : FIRST + self.count] = by_a - self.precisions[0] * a
        gradient[FIRST + self.count :] = -self.precisions[1] * t
        if pairs:
            by_log = (found.by_pair * now.pairs)[self.first, self.second]
            # A pair that weighs more leaves less of s_p for the others.
            by_exponent = by_log - by_log.sum() * self.shares(theta)
            gradient[2], gradient[3] = by_log.sum(), 2 * by_exponent @ self.log_contacts
            gradient[FIRST + self.count :] += by_exponent
        return found.log_likelihood + self.log_prior(theta), gradient, found

    def bounds(self, *, tau, free, pairs=True):
        """Bounds of the parameters; those that aren't searched are None, and stay.

        Parameters
        ----------
        tau : bool, keyword only
            Whether it is searched.
        free : bool, keyword only
            Whether t is.
        pairs : bool, keyword only
            Whether anything of pairs is.
        """
        logs = [tuple(np.log(edge)) for edge in (NOISE, CHROMOSOMES, PAIRS)]
        logs[2] = logs[2] if pairs else None
        slope = (0.0, STEEPEST) if tau and pairs and self.told else None
        apart = (-FAR, FAR) if free and pairs else None
        return [*logs, slope, *[(-FAR, FAR)] * self.count, *[apart] * len(self.size)]

    def maximise(self, theta, bounds, *, iterations, pairs=True):
        """Climb from `theta`.

        Returns
        -------
        theta : ndarray
        log_posterior : float
        iterations : int
        converged : bool
        """
        searched = [number for number, edge in enumerate(bounds) if edge is not None]
        edges = [bounds[number] for number in searched]

        def fall(part):
            whole = theta.copy()
            whole[searched] = part
            try:
                height, gradient, _ = self.evaluate(whole, pairs=pairs)
            except np.linalg.LinAlgError:
                return NOWHERE, np.zeros(len(searched))
            return -height, -gradient[searched]

        low, high = np.transpose(edges)
        found = minimize(
            fall, np.clip(theta[searched], low, high), jac=True, method="L-BFGS-B", bounds=edges,
            options={"maxiter": iterations, "maxfun": 2 * iterations, "ftol": 1e-7, "gtol": 1e-3},
        )  # fmt: skip
        best = theta.copy()
        best[searched] = found.x
        return best, -float(found.fun), int(found.nit), bool(found.success)


def climb(posterior, alone, scale, *, tau, free, iterations):
    """The likeliest variances: without pairs first, then with them from there.

    Parameters
    ----------
    posterior : Posterior
    alone : dict
        GBLUP's figures, from which the climb starts.
    scale : float
        The values' standard deviation in trait units.
    tau : float or None, keyword only
        None where it is searched.
    free : bool, keyword only
        Whether pairs may depart from what contacts say.
    iterations : int, keyword only
        The most steps of either climb.

    Returns
    -------
    variances : Variances
        Without pairs where these gain nothing.
    figures : dict
        heritability, share (of the pairs in the genetic variance), tau, variance_genetic,
        variance_residual, log_likelihood (REML, comparable with GBLUP's), log_posterior (with the
        log density of a and t, relative to that at 0), at_bound (no noise, or nothing but it);
        gain of the log posterior over GBLUP's log-likelihood, and gain_pairs over the same model
        without pairs; iterations, converged.
    """
    noise, genetic = (
        np.clip(alone[name] / scale**2, 0.05, 1.0)
        for name in ("variance_residual", "variance_genetic")
    )
    theta = posterior.start(noise, genetic, TAU if tau is None else tau)
    bounds = posterior.bounds(tau=False, free=False, pairs=False)
    found = posterior.maximise(theta, bounds, iterations=iterations, pairs=False)
    pairs, without = False, found[1]
    if len(posterior.size):
        bounds = posterior.bounds(tau=tau is None, free=free)
        more = posterior.maximise(found[0], bounds, iterations=iterations)
        pairs = more[1] > without
        found = more if pairs else found
    theta, log_posterior, taken, converged = found
    now = posterior.variances(theta, pairs=pairs)
    # A density of values in trait units.
    freedom = len(posterior.values) - 1 - posterior.beside.shape[1]
    height = log_posterior - freedom * np.log(scale)
    return now, {
        **_shares(posterior, now, scale),
        "tau": theta[3],
        "log_likelihood": height - posterior.log_prior(theta),
        "log_posterior": height,
        "gain": height - alone["log_likelihood"],
        "gain_pairs": log_posterior - without,
        "iterations": taken,
        "converged": converged,
    }


def tabulate_pairs(pairs, sizes, contacts, genetic):
    """What was learned of pairs of chromosomes: see `LearnedModel.pair_weights`.

    Parameters
    ----------
    pairs, sizes, contacts : ndarray (G, G)
        M, what K_g o K_h adds to the lines' variance, and H.
    genetic : float
        The genetic variance.
    """
    first, second = np.triu_indices(len(pairs), 1)
    there = sizes[first, second] > 0
    first, second = first[there], second[there]
    learned = pairs[first, second]
    return pd.DataFrame(
        {
            "chromosome": first,
            "chromosome_2": second,
            "contacts": contacts[first, second],
            "weight": learned / (learned.mean() if learned.any() else 1.0),
            "share": learned * sizes[first, second] / genetic,
        }
    )


def _shares(posterior, now, scale):
    """Variances in trait units, what they share out, and whether one is at its bound."""
    between = (now.pairs * posterior.sizes).sum() / 2
    genetic = now.chromosomes @ posterior.own + between
    return {
        "heritability": genetic / (genetic + now.noise),
        "share": between / genetic,
        "variance_genetic": genetic * scale**2,
        "variance_residual": now.noise * scale**2,
        "at_bound": bool(now.noise < 1.01 * NOISE[0] or genetic < 1e-4),
    }
