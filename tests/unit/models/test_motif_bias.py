"""Classes of variants in attention: against the literal scores, planted, and from fit to table."""

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_study import (
    CHROMOSOMES,
    CIM,
    CODES,
    QUICK,
    block,
    build,
    fit,
    standardised,
    tiny_layout,
)
from tiny_study import write_cohort as write_files

from soyfold.attention.biased import prior_attention
from soyfold.common.errors import UserError
from soyfold.interpretation.motif_bias import COLUMNS, tabulate_motif_bias
from soyfold.models.places_and_classes import MotifBias
from soyfold.models.tokens import make_layout, with_classes
from soyfold.report.figures.motif_bias import plot_motif_bias
from soyfold.training.checkpoints import load_network
from soyfold.training.cohorts import read_cohort
from soyfold.training.loop import predict
from soyfold.training.loop.optimiser import decay_groups

NAMES = ["CACGTG", "at_rich", "other"]
CLASSES = np.random.default_rng(5).choice(NAMES, len(CODES))
ENCODERS = ("transformer", "csafm", "cisem", "arcadia_transformer")


def biased(module="transformer", width=1, seed=0, **parameters):
    layout = with_classes(tiny_layout(width), CLASSES)
    return build(module, layout=layout, width=width, seed=seed, motif_bias=True, **parameters)


def plant(network, seed=2):
    """Numbers in the table of a network."""
    table = network.motif_bias.motif_pairs
    with torch.no_grad():
        table.copy_(torch.randn(table.shape, generator=torch.Generator().manual_seed(seed)))
    return table.detach()


@pytest.mark.parametrize("width", [1, 4, 50])
def test_shares_are_of_the_tokens_snps(width):
    layout = with_classes(tiny_layout(width), CLASSES)
    assert layout.classes == tuple(NAMES)
    for token in range(layout.n_tokens):
        inside = CLASSES[layout.token == token]
        wanted = [np.mean(inside == name) for name in NAMES]
        np.testing.assert_allclose(layout.class_shares[token], wanted, rtol=1e-6)


@pytest.mark.parametrize("module", ENCODERS)
@pytest.mark.parametrize("width", [1, 4])
def test_a_table_of_zeros_changes_no_digit_and_the_start_of_no_other_weight(module, width):
    told, plain = biased(module, width), build(module, width=width)
    left_over = plain.load_state_dict(told.state_dict(), strict=False)
    assert {name.rpartition(".")[2] for name in left_over.unexpected_keys} == {"motif_pairs"}
    fresh = dict(build(module, width=width).named_parameters())
    assert all(torch.equal(weight, fresh[name]) for name, weight in plain.named_parameters())
    g = standardised()
    with torch.no_grad():
        assert torch.equal(told(g), plain(g))
    torch.testing.assert_close(told(g), plain(g), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("module", ["transformer", "csafm"])
@pytest.mark.parametrize("width", [1, 4])
def test_the_mean_of_the_table_over_the_snps_of_a_pair_is_added_to_its_logit(module, width):
    network = biased(module, width)
    table, layer, layout = plant(network), network.layers[1], tiny_layout(width)
    of_pair = torch.zeros(layout.n_tokens, layout.n_tokens)
    codes = np.searchsorted(NAMES, CLASSES)
    for i in range(layout.n_tokens):
        for j in range(layout.n_tokens):
            own = (codes[layout.token == token] for token in (i, j))
            of_pair[i, j] = table[next(own)][:, next(own)].mean()
    q, k, v = torch.randn(3, 2, 2, layout.n_tokens, 4)
    scores = q @ k.mT / 2 + of_pair
    if module == "csafm":
        H = layer.H[network.chromosome][:, network.chromosome]
        scores = scores + q.sum(-1, keepdim=True) * H / 2
    wanted = scores.softmax(-1) @ v
    torch.testing.assert_close(layer.attend(q, k, v), wanted, atol=1e-5, rtol=1e-5)
    q, k, H, _, told = network.final_attention(standardised(3))
    assert not told and q.shape[-1] == 4 + 3 + (3 if module == "csafm" else 0)


@pytest.mark.parametrize("form", ["augmented", "blocked", "dense", "auto"])
def test_every_form_gives_the_literal_scores_and_the_gradient_of_the_table(form):
    torch.manual_seed(3)
    q, k, v = torch.randn(3, 2, 2, 90, 8, dtype=torch.float64).unbind(0)
    own = torch.randint(0, 5, (90,))
    bias = MotifBias(torch.eye(5, dtype=torch.float64)[own]).double()
    with torch.no_grad():
        bias.motif_pairs.normal_()
    found = prior_attention(q, k, v, bias.priors(), form=form)
    scores = q @ k.mT * 8**-0.5 + bias.motif_pairs[own][:, own]
    wanted = scores.softmax(-1) @ v
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=0)
    grads = (torch.autograd.grad(x.square().sum(), bias.motif_pairs)[0] for x in (found, wanted))
    torch.testing.assert_close(*grads, atol=1e-10, rtol=0)


def test_auto_takes_blocks_of_classes_where_snps_are_tokens():
    """Its cost doesn't grow with n^2 numbers of pairs: one group prior, as the CIM is."""
    (prior,) = MotifBias(torch.eye(6)[torch.randint(0, 6, (500,))]).priors()
    assert (
        prior.table.shape == (6, 6)
        and prior.query_columns(torch.randn(1, 1, 500, 8)).shape[-1] == 6
    )


def test_one_table_for_all_layers_that_no_weight_decay_draws_to_zero():
    network = biased("csafm")
    names = [name for name, _ in network.named_parameters() if name.endswith("motif_pairs")]
    assert len(names) == 1
    (_, decayed), (_, free) = decay_groups(network, 0.1)
    table = network.motif_bias.motif_pairs
    assert any(p is table for p in free) and not any(p is table for p in decayed)


