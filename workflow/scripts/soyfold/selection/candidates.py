"""Candidates: the lines to choose from, with what saved models predict of each trait."""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.common.blocks import blocks
from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.prediction.panel import refuse_other_variants
from soyfold.prediction.saved_models import load_model


@dataclasses.dataclass(frozen=True)
class Candidates:
    """Lines and what a model says of them.

    Attributes
    ----------
    names : ndarray (n,) of str
    dosage : ndarray (n, L) int8
        Counts of ALT, without a missing call; may be memory-mapped.
    values : DataFrame (n, T)
        Predicted values by trait, trait units.
    """

    names: np.ndarray
    dosage: np.ndarray
    values: pd.DataFrame


def read_names(path):
    """Lines of a dosage matrix in the order of its rows, from the table beside it."""
    table = read_table(path, required=("sample",), dtype={"sample": str})
    if "row" in table:  # the cohort's; that of new lines is in their order
        table = table.sort_values("row")
    return table["sample"].to_numpy(dtype=str)


def read_models(traits, paths, panel):
    """The saved model of each trait, of the variants of `panel` (a DataFrame)."""
    models = {}
    for trait, path in zip(traits, paths, strict=True):
        models[trait] = load_model(path)
        refuse_other_variants(models[trait].variants, panel, file=path)
    return models


def predict_candidates(models, dosage, names):
    """Predict lines by one model a trait.

    Parameters
    ----------
    models : dict of str to SavedModel
        By trait.
    dosage : ndarray (n, L) int8
    names : ndarray (n,) of str

    Returns
    -------
    Candidates
    """
    values = {}
    for trait, saved in models.items():
        column = saved.traits.index(trait)
        told = [
            saved.predict(dosage[rows], names[rows])[0][:, column] for rows in blocks(len(names))
        ]
        values[trait] = np.concatenate(told)
    return Candidates(names, dosage, pd.DataFrame(values))


def snp_effects(models):
    """Effects of a copy of ALT, a row a trait.

    Parameters
    ----------
    models : dict of str to SavedModel

    Returns
    -------
    ndarray (T, L)

    Raises
    ------
    UserError
        For a model that predicts by more than the sum of such effects.
    """
    rows = []
    for trait, saved in models.items():
        inner = getattr(saved.model, "model", None)
        effects = getattr(inner, "effects", None)
        if np.shape(effects) != (len(saved.variants),):
            raise UserError(
                f"model {saved.name} of {trait}, which has no effects of single SNPs",
                at="key selection.model", allowed="such as gblup, rr_blup, bayesb, elastic_net",
            )  # fmt: skip
        rows.append(np.asarray(effects, dtype=np.float64))
    return np.stack(rows)


def find_lines(wanted, names, *, key):
    """Rows of the lines that a study names.

    Parameters
    ----------
    wanted : sequence of str
    names : ndarray (n,) of str
    key : str, keyword only
        Where the study names them.

    Returns
    -------
    ndarray of int

    Raises
    ------
    UserError
        For a line that is none of the candidates.
    """
    rows = pd.Index(names).get_indexer(list(wanted))
    if (rows < 0).any():
        missing = [name for name, row in zip(wanted, rows, strict=True) if row < 0]
        raise UserError(
            f"{', '.join(map(repr, missing[:5]))}{' and others' * (len(missing) > 5)}", at=key,
            allowed=f"samples of the genotypes that passed the filters, such as {names[0]!r}",
            mend="correct the name, or see genotypes/samples.tsv for why it was left out",
        )  # fmt: skip
    return rows
