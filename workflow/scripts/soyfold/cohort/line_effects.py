"""One value per line from many records: least-squares line effects."""

import numpy as np
import pandas as pd

from soyfold.cohort.fixed_effects import build_design, fit_fixed

DENSE = 1000  # environments, up to which the errors of their effects are taken off lines' values


def _environment_effects(line, environment, value, n_lines, n_environments):
    """Environment effects of a connected design, with mean zero, and what their errors add.

    The lines are eliminated from the normal equations: with C the records per line and
    environment, (D_e - C' D_l^-1 C) e = y_e - C' D_l^-1 y_l, a Laplacian M with one free constant.
    A line's value is its mean less that of the effects c_i that its records have, which err
    independently of its mean: it has the variance s^2 (1 / n_i + c_i' M^+ c_i).

    Returns
    -------
    effects : ndarray (n_environments,)
    added : ndarray (n_lines,)
        c_i' M^+ c_i.
    """
    if n_environments == 1:
        return np.zeros(1), np.zeros(n_lines)
    from scipy.sparse import csr_matrix, diags  # records of one environment don't need it
    from scipy.sparse.linalg import spsolve

    counts = csr_matrix((np.ones(len(value)), (line, environment)), shape=(n_lines, n_environments))
    per_line = np.bincount(line, minlength=n_lines)
    per_environment = np.bincount(environment, minlength=n_environments)
    line_sums = np.bincount(line, weights=value, minlength=n_lines)
    environment_sums = np.bincount(environment, weights=value, minlength=n_environments)
    scaled = diags(1.0 / per_line) @ counts
    matrix = (diags(per_environment.astype(float)) - counts.T @ scaled).tocsc()
    right = environment_sums - scaled.T @ line_sums
    effects = np.zeros(n_environments)
    effects[1:] = spsolve(matrix[1:, 1:], right[1:])
    added = np.zeros(n_lines)
    if n_environments <= DENSE:
        # M^+ of a connected design, whose null space is 1 alone, without a threshold for zero.
        scale = matrix.diagonal().mean() / n_environments
        inverse = np.linalg.inv(matrix.toarray() + scale) - 1 / (scale * n_environments**2)
        added = np.asarray((scaled @ inverse * scaled.toarray()).sum(1)).ravel()
    return effects - effects.mean(), added


def _largest_component(line, environment, n_lines, n_environments):
    """Which lines are linked, through common environments, to the largest set of lines."""
    from scipy.sparse import bmat, csr_matrix
    from scipy.sparse.csgraph import connected_components

    counts = csr_matrix((np.ones(len(line)), (line, environment)), shape=(n_lines, n_environments))
    _, label = connected_components(bmat([[None, counts], [counts.T, None]]), directed=False)
    return label[:n_lines] == np.bincount(label[:n_lines]).argmax()


def _taken(records, line, environment, terms, about):
    """What is taken off connected records, what that adds to lines' variances, and parameters."""
    value = records["value"].to_numpy(dtype=np.float64)
    if terms:
        design, names = build_design(records, terms)
        fit = fit_fixed(line, environment, design, names, value, about=about)
        return fit.taken, fit.added, fit.parameters
    n_lines, places = line.max() + 1, environment.max() + 1
    effects, added = _environment_effects(line, environment, value, n_lines, places)
    return effects[environment], added, n_lines + places - 1


def line_effects(records, terms=(), *, about=""):
    """Least-squares line values of y = mu + environment + fixed columns + line.

    Parameters
    ----------
    records : DataFrame
        line (label), value (float, trait units, finite), environment (label, or missing in all
        records: then a line's value is the mean of its records), and `fixed <term>` for each
        term (`fixed_effects.build_design`).
    terms : sequence of fixed_effects.Term
        Fixed effects; lines' values are at their mean over the environments.
    about : str, keyword only
        Whose records these are, for the log.

    Returns
    -------
    DataFrame, one row per line in order of first appearance
        line; value (trait units): mu + line at the mean of the environments, each environment
        weighing the same; records (int): values of the line; environments (int, 0 without
        environments): distinct ones; connected (bool): False, and value NaN, for lines whose
        environments share no line with those of the largest set, since nothing compares them;
        error_variance (squared trait units): of the value's error, from the residuals of all
        records; NaN where no line has more records than are needed to compare the environments.
    """
    line, labels = pd.factorize(records["line"])
    n_lines = len(labels)
    value = records["value"].to_numpy(dtype=np.float64)
    per_line = np.bincount(line, minlength=n_lines)
    connected = np.ones(n_lines, dtype=bool)
    environment, environments = np.zeros_like(line), np.zeros(n_lines, dtype=np.int64)
    if n_lines and records["environment"].notna().any():
        environment, places = pd.factorize(records["environment"])
        pairs = np.unique(np.stack([line, environment]), axis=1)
        environments = np.bincount(pairs[0], minlength=n_lines)
        connected = _largest_component(*pairs, n_lines, len(places))
    adjusted, added, parameters = value.copy(), np.zeros(n_lines), n_lines
    if n_lines and (terms or environment.any()):
        kept = connected[line]
        kept_line, lines_kept = pd.factorize(line[kept])
        kept_place, _ = pd.factorize(environment[kept])
        taken, added[lines_kept], parameters = _taken(
            records[kept], kept_line, kept_place, terms, about
        )
        adjusted[kept] -= taken
    means = np.bincount(line, weights=adjusted, minlength=n_lines) / per_line
    known = connected[line]
    freedom = np.count_nonzero(known) - parameters
    squares = np.square(adjusted - means[line])[known].sum()
    variance = squares / freedom if freedom > 0 else np.nan
    return pd.DataFrame(
        {
            "line": labels,
            "value": np.where(connected, means, np.nan),
            "records": per_line,
            "environments": environments,
            "connected": connected,
            "error_variance": np.where(connected, variance * (1 / per_line + added), np.nan),
        }
    )
