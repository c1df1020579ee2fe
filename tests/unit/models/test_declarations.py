"""What models declare: read without running them, true of their code, told in the READMEs."""

import ast
import inspect
import subprocess
import sys

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from soyfold.common import digest
from soyfold.common.errors import UserError
from soyfold.common.groups import Groups
from soyfold.models import declarations, listing
from soyfold.models.declarations import declaration, models
from soyfold.models.kernels.names import kernels_taken
from soyfold.models.loading import import_model
from soyfold.models.parameters import resolve
from soyfold.study import registry

DIRECT = [module for module in models() if declaration(module).kind == "direct"]
BRIEF = {"iterations": 20, "burn_in": 20, "trees": 5, "rounds": 5, "min_samples_leaf": 1}
HEAVY = ("torch", "numba", "sklearn", "lightgbm", "scipy", "pandas", "numpy", "lightning")


@pytest.mark.parametrize("module", models())
def test_the_defaults_are_what_a_model_resolves(module):
    declared = declaration(module)
    assert resolve({}, module) == declared.defaults
    assert declared.meaning.endswith(".") and declared.label
    for name, rule in declared.parameters.items():
        jsonschema.Draft202012Validator.check_schema(rule)
        assert {"type", "enum"} & set(rule), f"{name} may be anything"
        assert listing.in_words(rule)


@pytest.mark.parametrize("module", models())
def test_a_misspelt_parameter_is_refused_with_the_name_that_was_meant(module):
    for name, default in declaration(module).defaults.items():
        wrong = name + name[-1]
        with pytest.raises(UserError, match=f"unknown key '{wrong}'.*to mend: write {name}, "):
            resolve({wrong: default}, module)


@pytest.mark.parametrize("module", models())
def test_a_value_of_another_kind_is_refused(module):
    for name in declaration(module).parameters:
        with pytest.raises(UserError, match=f"model {module} key {name}"):
            resolve({name: {"no": "such value"}}, module)


def limits():
    """Parameter, JSON keyword, limit, and the direction that leads out of it."""
    for module in models():
        for name, rule in declaration(module).parameters.items():
            for key, out in (("minimum", -1), ("maximum", 1)):
                if key in rule:
                    yield module, name, rule[key], out, False
                excluded = f"exclusive{key.capitalize()}"
                if excluded in rule:
                    yield module, name, rule[excluded], out, True


@given(case=st.sampled_from(list(limits())), step=st.integers(1, 10**6))
def test_values_beyond_a_limit_are_refused_and_none_is_infinite(case, step):
    module, name, limit, out, excluded = case
    for value in [limit + out * step, *([limit] if excluded else []), float("inf"), float("nan")]:
        with pytest.raises(UserError, match=f"key {name}"):
            resolve({name: value}, module)


