"""What REML of one ratio of variances shares: the profiled likelihood, its maximum, the figures."""

import numpy as np

SEARCH = (1e-5, 1e5)  # of a ratio of two variances: heritability from 1e-5 to 1 - 1e-5
GRID = 36  # ratios, two thirds of a unit of their logarithm apart: a likelihood's hills are wider
STENCIL = 0.03  # of that logarithm


def profiled_log_likelihood(squares, logs, freedom):
    """REML log-likelihood with the variance profiled out.

    Parameters
    ----------
    squares : float
        y'Py, with the variance that is profiled out at 1.
    logs : float
        log|V| over the directions beside the intercept, likewise.
    freedom : int
        Lines - 1.

    Returns
    -------
    float
        -1/2 [ log|V| + log|X'V^-1 X| - log|X'X| + (n - 1) log(2 pi) + y'Py ], X the intercept.
    """
    return -0.5 * (freedom * (np.log(2 * np.pi * squares / freedom) + 1) + logs)


def variance_figures(ridge, squares, logs, freedom, spread, at_bound=False):
    """What a model reports of its variances; parameters as of `profiled_log_likelihood`.

    Parameters
    ----------
    ridge : float
        s_e^2 / s_g^2 per unit of the kernel.
    spread : float
        Trace of the centred kernel over `freedom`.
    at_bound : bool
        Whether REML met the edge of the searched heritabilities.

    Returns
    -------
    dict of str to float or bool
    """
    variance = squares / freedom
    genetic = variance * spread
    return {
        "heritability": genetic / (genetic + variance * ridge),
        "lambda": float(ridge),
        "variance_genetic": genetic,
        "variance_residual": variance * ridge,
        "log_likelihood": profiled_log_likelihood(squares, logs, freedom),
        "at_bound": at_bound,
    }


def maximise(log_likelihood, log_unit=0.0):
    """The ratio at the REML maximum: the best of a grid, Brent between its neighbours, Newton.

    Parameters
    ----------
    log_likelihood : callable
        Of a ratio of variances.
    log_unit : float
        Logarithm of what ratios are measured against.

    Returns
    -------
    ratio : float
    at_bound : bool
        Whether the maximum lies on the edge of the searched ratios.
    """
    from scipy.optimize import minimize_scalar  # which jobs that only prepare kernels don't need

    grid = log_unit + np.linspace(*np.log(SEARCH), GRID)
    heights = [log_likelihood(ratio) for ratio in np.exp(grid)]
    best = int(np.argmax(heights))
    if best in (0, len(grid) - 1):
        return float(np.exp(grid[best])), True
    found = minimize_scalar(
        lambda log_ratio: -log_likelihood(np.exp(log_ratio)),
        bounds=(grid[best - 1], grid[best + 1]),
        method="bounded",
        options={"xatol": 1e-5},
    )
    return float(np.exp(found.x + _newton_step(log_likelihood, found.x, -found.fun))), False


def _newton_step(log_likelihood, x, height):
    """From a logarithm near the maximum to it, by differences of fourth order.

    A search by heights alone ends where rounding hides them, some 1e-7 away; this ends within 1e-9.
    """
    far, near, after, beyond = (log_likelihood(np.exp(x + k * STENCIL)) for k in (-2, -1, 1, 2))
    slope = (far - 8 * near + 8 * after - beyond) / (12 * STENCIL)
    curvature = (-far + 16 * near - 30 * height + 16 * after - beyond) / (12 * STENCIL**2)
    step = -slope / curvature if curvature < 0 else 0.0
    return step if abs(step) < STENCIL else 0.0
