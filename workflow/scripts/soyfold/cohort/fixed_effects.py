"""Columns of a plot table that stand beside environment and line in the least squares."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.logs import log

PREFIX = "fixed "  # of a term's column among records, and of its levels' among cells
NONE = "none"  # in a trait's row: not those that the study names
MOST_LEVELS = 2000  # of all factors together; their cross products are dense
MANY = 0.5  # levels per record, from which on a factor is rather a number
ALIASED = 1e-8  # of a column's squares, below which nothing of it is its own
_NUMBER = re.compile(r"number\((.+)\)")
_LEVEL = " = "


@dataclass(frozen=True)
class Term:
    """A fixed effect: a factor of one column, of several crossed ones (`year:block`), or a number.

    `name` is as it was written, `columns` are those of the table.
    """

    name: str
    columns: tuple
    number: bool


def read_terms(text, **where):
    """The terms that a trait's row names.

    Parameters
    ----------
    text : str or None
        `block, year:block, number(R8)`; `none` or None for none.
    **where
        `file` and `at`, for messages.

    Returns
    -------
    list of Term

    Raises
    ------
    UserError
        For an empty term, one that is named twice, or a product with a number.
    """
    if not text or text.strip() == NONE:
        return []
    terms = []
    for part in text.split(","):
        number = _NUMBER.fullmatch(part.strip())
        inner = number[1] if number else part
        columns = tuple(column.strip() for column in inner.split(":"))
        bad = not all(columns) or (number and len(columns) > 1) or "number(" in inner
        if bad or part.strip() in [term.name for term in terms]:
            raise UserError(
                f"{part.strip()!r} in fixed {text!r}", **where,
                allowed="columns by commas, each once: a factor (block), crossed factors"
                " (year:block), or a number (number(R8))",
            )  # fmt: skip
        terms.append(Term(part.strip(), columns, bool(number)))
    return terms


def build_design(records, terms):
    """A column for each level of each factor, and for each number, in its standard deviations.

    Parameters
    ----------
    records : DataFrame (n rows)
        `fixed <term>` for each term: text, or float64; none missing.
    terms : sequence of Term

    Returns
    -------
    matrix : scipy.sparse.csr_matrix (n, p)
    names : list of str, length p
        `fixed <term>`, behind it ` = <level>` of a factor.

    Raises
    ------
    UserError
        For factors of too many levels.
    """
    from scipy.sparse import csr_matrix, hstack

    parts, names = [], []
    for term in terms:
        column = records[PREFIX + term.name]
        if term.number:
            away = column.to_numpy(dtype=np.float64) - column.mean()
            spread = np.sqrt(np.mean(away**2))
            same = spread <= 1e-12 * column.abs().max()
            parts.append(csr_matrix(away[:, None] * (0 if same else 1 / spread)))
            names.append(PREFIX + term.name)
            continue
        code, levels = pd.factorize(column, sort=True)
        if len(names) + len(levels) > MOST_LEVELS:
            raise UserError(
                f"{len(levels)} levels of fixed {term.name}",
                allowed=f"at most {MOST_LEVELS} of all fixed columns",
                mend=f"write number({term.name}) if it is a number, or name another column",
            )
        if len(levels) > MANY * len(records):
            log.warning(
                "WARNING fixed %s has %d levels in %d records: if it is a number, write number(%s)",
                term.name, len(levels), len(records), term.name,
            )  # fmt: skip
        ones = (np.ones(len(code)), (np.arange(len(code)), code))
        parts.append(csr_matrix(ones, shape=(len(code), len(levels))))
        names += [f"{PREFIX}{term.name}{_LEVEL}{level}" for level in levels]
    return (hstack(parts, format="csr") if parts else None), names


@dataclass(frozen=True)
class FixedFit:
    """Least squares of y = mu + environment + fixed columns + line.

    Attributes
    ----------
    taken : ndarray (n,)
        What environments and fixed columns add to each record, beyond what they add at the mean
        of the environments.
    added : ndarray (lines,)
        What their errors add to the variance of a line's value, in units of a record's.
    parameters : int
        Estimated ones, those of the lines among them.
    coefficients, reference : ndarray (p,)
        Of the fixed columns: their effects (0 where they can't be told), and where the lines'
        values are taken: the columns' mean over the environments.
    """

    taken: np.ndarray
    added: np.ndarray
    parameters: int
    coefficients: np.ndarray
    reference: np.ndarray


def fit_fixed(line, environment, design, names, value, *, about=""):
    """Fit fixed columns beside environments and lines.

    The lines are eliminated: with F the columns, M = F' (I - P) F and r = F' (I - P) y, where P
    takes means within lines, b = M^+ r. Terms enter in their order, behind the environments; one
    that tells nothing beside those before it and the lines is left out. Of what is left in the
    null space of M nothing is taken off: what can't be told from lines stays in their values.

    Parameters
    ----------
    line : ndarray (n,) of int
        From 0 to the number of lines; connected by the environments.
    environment : ndarray (n,) of int
        From 0; all 0 where records carry none.
    design, names
        From `build_design`; the names tell which columns are one term.
    value : ndarray (n,)
    about : str, keyword only
        What the log begins with.

    Returns
    -------
    FixedFit
    """
    from scipy.sparse import csr_matrix, hstack

    n, places = len(value), environment.max() + 1
    rows = np.arange(n)
    own = csr_matrix((np.ones(n), (rows, line)))
    place = csr_matrix((np.ones(n), (rows, environment)))
    per_place = np.bincount(environment)[environment] * places
    columns = hstack([place, design], format="csr")
    means = (own.T @ columns).toarray() / np.bincount(line)[:, None]  # (lines, q)
    matrix = (columns.T @ columns).toarray() - means.T @ (means * np.bincount(line)[:, None])
    within = value - (np.bincount(line, weights=value) / np.bincount(line))[line]
    reference = np.asarray((1 / per_place) @ columns).ravel()
    kept = _estimable(matrix, columns, places, names, about)
    inverse, null = _pseudo_inverse(matrix[np.ix_(kept, kept)])
    coefficients = np.zeros(columns.shape[1])
    coefficients[kept] = inverse @ (columns[:, kept].T @ within)
    _warn_confounded(means[:, kept], null, kept, places, names, about)
    away = means[:, kept] - reference[kept]
    taken = columns @ coefficients - reference @ coefficients
    return FixedFit(
        taken=taken,
        added=(away @ inverse * away).sum(1),
        parameters=means.shape[0] + len(kept) - null.shape[1],
        coefficients=coefficients[places:],
        reference=reference[places:],
    )


def _term_columns(names, first):
    """Places of each term's columns, by its name, counted from `first`."""
    places = {}
    for place, name in enumerate(names, start=first):
        places.setdefault(name.removeprefix(PREFIX).split(_LEVEL)[0], []).append(place)
    return places


def _pseudo_inverse(matrix):
    """M^+ of a symmetric matrix, and an orthonormal base of its null space."""
    values, vectors = np.linalg.eigh(matrix)
    zero = values <= ALIASED * max(values.max(initial=0), np.finfo(float).tiny)
    kept = vectors[:, ~zero]
    return (kept / values[~zero]) @ kept.T, vectors[:, zero]


def _estimable(matrix, columns, first, names, about):
    """Columns of the environments and of those terms that tell something beside what is before."""
    squares = np.asarray(columns.multiply(columns).sum(0)).ravel()
    kept, told = list(range(first)), []
    for term, own in _term_columns(names, first).items():
        across = matrix[np.ix_(kept, own)]
        inverse, _ = _pseudo_inverse(matrix[np.ix_(kept, kept)])
        left = np.diag(matrix)[own] - (across * (inverse @ across)).sum(0)
        if (left <= ALIASED * squares[own]).all():
            log.warning(
                "WARNING %s: fixed %s is left out: it tells nothing beside lines, environments and"
                " what is fixed before it", about, term,
            )  # fmt: skip
            continue
        kept += own
        told.append(f"{term} ({len(own)} columns)")
    log.info("%s: fixed beside environments and lines: %s", about, ", ".join(told) or "nothing")
    return np.array(kept)


def _warn_confounded(means, null, kept, first, names, about):
    """Warn of differences between levels that are differences between lines as well."""
    lines = means @ null
    lines -= lines.mean(0)
    values, vectors = np.linalg.eigh(lines.T @ lines)
    mixed = null @ vectors[:, values > ALIASED * len(lines)]
    term_of = {
        place: term for term, places in _term_columns(names, first).items() for place in places
    }
    rows = np.flatnonzero(np.abs(mixed).max(1, initial=0) > 1e-6)
    terms = dict.fromkeys(term_of[kept[row]] for row in rows if kept[row] >= first)
    if not terms:
        return
    log.warning(
        "WARNING %s: %d differences between levels of fixed %s can't be told from those between"
        " lines, and stay in the lines' values: their records share no line",
        about, mixed.shape[1], ", ".join(terms),
    )  # fmt: skip


def take_off(cells, training):
    """Cells less what their fixed columns add, as training cells tell it.

    Parameters
    ----------
    cells : DataFrame (m rows)
        sample, environment, value and, from `build_design`, the means of the fixed columns.
    training : ndarray (m,) of bool

    Returns
    -------
    DataFrame
        `cells` without those columns; as it stands where there are none.
    """
    names = [name for name in cells.columns if name.startswith(PREFIX)]
    if not names:
        return cells
    from scipy.sparse import csr_matrix

    design = cells[names].to_numpy(dtype=np.float64)
    known = cells[training]
    fit = fit_fixed(
        pd.factorize(known["sample"])[0], pd.factorize(known["environment"])[0],
        csr_matrix(design[training]), names, known["value"].to_numpy(dtype=np.float64),
        about="training values",
    )  # fmt: skip
    value = cells["value"] - (design - fit.reference) @ fit.coefficients
    return cells.drop(columns=names).assign(value=value)