def keys_read(path):
    """Constant keys by which a file's code reads parameters."""
    names = {"p", "parameters", "options", "parameters_used"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            owner = getattr(node.value, "id", getattr(node.value, "attr", None))
            if owner in names and isinstance(node.slice.value, str):
                yield node.slice.value


@pytest.mark.parametrize("module", models())
def test_the_code_reads_no_parameter_that_is_not_declared(module):
    declared = declaration(module)
    files = [declarations.FOLDER / f"{name}.py" for name in (module, *declared.lineage)]
    assert {key for path in files for key in keys_read(path)} <= set(declared.parameters)


@pytest.mark.parametrize("module", models())
def test_the_code_is_of_the_kind_and_takes_what_it_declares_to_need(module):
    declared, code = declaration(module), import_model(module)
    assert hasattr(code, "Network") == (declared.kind == "network")
    assert hasattr(code, "fit") == (declared.kind in ("direct", "blend"))
    if declared.kind == "direct":
        taken = set(inspect.signature(code.fit).parameters)
        assert taken & set(declarations.NEEDS) == set(declared.needs)
    if declared.kind == "network":
        assert hasattr(code.Network, "final_attention") == declared.attention


@pytest.mark.parametrize("module", DIRECT)
def test_linear_models_predict_by_their_effects_and_others_do_not(module):
    random = np.random.default_rng(1)
    dosage = random.integers(0, 3, (80, 12), dtype=np.int8)
    y = 5 + dosage @ random.normal(size=12) + dosage[:, 0] * dosage[:, 7] + random.normal(size=80)
    families = np.repeat(["a", "b", "c", "d"], 20)
    handed = {
        "validation": (dosage[60:], y[60:]), "families": families[:60],
        "cim": np.array([[1, 0.5], [0.5, 1]]), "snp_chromosome": np.repeat([0, 1], 6),
        "groups": Groups(["a", "rest"], sparse.csr_array(np.eye(2, dtype=bool)[[0] * 8 + [1] * 4]),
                         np.eye(2)),
    }  # fmt: skip
    code, declared = import_model(module), declaration(module)
    taken = {
        name: handed[name] for name in inspect.signature(code.fit).parameters if name in handed
    }
    own = {name: BRIEF[name] for name in declared.parameters if name in BRIEF}
    model = code.fit(dosage[:60], y[:60], parameters=own, seed=0, **taken)
    unknown = {"families": np.full(80, "")} if "families" in declared.needs else {}
    predicted, state = model.predict(dosage, **unknown), model.state()
    by_effects = state["intercept"] if "effects" in state else np.nan
    if "effects" in state:
        by_effects = by_effects + (dosage - state["centre"]) @ state["effects"]
    assert np.allclose(predicted, by_effects, rtol=1e-8) == declared.linear


def test_kernels_follow_from_the_parameters():
    assert kernels_taken("rkhs", {}) == ["gaussian1", "gaussian2", "gaussian4", "gaussian8"]
    assert kernels_taken("rkhs", {"bandwidths": [0.5]}) == ["gaussian0.5"]
    assert kernels_taken("rkhs", {"kernel": "linear"}) == ["additive"]
    assert kernels_taken("family_gblup", {}) == kernels_taken("mean", {}) == []


@pytest.mark.parametrize("preset", ["paper", "cpu", "demo"])
def test_every_entry_of_the_models_file_resolves_and_stands_on_its_declaration(root, preset):
    file = root / "config/models.yaml"
    entries = yaml.safe_load(file.read_text())["models"]
    study = {"training": {"models_file": str(file), "preset": preset}}
    for name, block in registry.load_models(study, root / "workflow/schemas", entries).items():
        declared = declaration(block["module"])
        assert block["parameters"] == resolve(block["parameters"], block["module"])
        assert block["label"] == entries[name].get("label", declared.label)
        assert block["needs"] == declared.needs and block["attention"] == declared.attention
    labels = [entry["label"] for entry in entries.values() if "label" in entry]
    assert len(labels) == len(set(labels))
    assert {entry["module"] for entry in entries.values() if "module" in entry} == set(models())


def test_models_are_read_without_what_they_are_computed_with(root):
    code = (
        "import sys, yaml\nfrom soyfold.study import registry\n"
        "from soyfold.study import interpreted_models\n"
        "file = '../../config/models.yaml'\nnames = yaml.safe_load(open(file))['models']\n"
        "study = {'training': {'models_file': file, 'preset': 'demo'}}\n"
        "blocks = registry.load_models(study, '../schemas', names)\n"
        "[interpreted_models.method_of(block) for block in blocks.values()]\n"
        f"sys.exit(', '.join(m for m in {HEAVY} if m in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root / "workflow/scripts", check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_lists_in_the_readmes_are_those_of_the_declarations():
    for path, text in listing.documents().items():
        assert path.read_text() == text, f"make docs writes {path} anew"


def test_a_declaration_decides_no_digest(tmp_path):
    def code(path):
        found = digest._Source(path).statements
        return {name: [ast.dump(node) for node in nodes] for name, nodes in found.items()}

    path = declarations.FOLDER / "gblup.py"
    told, edited = path.read_text(), tmp_path / "gblup.py"
    for old, new in [('"label": "GBLUP"', '"label": "A"'), ("ridge is None", "ridge is not None")]:
        edited.write_text(told.replace(old, new))
        assert edited.read_text() != told
        assert (code(edited) == code(path)) == ("label" in old)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file of a folder of models of its own."""
    for name in ("direct", "network", "by_validation"):
        (tmp_path / f"{name}.py").write_text((declarations.FOLDER / f"{name}.py").read_text())
    monkeypatch.setattr(declarations, "FOLDER", tmp_path)
    caches = (declarations.own_declaration, declarations._declaration)
    for cache in caches:
        cache.cache_clear()
    yield lambda name, text: (tmp_path / f"{name}.py").write_text(text)
    for cache in caches:
        cache.cache_clear()


OWN = """import torch.nothing_like_it

DECLARATION = {
    "label": "Own", "meaning": "A model.", "kind": "direct",%s
    "parameters": {"a": {"default": 1, "type": "integer", "description": "A number."}},
}
"""


def test_a_declaration_is_read_without_running_its_file(write):
    write("own", OWN % "")
    assert declaration("own").defaults == {"train_on": ["train", "val"], "a": 1}
    write("chooses", OWN % '"needs": ["validation"],')
    assert declaration("soyfold.models.chooses").defaults == {"refit": True, "a": 1}
    write("child", 'DECLARATION = {"label": "C", "meaning": "M.", "extends": "chooses",\n'
          '"parameters": {"a": {"default": 2}}}\n')  # fmt: skip
    child = declaration("child")
    assert child.defaults == {"refit": True, "a": 2} and child.needs == ["validation"]
    assert child.parameters["a"]["type"] == "integer" and child.lineage[0] == "chooses"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "own.py: found no DECLARATION"),
        (OWN % '"held": len("x"),', "own.py, line 3: found a DECLARATION that is no dict of plain"),
        (OWN % '"citation": [],', "own.py, DECLARATION: found unknown key 'citation'; allowed: .*"
         "to mend: write citations"),
        (OWN % '"needs": ["snps"],', "key needs.0.: found 'snps'.*; allowed: validation, families"),
        (OWN.replace('"description": "A number."', '"minimun": 1') % "", "unknown key 'minimun'"),
        (OWN.replace('"default": 1, ', "") % "", "key parameters.a: found no default"),
        (OWN.replace('"kind": "direct",', "") % "", "DECLARATION: found no kind"),
        (OWN.replace('"meaning": "A model.", ', "") % "", "'meaning' missing"),
        (OWN % '"extends": "gibs",', "found extends: gibs"),
        (OWN % '"extends": "own",', "a circle: own -> own"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_declaration_is_one_line(write, text, said):
    write("own", text)
    with pytest.raises(UserError, match=said) as caught:
        declaration("own")
    assert "\n" not in str(caught.value)


def test_a_module_that_is_none_is_refused_with_the_nearest(write):
    write("own", OWN % "")
    for module, said in [("owns", "found module 'owns'"), ("direct", "which is no model")]:
        with pytest.raises(UserError, match=f"models.yaml, key models.x: .*{said}.*allowed: own,"):
            declaration(module, file="models.yaml", at="key models.x")
