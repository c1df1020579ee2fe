"""Gibbs sampling of SNP effects: what BayesB, BayesCpi and the Bayesian LASSO share.

y = mu + Z b + e, e ~ N(0, s_e^2 I), Z the dosages minus their training means. The columns of Z sum
to zero, so that mu, with a flat prior, has the mean of y as its posterior mean and is integrated
out, which leaves n - 1 degrees of freedom. Of values that weigh differently e_i has s_e^2 / w_i,
and all sums, means and variances are weighted. s_e^2 has a scaled inverse chi-square prior. Scales
come, as in BGLR (Perez and de los Campos 2014, doi:10.1534/genetics.114.164442, supplementary
methods), from the share `r2` of the trait's variance that the SNPs are expected to explain: the
prior's mode of s_e^2 is (1 - r2) var(y), that of an effect's variance r2 var(y) / MSx, MSx being
the sum of the SNPs' variances (times the share of SNPs that have an effect).

A model is a law of the effects (see `Law`); `fit_effects` runs chains of it from dispersed starts
and gives the posterior mean.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from soyfold.common.blocks import blocks
from soyfold.common.logs import log
from soyfold.models.gibbs_departures import DEGREES, Departures
from soyfold.models.gibbs_diagnostics import effective_size, split_rhat
from soyfold.models.gibbs_sweeps import ResidualForm, choose_form
from soyfold.models.kernels.likelihood import log_scale
from soyfold.models.linear import RidgeModel, refuse_unusable, weighted_means

DECLARATION = {
    "meaning": "Samplers",
    "kind": "direct",
    "linear": True,
    "weights": True,
    "parameters": {
        "iterations": {"default": 1500, "type": "integer", "minimum": 8,
                       "description": "Of each chain, after burn_in."},
        "burn_in": {"default": 500, "type": "integer", "minimum": 0,
                    "description": "First iterations of each chain, which are dropped."},
        "chains": {"default": 2, "type": "integer", "minimum": 1, "description": "Their number."},
        "r2": {"default": 0.5, "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1,
               "description": "Share of the variance that the SNPs are expected to explain, "
                              "from which the scales of the priors follow as in BGLR."},
    },
    "citations": [
        {"what": "priors of the samplers",
         "citation": "Pérez P, de los Campos G (2014) Genome-wide regression and prediction with "
                     "the BGLR statistical package. Genetics 198:483-495",
         "doi": "10.1534/genetics.114.164442"},
    ],
}  # fmt: skip
SHAPE = 1.1  # of the gamma priors of scales, as in BGLR
KEPT = 250  # draws a chain whose predictions are compared
LINES = 500  # lines whose predictions are compared
POOR = 1.1  # R-hat from which the log warns


@dataclass(frozen=True)
class Data:
    """What a prior's scales are derived from.

    Attributes
    ----------
    lines, markers : int
    variance : float
        Of the training values, in squared trait units.
    spread : float
        MSx: sum over the SNPs of their variances.
    r2 : float
        Expected share of the variance that the SNPs explain.
    """

    lines: int
    markers: int
    variance: float
    spread: float
    r2: float


class Law(Protocol):
    """Prior of the effects in one chain, with what the chain has drawn of its parameters.

    Attributes
    ----------
    variance : float or ndarray (L,)
        Of an effect that isn't zero.
    log_odds : float or None
        Log prior odds of an effect to be other than zero; None where all are.
    changing : float
        Share of the effects that a sweep is expected to change.
    """

    variance: object
    log_odds: float | None
    changing: float

    def update(self, rng, effects, residual_variance):
        """Draw the law's own parameters given the effects (L,)."""

    def residual_terms(self, effects):
        """What the effects add to s_e^2's sum of squares and degrees of freedom."""

    def figures(self):
        """Scalars to trace: dict of str to float."""


@dataclass(frozen=True)
class GibbsModel(RidgeModel):
    """Posterior means of SNP effects in trait units per copy of ALT.

    Attributes
    ----------
    inclusion : ndarray (L,)
        Posterior probability of each effect to be other than zero.
    """

    inclusion: np.ndarray

    def state(self):
        """All that predicts, and the probabilities of inclusion, as named arrays."""
        return {**super().state(), "inclusion": self.inclusion}

    def summary(self):
        """Posterior means of variances and the law's parameters; R-hat and effective draws."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `GibbsModel.state` wrote: it predicts as before."""
    scalars = {"intercept": float(arrays["intercept"]), "figures": {}}
    return GibbsModel(**scalars, **{n: arrays[n] for n in ("centre", "effects", "inclusion")})


