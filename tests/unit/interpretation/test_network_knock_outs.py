"""Knock-outs in networks on groups: nothing of the group reaches another token."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from soyfold.common.groups import Groups
from soyfold.interpretation.knock_outs import measure_changes
from soyfold.interpretation.network_knock_outs import knock_out_network, unattended
from soyfold.models.loading import import_model
from soyfold.models.parameters import resolve
from soyfold.models.tokens import lay_out_groups
from soyfold.training.checkpoints import save_networks
from soyfold.training.loop import predict
from soyfold.training.scaling import fit_scaler

SNPS, LINES, GROUPS = 24, 30, 4


def draw_network(module, *, weights):
    rng = np.random.default_rng(3)
    members = np.eye(GROUPS, dtype=bool)[np.arange(SNPS) % GROUPS]
    members[1, 2] = True  # of two groups
    groups = Groups([*"abc", "rest"], sparse.csr_array(members), weights)
    layout = lay_out_groups(np.repeat([0, 1], SNPS // 2), ["c1", "c2"], groups)
    parameters = resolve(
        {"tokens": "group", "hypothesis": "h", "embedding": "locus_scaled", "position": "none",
         "d_model": 8, "layers": 2, "heads": 2, "feed_forward": 8, "dropout": 0.0},
        import_model(module).__name__,
    )  # fmt: skip
    torch.manual_seed(0)
    cim = torch.rand(2, 2)
    network = import_model(module).Network(layout, parameters, cim + cim.T).eval()
    dosage = rng.integers(0, 3, (LINES, SNPS)).astype(np.int8)
    scaler = fit_scaler(dosage, rng.standard_normal(LINES))
    network.use_scaler(torch.from_numpy(scaler.centre), scaler.scale)
    return network, layout, parameters, dosage, scaler


OPEN = np.eye(GROUPS) + 0.5
CLOSED = OPEN * (np.arange(GROUPS) != 3)[:, None] * (np.arange(GROUPS) != 3) + np.diag([0, 0, 0, 1])


@pytest.mark.parametrize("module", ["transformer", "csafm"])
@pytest.mark.parametrize("weights", [OPEN, CLOSED])
def test_no_other_token_hears_of_an_unattended_group(module, weights):
    network, layout, _, _, _ = draw_network(module, weights=weights)
    g = torch.randn(5, SNPS)
    moved, own = g.clone(), np.arange(0, SNPS, GROUPS)  # group a's, which are in no other
    moved[:, own] += 1
    with torch.no_grad():
        plain = [network.tokens(x) for x in (g, moved)]
        with unattended(network, 0, layout.n_tokens):
            alone = [network.tokens(x) for x in (g, moved)]
        again = network.tokens(g)
    assert torch.equal(plain[0], again)
    assert (plain[0] - plain[1])[:, 1:3].abs().min() > 1e-7
    assert torch.allclose(alone[0][:, 1:], alone[1][:, 1:], atol=1e-6)
    assert not torch.allclose(alone[0][:, 0], alone[1][:, 0], atol=1e-3)


def test_the_table_is_of_the_predictions_without(tmp_path):
    network, layout, parameters, dosage, scaler = draw_network("csafm", weights=OPEN)
    block = {"module": "csafm", "kind": "network", "parameters": parameters}
    save_networks(tmp_path / "checkpoint.npz", [network], scaler, layout, block)
    names, before = (
        np.array([f"L{k}" for k in range(LINES)]),
        predict(network, dosage, scaler=scaler),
    )
    covariate = np.linspace(-1, 1, LINES)  # what the fit adds to the network's own
    observed = before + covariate + 0.1
    told = pd.DataFrame(
        {"sample": names, "part": ["train"] * 20 + ["test"] * 10, "observed": observed,
         "predicted": before + covariate, "held_out": 0.0}
    )[::-1]  # fmt: skip
    told.to_csv(tmp_path / "predictions.tsv", sep="\t", index=False)
    table = pd.DataFrame({"sample": names, "row": range(LINES)})
    table.to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    np.save(tmp_path / "dosage.npy", dosage)
    found = knock_out_network(
        tmp_path / "checkpoint.npz", tmp_path / "predictions.tsv", trait="oil", hypothesis="h",
        model="csafm", seed=0, draws=3, dosage=tmp_path / "dosage.npy",
        samples=tmp_path / "samples.tsv", threads=1,
    ).set_index("group")  # fmt: skip
    assert found.index.tolist() == [*"abc", "rest"] and found.snps.tolist() == [6, 6, 7, 6]
    own = np.array([1, *range(2, SNPS, GROUPS)])
    left = dosage.astype(np.float32)
    left[:, own] = left[:, own].mean(0)
    with unattended(network, 2, GROUPS):
        after = predict(network, left, scaler=scaler)
    rows = slice(20, None)
    wanted = measure_changes(observed[rows], (before + covariate)[rows], (after + covariate)[rows])
    names = ["mean_change", "spread_change", "moved", "PCC_change", "R2_change"]
    assert np.allclose(found.loc["c", names].astype(float), wanted, atol=1e-5)
    assert (found.moved > 0).all() and (found.moved_random_low <= found.moved_random_high).all()
