"""The contact readout against its equation written out, and what noise and planted products do."""

import dataclasses
import math

import numpy as np
import pytest
import tiny_study
import torch
from cut_fits import cut_short, run
from tiny_study import CHROMOSOMES, CIM, CODES, agreement, planted_lines, standardised

from soyfold.common.errors import UserError
from soyfold.contacts.cim import make_control
from soyfold.interpretation.gradients import attribute
from soyfold.models.contact_products import PairWeights
from soyfold.models.contact_readout import Network
from soyfold.models.kernels.matrices import write_products
from soyfold.models.kernels.shared import decompose_part
from soyfold.models.kernels.weights import pair_weights
from soyfold.models.noise import Noise
from soyfold.models.parameters import resolve
from soyfold.models.sparse_effects import sparse_effects
from soyfold.models.tokens import make_layout
from soyfold.training import network_fits
from soyfold.training.checkpoints import load_network, read_checkpoint
from soyfold.training.cohorts import Cohort
from soyfold.training.loop import predict
from soyfold.training.scaling import fit_scaler
from soyfold.training.tasks import Task


def make(*, cim=CIM, width=1, outputs=1, seed=0, **parameters):
    """A readout whose parameters are all random."""
    layout = make_layout(CODES, CHROMOSOMES, width=width, outputs=outputs)
    windows = {"tokens": "window", "window": width} if width > 1 else {}
    network = Network(layout, {"rank": 3, "rho": 0.7, **windows, **parameters}, cim)
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim:
                parameter.copy_(torch.randn(parameter.shape))
    return network


def literal(network, g, trait, width):
    """The equation, one chromosome pair, factor and token at a time."""
    products, values = network.products, []
    M = literal_weights(products.M, network.own["weights"])
    effects = (network.b0 / math.sqrt(g.shape[1]) + network.b * network.s)[trait]
    layout = make_layout(CODES, CHROMOSOMES, width=width)
    for line in g.double():
        tokens = torch.zeros(layout.n_tokens, dtype=torch.float64)
        for snp, token in enumerate(layout.token):
            tokens[token] += line[snp]
        tokens = tokens / network.spread
        total = float(network.c[trait]) + float(line @ effects.double())
        for r in range(3):
            p, q = torch.zeros(2, 3, dtype=torch.float64)
            for token, chromosome in enumerate(layout.chromosome):
                root = math.sqrt(layout.n_tokens)
                p[chromosome] += tokens[token] * products.U[token, trait, r] / root
                q[chromosome] += tokens[token] * products.V[token, trait, r] / root
            for one in range(3):
                for other in range(3):
                    total += 0.6 / math.sqrt(3) * float(M[one, other] * p[one] * q[other])
        values.append(total)
    return torch.tensor(values)


