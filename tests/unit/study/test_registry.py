"""Models by name: extends, presets, what is refused."""

import pytest
import yaml

from soyfold.common.errors import UserError
from soyfold.contacts.cim import CONTROLS
from soyfold.models.declarations import declaration
from soyfold.study import registry

ENTRIES = {
    "a": {
        "module": "cnn",
        "parameters": {"channels": 32},
        "presets": {"cpu": {"layers": 3, "batch_size": 4, "seeds_per_job": "all"}},
    },
    "b": {"extends": "a", "parameters": {"dropout": 0.2}},
    "c": {"extends": "d"},
    "d": {"extends": "c"},
}


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
    blocks = load(tmp_path, root, ["a", "b"])
    assert blocks["b"]["module"] == "cnn"
    assert blocks["a"]["parameters"] == declaration("cnn").defaults | {"channels": 32}
    assert blocks["b"]["parameters"] == blocks["a"]["parameters"] | {"dropout": 0.2}


def test_an_entry_changes_what_its_module_declares(tmp_path, root):
    block = load(tmp_path, root, ["a"])["a"]
    assert (block["label"], block["kind"], block["gpu"]) == ("CNN", "network", 1)
    assert (block["cim"], block["needs"], block["seeds_per_job"]) == ("none", [], "one")


def test_a_study_changes_a_model_and_all_that_extend_it(tmp_path, root):
    own = {"a": {"channels": 64, "dropout": 0.3}}
    changed = {"channels": 64, "dropout": 0.3, "layers": 3, "batch_size": 4}
    found = load(tmp_path, root, ["a"], "cpu", own)["a"]["parameters"]
    assert found == declaration("cnn").defaults | changed
    variant = load(tmp_path, root, ["b"], "cpu", own)["b"]["parameters"]
    assert variant == found | {"dropout": 0.2}  # its own change
    own["b"] = {"channels": 16}
    assert load(tmp_path, root, ["b"], "cpu", own)["b"]["parameters"]["channels"] == 16
    with pytest.raises(UserError, match="'x'"):
        load(tmp_path, root, ["b"], "cpu", {"x": {}})


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"a": {"chanels": 4}}, "training.parameters.a: found unknown key 'chanels'.*channels"),
        ({"a": {"channels": "4"}}, "training.parameters.a key channels: found '4'"),
        ({"a": {"kernel": 4}}, "key kernel: found 4.*Their width, odd"),
        ({"a": {"window": 4}}, "model b, preset paper: found tokens: snp with window: 4"),
    ],
)
def test_a_study_is_told_where_it_misspelt_a_parameter(tmp_path, root, own, said):
    with pytest.raises(UserError, match=said):
        load(tmp_path, root, ["b"], "paper", own)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"module": "gblub"}, "key models.x: found module 'gblub'; .*to mend: write gblup"),
        ({"module": "encoder"}, "found module 'encoder', which is no model"),
        ({"label": "X"}, "key models.x: found no module"),
        ({"module": "gblup", "kind": "network"}, "kind: network with module: gblup; allowed: dire"),
        ({"module": "gblup", "cim": "real"}, "cim: real with module: gblup; allowed: none"),
        ({"module": "csafm", "cim": "none"}, "cim: none with module: csafm; allowed: real"),
        ({"module": "csafm", "cim": "permuted"}, "cim: permuted with .*real, permuted1, .*zero"),
        ({"module": "svr", "attention": True}, "unknown key 'attention'"),
        ({"module": "principal_components", "parameters": {"componets": 10}},
         "model x, preset None: found unknown key 'componets'.*to mend: write components"),
        ({"module": "cnn", "tuning": {"dropout": {"low": 0.0, "high": 1.5}}},
         "tuning of model x .* key dropout: found 1.5"),
        ({"module": "cnn", "tuning": {"dropuot": {"low": 0.0, "high": 0.5}}}, "write dropout"),
    ],
)  # fmt: skip
def test_what_a_module_does_not_know_is_refused_for_every_kind(tmp_path, root, entry, said):
    with pytest.raises(UserError, match=said) as caught:
        load_kinds(tmp_path, root, entry)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("control", ["real", "permuted7", *CONTROLS])
def test_a_model_may_take_each_control_by_its_name(tmp_path, root, control):
    assert load_kinds(tmp_path, root, {"module": "csafm", "cim": control})["x"]["cim"] == control


@pytest.mark.parametrize(
    ("preset", "applied"), [("paper", "paper"), ("cpu", "cpu"), ("demo", "cpu")]
)
def test_a_preset_says_which_it_was(tmp_path, root, preset, applied):
    block = load(tmp_path, root, ["a"], preset)["a"]
    assert block["preset"] == applied
    assert block["parameters"]["layers"] == (2 if applied == "paper" else 3)
    assert block["parameters"]["channels"] == 32
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


def load_kinds(tmp_path, root, entry, names=("x",), read=registry.load_models):
    """Load models beside a network, an ensemble of it and two direct models."""
    entries = {
        "net": {"module": "cnn", "parameters": {"channels": 8},
                "presets": {"demo": {"channels": 4}}},
        "nets": {"kind": "ensemble", "of": "net", "parameters": {"members": 3}},
        "one": {"module": "mean"},
        "two": {"module": "gblup"},
        **({"x": entry} if entry else {}),
    }  # fmt: skip
    file = tmp_path / "models.yaml"
    file.write_text(yaml.safe_dump({"models": entries}))
    study = {"training": {"models_file": str(file), "preset": "demo", "parameters": {}}}
    study["training"]["parameters"] = {"net": {"layers": 3}}
    return read(study, root / "workflow/schemas", names)


def test_an_ensemble_is_its_network_with_members(tmp_path, root):
    block = load_kinds(tmp_path, root, None, ["nets"])["nets"]
    assert (block["kind"], block["module"], block["of"]) == ("ensemble", "cnn", "net")
    # The network's preset and what the study changes of the network hold for its ensemble.
    own = {"channels": 4, "members": 3, "layers": 3}
    assert block["parameters"] == declaration("cnn").defaults | own


BLEND = {"module": "blend"}


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
