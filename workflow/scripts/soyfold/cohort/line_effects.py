"""One value per line from many records: least-squares line effects."""

import numpy as np
import pandas as pd


def _environment_effects(line, environment, value, n_lines, n_environments):
    """Environment effects of a connected design, with mean zero.

    The lines are eliminated from the normal equations: with C the records per line and
    environment, (D_e - C' D_l^-1 C) e = y_e - C' D_l^-1 y_l, a Laplacian with one free constant.
    """
    if n_environments == 1:
        return np.zeros(1)
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
    return effects - effects.mean()


def _largest_component(line, environment, n_lines, n_environments):
    """Which lines are linked, through common environments, to the largest set of lines."""
    from scipy.sparse import bmat, csr_matrix
    from scipy.sparse.csgraph import connected_components

    counts = csr_matrix((np.ones(len(line)), (line, environment)), shape=(n_lines, n_environments))
    _, label = connected_components(bmat([[None, counts], [counts.T, None]]), directed=False)
    return label[:n_lines] == np.bincount(label[:n_lines]).argmax()


def line_effects(records):
    """Least-squares line values of y = mu + environment + line.

    Parameters
    ----------
    records : DataFrame
        line (label), value (float, trait units, finite), environment (label, or missing in all
        records: then a line's value is the mean of its records).

    Returns
    -------
    DataFrame, one row per line in order of first appearance
        line; value (trait units): mu + line at the mean of the environments, each environment
        weighing the same; records (int): values of the line; environments (int, 0 without
        environments): distinct ones; connected (bool): False, and value NaN, for lines whose
        environments share no line with those of the largest set, since nothing compares them.
    """
    line, labels = pd.factorize(records["line"])
    n_lines = len(labels)
    value = records["value"].to_numpy(dtype=np.float64)
    per_line = np.bincount(line, minlength=n_lines)
    connected = np.ones(n_lines, dtype=bool)
    adjusted, environments = value, np.zeros(n_lines, dtype=np.int64)
    if n_lines and records["environment"].notna().any():
        environment, places = pd.factorize(records["environment"])
        pairs = np.unique(np.stack([line, environment]), axis=1)
        environments = np.bincount(pairs[0], minlength=n_lines)
        connected = _largest_component(*pairs, n_lines, len(places))
        kept = connected[line]
        kept_line, lines_kept = pd.factorize(line[kept])
        kept_place, places_kept = pd.factorize(environment[kept])
        effects = np.zeros(len(places))
        effects[places_kept] = _environment_effects(
            kept_line, kept_place, value[kept], len(lines_kept), len(places_kept)
        )
        adjusted = value - effects[environment]
    means = np.bincount(line, weights=adjusted, minlength=n_lines) / per_line
    return pd.DataFrame(
        {
            "line": labels,
            "value": np.where(connected, means, np.nan),
            "records": per_line,
            "environments": environments,
            "connected": connected,
        }
    )