class _Chains:
    """Chains side by side: their laws, generators and residual variances, beside the effects."""

    def __init__(self, form, laws, rngs, data, starts, departures=None):
        self.form, self.laws, self.rngs, self.data = form, laws, rngs, data
        self.departures = departures
        self.scale = data.variance * (1 - data.r2) * (DEGREES + 2)
        self.residual_variance = data.variance * (1 - np.asarray(starts))

    def _conditionals(self, c):
        """Rows of gain, cut, shrink and noise of chain c: see `gibbs_sweeps`."""
        law, rng, residual = self.laws[c], self.rngs[c], self.residual_variance[c]
        ratio = residual / law.variance
        shrink = 1 / (self.form.diagonal + ratio)
        noise = rng.standard_normal(shrink.size) * np.sqrt(residual * shrink)
        cut = np.full(shrink.size, -1.0)
        if law.log_odds is not None:
            # The effect's odds against a uniform draw, with all but the data moved to its side.
            uniform = rng.random(shrink.size)
            odds = uniform / (1 - uniform)
            cut = 0.5 * np.log(odds * odds / (ratio * shrink)) - law.log_odds
        return shrink / (2 * residual), cut, shrink, noise

    def step(self):
        """One iteration of all chains; returns what is traced, a dict for each chain."""
        rows = zip(*(self._conditionals(c) for c in range(len(self.laws))), strict=True)
        self.form.sweep(*(np.stack(row) for row in rows))
        if self.departures:
            self.departures.draw(self.form.residual, self.residual_variance, self.rngs)
        traced = []
        for c, (unexplained, genetic) in enumerate(zip(*self.form.squares(), strict=True)):
            law, rng, effects = self.laws[c], self.rngs[c], self.form.effects[c]
            more, freedom = law.residual_terms(effects)
            freedom += DEGREES + self.data.lines - 1
            self.residual_variance[c] = (self.scale + unexplained + more) / rng.chisquare(freedom)
            law.update(rng, effects, self.residual_variance[c])
            traced.append(self._trace(c, unexplained, genetic / self.data.lines))
        return traced

    def _trace(self, c, unexplained, genetic):
        residual = self.residual_variance[c]
        density = self.data.lines * np.log(2 * np.pi * residual) + unexplained / residual
        return {
            "heritability": genetic / (genetic + residual),
            "variance_genetic": genetic,
            "variance_residual": residual,
            "log_likelihood": -0.5 * density,
            **self.laws[c].figures(),
            **self._family(c, genetic * self.data.lines),
        }

    def _family(self, c, squares):
        return {"family_share": self.departures.share(c, squares)} if self.departures else {}


