"""Arms of a hypothesis in a network: the same weights to learn, and figures by their formulas."""

import numpy as np
import pandas as pd
import pytest
from group_files import write_halves
from scipy.stats import norm

from soyfold.common.groups import read_groups
from soyfold.evaluation.hypotheses import compare_hypotheses
from soyfold.models.kernels.groups import permute_groups
from soyfold.training.cohorts import read_cohort
from soyfold.training.hypotheses import SCORES
from soyfold.training.network_fits import build_network
from soyfold.training.network_hypotheses import arm_of, try_arm

LINES, SNPS = 60, 12
BLOCK = {
    "name": "group_net", "module": "transformer", "kind": "network", "gpu": 0, "joint": False,
    "parameters": {
        "tokens": "group", "hypothesis": "halves", "embedding": "locus_scaled", "position": "none",
        "d_model": 4, "layers": 1, "heads": 1, "feed_forward": 4, "epochs": 2, "batch_size": 16,
        "accumulate": 1, "window": None,
    },
}  # fmt: skip
ARMS = ("real", "none", "permuted1", "permuted2", "random", "diagonal")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("study"), np.random.default_rng(0)
    names = [f"L{k}" for k in range(LINES)]
    dosage = rng.integers(0, 3, (LINES, SNPS)).astype(np.int8)
    np.save(folder / "dosage.npy", dosage)
    tables = {
        "samples": {"sample": names, "row": range(LINES)},
        "variants": {"chromosome": ["c1", "c2"] * (SNPS // 2), "column": range(SNPS)},
        "phenotypes": {"sample": names, "value": dosage[:, 0] + rng.standard_normal(LINES)},
    }
    for seed in range(2):
        part = rng.permutation(np.repeat(["train", "val", "test"], [30, 15, 15]))
        tables[f"split{seed}"] = {"sample": names, "part": part}
    for name, table in tables.items():
        pd.DataFrame(table).to_csv(folder / f"{name}.tsv", sep="\t", index=False)
    write_halves(folder / "groups.npz", SNPS)
    own = {name: folder / f"{name}.tsv" for name in ("samples", "variants", "phenotypes")}
    return own | {"dosage": folder / "dosage.npy", "groups": folder / "groups.npz"}


def test_all_arms_learn_as_many_weights_and_hold_as_many_snps(files):
    cohort, counts, sizes = read_cohort(**files), set(), set()
    for arm in ARMS:
        block, groups = arm_of(BLOCK, cohort.groups, arm)
        cohort = cohort.__class__(**{**vars(cohort), "groups": groups})
        _, network = build_network(block, cohort, 0)
        counts.add(sum(p.numel() for p in network.parameters()))
        sizes.add(tuple(map(len, groups.snps())))
        assert (network.layers[0].of_pairs is None) == (arm == "none")
        cohort = read_cohort(**files)
    assert len(counts) == len(sizes) == 1
    own = read_groups(files["groups"])
    for number in (1, 2):
        copy = arm_of(BLOCK, own, f"permuted{number}")[1].members
        assert (copy != permute_groups(own, number).members).nnz == 0


def test_scores_are_those_of_the_fits_and_enter_the_table(files, monkeypatch):
    fits = []

    def keep(block, task, cohort):
        from soyfold.training.network_fits import fit_network

        fits.append((task, fit_network(block, task, cohort)))
        return fits[-1][1]

    monkeypatch.setattr("soyfold.training.network_hypotheses.fit_network", keep)
    splits = [files["samples"].with_name(f"split{seed}.tsv") for seed in range(2)]
    scores = pd.concat([
        try_arm(BLOCK, trait="oil", arm=arm, seeds=[0, 1], splits=splits, **files)
        for arm in ("real", "none", "permuted1", "permuted2", "random")
    ])  # fmt: skip
    assert list(scores) == SCORES and set(scores.model) == {"group_net"}
    task, fit = fits[0]
    val, test = task.rows("val"), task.rows("test")
    sd = np.sqrt(np.mean((task.y[val] - fit.held_out[val]) ** 2))
    wanted = norm(fit.predicted[test], sd).logpdf(task.y[test]).mean()
    assert scores.value.iloc[0] == pytest.approx(wanted)
    table = compare_hypotheses(scores, test_share=0.5).set_index("metric")
    assert table.model.tolist() == ["group_net"] * 3 and table.permutations.tolist() == [2] * 3
    wide = scores[scores.metric == "PCC"].pivot(index="seed", columns="arm", values="value")
    assert table.difference["PCC"] == pytest.approx((wide.real - wide.none).mean())
    assert table[["additive", "share"]].isna().all(axis=None)
