"""Networks on independent loci: chosen by training lines alone, counted, the same once loaded."""

import numpy as np
import pandas as pd
import pytest
import torch
from saved_study import Saver
from scipy import sparse

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.common.groups import Groups
from soyfold.common.schema import overlay
from soyfold.interpretation.gradients import explain_network
from soyfold.models.chosen_loci import independent_loci
from soyfold.prediction.saved_models import load_model
from soyfold.training.checkpoints import read_checkpoint
from soyfold.training.cohorts import Cohort
from soyfold.training.network_fits import lay_out
from soyfold.training.tasks import Task
from soyfold.training.thinning import thin

torch.set_num_threads(1)
BOUND = 0.12


@pytest.fixture(scope="module")
def thinned(root, tmp_path_factory):
    """A saver, and predictions, table and saved model of CSAFM on independent loci."""
    saver = Saver(tmp_path_factory.mktemp("thinned"), root)
    own = saver.block
    saver.block = lambda name: overlay(own(name), {"parameters": {"independent_loci": BOUND}})
    return saver, *saver.fit("csafm")


def kept_of(saver):
    """Kept by the training lines of the final split, by hand."""
    parts = read_table(saver.folder / "final.tsv").part.to_numpy()
    dosage = np.load(saver.inputs["dosage"])
    chromosome = read_table(saver.inputs["variants"]).chromosome.to_numpy()
    return independent_loci(dosage[parts == "train"], chromosome, bound=BOUND)


def test_a_saved_model_tells_the_same_from_the_same_loci(thinned):
    saver, values, _, path = thinned
    kept, dosage = kept_of(saver), np.load(saver.inputs["dosage"])
    assert 5 < kept.sum() < 20
    model = load_model(path)
    np.testing.assert_allclose(model.predict(dosage)[0], values, rtol=1e-12)
    np.testing.assert_array_equal(read_checkpoint(path)[0]["model/kept"], kept)
    others = np.where(kept, dosage, 2 - dosage)  # what was left out says nothing
    np.testing.assert_array_equal(model.predict(others)[0], model.predict(dosage)[0])
    assert not np.allclose(model.predict(np.where(kept, 2 - dosage, dosage))[0], values)


def test_both_are_counted_beside_the_fit(thinned):
    saver, *_ = thinned
    told = read_table(saver.folder / "csafm/estimates.tsv").set_index("metric").value
    kept = kept_of(saver)
    assert told["independent_loci"] == kept.sum()
    assert told["independent_loci"] + told["copied_loci"] == len(kept)


def test_what_was_left_out_is_of_no_importance(thinned):
    saver, *_ = thinned
    dosage = np.load(saver.inputs["dosage"])
    found = explain_network(
        saver.folder / "csafm/checkpoint.npz", dosage, trait="first", steps=32, tolerance=0.05
    )
    assert ((found.importance > 0) == kept_of(saver)).all()
    assert ((found.effect != 0) == kept_of(saver)).all()


def task_of(dosage, part):
    """A task on these lines, of which nothing but dosages and parts matters."""
    names = np.arange(len(part)).astype(str)
    return Task(names, part, np.zeros(len(part)), dosage, np.arange(len(part)), 0)


def test_only_training_lines_choose():
    rng = np.random.default_rng(3)
    dosage = rng.integers(0, 3, (60, 30)).astype(np.int8)
    part = np.repeat(["train", "val", "test"], 20)
    chromosome, bp = np.repeat(["a", "b"], 15), np.arange(30)
    cohort = Cohort(dosage, None, None, chromosome, None, position=bp)
    block = {"parameters": {"independent_loci": 0.3}}
    task, few = thin(block, task_of(dosage, part), cohort)
    other = np.where(part[:, None] == "train", dosage, rng.permuted(dosage, axis=0))
    _, again = thin(block, task_of(other, part), cohort)
    np.testing.assert_array_equal(few.kept, again.kept)
    assert 2 < few.kept.sum() < 25
    np.testing.assert_array_equal(task.dosage, dosage[:, few.kept])
    np.testing.assert_array_equal(few.position, bp[few.kept])
    same = thin({"parameters": {}}, task_of(dosage, part), cohort)
    assert same[0].dosage is dosage and same[1] is cohort


def test_groups_lose_the_snps_that_are_left_out():
    rng = np.random.default_rng(5)
    dosage = rng.integers(0, 3, (60, 12)).astype(np.int8)
    members = np.eye(4, dtype=bool)[np.arange(12) % 4]
    groups = Groups(["g", "h", "i", "rest"], sparse.csr_array(members), np.eye(4))
    cohort = Cohort(dosage, pd.DataFrame(), None, np.repeat("a", 12), None, groups=groups)
    block = {"parameters": {"independent_loci": 0.2, "tokens": "group"}}
    _, few = thin(block, task_of(dosage, np.repeat("train", 60)), cohort)
    layout = lay_out(block, few)
    assert layout.n_snps == few.kept.sum() < 12
    sizes = members[few.kept].sum(0)
    np.testing.assert_array_equal(np.bincount(layout.token), sizes[sizes > 0])


def test_no_snp_that_varies_is_one_line():
    cohort = Cohort(np.ones((9, 4), np.int8), None, None, np.repeat("a", 4), None)
    task = task_of(cohort.dosage, np.repeat("train", 9))
    with pytest.raises(UserError, match="no SNP that varies among the training lines"):
        thin({"parameters": {"independent_loci": 0.94}}, task, cohort)