def _run(chains, *, iterations, burn_in):
    """Iterate the chains; the first `burn_in` are dropped.

    Returns
    -------
    effects, inclusion : ndarray (L,)
        Means over iterations and chains.
    traces : dict of str to ndarray (chains, iterations)
    kept : ndarray (chains, about KEPT, L) float32
        Evenly thinned draws of the effects.
    """
    for _ in range(burn_in):
        chains.step()
    now = chains.form.effects
    total, present = np.zeros_like(now), np.zeros_like(now)
    thin = max(1, iterations // KEPT)
    traced, kept = [], []
    for i in range(iterations):
        traced.append(chains.step())
        if chains.departures:
            chains.departures.keep()
        total += now
        present += now != 0
        if i % thin == 0:
            kept.append(now.astype(np.float32))
    names = traced[0][0]
    traces = {name: np.array([[row[name] for row in rows] for rows in traced]).T for name in names}
    means = (total.mean(0) / iterations, present.mean(0) / iterations)
    return *means, traces, np.stack(kept, axis=1)


def _predicted(dosage, centre, kept):
    """What each kept draw predicts of some lines, evenly chosen: (chains, draws, lines)."""
    rows = np.unique(np.linspace(0, len(dosage) - 1, LINES).astype(int))
    return kept @ (dosage[rows] - centre).astype(np.float32).T


def _figures(traces, predictions, model):
    """Posterior means and how far they can be trusted; a warning where chains haven't met."""
    rhat = {name: float(split_rhat(draws)) for name, draws in traces.items()}
    rhat["predictions"] = float(split_rhat(predictions).max())
    poor = [f"{name} {value:.2f}" for name, value in rhat.items() if not value <= POOR]
    if poor:
        log.warning(
            "%s: chains haven't met, R-hat above %s: %s; more burn_in and iterations may help",
            model, POOR, ", ".join(poor),
        )  # fmt: skip
    return {
        **{name: float(draws.mean()) for name, draws in traces.items()},
        "rhat": max(value for name, value in rhat.items() if name != "predictions"),
        "rhat_predictions": rhat["predictions"],
        "effective_iterations": min(effective_size(draws) for draws in traces.values()),
    }


def _spread(dosage, weights=None):
    """MSx: sum of the SNPs' variances, without a floating copy of all dosages."""
    if weights is not None:
        squares = [np.square(dosage[rows], dtype=np.int32).sum(1) for rows in blocks(len(dosage))]
        square = np.average(np.concatenate(squares), weights=weights)
        return float(square - np.square(weighted_means(dosage, weights)).sum())
    squares = sum(np.square(dosage[rows], dtype=np.int32).sum() for rows in blocks(len(dosage)))
    return float(squares / len(dosage) - np.square(dosage.mean(0, dtype=np.float64)).sum())


def fit_effects(dosage, y, law, *, options, seed, model, form=None, weights=None):
    """Sample the effects of SNPs under a law, and give their posterior means.

    Parameters
    ----------
    dosage, y, law, options, seed, model, form, weights
        As for `sample_effects`.

    Returns
    -------
    GibbsModel

    Raises
    ------
    UserError
        For fewer than 3 lines, or a trait or SNPs without variance.
    """
    found, _ = sample_effects(
        dosage, y, law, options=options, seed=seed, model=model, form=form, weights=weights
    )
    return found


def sample_effects(dosage, y, law, *, options, seed, model, form=None, weights=None, families=None):
    """Sample the effects of SNPs under a law, and each family's departures where there are some.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines. SNPs that don't differ get no effect.
    y : ndarray (n,) float64
        Training values in trait units.
    law : callable
        (Data, start) -> `Law` of one chain; start from 0 to 1 (both excluded) is the share of the
        variance that the chain's start gives to the SNPs.
    options : dict
        The model's parameters, resolved: iterations, burn_in, chains, r2.
    seed : int
        Each chain draws from a stream of its own.
    model : str
        For messages.
    form : type, optional
        GramForm or ResidualForm; by default the cheaper one, or with families the latter.
    weights : ndarray (n,), optional
        How much each value counts, with a mean of 1: its noise is over them.
    families : ndarray (n,) of str, optional
        An empty string for a line of no family.

    Returns
    -------
    model : GibbsModel
        Posterior means of the effects of all; its intercept has what departures add in the mean.
    departures : ndarray (F, L) or None
        Those of each family (by its name's order), in trait units per copy of ALT.

    Raises
    ------
    UserError
        For fewer than 3 lines, or a trait or SNPs without variance.
    """
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model=model)
    varying = dosage.min(0) < dosage.max(0)
    centre, mean = weighted_means(dosage, weights), float(np.average(y, weights=weights))
    effects, inclusion = np.zeros((2, len(varying)))
    dosage = dosage if varying.all() else dosage[:, varying]
    n, markers = dosage.shape
    variance = y.var(ddof=1) if weights is None else weights @ np.square(y - mean) / (n - 1)
    data = Data(n, markers, float(variance), _spread(dosage, weights), options["r2"])
    starts = (np.arange(options["chains"]) + 0.5) / options["chains"]
    laws = [law(data, start) for start in starts]
    if families is not None:
        form = ResidualForm
    form = form or choose_form(n, markers, laws[0].changing)
    log.info("%s: %d chains on %d SNPs, %s", model, len(laws), markers, form.__name__)
    rngs = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(len(laws))]
    form = form(dosage, y - mean, chains=len(laws), weights=weights)
    own = families if families is None else Departures(
        dosage, centre[varying], families, variance=data.variance, spread=data.spread,
        starts=starts / 2, weights=weights,
    )  # fmt: skip
    chains = _Chains(form, laws, rngs, data, starts, own)
    effects[varying], inclusion[varying], traces, kept = _run(
        chains, iterations=options["iterations"], burn_in=options["burn_in"]
    )
    figures = _figures(traces, _predicted(dosage, centre[varying], kept), model)
    if weights is not None:
        figures["log_likelihood"] += log_scale(weights)
    if own is None:
        return GibbsModel(mean, centre, effects, figures, inclusion), None
    departures = np.zeros((len(own.names), len(varying)))
    departures[:, varying] = own.effects(dosage, centre[varying])
    return GibbsModel(mean - own.mean(), centre, effects, figures, inclusion), departures
