"""Where the methods page has its facts from."""

import pandas as pd
import pytest
import yaml

from soyfold.models.declarations import models, own_declaration
from soyfold.report import provenance
from soyfold.study import registry, settings


def test_programs_versions_are_those_of_the_logs(tmp_path):
    (tmp_path / "genotypes").mkdir()
    (tmp_path / "genotypes/a.log").write_text("16:33:30  PLINK v1.90b6.26 64-bit (2 Apr 2022)\n")
    folder = tmp_path / "imputation/impute_chromosomes"
    folder.mkdir(parents=True)
    (folder / "Gm01_to_Gm05.log").write_text("beagle.22Jul22.46e.jar (version 5.4)\n")
    assert provenance.program_versions(tmp_path) == {
        "PLINK 1.9": "1.90b6.26",
        "Beagle": "22Jul22.46e",
    }
    assert provenance.program_versions(tmp_path / "none") == {}


def test_the_config_flattens_without_losing_a_value():
    config = {"a": {"b": [1, 2], "c": {"d": False}}, "e": [{"f": None}, {"f": "x"}], "g": {}}
    assert list(provenance.flatten(config)) == [
        ("a.b", "1, 2"), ("a.c.d", "off"), ("e[0].f", "none"), ("e[1].f", "x"), ("g", ""),
    ]  # fmt: skip


def test_the_versions_are_those_that_ran(tmp_path):
    for name, pins in {
        "x": ["python=3.11", "pandas=1.0", "no-such-thing=2"],
        "y": ["pandas=1.1"],
    }.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"dependencies": pins}))
    files = [tmp_path / "x.yaml", tmp_path / "y.yaml"]
    pinned = provenance.package_versions(files, conda=True)
    assert [*pinned.itertuples(index=False, name=None)] == [
        ("no-such-thing", "2", "x"), ("pandas", "1.0", "x"), ("pandas", "1.1", "y"),
        ("python", "3.11", "x"),
    ]  # fmt: skip
    here = provenance.package_versions(files, conda=False).set_index("package")
    assert here.index.tolist() == ["no-such-thing", "pandas", "python"]
    assert here.version["pandas"] == pd.__version__ and here.storeys["pandas"] == "x, y"
    assert here.version["no-such-thing"] is None


def test_the_version_is_the_changelogs(root, tmp_path):
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 9.9.9\n\n- x\n\n## 1.0\n")
    assert provenance.soyfold_version(tmp_path) == "9.9.9"
    assert provenance.soyfold_version(tmp_path / "none") == "unknown"
    assert provenance.soyfold_version(root).startswith("0.")


@pytest.fixture(scope="module")
def listed(root):
    return root / "resources/citations.tsv"


def cited(name):
    """Whether a model, or one that it extends, says what it is cited by."""
    own = own_declaration(name)
    return "citations" in own or ("extends" in own and cited(own["extends"]))


def test_every_model_is_cited_and_every_citation_whole(listed):
    # These are ours, or a mean.
    uncited = {name for name in models() if not cited(name)}
    assert uncited == {"mean", "cnn", "mlp", "blend"}
    declared = registry.cited_models({"module": name} for name in models())
    table = pd.concat([pd.read_csv(listed, sep="\t", dtype=str), pd.DataFrame(declared)])
    assert table.citation.notna().all() and not table.duplicated().any()
    assert table.doi.dropna().str.fullmatch(r"10\.\d{4,}/\S+").all()


def test_a_study_cites_what_it_used(root, listed):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    study = settings.load_study(config, root / "workflow/schemas", file="config.yaml")
    used = provenance.used_methods(
        study, formats=["hicpro_pairs"], kinds={"direct"}, schemes=["random"], compared=True
    )
    of_models = registry.cited_models([{"module": "gblup"}, {"module": "bayesb"}])
    table = provenance.citations(listed, used, of_models)
    cited = " ".join(table.citation)
    for name in ("Snakemake", "PLINK", "HiC-Pro", "Habier", "Holm", "BGLR"):
        assert name in cited, name
    for name in ("PyTorch", "Juicer", "LightGBM", "Burgue"):
        assert name not in cited, name
    assert list(table.columns) == ["what", "citation", "doi"] and table.citation.is_unique
    assert "optimiser" in [row["what"] for row in registry.cited_models([{"module": "cnn"}])]
    assert len(provenance.citations(listed, used)) == len(table) - len(of_models)
