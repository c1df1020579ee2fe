"""Models whose unit is a line in an environment: where a study may fit them, and to what."""

import types

import pytest
from loaded_study import load_demo

from soyfold.common.errors import UserError

ENTRIES = """\
models:
  mean: {module: mean}
  gblup: {module: gblup}
  rkhs: {module: rkhs}
  cells: {module: transformer, unit: environment}
  norm: {module: reaction_norm}
  mixed: {module: blend, members: [gblup, cells]}
"""
SHEET = """\
trait\tfile\tformat\tid_column\tvalue_column\tenvironment_column\tunit
protein\tresources/demo/phenotypes/protein.csv\tnpgs_descriptor\tNA\tobservation_value\tmethod_name\t%
"""


@pytest.fixture
def load(tmp_path):
    (tmp_path / "models.yaml").write_text(ENTRIES)
    (tmp_path / "traits.tsv").write_text(SHEET)

    def of(splits, models, further=(), **more):
        return load_demo(
            {
                "cohort": {"traits": str(tmp_path / "traits.tsv")},
                "splits": {"scheme": splits, "seeds": 2, "further": list(further)},
                "training": {"models": models, "models_file": str(tmp_path / "models.yaml")},
                "evaluation": {"paper_tables": False, "controls": False},
                "hypotheses": False,
                "interpretation": False,
                "selection": False,
                **more,
            }
        )

    return of


def test_such_a_model_learns_values_where_others_learn_lines(load):
    study = load("cv2", ["gblup", "cells"])
    splits = f"{study.results}/cohort/splits"
    [job] = [job for job in study.fits.jobs if "cells" in job.models.split("|") and not job.scheme]
    wildcards = types.SimpleNamespace(trait="protein", model="cells", split="seed1")
    assert job.split_files(wildcards) == [f"{splits}/cv2/cells/seed1/protein.tsv"]
    wildcards.split = "final/seed0"
    assert job.split_files(wildcards) == [f"{splits}/final/cells/seed0/protein.tsv"]
    assert study.fits.first_split(wildcards) == f"{splits}/cv2/cells/seed0/protein.tsv"
    wildcards.model = "gblup"
    assert study.fits.first_split(wildcards) == f"{splits}/cv2/seed0/protein.tsv"


def test_it_may_stand_on_a_further_scheme_alone(load):
    further = [{"scheme": "cv1", "seeds": 1, "models": ["gblup", "cells"]}]
    study = load("random", ["gblup"], further)
    files = [fit["folder"] for fit in study.fits.all if fit["model"] == "cells"]
    assert files == ["training/protein/cells/cv1/seed0"]
    # A search is on what the model learns, too.
    found = study.fits.first_split(types.SimpleNamespace(trait="protein", model="cells"))
    assert found == f"{study.results}/cohort/splits/cv1/cells/seed0/protein.tsv"


@pytest.mark.parametrize(
    ("splits", "models", "further", "message"),
    [
        ("random", ["gblup", "cells"], (), "key splits: found model 'cells', .* 'random'; allowed"),
        (
            "cv2", ["gblup"], [{"scheme": "kfold", "seeds": 1, "models": ["cells"]}],
            "key splits.further: found model 'cells', which predicts lines in env.* 'kfold'",
        ),
        ("cv2", ["mixed"], (), "key models.mixed.members: found model 'cells'"),
    ],
)  # fmt: skip
def test_it_is_refused_where_lines_are_parted(load, splits, models, further, message):
    with pytest.raises(UserError, match=message):
        load(splits, models, further)


def test_a_final_fit_wants_environments(load, tmp_path):
    sheet = SHEET.replace("method_name", "NA")
    (tmp_path / "traits.tsv").write_text(sheet)
    with pytest.raises(UserError, match="trait protein, which has no environment_column"):
        load("random", ["gblup"], prediction={"models": ["cells"]})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{module: gblup, unit: environment}", "unit: environment with module: gblup"),
        ("{module: transformer, unit: environment, joint: true}", "joint: True .* allowed: false"),
        ("{module: transformer, unit: plot}", "'plot'.*line, environment"),
    ],
)
def test_units_that_no_model_can_have_are_refused(load, tmp_path, entry, message):
    (tmp_path / "models.yaml").write_text(ENTRIES.replace("{module: rkhs}", entry))
    with pytest.raises(UserError, match=message):
        load("cv2", ["gblup", "rkhs"])


def test_covariates_of_environments_want_a_model_that_takes_them(load, tmp_path):
    (tmp_path / "rain.tsv").write_text("environment\train\n2011\t3\n")
    cohort = {"traits": str(tmp_path / "traits.tsv")}
    cohort["environment_covariates"] = str(tmp_path / "rain.tsv")
    with pytest.raises(UserError, match=r"without a model .* allowed: with reaction_norm"):
        load("cv2", ["gblup"], cohort=cohort)
    study = load("cv2", ["norm"], cohort=cohort)
    [job] = [job for job in study.fits.jobs if "norm" in job.models.split("|") and not job.scheme]
    wildcards = types.SimpleNamespace(trait="protein", model="norm", split="seed0")
    assert job.conditions(wildcards) == [cohort["environment_covariates"]]
