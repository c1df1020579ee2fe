"""Models by name: extends, presets, what is refused."""

import subprocess
import sys

import pytest
import yaml

from soyfold.common.errors import UserError
from soyfold.study import registry

ENTRIES = {
    "a": {
        "module": "own", "kind": "network", "seeds_per_job": "one",
        "parameters": {"d_model": 256, "optimiser": {"rate": 1e-4, "decay": 0}},
        "presets": {"cpu": {"d_model": 32, "optimiser": {"rate": 1e-3}, "seeds_per_job": "all"}},
    },
    "b": {"extends": "a", "parameters": {"optimiser": {"decay": 1}}},
    "c": {"extends": "d"},
    "d": {"extends": "c"},
}  # fmt: skip


def load(tmp_path, root, names, preset="paper", own=None):
    file = tmp_path / "models.yaml"
    file.write_text(yaml.safe_dump({"models": ENTRIES}))
    study = {
        "training": {
            "models_file": str(file),
            "preset": preset,
            "models": names,
            "parameters": own or {},
        }
    }
    return registry.load_models(study, root / "workflow/schemas", names)


def test_extends_changes_only_what_it_names(tmp_path, root):
    block = load(tmp_path, root, ["b"])["b"]
    assert block["module"] == "own"
    assert block["parameters"] == {"d_model": 256, "optimiser": {"rate": 1e-4, "decay": 1}}


def test_a_study_changes_a_model_and_all_that_extend_it(tmp_path, root):
    own = {"a": {"d_model": 64, "optimiser": {"decay": 7}}}
    assert load(tmp_path, root, ["a"], "cpu", own)["a"]["parameters"] == {
        "d_model": 64, "optimiser": {"rate": 1e-3, "decay": 7},
    }  # fmt: skip
    variant = load(tmp_path, root, ["b"], "cpu", own)["b"]["parameters"]
    assert variant == {"d_model": 64, "optimiser": {"rate": 1e-3, "decay": 1}}  # its own change
    own["b"] = {"d_model": 16}
    assert load(tmp_path, root, ["b"], "cpu", own)["b"]["parameters"]["d_model"] == 16
    with pytest.raises(UserError, match="'x'"):
        load(tmp_path, root, ["b"], "cpu", {"x": {}})


@pytest.mark.parametrize(
    ("preset", "applied"), [("paper", "paper"), ("cpu", "cpu"), ("demo", "cpu")]
)
def test_a_preset_says_which_it_was(tmp_path, root, preset, applied):
    block = load(tmp_path, root, ["a"], preset)["a"]
    assert block["preset"] == applied
    assert block["parameters"]["d_model"] == (256 if applied == "paper" else 32)
    assert block["parameters"]["optimiser"]["decay"] == 0
    assert block["seeds_per_job"] == ("one" if applied == "paper" else "all")


@pytest.mark.parametrize(
    ("names", "preset", "said"),
    [
        (["x"], "paper", "'x'"),
        (["c"], "paper", "a circle: c -> d -> c"),
        (["a"], "huge", "paper, cpu, demo"),
    ],
)
def test_refusals_name_what_is_allowed(tmp_path, root, names, preset, said):
    with pytest.raises(UserError, match=said):
        load(tmp_path, root, names, preset)


def test_a_trait_may_have_its_own_models():
    study = {"training": {"models": ["mean", "gblup"]}}
    traits = {"oil": {"models": None}, "protein": {"models": "mean, csafm"}}
    assert registry.models_by_trait(study, traits) == {
        "oil": ["mean", "gblup"],
        "protein": ["mean", "csafm"],
    }


def test_the_registry_never_imports_torch(root):
    code = (
        "import sys, soyfold.study.registry, soyfold.study.settings;"
        " sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root / "workflow/scripts", check=False)
    assert done.returncode == 0


def load_kinds(tmp_path, root, entry, names=("x",), read=registry.load_models):
    """Load models beside a network, an ensemble of it and two direct models."""
    entries = {
        "net": {"module": "own", "kind": "network", "parameters": {"d_model": 8},
                "presets": {"demo": {"d_model": 4}}},
        "nets": {"kind": "ensemble", "of": "net", "parameters": {"members": 3}},
        "one": {"module": "own", "kind": "direct"},
        "two": {"module": "own", "kind": "direct"},
        **({"x": entry} if entry else {}),
    }  # fmt: skip
    file = tmp_path / "models.yaml"
    file.write_text(yaml.safe_dump({"models": entries}))
    study = {"training": {"models_file": str(file), "preset": "demo", "parameters": {}}}
    study["training"]["parameters"] = {"net": {"depth": 2}}
    return read(study, root / "workflow/schemas", names)


def test_an_ensemble_is_its_network_with_members(tmp_path, root):
    block = load_kinds(tmp_path, root, None, ["nets"])["nets"]
    assert (block["kind"], block["module"], block["of"]) == ("ensemble", "own", "net")
    # The network's preset and what the study changes of the network hold for its ensemble.
    assert block["parameters"] == {"d_model": 4, "members": 3, "depth": 2}


BLEND = {"module": "blend", "kind": "blend"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"kind": "ensemble", "of": "net"}, "kind: ensemble without parameters.members"),
        ({"extends": "net", "kind": "ensemble", "parameters": {"members": 2}},
         "kind: ensemble without of"),
        ({"extends": "net", "parameters": {"members": 2}}, "parameters.members with kind: network"),
        ({"extends": "one", "members": ["one", "two"]}, "members with kind: direct"),
        ({"extends": "one", "joint": True}, "joint with kind: direct; allowed: joint with kind: n"),
        (BLEND, "kind: blend without members"),
        ({**BLEND, "members": ["one", "two"], "joint": True}, "joint with kind: blend"),
        ({**BLEND, "members": ["one", "two"], "parameters": {"shrink": -1}}, "shrink"),
    ],
)  # fmt: skip
def test_keys_that_do_not_go_with_the_kind_are_refused(tmp_path, root, entry, said):
    with pytest.raises(UserError, match=said) as caught:
        load_kinds(tmp_path, root, entry)
    assert "\n" not in str(caught.value)


def test_blends_of_blends_are_read_in_depth_and_circles_refused(tmp_path, root):
    def blends(entry, names):
        return load_kinds(tmp_path, root, entry, names, read=registry.read_blends)

    mixed = {**BLEND, "members": ["one", "nets"]}
    assert blends(mixed, ["one", "x"]) == {"x": ["one", "nets"]}
    assert blends(mixed, ["one"]) == {}
    with pytest.raises(UserError, match="a circle: x -> x"):
        blends({**BLEND, "members": ["one", "x"]}, ["x"])
    with pytest.raises(UserError, match="'absent'"):
        blends({**BLEND, "members": ["one", "absent"]}, ["x"])
