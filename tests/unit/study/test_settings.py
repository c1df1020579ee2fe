"""Config, sheets and schemas: what is accepted, what is filled in, what is refused and how."""

import pytest
import yaml

from soyfold.common.errors import UserError
from soyfold.study import settings


@pytest.fixture
def config(root):
    """The demo's own config: tests change it, so that they can't drift from it."""
    return yaml.safe_load((root / "config/config.yaml").read_text())


def load(config, root):
    return settings.load_study(config, root / "workflow/schemas", file="study.yaml")


def test_defaults_are_filled_in_depth(config, root):
    config["genotypes"].pop("filters")
    config.pop("imputation")
    study = load(config, root)
    assert study["genotypes"]["filters"] == {
        "sample_heterozygosity": 0.10,
        "sample_missing": 0.10,
        "minor_allele_frequency": 0.05,
    }
    assert study["imputation"]["iterations"] == "auto"
    assert study["splits"]["ratio"] == [7, 2, 1]


def test_off_stays_off(config, root):
    config["genotypes"]["filters"]["sample_heterozygosity"] = False
    config["imputation"] = False
    study = load(config, root)
    assert study["genotypes"]["filters"]["sample_heterozygosity"] is False
    assert study["imputation"] is False


def test_expected_contacts_have_no_libraries(config, root):
    config["contacts"] = "expected"
    study = load(config, root)
    assert study["contacts"]["libraries"] is None
    assert study["contacts"]["normalisation"] == "log1p_max"


def _set(path, value):
    def change(config):
        *parents, last = path.split(".")
        for key in parents:
            config = config[key]
        config[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("traits", 1), ["unknown key 'traits'", "allowed: chromosomes, cohort"]),
        (_set("genotypes.filters.maf", 0.05), ["genotypes.filters", "unknown key 'maf'"]),
        (_set("genotypes.filters.sample_missing", "a"), ["sample_missing", "'a' (str)", "off"]),
        (_set("genotypes.filters.sample_missing", "off"), ["'off' (str)", "off without quotes"]),
        (_set("evaluation.controls", "off"), ["evaluation.controls", "write off without quotes"]),
        (_set("training.keep_kernels", "no"), ["'no' (str)", "write no without quotes"]),
        (_set("genotypes.filters.sample_missing", 2), ["sample_missing", "found 2"]),
        (_set("contacts", "none"), ["key contacts", "'none'", "expected"]),
        (_set("contacts.normalisation", "x"), ["contacts.normalisation", "log1p_max, row"]),
        (_set("contacts.permutation_seed", 1), ["key contacts", "drop permutation_seed, since"]),
        (_set("imputation", {"method": "beagle"}), ["key imputation", "drop method, which"]),
        (_set("splits.seeds", 0), ["splits.seeds", "at least 1"]),
        (_set("splits.seeds", "three"), ["splits.seeds", "integer"]),
        (_set("splits.scheme", "given"), ["key splits", "with a file"]),
        (_set("cohort.families", {"pattern": "(a)", "file": "f"}), ["one of file, pattern"]),
        (_set("cohort.families", {"pattern": "a"}), ["cohort.families.pattern", "0 groups"]),
        (_set("study", "x; touch y"), ["key study", "'x; touch y'"]),
        (_set("study", "../elsewhere"), ["key study"]),
        (lambda c: c.pop("genotypes"), ["'genotypes' missing"]),
    ],
)
def test_wrong_config_is_one_line_that_names_the_key(config, root, change, said):
    change(config)
    with pytest.raises(UserError) as caught:
        load(config, root)
    message = str(caught.value)
    assert message.startswith("study.yaml") and "\n" not in message
    for part in said:
        assert part in message


def test_schemas_are_closed(root):
    def objects(schema):
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                yield schema
            for value in schema.values():
                yield from objects(value)
        elif isinstance(schema, list):
            for value in schema:
                yield from objects(value)

    for path in (root / "workflow/schemas").glob("*.yaml"):
        for schema in objects(yaml.safe_load(path.read_text())):
            if "properties" in schema:
                assert schema["additionalProperties"] is False, path


def test_every_config_key_is_described_in_its_readme(root):
    schema = yaml.safe_load((root / "workflow/schemas/config.schema.yaml").read_text())
    text = (root / "config/README.md").read_text()

    def keys(node):
        for name, sub in node.get("properties", {}).items():
            yield name
            for candidate in (sub, *sub.get("oneOf", [])):
                yield from keys(candidate)

    missing = {name for name in keys(schema) if f"`{name}`" not in text}
    assert not missing


SHEET = "trait\tfile\tformat\tvalue_column\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("trait\tfile\tformat\noil\ta.csv\tplots\n", ["no column value_column"]),
        (SHEET + "oil\ta.csv\tspreadsheet\toil\n", ["line 2", "format", "npgs_wide"]),
        (SHEET + "oil\ta.csv\tplots\tNA\n", ["line 2", "value_column"]),
        (SHEET + "a b\ta.csv\tplots\toil\n", ["line 2", "'a b'"]),
        (SHEET + "oil\ta.csv\tplots\toil\n" * 2, ["line 3", "'oil' twice"]),
        (SHEET, ["no rows"]),
        ("", ["empty file"]),
    ],
)
def test_wrong_sheet_names_its_line(tmp_path, root, content, said):
    sheet = tmp_path / "traits.tsv"
    sheet.write_text(content)
    with pytest.raises(UserError) as caught:
        settings.read_sheet(sheet, root / "workflow/schemas/traits.schema.yaml", key="trait")
    for part in ["traits.tsv", *said]:
        assert part in str(caught.value)


def test_paths_find_the_data_folder(monkeypatch):
    monkeypatch.setenv("SOYFOLD_DATA", "/somewhere")
    assert settings.expand_path("${SOYFOLD_DATA}/a.vcf") == "/somewhere/a.vcf"
    monkeypatch.delenv("SOYFOLD_DATA")
    assert settings.expand_path("${SOYFOLD_DATA}/a.vcf") == "../shared/data/a.vcf"


def test_a_missing_file_says_where_to_get_it(config, root, tmp_path):
    config["genotypes"]["file"] = str(tmp_path / "snps" / "all.vcf.gz")
    config["sources"] = {str(tmp_path): "the wrong place", str(tmp_path / "snps"): "SoyBase"}
    study = load(config, root)
    with pytest.raises(UserError) as caught:
        settings.refuse_missing_files(study, {}, {})
    assert "all.vcf.gz, genotypes.file: found no such file" in str(caught.value)
    assert "get it from SoyBase" in str(caught.value)
