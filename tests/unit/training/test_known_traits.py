"""Traits that are known of test lines: they help the others, and no trait helps itself."""

import numpy as np
import pandas as pd
import pytest
from tiny_study import block, fit, write_cohort, write_second_trait

from soyfold.common.files import read_table

KNOWN = {"known_traits": ["second"]}


def run(folder, parameters, *, changed=None, final=False):
    """Predictions of both traits, values of test lines of one of them changed."""
    folder.mkdir()
    inputs = write_cohort(folder, n=120)
    inputs["phenotypes"] = write_second_trait(folder, inputs)
    split = pd.read_csv(inputs["splits"][0], sep="\t")
    if changed:
        path = inputs["phenotypes"][changed]
        table = pd.read_csv(path, sep="\t")
        tested = table["sample"].isin(split.loc[split.part == "test", "sample"])
        table.loc[tested, "value"] = 2 * table.loc[tested, "value"] + 1
        table.to_csv(path, sep="\t", index=False)
    if final:
        split["part"] = split["part"].replace("test", "train")
        split.to_csv(inputs["splits"][0], sep="\t", index=False)
    entry = block("multi_trait_gblup", kind="direct", **parameters) | {"cim": "none"}
    inputs.pop("cim")
    fit(entry, folders=[folder / "out"], **inputs)
    table = read_table(folder / "out/predictions.tsv", dtype={"sample": str})
    return table.set_index(["trait", "sample"])[["part", "predicted", "held_out"]]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    return {
        (known, changed): run(
            folder / f"{known}_{changed}", KNOWN if known else {}, changed=changed
        )
        for known in (False, True)
        for changed in (None, "first", "second")
    }


def same(one, other, trait):
    return np.allclose(one.loc[trait, "predicted"], other.loc[trait, "predicted"], rtol=1e-9)


def test_without_known_traits_test_lines_say_nothing(told):
    for changed in ("first", "second"):
        for trait in ("first", "second"):
            assert same(told[False, None], told[False, changed], trait)


def test_a_known_trait_says_something_of_the_others_and_nothing_of_itself(told):
    before = told[True, None]
    assert same(before, told[True, "first"], "first") and same(
        before, told[True, "first"], "second"
    )
    after = told[True, "second"]
    assert not same(before, after, "first") and same(before, after, "second")
    for part in ("train", "val"):
        rows = before[before.part == part].index
        np.testing.assert_allclose(before.predicted[rows], after.predicted[rows], rtol=1e-9)
    assert same(before, told[False, None], "second")


def test_validation_lines_are_held_out_as_test_lines_are_predicted(told, tmp_path):
    differ = told[True, None].held_out - told[False, None].held_out
    assert differ["first"].abs().max() > 0 and (differ["second"].dropna() == 0).all()
    # Of untested lines genotypes alone are known.
    final = [run(tmp_path / name, own, final=True) for name, own in (("a", {}), ("b", KNOWN))]
    pd.testing.assert_frame_equal(*final)
