"""Blends: weights against brute force and closed forms, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.models.blend import convex_weights, fit, shrink_weights
from soyfold.training.blend_fits import fit_blend
from soyfold.training.checkpoints import read_checkpoint

LINES = 60
MEMBERS = ["one", "two", "three"]


def members(seed=0, lines=LINES, count=3):
    """Predictions (lines, count) and values (lines,): each member has an error of its own."""
    random = np.random.default_rng(seed)
    y = 50 + 3 * random.standard_normal(lines)
    errors = random.standard_normal((lines, count)) * random.uniform(0.5, 2, count)
    return y[:, None] + errors + 0.3 * random.standard_normal((lines, 1)), y


def loss(weights, predictions, y):
    return np.mean((predictions @ weights - y) ** 2)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31), count=st.integers(2, 4))
def test_no_convex_weights_have_a_lower_error(seed, count):
    predictions, y = members(seed, count=count)
    weights = convex_weights(predictions, y)
    assert (weights >= 0).all() and weights.sum() == pytest.approx(1)
    others = np.random.default_rng(seed).dirichlet(np.ones(count), 500)
    best = loss(weights, predictions, y)
    assert best <= min(loss(other, predictions, y) for other in others) + 1e-12
    # Nor have those a step away, towards each corner.
    for corner in np.eye(count):
        assert best <= loss(0.999 * weights + 0.001 * corner, predictions, y) + 1e-12


def test_two_members_have_the_weight_of_the_textbook():
    predictions, y = members(3, count=2)
    a, b = (predictions - y[:, None]).T
    expected = b @ (b - a) / ((b - a) @ (b - a))  # least squares of b + w (a - b) on 0
    assert 0 < expected < 1  # or the constraint would bind
    assert convex_weights(predictions, y)[0] == pytest.approx(expected, rel=1e-9)


def test_a_member_that_is_right_takes_all_and_one_that_is_much_worse_gets_nothing():
    predictions, y = members()
    predictions[:, 1] = y
    assert convex_weights(predictions, y) == pytest.approx([0, 1, 0], abs=1e-9)
    predictions, y = members(count=2)
    predictions[:, 1] = y + 3 * (predictions[:, 0] - y)
    assert convex_weights(predictions, y) == pytest.approx([1, 0], abs=1e-9)


def test_weights_do_not_depend_on_the_traits_unit():
    predictions, y = members(5)
    weights = convex_weights(predictions, y)
    np.testing.assert_allclose(convex_weights(1e4 * predictions, 1e4 * y), weights, rtol=1e-8)
    np.testing.assert_allclose(convex_weights(predictions - 50, y - 50), weights, rtol=1e-8)


def test_shrinking_counts_equal_weights_as_so_many_lines():
    weights = np.array([1.0, 0.0])
    assert shrink_weights(weights, lines=100, strength=0) == pytest.approx(weights)
    assert shrink_weights(weights, lines=100, strength=100) == pytest.approx([0.75, 0.25])
    assert shrink_weights(weights, lines=1, strength=1e9) == pytest.approx([0.5, 0.5])
    predictions, y = members(7)
    fitted = fit(predictions, y, parameters={"shrink": 30.0})
    own = convex_weights(predictions, y)
    np.testing.assert_allclose(fitted.weights, (LINES * own + 30 / 3) / (LINES + 30))


def test_equal_weights_are_the_mean_and_need_no_validation():
    predictions, y = members()
    model = fit(np.full((4, 3), np.nan), y[:4], parameters={"weights": "equal"})
    np.testing.assert_allclose(model.predict(predictions), predictions.mean(1))


def write_members(folder, *, trait=None):
    """predictions.tsv of three members on one split: train, val, test lines."""
    predictions, y = members(9)
    part = np.repeat(["train", "val", "test"], LINES // 3)
    held_out = np.random.default_rng(1).standard_normal(predictions.shape) + predictions
    held_out[part != "val"] = np.nan
    paths = []
    for number, name in enumerate(MEMBERS):
        table = pd.DataFrame(
            {
                "sample": [f"line{i}" for i in range(LINES)],
                "part": part,
                "observed": y,
                "predicted": predictions[:, number],
                "held_out": held_out[:, number],
            }
        )
        if trait and number == 2:  # as a joint model's: the other trait's rows stand beside
            other = table.assign(observed=-1.0, predicted=-1.0)
            both = {"other": other, trait: table}
            table = pd.concat(both, names=["trait"]).reset_index("trait")
        paths.append(folder / f"{name}.tsv")
        table.to_csv(paths[-1], sep="\t", index=False, na_rep="NA")
    samples = pd.DataFrame({"sample": [f"line{i}" for i in range(LINES)]})
    samples["family"] = np.arange(LINES) % 3
    samples.to_csv(folder / "samples.tsv", sep="\t", index=False)
    return paths, predictions, held_out, y, part


def blend_block(**parameters):
    return {"name": "blend", "module": "blend", "kind": "blend", "members": MEMBERS,
            "parameters": parameters}  # fmt: skip


def run(folder, paths, block=None):
    out = folder / "out"
    fit_blend(
        block or blend_block(shrink=0.0),
        trait="oil", folders=[out], predictions=[paths],
    )  # fmt: skip
    return out


def test_a_blend_weighs_what_was_held_out_and_applies_it_to_what_is_predicted(tmp_path):
    paths, predictions, held_out, y, part = write_members(tmp_path, trait="oil")
    out = run(tmp_path, paths)
    weights = convex_weights(held_out[part == "val"], y[part == "val"])
    table = read_table(out / "predictions.tsv")
    np.testing.assert_allclose(table.predicted, predictions @ weights, rtol=1e-8)
    np.testing.assert_allclose(table.held_out, held_out @ weights, rtol=1e-8)
    metrics = read_table(out / "estimates.tsv").set_index("metric").value
    for name, weight in zip(MEMBERS, weights, strict=True):
        assert metrics[f"weight_{name}"] == pytest.approx(weight)
    arrays, facts = read_checkpoint(out / "checkpoint.npz")
    assert facts["members"] == MEMBERS
    np.testing.assert_allclose(arrays["weights"], weights)


def test_test_lines_touch_no_weight(tmp_path):
    paths, *_ = write_members(tmp_path)
    before, _ = read_checkpoint(run(tmp_path, paths) / "checkpoint.npz")
    for path in paths:
        table = read_table(path)
        table.loc[table.part == "test", ["observed", "predicted"]] += 100
        table.to_csv(path, sep="\t", index=False, na_rep="NA")
    after, _ = read_checkpoint(run(tmp_path, paths) / "checkpoint.npz")
    assert np.array_equal(before["weights"], after["weights"])


def test_a_member_without_held_out_predictions_is_named(tmp_path):
    paths, predictions, *_ = write_members(tmp_path)
    table = read_table(paths[1]).assign(held_out=np.nan)
    table.to_csv(paths[1], sep="\t", index=False, na_rep="NA")
    with pytest.raises(UserError, match=r"two\.tsv.*validation lines of two without held-out"):
        run(tmp_path, paths)
    out = run(tmp_path, paths, blend_block(weights="equal"))
    table = read_table(out / "predictions.tsv")
    np.testing.assert_allclose(table.predicted, predictions.mean(1), rtol=1e-8)
    assert table.held_out.isna().all()


def test_members_of_other_splits_are_refused(tmp_path):
    paths, *_ = write_members(tmp_path)
    table = read_table(paths[2])
    table.iloc[::-1].assign(part=table.part).to_csv(paths[2], sep="\t", index=False, na_rep="NA")
    with pytest.raises(UserError, match=r"three\.tsv.*other lines, parts or values.*one\.tsv"):
        run(tmp_path, paths)
    with pytest.raises(UserError, match=r"unknown key 'weight'.*write weights"):
        fit(np.ones((3, 2)), np.ones(3), parameters={"weight": "equal"})
