"""The null of pairs of chromosomes: what chance finds, and what is beyond it."""

import runpy

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from snakemake.iocontainers import InputFiles, Log, OutputFiles, Params, Wildcards
from snakemake.script import Snakemake

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.contacts.cim import write_cim
from soyfold.interpretation.pair_null import permute_pairs, step_down
from soyfold.models.kernels.matrices import write_products
from soyfold.training.cohorts import Cohort

NAMES = ["chr2", "chr10", "chr1"]
BLOCK = {"name": "learned", "module": "learned_contact_kernel", "parameters": {"iterations": 15}}


def literal(found, shuffled):
    """Westfall and Young's algorithm as it is written, pair by pair."""
    order = sorted(range(len(found)), key=lambda pair: -found[pair])
    adjusted, before = {}, 0.0
    for place, pair in enumerate(order):
        beaten = sum(max(row[other] for other in order[place:]) >= found[pair] for row in shuffled)
        before = max(before, (1 + beaten) / (1 + len(shuffled)))
        adjusted[pair] = before
    return [adjusted[pair] for pair in range(len(found))]


SHARES = st.floats(0, 1, width=16)


@given(st.data(), st.integers(1, 6), st.integers(1, 9))
def test_p_is_that_of_the_algorithm(data, pairs, shuffles):
    found = data.draw(arrays.arrays(float, pairs, elements=SHARES, unique=True))
    shuffled = data.draw(arrays.arrays(float, (shuffles, pairs), elements=SHARES))
    np.testing.assert_allclose(step_down(found, shuffled), literal(found, shuffled))


def test_one_false_alarm_in_a_family_is_as_rare_as_asked():
    rng = np.random.default_rng(1)
    alarms = [
        step_down(values[0], values[1:]).min() <= 0.1 for values in rng.normal(size=(600, 20, 8))
    ]
    assert np.mean(alarms) == pytest.approx(0.1, abs=0.04)  # three standard errors


def cohort(product, seed=3, lines=160):
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, 0.5, (lines, 24)).astype(np.int8)
    y = dosage @ rng.normal(0, 0.2, 24) + rng.normal(0, 0.5, lines)
    y += product * (dosage[:, 1] - 1) * (dosage[:, 20] - 1)
    names = [f"line{number}" for number in range(lines)]
    cim = pd.DataFrame(1 + np.eye(3), index=NAMES, columns=NAMES)
    table = pd.DataFrame({"sample": names, "row": np.arange(lines)})
    return Cohort(dosage, table, y, np.repeat(NAMES, 8), cim)


def test_a_planted_pair_is_beyond_chance_and_no_other_is():
    found = permute_pairs(BLOCK, cohort(product=1.5), permutations=19, seed=0)
    pairs = found.set_index(["chromosome", "chromosome_2"])
    assert pairs["p"]["chr2", "chr1"] == 0.05  # the least that 19 shuffles can give
    others = pairs.drop(index=("chr2", "chr1"))
    assert (others["p"] > 0.05).all()
    assert (pairs["share_null"] < pairs["share"]["chr2", "chr1"]).all()
    assert (found["permutations"] == 19).all()


def test_a_trait_of_main_effects_alone_has_no_pair():
    found = permute_pairs(BLOCK, cohort(product=0), permutations=19, seed=0)
    assert (found["p"] > 0.15).all()
    # Three shuffles beat it; no more were drawn.
    drawn = found["permutations"].iloc[0]
    assert drawn < 19 and found["p"].min() == pytest.approx(4 / (1 + drawn))


def test_covariates_are_in_neither_the_pairs_nor_their_null():
    """A batch of ten sd would else be shuffled among the lines, and drown all."""
    given = cohort(1.5, lines=60)
    batch = pd.DataFrame({"batch": np.resize(["a", "b", "b"], 60)})
    told = []
    for moved in (0.0, 20.0):
        values = given.values + moved * (batch["batch"] == "a").to_numpy()
        own = Cohort(**{**vars(given), "values": values, "covariates": batch})
        told.append(permute_pairs(BLOCK, own, permutations=3, seed=0))
    np.testing.assert_allclose(told[0][["share", "share_null"]], told[1][["share", "share_null"]],
                               rtol=1e-3, atol=1e-5)  # fmt: skip
    drowned = Cohort(**{**vars(given), "values": values})
    assert permute_pairs(BLOCK, drowned, permutations=3, seed=0)["share"].max() < (
        told[1]["share"].max() / 2
    )


def test_shuffles_follow_their_seed():
    one, same, other = (
        permute_pairs(BLOCK, cohort(1.0, lines=60), permutations=2, seed=seed) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, same)
    assert not one["share_null"].equals(other["share_null"])


def test_the_job_hands_its_files_over(tmp_path, root):
    """As Snakemake gives them: what only some models take is a list."""
    given = cohort(1.0, lines=60)
    files = {name: str(tmp_path / f"{name}.tsv") for name in ("samples", "variants", "phenotypes")}
    files |= {name: str(tmp_path / f"{name}.npy") for name in ("dosage", "products")}
    np.save(files["dosage"], given.dosage)
    write_products(files["dosage"], files["products"])
    write_table(given.lines, files["samples"])
    columns = {"chromosome": given.snp_chromosome, "column": range(24)}
    write_table(pd.DataFrame(columns), files["variants"])
    write_table(given.lines[["sample"]].assign(value=given.values), files["phenotypes"])
    write_cim(given.cim, tmp_path / "cim.tsv")
    inputs = InputFiles(fromdict=files)
    inputs.append(str(tmp_path / "cim.tsv"))
    inputs._set_name("cim", len(files), end=len(inputs))
    for name in ("tuned", "covariates"):
        inputs._set_name(name, len(inputs), end=len(inputs))
    handed = Snakemake(
        inputs, OutputFiles(fromdict={"null": str(tmp_path / "null.tsv")}),
        Params(fromdict={"block": BLOCK, "permutations": 2, "seed": 1}),
        Wildcards(fromdict={"trait": "oil", "model": "learned"}), 1, {},
        Log(fromdict={"log": str(tmp_path / "log")}), {}, "permute_pairs", None,
    )  # fmt: skip
    runpy.run_path(
        str(root / "workflow/scripts/permute_pairs.py"), init_globals={"snakemake": handed}
    )
    text = dict.fromkeys(("trait", "model", "chromosome", "chromosome_2"), str)
    found = read_table(tmp_path / "null.tsv", dtype=text)
    assert (found["trait"] == "oil").all() and (found["model"] == "learned").all()
    expected = permute_pairs(BLOCK, given, permutations=2, seed=1)
    # Kernels of float32, whose last digits hang on where they lie in memory.
    np.testing.assert_allclose(found[["share", "p"]], expected[["share", "p"]], rtol=1e-4)


def test_traits_learnt_together_are_refused():
    together = cohort(0)
    together = Cohort(**{**vars(together), "traits": ("oil", "protein")})
    with pytest.raises(UserError, match="several traits learnt together; allowed: one"):
        permute_pairs(BLOCK, together, permutations=2, seed=0)
