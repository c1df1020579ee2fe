"""Untested lines in each environment that a saved model knows, beside the mean over these."""

import numpy as np
import pandas as pd
import pytest
from field_trials import PLACES
from saved_study import Saver

from soyfold.evaluation.conformal import conformal_half_width
from soyfold.prediction.predicting import NewLines, predict_lines
from soyfold.prediction.saved_models import load_model

NAMES = np.array([f"new{number}" for number in range(6)])


@pytest.fixture(scope="module")
def saver(root, tmp_path_factory):
    return Saver(tmp_path_factory.mktemp("environments"), root)


def kinship(trait="first"):
    table = pd.DataFrame({"kinship_max": np.full(6, 0.5)}).assign(
        kinship_mean10=0.4, nearest_line="PI000001", family_lines=pd.array([pd.NA] * 6, "Int64"),
        in_training=False,
    )  # fmt: skip
    return {trait: table}


@pytest.fixture(scope="module")
def predicted(saver):
    """Six lines by a reaction norm and GBLUP: predictions.tsv, and the reaction norm."""
    paths = [saver.fit(name)[2] for name in ("reaction_norm", "gblup")]
    dosage = np.load(saver.inputs["dosage"])[:6]
    lines = NewLines(NAMES, dosage, np.full(6, ""), pd.Series(np.ones(6)))
    return predict_lines(paths, lines, saver.panel, kinship(), level=0.8), load_model(paths[0])


def test_a_row_for_each_line_and_environment_stands_beside_the_mean(saver, predicted):
    table, model = predicted
    assert model.environments == PLACES
    ours = table[table.model == "reaction_norm"]
    mean, rest = ours[ours.environment.isna()], ours[ours.environment.notna()]
    assert mean.line.tolist() == NAMES.tolist() and len(rest) == 6 * len(PLACES)
    wide = rest.pivot(index="line", columns="environment", values="prediction").loc[NAMES]
    np.testing.assert_allclose(wide.mean(axis=1), mean.prediction)
    dosage = np.load(saver.inputs["dosage"])[:6]
    np.testing.assert_allclose(wide[PLACES], model.predict_environments(dosage))
    # Environments have levels of their own: places were 0, 5, -3 and 8 off.
    assert list(np.argsort(wide.mean())) == [2, 0, 1, 3]
    assert table[table.model == "gblup"].environment.isna().all()


def test_intervals_of_single_values_and_of_means_come_from_their_own_residuals(saver, predicted):
    table, _ = predicted
    fitted = saver.fit("reaction_norm")[1]
    judged = fitted[fitted.part == "val"]
    errors = judged.assign(error=judged.observed - judged.held_out)
    by_line = errors.groupby("sample").error.mean()
    ours = table[table.model == "reaction_norm"]
    half = (ours.upper - ours.prediction).groupby(ours.environment.isna()).mean()
    assert half[False] == pytest.approx(conformal_half_width(errors.error.to_numpy(), 0.8))
    assert half[True] == pytest.approx(conformal_half_width(by_line.to_numpy(), 0.8))
    assert half[True] < half[False]


def test_lines_alone_leave_no_column_of_environments(saver):
    path = saver.fit("gblup")[2]
    lines = NewLines(NAMES, np.load(saver.inputs["dosage"])[:6], None, pd.Series(np.ones(6)))
    table = predict_lines([path], lines, saver.panel, kinship(), level=0.8)
    assert "environment" not in table and len(table) == 6
    with pytest.raises(ValueError, match="predicts lines, not lines in environments"):
        load_model(path).predict_environments(lines.dosage)
