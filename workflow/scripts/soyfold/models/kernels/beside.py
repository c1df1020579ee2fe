"""Fixed effects beside the mean, profiled out of a restricted likelihood.

For y = mu + X b + g + e with V = var(y), and P_1 of the model with the mean alone,

    b = (X'P_1 X)^-1 X'P_1 y,    P = P_1 - Q Q',    Q = P_1 X L'^-1,    L L' = X'P_1 X,

and with F = [1 X] log|V| + log|F'V^-1 F| is that of the mean alone plus log|X'P_1 X|. So X stands
beside y as further columns wherever P_1 is at hand; an X without columns changes no digit.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from soyfold.models.linear import MOST_BESIDE, refuse_many, weighted_base

TINY = 1e-8  # of a column's length, below which nothing of it is its own


def take_off(beside, y, weights=None):
    """X as models profile it out, and what it leaves of y by least squares.

    Parameters
    ----------
    beside : ndarray (n, p) or None
        Orthonormal columns, with sums of zero.
    y : ndarray (n,)
    weights : ndarray (n,), optional
        The diagonal of W.

    Returns
    -------
    beside : ndarray (n, p)
        With X'WX = I and X'W1 = 0, so that mu is the value at its mean; p is 0 for None.
    y : ndarray (n,)
        Restricted likelihoods know nothing of what was taken off.
    """
    if beside is None:
        return np.zeros((len(y), 0)), y
    roots = np.ones(len(y)) if weights is None else np.sqrt(weights)
    base = weighted_base(beside, weights)
    beside = base / roots[:, None]
    return beside, y - beside @ (base.T @ (roots * y))


def part_of(beside, chosen, *, most=MOST_BESIDE):
    """X of some lines: orthonormal columns with sums of zero, (m, rank).

    Raises
    ------
    UserError
        For more than `most` as many columns as lines.
    """
    part = beside[chosen]
    left, sizes, _ = np.linalg.svd(part - part.mean(0), full_matrices=False)
    part = left[:, sizes > TINY]
    refuse_many(part.shape[1], len(part), most=most)
    return part


def take_beside(products, traits=1):
    """Profile b out of [Y X]'P_1[Y X] (T + p, T + p).

    Returns
    -------
    squares : ndarray (T, T)
        Y'PY.
    effects : ndarray (p, T)
        b.
    logs : float
        log|X'P_1 X|.
    """
    factor = cho_factor(products[traits:, traits:], lower=True, check_finite=False)
    effects = cho_solve(factor, products[traits:, :traits], check_finite=False)
    squares = products[:traits, :traits] - products[:traits, traits:] @ effects
    return squares, effects, 2 * np.log(np.diag(factor[0])).sum()


def root_beside(pushed, beside):
    """Q (n, p) of P_1 X, L, and log|X'P_1 X|."""
    lower = np.linalg.cholesky(beside.T @ pushed)
    return np.linalg.solve(lower, pushed.T).T, lower, 2 * np.log(np.diag(lower)).sum()


@dataclass(frozen=True)
class Profile:
    """Generalised least squares at some V.

    Attributes
    ----------
    mean : float
        mu.
    dual : ndarray (n,)
        P y = V^-1 (y - mu - X b).
    fixed : ndarray (n, 1 + p)
        P = V^-1 - fixed fixed'.
    total : float
        1'V^-1 1.
    logs : float
        log|X'P_1 X|.
    """

    mean: float
    dual: np.ndarray
    fixed: np.ndarray
    total: float
    logs: float


def solve_beside(factor, y, beside):
    """`Profile` of y (n,) and X (n, p); `factor` is V's as `cho_solve` takes it."""
    return profile(lambda sides: cho_solve(factor, sides, check_finite=False), y, beside)


def profile(solve, y, beside):
    """The same, where `solve` gives V^-1 times (n, k)."""
    sums, *solved = solve(np.column_stack([np.ones_like(y), y, beside])).T
    total = sums.sum()
    means = np.array([column.sum() / total for column in solved])
    dual, *pushed = (column - mean * sums for column, mean in zip(solved, means, strict=True))
    root, lower, logs = root_beside(np.reshape(pushed, beside.T.shape).T, beside)
    told = root.T @ y
    return Profile(
        mean=float(means[0] - means[1:] @ np.linalg.solve(lower.T, told)),
        dual=dual - root @ told,
        fixed=np.column_stack([sums / np.sqrt(total), root]),
        total=total,
        logs=logs,
    )
