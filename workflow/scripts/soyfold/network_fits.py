"""One fit of a network: layout, scaler, training, attention statistics."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from soyfold import registry, training
from soyfold.attention import attention_floors, attention_statistics
from soyfold.checkpoints import save_network
from soyfold.digest import source_digest
from soyfold.logs import log
from soyfold.parameters import training_options
from soyfold.scaling import fit_scaler
from soyfold.tasks import HISTORY, Fit
from soyfold.tokens import make_layout

STATISTICS = {
    "nae": "NAE",
    "aas": "AAS",
    "nae_headmean": "NAE_headmean",
    "aas_headmean": "AAS_headmean",
}


def build_network(block, cohort, seed):
    """Layout and freshly initialised network of a model on a cohort's SNPs."""
    names = cohort.chromosomes
    codes = pd.Index(names).get_indexer(cohort.snp_chromosome)
    layout = make_layout(codes, names, width=block["parameters"].get("window") or 1)
    cim = None if cohort.cim is None else torch.tensor(cohort.cim.to_numpy(), dtype=torch.float32)
    torch.manual_seed(seed)
    network = registry.import_model(block["module"]).Network(layout, block["parameters"], cim)
    return layout, network


@torch.no_grad()
def measure_attention(network, dosage, *, scaler, names, size):
    """NAE and AAS of the last layer, their floors, and the attention between chromosomes.

    Parameters
    ----------
    network : nn.Module
        With `final_attention`.
    dosage : ndarray (n, L) int8
        The lines to measure on.
    scaler : soyfold.scaling.Scaler
    names : list of str
        Chromosomes in genome order.
    size : int
        Lines a batch.

    Returns
    -------
    figures : dict of str to float
        Means over lines (and heads): NAE, AAS, NAE_headmean, AAS_headmean, negative_coupling for
        CSAFM's form of bias (of each layer too, where the network tells it), and floors.
    between : DataFrame (G, G)
        Mean attention of a chromosome's queries (rows) on each chromosome; NA without tokens.
    """
    device = training.device_name()
    network.eval().to(device)
    sums, mass = {}, 0.0
    for g in training.standardised_batches(dosage, scaler, size=size, device=device):
        q, k, H, chromosome, biased = network.final_attention(g)
        statistics = attention_statistics(q, k, H, chromosome, biased=biased)
        mass = mass + statistics.pop("chromosome_mass").double().mean(1).sum(0)
        statistics |= _coupling_by_layer(network, g)
        for name, value in statistics.items():
            sums[name] = sums.get(name, 0.0) + value.double().reshape(len(g), -1).mean(1).sum()
    figures = {label: float(sums[name] / len(dosage)) for name, label in STATISTICS.items()}
    coupling = [name for name in sums if biased and name.startswith("negative_coupling")]
    figures |= {name: float(sums[name] / len(dosage)) for name in coupling}
    floors = attention_floors(H, chromosome)
    wanted = ("NAE_uniform", "AAS_uniform", "AAS_within_chromosome")
    figures |= {name: floors[name] for name in wanted}
    between = pd.DataFrame((mass / len(dosage)).cpu().numpy(), index=names, columns=names)
    return figures, between


def _coupling_by_layer(network, g):
    """negative_coupling_layer1..k on a batch, each for all its lines; none where there is none."""
    shares = network.negative_coupling(g) if hasattr(network, "negative_coupling") else None
    if shares is None:
        return {}
    return {
        f"negative_coupling_layer{number}": share.expand(len(g))
        for number, share in enumerate(shares, start=1)
    }


def _predict_timed(network, task, scaler, size):
    """Predictions and milliseconds a line."""
    started = time.perf_counter()
    predicted = training.predict(network, task.dosage, scaler=scaler, size=size)
    return predicted, 1e3 * (time.perf_counter() - started) / len(predicted)


def devices_of(block):
    """Devices that share a fit: the model's `gpu` where there are GPUs, else the one CPU."""
    return max(1, block["gpu"]) if training.device_name() == "cuda" else 1


def resume_file(folder, block, task, cohort, *, seconds=training.CHECKPOINT_SECONDS):
    """The resume file of a fit, with the fingerprint of all that decides it.

    Parameters
    ----------
    folder : path-like
        That of the fit's outputs.
    block, task, cohort
        As for `fit_network`.
    seconds : float
        Least time from one write to the next.

    Returns
    -------
    soyfold.training.Resume
    """
    expected = training.fingerprint(
        model=[block["module"], block["parameters"]],
        seed=task.seed,
        lines=[task.sample.tolist(), task.part.tolist()],
        trait=task.y,
        dosage=task.dosage,
        chromosomes=[cohort.chromosomes, cohort.snp_chromosome.tolist()],
        cim=None if cohort.cim is None else cohort.cim.to_numpy(),
        software=torch.__version__,
        device=[training.device_name(), devices_of(block), torch.get_num_threads()],
        source=source_digest("soyfold.network_fits", f"soyfold.models.{block['module']}"),
    )
    return training.Resume(Path(folder) / "resume.ckpt", expected, seconds)


def fit_network(block, task, cohort, *, resume=None):
    """Fit a network on a task.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    task : soyfold.tasks.Task
    cohort : soyfold.tasks.Cohort
    resume : soyfold.training.Resume, optional

    Returns
    -------
    soyfold.tasks.Fit

    Raises
    ------
    UserError
        If the loss is no number or diverges, or the memory doesn't suffice.
    """
    train_rows = task.rows("train")
    scaler = fit_scaler(task.dosage[train_rows], task.y[train_rows])
    layout, network = build_network(block, cohort, task.seed)
    count = sum(p.numel() for p in network.parameters() if p.requires_grad)
    log.info("%d tokens, %d parameters, on %s", layout.n_tokens, count, training.device_name())
    options = training_options(block["parameters"])
    size = options["batch_size"]  # what memory can hold in training it can hold afterwards
    extra, between = [(None, "parameters", count)], None
    with training.memory_errors(n=layout.n_tokens, batch_size=size, model=block["name"]):
        trained = training.train(
            network,
            task.dosage,
            scaler.standardise(task.y),
            scaler=scaler,
            train_rows=train_rows,
            val_rows=task.rows("val"),
            options=options,
            seed=task.seed,
            resume=resume,
            devices=devices_of(block),
        )
        predicted, latency = _predict_timed(network, task, scaler, size)
        if block["attention"]:
            lines = task.dosage[task.rows("test")]
            figures, between = measure_attention(
                network, lines, scaler=scaler, names=cohort.chromosomes, size=size
            )
            extra += [("test", name, value) for name, value in figures.items()]
    return Fit(
        predicted=predicted,
        held_out=np.where(task.part == "val", predicted, np.nan),
        history=pd.DataFrame(trained.history, columns=HISTORY),
        extra=extra,
        cost={"epochs": len(trained.history), **trained.cost, "predict_ms_per_line": latency},
        save=lambda path: save_network(path, network, scaler, layout, block),
        attention=between,
    )
