"""model.npz: a fitted model with all that another machine needs to predict with it.

Named arrays and JSON, without pickle: reading one runs no code but soyfold's own. Beside the
model's parameters it has its variants (place, alleles, frequency), traits with units, what it knows
about families, the residuals of lines that it hadn't seen, what tells its errors, and the software
that made it.
"""

import dataclasses
import importlib.metadata
import platform
import zipfile

import numpy as np
import pandas as pd

import soyfold
from soyfold.cohort.families import find_families
from soyfold.common.errors import UserError
from soyfold.evaluation.conformal import Calibration, line_half_widths
from soyfold.evaluation.measures import calibrate, calibrate_apart
from soyfold.prediction.panel import PANEL
from soyfold.prediction.predictors import rebuild
from soyfold.training.checkpoints import read_checkpoint, save_checkpoint
from soyfold.training.outputs import read_predictions

FORMAT = "soyfold model"
VERSION = 1
SOFTWARE = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "torch")


@dataclasses.dataclass(frozen=True)
class SavedModel:
    """A model that was loaded, ready to predict.

    Attributes
    ----------
    facts : dict
        format, version, study, name, label, traits, units, chromosomes, families, software, model.
    variants : DataFrame
        In the order of a dosage matrix's columns: variant, chromosome, position (bp), ref, alt,
        frequency of ALT and most frequent genotype in the training panel.
    calibration : dict of str to Calibration
        By trait: of validation lines, by a fit that hadn't seen them; empty where there was none.
    apart : dict of str to Calibration
        By trait: of training lines, told as if no other line of their family were known; empty
        where the model can't tell.
    cells : dict of str to Calibration
        By trait: of validation lines' values in single environments; empty of a model of lines.
    model : object
        With `predict(dosage, families)`: values and standard deviations, both (m, T), and
        `errors(dosage, families)`: reliabilities and standard deviations, (m, T or 1).
    """

    facts: dict
    variants: pd.DataFrame
    calibration: dict
    apart: dict
    cells: dict
    model: object

    @property
    def name(self):
        """The model's name in models.yaml."""
        return self.facts["name"]

    @property
    def traits(self):
        """Its traits, in the order of the columns that it predicts."""
        return self.facts["traits"]

    @property
    def environments(self):
        """Those in which it predicts its one trait; empty of a model of lines."""
        return self.facts["model"]["facts"].get("environments", [])

    def predict(self, dosage, samples=None, families=None):
        """Predict lines; a model of environments tells the mean over these.

        Parameters
        ----------
        dosage : ndarray (m, L) int8
            Counts of ALT at `variants`, without a missing call.
        samples : sequence of str, length m, optional
            Names, from which families are read where the study did so.
        families : ndarray (m,) of str, optional
            Family of each line, an empty string for one of none; default by the names.

        Returns
        -------
        values : ndarray (m, T) float64
            Trait units.
        sd : ndarray (m, T)
            Between the members of an ensemble or blend (see `members_sd`); NaN for a model
            without members.

        Raises
        ------
        ValueError
            For other than L columns.
        """
        values, sd = self.model.predict(dosage, self._families(dosage, samples, families))
        if not self.environments:
            return values, sd
        return values.mean(1, keepdims=True), np.full((len(values), 1), np.nan)

    def predict_environments(self, dosage, samples=None, families=None):
        """Values in each of `environments`, (m, E), in trait units; parameters as of `predict`."""
        if not self.environments:
            raise ValueError(f"{self.name} predicts lines, not lines in environments")
        return self.model.predict(dosage, self._families(dosage, samples, families))[0]

    def errors(self, dosage, samples=None, families=None):
        """How sure the predictions are; parameters as of `predict`.

        Returns
        -------
        reliability : ndarray (m, T)
            Of each predicted genetic value, 1 - PEV / prior variance; NaN of a model that doesn't
            know it, such as a network or a blend.
        sd : ndarray (m, T)
            Of its error, in trait units; of a blend the members' mean; NaN likewise.
        """
        told = self.model.errors(dosage, self._families(dosage, samples, families))
        return tuple(np.broadcast_to(each, (len(dosage), len(self.traits))) for each in told)

    def reliability(self, dosage, samples=None, families=None):
        """Reliability of each predicted genetic value: the first of `errors`."""
        return self.errors(dosage, samples, families)[0]

    def _families(self, dosage, samples, families):
        """Families of the lines of a dosage matrix, after a look at its columns."""
        if dosage.shape[1] != len(self.variants):
            raise ValueError(f"{dosage.shape[1]} columns; allowed: {len(self.variants)} variants")
        if families is not None:
            return families
        count = len(dosage)
        pattern = (self.facts["families"] or {}).get("pattern")
        if pattern is None or samples is None:
            return np.full(count, "")
        return find_families(samples, pattern=pattern).fillna("").to_numpy(dtype=str)

    def half_widths(self, trait, level, sd, new_family, *, within=False):
        """Half widths of the intervals of new lines, in trait units; NaN where nothing tells them.

        Parameters
        ----------
        trait : str
        level : float
        sd : ndarray (m,)
            Of the lines' errors, as `errors` tells them.
        new_family : ndarray (m,) of bool
            Whether a line is of a family without a training line.
        within : bool, keyword only
            Of its value in one environment, not of the mean over them.

        Returns
        -------
        ndarray (m,)
        """
        known, apart = (self.cells if within else self.calibration)[trait], self.apart[trait]
        if not len(known.residuals):
            return np.full(len(sd), np.nan)
        half = line_half_widths(sd, new_family, level, known=known, apart=apart)
        return np.where(np.isfinite(half), half, np.nan)


