"""A study small enough to train on in a test: 3 chromosomes of unequal size, a planted signal."""

import dataclasses
from functools import partial

import numpy as np
import pandas as pd
import torch

from soyfold.evaluation.measures import measure_agreement
from soyfold.models.loading import import_model
from soyfold.models.parameters import training_options
from soyfold.models.tokens import make_layout
from soyfold.training import direct_fits, fits, loop, network_fits
from soyfold.training.attention import measure_members
from soyfold.training.outputs import read_predictions
from soyfold.training.scaling import fit_scaler

CHROMOSOMES = ["Gm01", "Gm02", "Gm03"]
# SNPs a chromosome: none a multiple of the windows of 4, one shorter than a window.
CODES = np.repeat([0, 1, 2], [13, 3, 7])
CIM = torch.tensor([[1.0, 0.5, 0.2], [0.5, 0.8, 0.4], [0.2, 0.4, 0.6]])
SMALL = {
    "tokens": "window", "window": 4, "d_model": 8, "layers": 2, "heads": 2, "feed_forward": 12,
    "dropout": 0.0,
}  # fmt: skip
QUICK = {"learning_rate": 5e-3, "batch_size": 16, "epochs": 8, "patience": 8}


def tiny_layout(width=4):
    """Layout of the study's 23 SNPs."""
    return make_layout(CODES, CHROMOSOMES, width=width)


def planted_lines(n=120, *, seed=0, noise=0.3):
    """Dosages (n, 23) int8 and a trait (n,) that adds up over 5 SNPs, about 50 in its units."""
    random = np.random.default_rng(seed)
    dosage = random.integers(0, 3, (n, len(CODES)), dtype=np.int8)
    effects = np.zeros(len(CODES))
    effects[[0, 5, 12, 15, 20]] = [1.0, -1.0, 0.8, 1.2, -0.7]
    return dosage, 50 + 2 * (dosage @ effects + noise * random.standard_normal(n))


def parts_of(n):
    """Rows of train, val, test: 7:2:1."""
    rows = np.arange(n)
    return np.split(rows, [int(0.7 * n), int(0.9 * n)])


def standardised(n=5, *, seed=0):
    """A batch (n, 23) of standardised dosages."""
    dosage, y = planted_lines(60, seed=seed)
    scaler = fit_scaler(dosage, y)
    return torch.from_numpy((dosage[:n] - scaler.centre) / scaler.scale).float()


def write_cohort(folder, *, n=120, seeds=(0,)):
    """Write a study's files as the cohort and contacts storeys leave them; returns fit's inputs."""
    dosage, y = planted_lines(n)
    samples = [f"PI{number:06d}" for number in range(n)]
    np.save(folder / "dosage.npy", dosage)
    tables = {
        "samples": pd.DataFrame({"sample": samples, "row": range(n)}),
        "variants": pd.DataFrame(
            {
                "variant": [f"snp{i}" for i in range(len(CODES))],
                "chromosome": [CHROMOSOMES[code] for code in CODES],
                "position": range(1, len(CODES) + 1),
                "ref": "A",
                "alt": "G",
                "column": range(len(CODES)),
            }
        ),
        "phenotypes": pd.DataFrame(
            {"sample": samples, "value": y, "records": 1, "environments": 1}
        ),
        "cim": pd.DataFrame(CIM.numpy(), columns=CHROMOSOMES).assign(chromosome=CHROMOSOMES)[
            ["chromosome", *CHROMOSOMES]
        ],
    }
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(n)
        part = np.empty(n, dtype=object)
        for name, rows in zip(("train", "val", "test"), parts_of(n), strict=True):
            part[order[rows]] = name
        tables[f"seed{seed}"] = pd.DataFrame({"sample": samples, "part": part})
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.tsv", sep="\t", index=False)
    inputs = {name: folder / f"{name}.tsv" for name in ("samples", "variants", "phenotypes", "cim")}
    splits = [folder / f"seed{seed}.tsv" for seed in seeds]
    return {"dosage": folder / "dosage.npy", "splits": splits, "seeds": list(seeds), **inputs}


def write_second_trait(folder, inputs, *, lost=7):
    """Another trait on the same lines, every `lost`th without a value; phenotypes by name."""
    table = pd.read_csv(inputs["phenotypes"], sep="\t")
    random = np.random.default_rng(8)
    table["value"] = 3 - table.value / 10 + 0.1 * random.standard_normal(len(table))
    table = table[np.arange(len(table)) % lost != 0]
    table.to_csv(folder / "second.tsv", sep="\t", index=False)
    return {"first": inputs["phenotypes"], "second": folder / "second.tsv"}


def block(module, *, kind="network", attention=False, **parameters):
    """A model's entry as the registry hands it on."""
    return {
        "name": module, "label": module, "module": module, "kind": kind, "attention": attention,
        "cim": "real", "gpu": 0, "preset": "demo", "parameters": parameters,
    }  # fmt: skip


def build(module, *, cim=CIM, width=4, seed=0, layout=None, **parameters):
    """A network of the size of `SMALL`, in evaluation mode."""
    torch.manual_seed(seed)
    own = {**SMALL, "window": width if width > 1 else None}
    own["tokens"] = "window" if width > 1 else "snp"
    if module in ("cnn", "lstm", "gru"):
        own = {name: own[name] for name in ("tokens", "window", "d_model")}
        own |= {"embedding": "locus_scaled", "position": "learned"}
    network = import_model(module).Network
    return network(layout or tiny_layout(width), {**own, **parameters}, cim).eval()


def train(
    module="transformer", *, options=None, lines=None, seed=0, parameters=None, judged=True, **more
):
    """Train on planted lines; network, history, scaler and predictions."""
    dosage, y = planted_lines() if lines is None else lines
    train_rows, val_rows, _ = parts_of(len(y))
    scaler = fit_scaler(dosage[train_rows], y[train_rows])
    torch.manual_seed(seed)
    layout = dataclasses.replace(tiny_layout(), outputs=1 if y.ndim == 1 else y.shape[1])
    network = import_model(module).Network(layout, parameters or SMALL, CIM)
    trained = loop.train(
        network,
        dosage,
        scaler.standardise(y),
        scaler=scaler,
        train_rows=train_rows,
        val_rows=val_rows if judged else None,
        options=training_options({**QUICK, **(options or {})}),
        seed=seed,
        **more,
    )
    return network, trained.history, scaler, loop.predict(network, dosage, scaler=scaler)


def agreement(folder, trait=None, *, families=None):
    """Agreement of a fit's predictions by (part, metric), as evaluation measures it."""
    predictions = read_predictions(folder / "predictions.tsv", trait)
    return measure_agreement(predictions, families=families).set_index(["part", "metric"]).value


def fit(block, *, threads=1, seconds=None, **inputs):
    """Fit as the job of the model's kind does; `seconds` between writes of the resume file."""
    if block["kind"] == "direct":
        return fits.fit(block, direct_fits.fit_and_write, **inputs)
    resuming = {} if seconds is None else {"seconds": seconds}
    resuming |= {"measure": measure_members} if block["attention"] else {}
    learn = partial(network_fits.fit_and_write, threads=threads, **resuming)
    return fits.fit(block, learn, **inputs)
