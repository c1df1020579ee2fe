"""What the command line lays over a study file."""

import yaml
from snakemake.cli import parse_config
from snakemake.utils import update_config

from soyfold.study.command_line import as_in_file


def test_what_it_nests_is_typed_as_in_a_file(root):
    """Snakemake's own parsing leaves what is nested as text."""
    text = "{crosses: {best: 8, parents: [S1, 2048], share: 0.05}, index: off, model: 'a: b'}"
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    told = parse_config([f"selection={text}", "share=0.2", "study=other"])
    assert told["selection"]["crosses"]["best"] == "8"
    config.pop("selection")
    update_config(config, told)
    found = as_in_file(config, told)
    assert found["selection"] == {
        "crosses": {"best": 8, "parents": ["S1", 2048], "share": 0.05}, "index": False,
        "model": "a: b",
    }  # fmt: skip
    assert {key: found[key] for key in config if key != "selection"} == {
        key: value for key, value in config.items() if key != "selection"
    }
    assert found["share"] == 0.2 and found["study"] == "other"


def test_what_another_workflow_was_told_stays_out():
    config = {"study": "soy", "selection": {"crosses": {"best": 8, "progeny": "dh"}}}
    told = {"mine": {"a": "1"}, "selection": {"crosses": {"best": "9"}, "other": "2"}}
    assert as_in_file(config, told) == config
