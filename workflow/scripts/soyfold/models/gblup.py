"""GBLUP with REML variances, as its equivalent ridge regression on SNPs.

y = mu + Z u + e with u ~ N(0, s_u^2 I), e ~ N(0, s_e^2 I) and Z the dosages minus their training
means; lambda = s_e^2 / s_u^2. The lines' values Z u have covariance s_u^2 Z Z', which is GBLUP; the
SNP effects u are what predicts a new line (Habier, Fernando and Dekkers 2007,
doi:10.1534/genetics.107.081190).

Since the columns of Z sum to zero, the intercept is an eigenvector of Z Z' of its own: mu is the
training mean, and one eigendecomposition gives the REML likelihood at any lambda in O(n) (Kang et
al. 2008, doi:10.1534/genetics.107.080101).
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize_scalar

from soyfold.errors import UserError
from soyfold.parameters import require, resolve

DEFAULTS = {"ridge_lambda": None}  # None: REML
BLOCK = 2048  # rows or columns of dosage made floating at a time
SEARCH = (1e-5, 1e5)  # s_e^2 / s_g^2: heritability from 1e-5 to 1 - 1e-5


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues d of Z Z' above rounding, and y in its eigenvectors.

    Attributes
    ----------
    values : ndarray (r,)
        The eigenvalues d.
    loadings : ndarray (r,)
        u_i' y: what y has of each eigenvector.
    freedom : int
        Degrees of freedom: lines - 1.
    rest : float
        Squares of y in the directions where Z Z' is zero, of which there are freedom - r.
    """

    values: np.ndarray
    loadings: np.ndarray
    freedom: int
    rest: float

    def marker_variance(self, ridge):
        """REML estimate of s_u^2 given lambda."""
        squares = np.square(self.loadings) / (self.values + ridge)
        return (squares.sum() + self.rest / ridge) / self.freedom

    def log_likelihood(self, ridge):
        """REML log-likelihood at lambda, with s_u^2 profiled out.

        -1/2 [ log|V| + log|X'V^-1 X| - log|X'X| + (n - 1) log(2 pi) + y'Py ] with X the intercept.
        """
        r = self.values.size
        determinant = np.log(self.values + ridge).sum() + (self.freedom - r) * np.log(ridge)
        variance = self.marker_variance(ridge)
        return -0.5 * (self.freedom * (np.log(2 * np.pi * variance) + 1) + determinant)


@dataclass(frozen=True)
class RidgeModel:
    """SNP effects in trait units per copy of ALT.

    Attributes
    ----------
    intercept : float
        Training mean, the value of a line with the mean dosages.
    centre : ndarray (L,)
        Training means of the dosages.
    effects : ndarray (L,)
    figures : dict
        What `summary` gives.
    """

    intercept: float
    centre: np.ndarray
    effects: np.ndarray
    figures: dict = field(repr=False)

    def predict(self, dosage):
        """Predicted values in trait units: dosage (m, L) counts of ALT -> (m,) float64."""
        values = np.empty(len(dosage))
        for a in range(0, len(dosage), BLOCK):
            values[a : a + BLOCK] = dosage[a : a + BLOCK].astype(np.float64) @ self.effects
        return values + (self.intercept - self.centre @ self.effects)

    def state(self):
        """All that predicts, as named arrays."""
        return {
            "intercept": np.array(self.intercept),
            "centre": self.centre,
            "effects": self.effects,
        }

    def summary(self):
        """Heritability, lambda, variances, log-likelihood, and whether REML met a bound."""
        return dict(self.figures)


def _blocks(size):
    return (slice(a, a + BLOCK) for a in range(0, size, BLOCK))


def _floating(dosage):
    # Sums of a block's products of counts stay below 2**24: exact in float32, in half the time.
    return dosage.astype(np.float32 if dosage.dtype == np.int8 else np.float64)


def _line_products(dosage):
    """Z Z' (n, n): products of X, then both margins centred."""
    products = np.zeros((dosage.shape[0],) * 2)
    for columns in _blocks(dosage.shape[1]):
        block = _floating(dosage[:, columns])
        products += block @ block.T
    products -= products.mean(0)
    products -= products.mean(1)[:, None]
    return products