def literal_weights(M, kind):
    """M entry by entry."""
    weights = pair_weights(CIM.double().numpy(), contacts=kind, power=1)
    found = torch.zeros(3, 3, dtype=torch.float64)
    for one in range(3):
        for other in range(3):
            if one != other:
                pair = 0.0 if M.t is None else float(M.t[one, other] + M.t[other, one]) / 2
                found[one, other] = weights[one, other] ** max(0.0, float(M.tau)) * math.exp(pair)
    return found / torch.sqrt(found.square().sum() / 6)


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("contacts", ["fixed", "learned"])
@torch.no_grad()
def test_forward_is_the_equation(contacts, width):
    network = make(contacts=contacts, width=width, outputs=2)
    network.spread.fill_(1.0 if width == 1 else 1.7)
    g = standardised(3)
    found = network(g)
    assert found.shape == (3, 2) and make()(g).shape == (3,)
    for trait in range(2):
        torch.testing.assert_close(
            found[:, trait], literal(network, g, trait, width).float(), atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("tau", [-1.0, 0.0, 2.0, 30.0])
@torch.no_grad()
def test_weights_of_pairs_are_symmetric_of_root_mean_square_1_and_nothing_on_the_diagonal(tau):
    weights = pair_weights(CIM.numpy(), contacts="cim", power=1)
    M = PairWeights(weights, tau, learned=True)
    M.t.normal_()
    found = M()
    assert torch.equal(found.diag(), torch.zeros(3))
    torch.testing.assert_close(found, found.T)
    assert float(found.square().sum() / 6) == pytest.approx(1, rel=1e-5)
    if tau <= 0:  # relu: a CIM never acts turned round
        torch.testing.assert_close(found, PairWeights(np.ones((3, 3)), 2.0, learned=True)() * found)


@pytest.mark.parametrize("kind", ["observed_expected", "cim", "size"])
def test_a_constant_cim_makes_all_pairs_alike_whatever_the_power(kind):
    weights = pair_weights(np.full((4, 4), 3.0), contacts=kind, power=1)
    expected = 1 - torch.eye(4)
    for tau in (0.0, 2.0, 9.0):
        torch.testing.assert_close(PairWeights(weights, tau, learned=False)(), expected)


@pytest.mark.parametrize("parameters", [{"contacts": "none"}, {"cim": torch.zeros(3, 3)}])
def test_without_contacts_there_are_no_products(parameters):
    network = make(**parameters)
    assert network.choices == (math.inf,)
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert trained == {"c", "b0", "b", "s"}
    g = standardised(4)
    effects = network.b0 / math.sqrt(len(CODES)) + network.b * network.s
    torch.testing.assert_close(network(g), (g @ effects.T + network.c).squeeze(-1))


def test_a_fit_tells_whether_it_has_products_and_the_power_that_acts():
    network = make()
    with torch.no_grad():
        network.products.M.tau.fill_(-0.5)
    assert network.figures() == {"with_products": 1.0, "rho": pytest.approx(0.7), "tau": 0.0}
    network.choose(math.inf)
    assert network.figures() == {"with_products": 0.0}
    assert make(contacts="none").figures() == {}


def test_chromosomes_without_snps_change_nothing():
    layout = make_layout(np.where(CODES == 2, 3, CODES), [*CHROMOSOMES, "Gm04"])
    wide = torch.zeros(4, 4)
    kept = torch.tensor([0, 1, 3])
    wide[kept[:, None], kept] = CIM
    other = Network(layout, {"rank": 3, "rho": 0.7, "weights": "cim"}, wide)
    network = make(weights="cim")
    other.load_state_dict(network.state_dict())
    torch.testing.assert_close(other(standardised()), network(standardised()))


def test_kappa_is_the_largest_singular_value_of_the_literal_matrix():
    network = make(contacts="fixed")
    dosage, _ = planted_lines(60)
    x = (dosage - dosage.mean(0)) / dosage.std()
    noise = np.random.default_rng(1).standard_normal((4, 60)).astype(np.float32)
    M = network.products.M().detach().double().numpy()[CODES][:, CODES]
    found = network.products.largest(torch.from_numpy(x).float(), torch.from_numpy(noise), 0)
    for e, value in zip(noise, found, strict=True):
        literal = np.einsum("i,ij,ik->jk", e, x, x) * M / len(CODES)
        assert float(value) == pytest.approx(np.linalg.svd(literal)[1][0], rel=0.03)


def test_traits_are_calibrated_together_as_each_alone():
    dosage, _ = planted_lines(60)
    x = torch.from_numpy((dosage - dosage.mean(0)) / dosage.std()).float()
    values = np.random.default_rng(2).standard_normal(60)
    every, some = np.ones(60, bool), np.arange(60) % 4 > 0
    traits = [(every, Noise(2.0, 2.0, values)), (some, Noise(3.0, 3.0, values[some]))]
    together = make(outputs=2)
    together.calibrate(x, traits, 0)
    for number, trait in enumerate(traits):
        alone = make()
        alone.calibrate(x, [trait], 0)
        for name in ("ratio", "single", "pair"):
            torch.testing.assert_close(
                getattr(together, name)[number], getattr(alone, name)[0], rtol=1e-5, atol=0
            )


@torch.no_grad()
def test_the_penalty_is_the_sum_of_its_parts():
    network = make(contacts="learned", outputs=2)
    for name, values in {"ratio": [2.0, 3.0], "single": [5.0, 7.0], "pair": [11.0, 13.0]}.items():
        getattr(network, name).copy_(torch.tensor(values))
    parts = [float(network.products.M.t.square().sum())]
    for trait, (ratio, single, pair) in enumerate([(2, 5, 11), (3, 7, 13)]):
        parts.append(10 * ratio * float(network.b0[trait].square().sum()))
        for large in (network.b, network.s):
            parts.append(0.3 * single * float(large[trait].square().sum()))
        for factor in (network.products.U, network.products.V):
            square = float(factor[:, trait].square().sum())
            parts.append(0.7 * pair * 0.6 / math.sqrt(3) * square)
    assert float(network.penalty()) == pytest.approx(sum(parts), rel=1e-5)


GROUPS, LINES = 5, 330


def block(*, kind="network", **parameters):
    """An entry as the registry hands it on, with all parameters."""
    own = resolve(parameters, "contact_readout")
    return tiny_study.block("contact_readout", kind=kind, **own)


def make_task(trait, *, seed=0):
    """Lines of 5 chromosomes; a product of chromosomes 0 and 1, or noise; 240 + 40 + 50 lines."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(GROUPS), 8)
    dosage = 2 * rng.integers(0, 2, (LINES, len(codes)), dtype=np.int8)
    x = dosage - 1.0
    product = (x[:, 1] + x[:, 3]) * (x[:, 10] - x[:, 12])
    y = {"product": product + 0.5 * x[:, 30], "noise": 0.0 * product}[trait]
    y = 10 + y + rng.standard_normal(LINES)
    part = np.repeat(["train", "val", "test"], [240, 40, 50])
    names = [f"chr{k}" for k in range(GROUPS)]
    cim = np.ones((GROUPS, GROUPS))
    cim[0, 1] = cim[1, 0] = 2.0
    cim = tiny_study.pd.DataFrame(cim, index=names, columns=names)
    task = Task(np.arange(LINES).astype(str), part, y, dosage, np.arange(LINES), 0)
    return task, Cohort(dosage, None, None, np.array(names)[codes], cim)


def learn(task, cohort, **parameters):
    chosen = block(weights="cim", refit=False, **parameters)
    return network_fits.train_network(chosen, task, cohort, 0)


def accuracy(task, network, scaler):
    rows = task.rows("test")
    told = predict(network, task.dosage[rows], scaler=scaler)
    return float(np.corrcoef(told, task.y[rows])[0, 1])


def test_a_planted_product_is_found_with_the_right_cim_and_not_with_a_permuted_one():
    task, cohort = make_task("product")
    order = [2, 3, 0, 1, 4]
    names = list(cohort.cim)
    moved = cohort.cim.iloc[order, order].set_axis(names, axis=0).set_axis(names, axis=1)
    shares, told = [], []
    for cim in (cohort.cim, moved):
        fitted, scaler, _ = learn(task, dataclasses.replace(cohort, cim=cim), rho=0.7)
        told.append(accuracy(task, fitted, scaler))
        M = fitted.products.M().detach().square()
        shares.append(float(M[0, 1] / M.sum()))
    assert told[0] > 0.75 and told[0] > told[1] + 0.1, told
    assert shares[0] > 0.3 and shares[1] < 0.06, shares


@pytest.mark.parametrize("seed", range(2))
def test_noise_alone_leaves_nothing_at_its_own_height(seed):
    task, cohort = make_task("noise", seed=seed)
    task = dataclasses.replace(task, part=np.where(task.part == "val", "train", task.part))
    chosen = block(rho=1.2, sparse=1.2, tau=0.0)  # so that M stays what noise was measured by
    network, *_ = network_fits.train_network(chosen, task, cohort, 0, epochs=200, choice=1.2)
    products = network.products
    assert max(factor.abs().max().item() for factor in (products.U, products.V)) < 0.01
    assert (network.b * network.s).abs().max().item() < 2e-3


@pytest.mark.parametrize("trait", ["product", "noise"])
def test_validation_decides_on_the_products_and_may_take_none(trait, monkeypatch):
    monkeypatch.setattr("soyfold.models.contact_products.RHOS", (0.3, math.inf))
    (task, cohort), short = make_task(trait), {"epochs": 30, "learning_rate": 0.03}
    heard = []
    own = block(weights="cim", **short)
    chosen, _, trained = network_fits.train_network(
        own, task, cohort, 0, on_epoch=lambda epoch, _: heard.append(epoch)
    )
    assert heard == list(range(1, 31))  # once each, as a search of hyperparameters wants
    tried = [learn(task, cohort, **short, **own) for own in ({"rho": 0.3}, {"contacts": "none"})]
    losses = [min(row["val_loss"] for row in each.history) for *_, each in tried]
    assert chosen.choice == (0.3, math.inf)[int(np.argmin(losses))]
    assert chosen.rho.item() == pytest.approx(chosen.choice)
    assert min(row["val_loss"] for row in trained.history) == pytest.approx(min(losses), rel=1e-6)
    g = standardised_lines(task)
    torch.testing.assert_close(chosen(g), tried[int(np.argmin(losses))][0](g))


def test_no_products_is_what_is_left_of_a_choice_of_none():
    network = make()
    network.choose(math.inf)
    g, without = standardised(), make(contacts="none")
    without.load_state_dict(network.state_dict(), strict=False)
    assert torch.equal(network(g), without(g))
    again = make(seed=1)  # as a checkpoint is loaded: it only knows the weights
    again.load_state_dict(network.state_dict())
    torch.testing.assert_close(again(g), without(g))
    assert not any(p.requires_grad for p in network.products.parameters())
    assert network.penalty().item() == pytest.approx(without.penalty().item())
    network.choose(0.7)
    assert all(p.requires_grad for p in network.products.parameters())


def test_the_loop_comes_to_the_minimum_that_sparse_effects_find():
    task, cohort = make_task("product")
    rows = task.rows("train", "val")
    _, beta = sparse_effects(task.dosage[rows], task.y[rows], seed=0, share=0.6)
    chosen = block(contacts="none", sparse=0.6)
    network, *_ = network_fits.train_network(chosen, task, cohort, 0, epochs=200)
    found = (network.b * network.s).detach().numpy()[0]
    np.testing.assert_allclose(found, beta, atol=0.02)
    assert np.abs(beta).max() > 0.1


def test_traits_learnt_together_have_penalties_and_factors_of_their_own():
    task, cohort = make_task("product")
    other = np.random.default_rng(5).standard_normal(LINES) + task.dosage[:, 20]
    other[::7] = np.nan
    both = dataclasses.replace(task, y=np.stack([task.y, other], 1), traits=("one", "two"))
    own = dataclasses.replace(cohort, traits=("one", "two"))
    network, *_ = learn(both, own, contacts="none", epochs=60, patience=60)
    for trait, y in enumerate((task.y, other)):
        known = ~np.isnan(y)
        lone = dataclasses.replace(
            task, y=y[known], dosage=task.dosage[known], part=task.part[known],
            row=task.row[known], sample=task.sample[known],
        )  # fmt: skip
        alone, *_ = learn(lone, cohort, contacts="none", epochs=60)
        torch.testing.assert_close(network.ratio[trait], alone.ratio[0], rtol=0.1, atol=0)
        torch.testing.assert_close(network.single[trait], alone.single[0], rtol=0.25, atol=0)
    assert network(standardised_lines(both)).shape == (4, 2)


def standardised_lines(task):
    return torch.from_numpy(task.dosage[:4] - 1.0).float()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return folder, tiny_study.write_cohort(folder)


QUICK = {"epochs": 30, "warmup_epochs": 2, "patience": 30, "learning_rate": 0.04}


@pytest.mark.parametrize("control", ["zero", "identity", "constant"])
def test_a_control_has_as_many_parameters_as_the_cim_itself(control):
    """Where controls are compared, nothing but the CIM may differ."""
    task, cohort = make_task("product")
    chosen = block(**{**QUICK, "epochs": 2}, refit=False)
    plain = {"chromosomes": None, "method": "sum", "zero_diagonal": False}
    other = make_control(control, cohort.cim, cohort.cim, **plain)
    counts = []
    for cim in (cohort.cim, other):
        told = network_fits.fit_network(chosen, task, dataclasses.replace(cohort, cim=cim))
        counts += [value for _, name, value in told.extra if name == "parameters"]
    assert counts[0] == counts[1]


def ensemble(**more):
    return block(kind="ensemble", members=2, **QUICK, **more)


def test_a_fit_writes_what_all_networks_write_and_its_model_predicts_the_same(study):
    folder, inputs = study
    tiny_study.fit(ensemble(), folders=[folder / "whole"], **inputs)
    assert agreement(folder / "whole")["test", "PCC"] > 0.5
    network, scaler = load_network(folder / "whole/checkpoint.npz")
    written = tiny_study.read_predictions(folder / "whole/predictions.tsv", None)
    dosage = np.load(inputs["dosage"])
    order = [int(name.removeprefix("PI")) for name in written["sample"]]
    told = predict(network, dosage[order], scaler=scaler)
    np.testing.assert_allclose(told, written["predicted"], atol=1e-4)
    metrics = tiny_study.pd.read_csv(folder / "whole/estimates.tsv", sep="\t")
    assert {"with_products", "chosen_epochs"} <= set(metrics.metric)
    assert not list((folder / "whole").glob("resume*"))


def test_a_killed_fit_goes_on_in_the_choice_where_it_was(study, monkeypatch):
    folder, inputs = study
    chosen = block(**QUICK)
    run(folder / "never", inputs, chosen)
    left = cut_short(folder / "cut", inputs, chosen, monkeypatch)
    assert left.is_file()
    # Of a fit that was cut short before, with more choices than this one has.
    (folder / "cut/resume_choice9.ckpt").touch()
    run(folder / "cut", inputs, chosen)
    assert not list((folder / "cut").glob("*.ckpt"))
    whole, resumed = (
        read_checkpoint(folder / name / "checkpoint.npz")[0] for name in ("never", "cut")
    )
    for name, array in whole.items():
        np.testing.assert_array_equal(resumed[name], array, err_msg=name)
    assert tiny_study.pd.read_csv(folder / "cut/cost.tsv", sep="\t").resumed[0] == 1


def test_shared_kernels_calibrate_as_the_fits_own(study):
    folder, inputs = study
    chosen = block(**QUICK, contacts="none")
    write_products(inputs["dosage"], folder / "products.npy")
    kernels = [folder / f"additive_{part}.npz" for part in ("train", "train_val")]
    for path in kernels:
        part = path.stem.partition("_")[2]
        split = inputs["splits"][0]
        decompose_part(
            folder / "products.npy", inputs["samples"], split, kernel="additive", part=part,
            path=path,
        )  # fmt: skip
    run(folder / "own", inputs, chosen)
    shared = {"products": folder / "products.npy", "kernels": kernels}
    run(folder / "shared", {**inputs, **shared}, chosen)
    own, told = (
        tiny_study.read_predictions(folder / name / "predictions.tsv", None)
        for name in ("own", "shared")
    )
    np.testing.assert_allclose(told["predicted"], own["predicted"], rtol=1e-5)


def test_traits_learnt_together_are_fitted_where_some_lines_lack_one(study):
    folder, inputs = study
    phenotypes = tiny_study.write_second_trait(folder, inputs)
    chosen = block(**{**QUICK, "epochs": 40, "patience": 40}, rho=0.7)
    run(folder / "joint", {**inputs, "phenotypes": phenotypes}, chosen)
    for trait in phenotypes:
        assert agreement(folder / "joint", trait)["test", "PCC"] > 0.5


def test_integrated_gradients_of_products_add_up():
    network = make(contacts="learned")
    dosage, y = planted_lines(40)
    scaler = fit_scaler(dosage, y)
    found = attribute(network, dosage, scaler=scaler, steps=8, size=64, tolerance=1e-3)
    assert found.completeness_error < 1e-3 and found.importance.min() > 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"contact": "fixed"}, "'contact'.*write contacts"),
        ({"contacts": "learnt"}, "allowed: fixed, learned, none"),
        ({"rho": 0}, "key rho"),
        ({"window": 4}, "tokens: snp with window: 4"),
    ],
)
def test_wrong_parameters_are_refused_in_one_line(wrong, said):
    with pytest.raises(UserError, match=said) as caught:
        make(**wrong)
    assert "model contact_readout" in str(caught.value)


def test_a_readout_of_contacts_needs_a_cim():
    with pytest.raises(UserError, match="no CIM"):
        make(cim=None)


def test_contacts_are_learned_by_their_readout_alone():
    with pytest.raises(UserError, match="contacts: learned with readout: mean; allowed: readout: "):
        tiny_study.build("csafm", contacts="learned")


def encoder(module, **more):
    return tiny_study.build(module, readout="contact", **more)


@pytest.mark.parametrize("module", ["csafm", "cisem"])
@pytest.mark.parametrize("width", [1, 4])
def test_tokens_summed_by_chromosome_take_the_place_of_dosages(module, width):
    network = encoder(module, width=width)
    layout, g = make_layout(CODES, CHROMOSOMES, width=width), standardised(3)
    with torch.no_grad():
        for parameter in network.head.parameters():
            if parameter.ndim:
                parameter.normal_()
        network.readout.centre.normal_()
        network.readout.spread.fill_(3.0)
        tokens, sums = network.tokens(g), torch.zeros(3, 3, 8)
        for token, chromosome in enumerate(layout.chromosome):
            sums[:, chromosome] += tokens[:, token]
        features = (sums.flatten(1) - network.readout.centre) / 3
        torch.testing.assert_close(network(g), network.head(features, features))
        # Of the products only chromosome pairs count: without the other two, one has none.
        alone = features.clone().view(3, 3, 8)
        alone[:, 1:] = 0
        assert not network.head.products(alone.flatten(1)).any()


def test_an_encoders_readout_is_calibrated_on_what_its_tokens_are_at_the_start():
    task, cohort = make_task("product")
    rows = task.rows("train")
    own = {**tiny_study.SMALL, "readout": "contact", "rho": 0.7}
    chosen = tiny_study.block("csafm", **resolve(own, "csafm"))
    _, network = network_fits.build_network(chosen, cohort, 0)
    measured = network_fits.measure_lines(network, chosen, task, cohort, "train")
    x = torch.from_numpy(task.dosage[rows] - 1.0).float()
    network.calibrate(x, measured, 0)
    with torch.no_grad():
        features = network.readout.features(network.tokens(x))
    assert features.mean(0).abs().max() < 1e-4
    assert features.var(0, correction=0).mean().item() == pytest.approx(1, rel=1e-3)
    assert network.head.pair.item() > 0 and network.head.single.item() > 0
    assert network.training


def test_a_readout_of_contacts_trains_an_encoder_and_is_saved_with_it(study):
    folder, inputs = study
    own = {**tiny_study.SMALL, **tiny_study.QUICK, "readout": "contact", "epochs": 15}
    chosen = tiny_study.block("csafm", attention=True, **resolve(own, "csafm"))
    tiny_study.fit(chosen, folders=[folder / "encoder"], **inputs)
    assert agreement(folder / "encoder")["test", "PCC"] > 0.4
    network, scaler = load_network(folder / "encoder/checkpoint.npz")
    written = tiny_study.read_predictions(folder / "encoder/predictions.tsv", None)
    dosage = np.load(inputs["dosage"])
    order = [int(name.removeprefix("PI")) for name in written["sample"]]
    told = predict(network, dosage[order], scaler=scaler)
    np.testing.assert_allclose(told, written["predicted"], atol=1e-4)


@pytest.mark.parametrize("readout", ["mean", "sum_mlp"])
def test_other_readouts_bring_nothing_to_training(readout):
    network = tiny_study.build("csafm", readout=readout)
    assert network.penalty() is None and network.choices is None and network.measure is None
    assert network.rate_groups() == [] and network.figures() == {}