def test_a_network_without_classes_is_refused():
    with pytest.raises(ValueError, match="classes"):
        build("transformer", motif_bias=True)


@pytest.mark.parametrize("strength", [2.0, 0.0])
def test_it_finds_a_planted_pair_and_nothing_where_none_is_planted(strength):
    """Queries of class 0 attend to keys of class 1; values are all that is seen of it."""
    q, k, v = torch.randn(3, 80, 1, 40, 8, generator=torch.Generator().manual_seed(1))
    own = torch.arange(40) % 2
    truth = torch.tensor([[0.0, strength], [0.0, 0.0]])
    target = (q @ k.mT * 8**-0.5 + truth[own][:, own]).softmax(-1) @ v
    bias = MotifBias(torch.eye(2)[own])
    optimiser = torch.optim.LBFGS(bias.parameters(), line_search_fn="strong_wolfe")

    def loss():
        optimiser.zero_grad()
        value = (prior_attention(q, k, v, bias.priors()) - target).square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    found = bias.motif_pairs.detach()
    # Softmax takes off what is the same for all keys of a query.
    torch.testing.assert_close(found - found[:, :1], truth - truth[:, :1], atol=0.01, rtol=0.01)


@pytest.fixture
def classed(tmp_path):
    """A study's files with classes of its variants, in another order than the matrix."""
    inputs = write_files(tmp_path, n=80, seeds=(0, 1))
    table = pd.read_csv(inputs["variants"], sep="\t").drop(columns="column")
    table = table.assign(**{"class": CLASSES}).sample(frac=1, random_state=2)
    table.to_csv(tmp_path / "classes.tsv", sep="\t", index=False)
    return inputs | {"classes": tmp_path / "classes.tsv"}


@pytest.mark.parametrize("members", [1, 2])
def test_fits_learn_a_table_that_is_kept_tabulated_and_drawn(classed, tmp_path, members):
    own = {"tokens": "snp", "d_model": 8, "layers": 2, "heads": 2, "feed_forward": 8}
    options = {**QUICK, "epochs": 2, "learning_rate": 0.02, "members": members}
    entry = block("csafm", attention=True, motif_bias=True, **own, **options)
    folders = [tmp_path / f"seed{seed}" for seed in (0, 1)]
    fit(entry, folders=folders, **classed)
    told = []
    for folder in folders:
        network, scaler = load_network(folder / "checkpoint.npz")
        each = getattr(network, "members", [network])
        told.append(np.mean([one.motif_bias.motif_pairs.numpy(force=True) for one in each], 0))
        if folder is folders[0]:
            again = predict(network, np.load(classed["dosage"]), scaler=scaler)
            kept = pd.read_csv(folder / "predictions.tsv", sep="\t").set_index("sample")
            samples = pd.read_csv(classed["samples"], sep="\t")["sample"]
            np.testing.assert_allclose(kept.predicted[samples], again, rtol=1e-4)
    assert np.abs(told).min() > 0
    files = [folder / "checkpoint.npz" for folder in folders]
    fits = [{"trait": "oil", "model": "m", "checkpoint": file} for file in files]
    table = tabulate_motif_bias(fits)
    assert list(table) == COLUMNS and (table.splits == 2).all()
    square = table.pivot(index="class", columns="class_2", values="bias").loc[NAMES, NAMES]
    np.testing.assert_allclose(square, np.mean(told, axis=0), rtol=1e-6)
    sd = table.pivot(index="class", columns="class_2", values="bias_sd").loc[NAMES, NAMES]
    np.testing.assert_allclose(sd, np.abs(told[0] - told[1]) / 2**0.5, rtol=1e-4)
    plot_motif_bias(table, labels={"m": "A label"}, paths=[tmp_path / "bias.svg"])
    text = (tmp_path / "bias.svg").read_text()
    assert "oil, A label" in text and "at rich" in text and "2 splits" in text
    assert tabulate_motif_bias([]).empty


def test_loci_that_are_left_out_take_their_classes_along(classed, tmp_path):
    dosage = np.load(classed["dosage"])
    dosage[:, 4] = dosage[:, 3]  # a copy
    np.save(classed["dosage"], dosage)
    own = {"tokens": "snp", "d_model": 8, "layers": 1, "heads": 2, "feed_forward": 8, "epochs": 1}
    entry = block("transformer", attention=True, motif_bias=True, independent_loci=0.94, **own)
    one = classed | {name: classed[name][:1] for name in ("splits", "seeds")}
    fit(entry, folders=[tmp_path / "fit"], **one)
    network, _ = load_network(tmp_path / "fit/checkpoint.npz")
    codes = np.searchsorted(NAMES, np.delete(CLASSES, 4))
    assert network.motif_bias.of.tolist() == codes.tolist()


def test_classes_of_other_variants_are_refused(classed):
    table = pd.read_csv(classed["classes"], sep="\t").iloc[1:]
    table.to_csv(classed["classes"], sep="\t", index=False)
    wanted = ("dosage", "samples", "variants", "phenotypes", "classes")
    with pytest.raises(UserError, match="no class of 1 variants"):
        read_cohort(**{name: classed[name] for name in wanted})


def test_the_cim_and_places_and_classes_go_together():
    bp = 10**6 * (1 + np.arange(len(CODES)))
    layout = with_classes(make_layout(CODES, CHROMOSOMES, position=bp), CLASSES)
    network = build("csafm", layout=layout, width=1, motif_bias=True, position="rope_bp")
    before = network(standardised())
    plant(network)
    assert not torch.allclose(network(standardised()), before)
    assert torch.equal(network.cim, CIM)