def _marker_products(dosage, centre):
    """Z' Z (L, L)."""
    products = np.zeros((dosage.shape[1],) * 2)
    for rows in _blocks(dosage.shape[0]):
        block = _floating(dosage[rows])
        products += block.T @ block
    for rows in _blocks(dosage.shape[1]):
        products[rows] -= dosage.shape[0] * centre[rows, None] * centre
    return products


def _project(dosage, centre, x):
    """Z' x (L,), for x (n,)."""
    sums = np.zeros(dosage.shape[1])
    for rows in _blocks(dosage.shape[0]):
        sums += x[rows] @ dosage[rows].astype(np.float64)
    return sums - centre * x.sum()


def _decompose(dosage, centre, y):
    """Eigendecomposition of the smaller of Z Z' and Z' Z.

    Returns
    -------
    spectrum : Spectrum
    effects : callable
        lambda -> SNP effects (L,).
    """
    n, markers = dosage.shape
    by_line = n <= markers
    products = _line_products(dosage) if by_line else _marker_products(dosage, centre)
    values, vectors = eigh(products, overwrite_a=True, check_finite=False, driver="evd")
    del products
    kept = values > values[-1] * max(n, markers) * 16 * np.finfo(float).eps
    if not kept.any():
        raise UserError(
            f"no SNP that differs among {n} training lines",
            at="model gblup",
            mend="check the filters",
        )
    values, vectors = values[kept], vectors[:, kept]
    if by_line:
        loadings = vectors.T @ y
    else:
        loadings = (vectors.T @ _project(dosage, centre, y)) / np.sqrt(values)
    rest = max(0.0, y @ y - loadings @ loadings) if values.size < n - 1 else 0.0

    def effects(ridge):
        if by_line:
            return _project(dosage, centre, vectors @ (loadings / (values + ridge)))
        return vectors @ (loadings * np.sqrt(values) / (values + ridge))

    return Spectrum(values, loadings, n - 1, rest), effects


def maximise_likelihood(spectrum):
    """lambda at the REML maximum: the best of a grid, then Brent between its neighbours.

    Returns
    -------
    ridge : float
    at_bound : bool
        Whether the maximum lies on the edge of the searched heritabilities.
    """
    # lambda = s_e^2 / s_u^2, and s_g^2 is s_u^2 times the spread of Z's rows.
    grid = np.log(spectrum.values.sum() / spectrum.freedom) + np.linspace(*np.log(SEARCH), 70)
    heights = [spectrum.log_likelihood(ridge) for ridge in np.exp(grid)]
    best = int(np.argmax(heights))
    if best in (0, len(grid) - 1):
        return float(np.exp(grid[best])), True
    found = minimize_scalar(
        lambda log_ridge: -spectrum.log_likelihood(np.exp(log_ridge)),
        bounds=(grid[best - 1], grid[best + 1]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(np.exp(found.x)), False


def fit(dosage, y, *, parameters, seed):
    """Fit GBLUP.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        ridge_lambda: None for REML (default), or a fixed s_e^2 / s_u^2.
    seed : int
        Not used: there is nothing random.

    Returns
    -------
    RidgeModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    ridge = resolve(parameters, DEFAULTS, model="gblup")["ridge_lambda"]
    require(
        ridge is None or (isinstance(ridge, (int, float)) and 0 < ridge < np.inf),
        f"ridge_lambda: {ridge!r}",
        model="gblup",
        allowed="a number above 0, or null for REML",
    )
    y = np.asarray(y, dtype=np.float64)
    if len(y) < 3 or np.ptp(y) == 0:
        raise UserError(
            f"{len(y)} training lines with {len(np.unique(y))} different values",
            at="model gblup",
            allowed="at least 3 lines that differ",
        )
    centre = dosage.mean(0, dtype=np.float64)
    spectrum, effects = _decompose(dosage, centre, y - y.mean())
    at_bound = False
    if ridge is None:
        ridge, at_bound = maximise_likelihood(spectrum)
    variance = spectrum.marker_variance(ridge)
    genetic = variance * spectrum.values.sum() / spectrum.freedom
    figures = {
        "heritability": genetic / (genetic + variance * ridge),
        "lambda": float(ridge),
        "variance_genetic": genetic,
        "variance_residual": variance * ridge,
        "log_likelihood": spectrum.log_likelihood(ridge),
        "at_bound": at_bound,
    }
    return RidgeModel(float(y.mean()), centre, effects(ridge), figures)
