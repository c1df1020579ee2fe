"""The space of a search: what may stand in it, what is drawn, where a best value lies."""

import subprocess
import sys

import optuna
import pytest
import yaml
from tiny_study import SMALL

from soyfold.common.errors import UserError
from soyfold.models.loading import import_model
from soyfold.models.search_space import check_space, draw, edge_of, lies_in, own_values
from soyfold.study import registry


@pytest.mark.parametrize(
    ("best", "rule", "edge"),
    [
        (1e-4, {"low": 1e-6, "high": 1e-4, "log": True}, "high"),
        (9e-5, {"low": 1e-6, "high": 1e-4, "log": True}, "high"),
        (5e-5, {"low": 1e-6, "high": 1e-4, "log": True}, None),
        (1.1e-6, {"low": 1e-6, "high": 1e-4, "log": True}, "low"),
        (1.1e-6, {"low": 1e-6, "high": 1e-4}, "low"),
        (0.2, {"low": 0.1, "high": 0.3}, None),
        (0.0, {"low": 0.0, "high": 0.3}, None),
        (64, {"choices": [16, 64]}, None),
    ],
)
def test_a_best_value_at_the_end_of_its_range_is_told(best, rule, edge):
    assert edge_of(best, rule) == edge


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (None, "no space to search; allowed: ranges or choices of .*; to mend: .*tuning"),
        ({"dropout": None}, "no space to search"),
        ({"learning": {"low": 1, "high": 2}}, "unknown parameter 'learning'; .*learning_rate"),
        ({"dropout": {"low": 0.3, "high": 0.3}}, "low 0.3, high 0.3; allowed: low below high"),
        ({"dropout": {"low": 0.0, "high": 0.3, "log": True}}, "low 0.0 with log: true"),
        ({"learning_rate": {"low": "1e-6", "high": 1e-4}}, "low '1e-6', .*YAML wants 1.0e-6"),
        ({"dropout": {"low": 0.0}}, "allowed: {low: ..., high: ..., log"),
        ({"dropout": [0.0, 0.3]}, "allowed: {low: ..., high: ..., log"),
        ({"dropout": {"low": 0.0, "high": 0.3, "choices": [0.1]}}, "allowed: {low"),
        ({"batch_size": {"choices": [16]}}, "2 or more different values"),
        ({"batch_size": {"choices": [16, 16]}}, "2 or more different values"),
    ],
)
def test_spaces_that_cannot_be_searched_are_refused(space, said):
    with pytest.raises(UserError, match=said) as caught:
        check_space(space, SMALL, model="csafm")
    assert "tuning of model csafm" in str(caught.value)


def test_ranges_of_whole_numbers_are_drawn_in_whole_numbers():
    space = {
        "layers": {"low": 1, "high": 4}, "dropout": {"low": 0, "high": 1},
        "batch_size": {"choices": [16, 32]}, "norm": {"choices": ["post", "pre"]},
    }  # fmt: skip
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [draw(study.ask(), space, {"layers": 2, "dropout": 0.0}) for _ in range(40)]
    assert {values["layers"] for values in drawn} == {1, 2, 3, 4}
    assert all(isinstance(values["layers"], int) for values in drawn)
    assert len({values["dropout"] for values in drawn}) == 40
    for values in drawn:
        assert all(lies_in(values[name], rule) for name, rule in space.items())


@pytest.mark.parametrize("preset", ["paper", "cpu", "demo"])
def test_the_models_file_has_a_space_around_every_networks_own_parameters(root, preset):
    file = root / "config/models.yaml"
    names = yaml.safe_load(file.read_text())["models"]
    study = {"training": {"models_file": str(file), "preset": preset}}
    for name, model in registry.load_models(study, root / "workflow/schemas", names).items():
        if model["kind"] in ("direct", "blend"):
            assert not model["tuning"]
        if model["kind"] != "network" or model["joint"]:  # these are searched by none
            continue
        space = check_space(model["tuning"], model["parameters"], model=name)
        own = own_values(space, model["parameters"])
        assert all(lies_in(own[key], rule) for key, rule in space.items()), (name, own)
        # What memory holds at a time is no hyperparameter where it takes several to a step, or all.
        steps = {"batch_size", "accumulate"} & set(space)
        if getattr(import_model(model["module"]).Network, "whole", False):
            assert not steps, name
            continue
        several = model["parameters"].get("accumulate", 1) > 1
        assert steps == ({"accumulate"} if several else {"batch_size"}), name


def test_a_space_is_checked_without_torch_or_optuna(root):
    code = (
        "import sys, soyfold.models.search_space; sys.exit(any(m in sys.modules for m in "
        "('torch', 'optuna')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root / "workflow/scripts", check=False)
    assert done.returncode == 0