def software_versions():
    """Versions of soyfold, Python and what models are made with, as far as it is installed."""
    versions = {"soyfold": soyfold.__version__, "python": platform.python_version()}
    for name in SOFTWARE:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def save_model(path, *, checkpoint, members, predictions, panel, traits, **about):
    """Write a final fit as one file that stands alone.

    Parameters
    ----------
    path : path-like
    checkpoint : path-like
        The fit's.
    members : sequence of path-like
        Of a blend: its members' files, as this function writes them, in the order of its weights.
    predictions : path-like
        The fit's, whose held-out residuals make the intervals.
    panel : DataFrame
        As `panel.describe_panel` gives it.
    traits : dict of str to str or None
        Unit by trait, in the order of what the model predicts.
    **about
        study, name, label, chromosomes (list of str), families (`traits.families` or None).
    """
    arrays, node = _node(checkpoint, members, list(traits))
    arrays |= {f"variants/{name}": _plain(panel[name]) for name in PANEL}
    for number, trait in enumerate(traits):
        table = read_predictions(predictions, trait)
        told = {"residuals": calibrate(_by_line(table)), "apart": calibrate_apart(table)}
        if "environment" in table:
            told["cells"] = calibrate(table)
        for name, found in told.items():
            arrays |= {f"{name}/{number}": found.residuals, f"{name}_sd/{number}": found.sd}
    save_checkpoint(
        path,
        arrays,
        format=FORMAT,
        version=VERSION,
        traits=list(traits),
        units=list(traits.values()),
        software=software_versions(),
        model=node,
        **about,
    )


def _by_line(table):
    """A fit's predictions, a row a line: of one in environments the mean of its values there."""
    if "environment" not in table:
        return table
    numbers = ["observed", "predicted", "held_out"]
    return table.groupby(["sample", "part"], as_index=False)[numbers].mean()


def _plain(column):
    """A column without Python objects, which would need pickle."""
    return column.to_numpy(dtype=str) if column.dtype == object else column.to_numpy()


def _node(checkpoint, members, traits):
    """Arrays and facts of a model, and under `members/<k>/` those of what it weighs."""
    arrays, facts = read_checkpoint(checkpoint)
    arrays = {f"model/{name}": value for name, value in arrays.items()}
    inner = []
    for number, path in enumerate(members):
        own, about = _read(path)
        prefix = f"members/{number}/"
        arrays |= {
            prefix + name: value
            for name, value in own.items()
            if name.startswith(("model/", "members/"))
        }
        inner.append(about["model"])
    return arrays, {"facts": facts, "traits": traits, "members": inner}


def load_model(path):
    """Read a model that `save_model` wrote, here or on another machine.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    SavedModel

    Raises
    ------
    UserError
        If the file is no saved model, of a newer format, or damaged.
    """
    arrays, facts = _read(path)
    try:
        columns = {name: arrays[f"variants/{name}"] for name in PANEL}
        calibration, apart, within = (
            {trait: _calibration(arrays, name, n) for n, trait in enumerate(facts["traits"])}
            for name in ("residuals", "apart", "cells")
        )
        model = rebuild(arrays, facts["model"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"a saved model with something missing ({type(error).__name__}: {error})",
            file=path,
            mend="copy it again, or fit it anew (snakemake final)",
        ) from None
    return SavedModel(facts, pd.DataFrame(columns), calibration, apart, within, model)


def _calibration(arrays, name, number):
    """`Calibration` of a trait; models saved before had residuals alone."""
    optional = {} if name == "residuals" else {f"{name}/{number}": np.zeros(0)}
    found = (optional | arrays)[f"{name}/{number}"]
    return Calibration(found, arrays.get(f"{name}_sd/{number}", np.full(len(found), np.nan)))


def _read(path):
    """Arrays and facts of a saved model, after a look whether it is one."""
    allowed = f"a model that soyfold saved (format {VERSION} or older)"
    try:
        if not zipfile.is_zipfile(path):
            raise UserError("no saved model", file=path, allowed=allowed)
        arrays, facts = read_checkpoint(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"no saved model ({type(error).__name__}: {error})", file=path, allowed=allowed
        ) from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise UserError(
            "a file that isn't a saved model, such as a fit's checkpoint",
            file=path,
            allowed=allowed,
            mend="take the model.npz that `snakemake final` makes",
        )
    if facts.get("version", 0) > VERSION:
        raise UserError(
            f"format {facts['version']} of soyfold {facts.get('software', {}).get('soyfold')}",
            file=path,
            allowed=allowed,
            mend="update soyfold",
        )
    return arrays, facts
