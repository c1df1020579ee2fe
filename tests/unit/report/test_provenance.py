"""Where the methods page has its facts from."""

import pandas as pd
import pytest
import yaml

from soyfold.report import provenance
from soyfold.study import settings


def test_programs_versions_are_those_of_the_logs(tmp_path):
    (tmp_path / "genotypes").mkdir()
    (tmp_path / "genotypes/a.log").write_text("16:33:30  PLINK v1.90b6.26 64-bit (2 Apr 2022)\n")
    folder = tmp_path / "imputation/impute_chromosome"
    folder.mkdir(parents=True)
    (folder / "Gm01.log").write_text("beagle.22Jul22.46e.jar (version 5.4)\n")
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


def test_pins_and_what_is_here(tmp_path):
    (tmp_path / "x.yaml").write_text(
        yaml.safe_dump({"dependencies": ["python=3.11", "pandas=1.0", "no-such-thing=2"]})
    )
    table = provenance.package_versions([tmp_path / "x.yaml"]).set_index("package")
    assert table.here["pandas"] == pd.__version__ and table.pinned["pandas"] == "1.0"
    assert table.here["no-such-thing"] is None and table.storeys["pandas"] == "x"


def test_the_version_is_the_changelogs(root, tmp_path):
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 9.9.9\n\n- x\n\n## 1.0\n")
    assert provenance.soyfold_version(tmp_path) == "9.9.9"
    assert provenance.soyfold_version(tmp_path / "none") == "unknown"
    assert provenance.soyfold_version(root).startswith("0.")


@pytest.fixture(scope="module")
def listed(root):
    return root / "resources/citations.tsv"


def test_every_citation_can_be_reached_and_every_model_is_cited(root, listed):
    table = pd.read_csv(listed, sep="\t", dtype=str)
    models = yaml.safe_load((root / "config/models.yaml").read_text())["models"]
    modules = {block["module"] for block in models.values() if "module" in block}
    of_modules = table.used_for[table.used_for.str.startswith("module:")].str.removeprefix(
        "module:"
    )
    assert set(of_modules) <= modules, "a citation of no model"
    # These are ours, or a mean.
    uncited = {"mean", "cnn", "mlp", "blend"}
    assert modules - set(of_modules) == uncited & modules
    assert table.citation.notna().all() and not table.duplicated().any()
    assert table.doi.dropna().str.fullmatch(r"10\.\d{4,}/\S+").all()


def test_a_study_cites_what_it_used(root, listed):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    study = settings.load_study(config, root / "workflow/schemas", file="config.yaml")
    used = provenance.used_methods(
        study, formats=["hicpro_pairs"], modules={"gblup": "direct"}, schemes=["random"],
        compared=True,
    )  # fmt: skip
    cited = " ".join(provenance.citations(listed, used).citation)
    for name in ("Snakemake", "PLINK", "HiC-Pro", "Habier", "Holm"):
        assert name in cited, name
    for name in ("PyTorch", "Juicer", "LightGBM", "Burgue"):
        assert name not in cited, name
