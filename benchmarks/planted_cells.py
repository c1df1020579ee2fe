"""What benchmarks of planted traits share: lines, splits, fits, a table that goes on where it was.

A row a cell, written as it is measured: whoever stops a benchmark goes on with the same command.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import read_table
from soyfold.simulation.epistasis import cross_lines
from soyfold.simulation.planted import read_source
from soyfold.study.registry import load_models
from soyfold.study.settings import load_study
from soyfold.training.cohorts import Cohort
from soyfold.training.tasks import Task

ROOT = Path(__file__).resolve().parents[1]
MORGANS_PER_MB = 3.5  # of yeast, for crosses
TESTED, VALIDATED = 0.2, 0.1  # shares of the lines


class Genotypes:
    """Genotypes and contacts of a study that has results, and models in preset cpu.

    Parameters
    ----------
    study : path-like
        Study file.
    models_file : path-like, optional
        In place of the study's.
    """

    def __init__(self, study, models_file=None):
        config = self.read_settings(study, models_file)
        self.dosage, _, self.variants, self.sums = read_source(config, self.schemas, file=study)

    def read_settings(self, study, models_file):
        """Take the study's settings and chromosomes; return its config."""
        self.schemas = ROOT / "workflow/schemas"
        config = yaml.safe_load(Path(study).read_text())
        self.settings = load_study(config, self.schemas, file=study)
        self.settings["training"]["preset"] = "cpu"
        if models_file:  # what the study changes are its own models
            self.settings["training"] |= {"models_file": str(models_file), "parameters": {}}
        self.chromosomes = read_chromosomes(self.settings["chromosomes"])
        return config

    def block(self, model):
        """A model's entry of the registry."""
        [block] = load_models(self.settings, self.schemas, [model]).values()
        return block | {"held_out": False}

    def lines_of(self, lines, draw):
        """Dosages (lines, L): of the study's own lines while there are enough, then of crosses."""
        rng = np.random.default_rng([draw, 5])
        if lines <= len(self.dosage):
            rows = np.sort(rng.choice(len(self.dosage), size=lines, replace=False))
            return np.asarray(self.dosage)[rows]
        places = self.variants.chromosome.to_numpy(), self.variants.position.to_numpy()
        return cross_lines(
            np.asarray(self.dosage), *places, crosses=lines, morgans_per_mb=MORGANS_PER_MB, rng=rng
        )[0]


def numbered_lines(lines):
    """Lines of a cohort that have no names."""
    return pd.DataFrame({"sample": np.arange(lines).astype(str), "row": np.arange(lines)})


def draw_split(cohort, split):
    """A task of random parts."""
    n = len(cohort.values)
    order = np.random.default_rng([split, 9]).permutation(n)
    part = np.full(n, "train", dtype=object)
    tested, validated = round(TESTED * n), round(VALIDATED * n)
    part[order[:tested]], part[order[tested : tested + validated]] = "test", "val"
    return Task(
        sample=cohort.lines["sample"].to_numpy(dtype=str), part=part.astype(str),
        y=cohort.values, dosage=cohort.dosage, row=np.arange(n), seed=split,
    )  # fmt: skip


def learner_of(block):
    """What fits a model of its kind; torch is loaded for networks alone."""
    if block["kind"] == "direct":
        from soyfold.training.direct_fits import fit_direct as fit
    else:
        from soyfold.training.network_fits import fit_network as fit
    return fit


def fit_cell(block, cohort, split):
    """One fit.

    Returns
    -------
    fit : soyfold.training.tasks.Fit
    observed, predicted : ndarray
        Of the test lines.
    seconds : float
        CPU seconds.
    """
    task = draw_split(cohort, split)
    started = time.process_time()
    done = learner_of(block)(block, task, cohort)
    seconds, test = time.process_time() - started, task.rows("test")
    return done, task.y[test], done.predicted[test], seconds


def cohort_of(dosage, values, chromosome, cim):
    """A cohort of lines without names."""
    return Cohort(dosage, numbered_lines(len(values)), values, chromosome, cim)


def fill_table(path, keys, columns, asked, measure):
    """Measure what isn't in a table yet, a row at a time.

    Parameters
    ----------
    path : Path
    keys, columns : list of str
        What names a cell; all columns, keys first.
    asked : iterable of tuple
        Cells, by their keys.
    measure : callable
        A cell to the numbers of the other columns.
    """
    known = set()
    if path.is_file():
        known = set(read_table(path)[keys].itertuples(index=False, name=None))
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\t".join(columns) + "\n")
    asked = list(asked)
    waiting = [cell for cell in asked if cell not in known]
    print(f"{len(asked) - len(waiting)} of {len(asked)} cells are there", flush=True)
    for number, cell in enumerate(waiting, start=1):
        told = ("NA" if value != value else f"{value:.6g}" for value in measure(cell))
        named = (f"{value:g}" if isinstance(value, float) else str(value) for value in cell)
        row = [*named, *told]
        with path.open("a") as stream:
            stream.write("\t".join(row) + "\n")
        print(f"{number} of {len(waiting)}  " + " ".join(row), flush=True)
