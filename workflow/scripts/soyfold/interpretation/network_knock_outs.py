"""Knock-outs in networks whose tokens are groups: no other token attends to the group either."""

from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch

from soyfold.common.files import read_table
from soyfold.common.groups import groups_of
from soyfold.common.logs import log
from soyfold.interpretation.knock_outs import COLUMNS, knock_out_each
from soyfold.models.encoder_layers import EncoderLayer
from soyfold.training import loop
from soyfold.training.checkpoints import batch_size_of, load_network, read_checkpoint
from soyfold.training.outputs import read_predictions


@contextmanager
def unattended(network, token, tokens):
    """A network (or ensemble) in which no token but itself attends to `token`, in any layer.

    Parameters
    ----------
    network : nn.Module
    token : int or None
        None changes nothing.
    tokens : int
        Their number.
    """
    layers = [part for part in network.modules() if isinstance(part, EncoderLayer)]
    known = [layer.of_pairs for layer in layers]
    if token is not None:
        for layer, weights in zip(layers, known, strict=True):
            free = torch.ones(tokens, tokens) if weights is None else weights.clone()
            own = free[token, token].clone()
            free[:, token] = 0
            free[token, token] = own
            layer.know(free.to(layer.norm_attention.weight.device))
    try:
        yield network
    finally:
        for layer, weights in zip(layers, known, strict=True):
            layer.know(weights)


def knock_out_network(
    checkpoint, predictions, *, trait, hypothesis, model, seed, draws, dosage, samples, threads
):
    """Knock out each group of a network whose tokens are groups, on its tested lines.

    A group's dosages are at their training means, and no other token attends to it. Random SNPs
    have no token that is theirs alone, so they lose their dosages.

    Parameters
    ----------
    checkpoint, predictions : path-like
        Of the fit.
    trait, hypothesis, model : str, keyword only
    seed : int, keyword only
        Of the draws.
    draws : int, keyword only
    dosage, samples : path-like, keyword only
        Files of the cohort storey.
    threads : int, keyword only

    Returns
    -------
    DataFrame
        As of `knock_outs.knock_out_groups`.
    """
    torch.set_num_threads(threads)
    (network, scaler), (arrays, facts) = load_network(checkpoint), read_checkpoint(checkpoint)
    told = read_predictions(predictions, trait)
    told = told[told["part"] == "test"]
    row = read_table(samples, required=("sample", "row"), dtype={"sample": str})
    rows = row.set_index("sample")["row"].loc[told["sample"]].to_numpy()
    lines = np.load(dosage, mmap_mode="r")[rows].astype(np.float32)
    kept = np.arange(scaler.n_columns) if scaler.kept is None else np.flatnonzero(scaler.kept)
    groups = groups_of(arrays)
    tokens = sum(len(snps) > 0 for snps in groups.snps())
    target = facts["traits"].index(trait) if facts["traits"] else 0

    def predict(dosage):
        size = batch_size_of(facts)
        found = loop.predict(network, dosage, scaler=scaler, size=size)
        return found if found.ndim == 1 else found[:, target]

    predicted, before = told["predicted"].to_numpy(), predict(lines)
    if predicted.std() == 0:
        log.warning("WARNING %s, %s: constant predictions, nothing to knock out", trait, model)
        return pd.DataFrame(columns=COLUMNS)

    def without(snps, token):
        left = lines.copy()
        left[:, kept[snps]] = scaler.centre[snps]
        with unattended(network, token, tokens):
            # What the fit adds to the network's own predictions, covariates' effects, stays.
            return predicted + predict(left) - before

    found = knock_out_each(
        told["observed"].to_numpy(), predicted, groups=groups, without=without,
        chromosome=arrays["snp_chromosome"], draws=draws, seed=seed,
    )  # fmt: skip
    return pd.DataFrame([(trait, hypothesis, model, *row) for row in found], columns=COLUMNS)
