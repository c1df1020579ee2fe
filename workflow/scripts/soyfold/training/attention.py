"""What the attention of a fitted network looks like: NAE, AAS, and chromosomes on chromosomes."""

import pandas as pd
import torch

from soyfold.attention.biased import attention_floors, attention_statistics, logit_spread
from soyfold.attention.priors import ChromosomeOnKeys
from soyfold.training import loop

# Where a network learns H, `aas` is against it; else H is the measured CIM.
STATISTICS = {"nae": "NAE", "aas_measured": "AAS", "aas": "AAS_learned"}
FLOORS = ("AAS_uniform", "AAS_within_chromosome")


@torch.no_grad()
def measure_attention(network, dosage, *, scaler, names, size):
    """NAE and AAS of the last layer, their floors, and the attention between chromosomes.

    Parameters
    ----------
    network : nn.Module
        With `final_attention`.
    dosage : ndarray (n, L) int8
        The lines to measure on.
    scaler : soyfold.training.scaling.Scaler
    names : list of str
        Chromosomes in genome order.
    size : int
        Lines a batch.

    Returns
    -------
    figures : dict of str to float
        Means over lines (and heads): NAE, AAS against the CIM that the network was given ([C]
        eq. 15), each with _headmean, and floors; where it learns H, AAS_learned against that, and
        its floors. negative_coupling for CSAFM's form of bias (of each layer too, where the network
        tells it). qk_sd and prior_sd, of the logit's two terms (`logit_spread`), unturned.
    between : DataFrame (G, G)
        Mean attention of a chromosome's queries (rows) on each chromosome; NA without tokens.
    """
    device = loop.device_name()
    network.eval().to(device)
    sums, mass = {}, 0.0
    for g in loop.standardised_batches(dosage, scaler, size=size, device=device):
        q, k, H, chromosome, biased = network.final_attention(g)
        learned = H is not network.cim
        statistics = attention_statistics(
            q, k, H, chromosome, biased=biased, measured=network.cim,
            rotation=getattr(network, "rotation", None),
        )  # fmt: skip
        mass = mass + statistics.pop("chromosome_mass").double().mean(1).sum(0)
        statistics |= _coupling_by_layer(network, g)
        statistics |= _term_spreads(q, k, H, chromosome, biased=biased, learned=learned)
        for name, value in statistics.items():
            sums[name] = sums.get(name, 0.0) + value.double().reshape(len(g), -1).mean(1).sum()
    labels = {name: label for name, label in STATISTICS.items() if learned or name != "aas"}
    labels |= {f"{name}_headmean": f"{label}_headmean" for name, label in labels.items()}
    labels |= {name: name for name in sums if biased and name.startswith("negative_coupling")}
    labels |= {name: name for name in ("qk_sd", "prior_sd") if name in sums}
    figures = {label: float(sums[name] / len(dosage)) for name, label in labels.items()}
    floors = attention_floors(network.cim, chromosome)
    figures |= {name: floors[name] for name in ("NAE_uniform", *FLOORS)}
    if learned:
        floors = attention_floors(H, chromosome)
        figures |= {name.replace("AAS", "AAS_learned"): floors[name] for name in FLOORS}
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


def _term_spreads(q, k, H, chromosome, *, biased, learned):
    """qk_sd and, where attention has a prior, prior_sd: (batch, heads) each."""
    scale, prior = q.shape[-1] ** -0.5, None
    if biased:
        term = ChromosomeOnKeys(H, chromosome)
        prior = term.query_columns(q), term.key_columns(k)
    elif learned:  # a prior on the logit itself is the last columns of q and k
        own = q.shape[-1] - H.shape[-1]
        prior, q, k = (q[..., own:], k[..., own:]), q[..., :own], k[..., :own]
    spreads = {"qk_sd": logit_spread(q * scale, k)}
    if prior:
        spreads["prior_sd"] = logit_spread(prior[0] * scale, prior[1]).expand(q.shape[:2])
    return spreads


@torch.no_grad()
def _spreads_at_start(network, dosage, *, scaler, size, **_):
    """qk_sd_start and prior_sd_start, of a network as it was initialised, on a batch of lines."""
    device = loop.device_name()
    network.eval().to(device)
    if hasattr(network, "use_scaler"):
        network.use_scaler(torch.from_numpy(scaler.centre), torch.tensor(scaler.scale))
    g = next(loop.standardised_batches(dosage, scaler, size=size, device=device))
    q, k, H, chromosome, biased = network.final_attention(g)
    learned = H is not network.cim
    spreads = _term_spreads(q, k, H, chromosome, biased=biased, learned=learned)
    return {f"{name}_start": float(value.double().mean()) for name, value in spreads.items()}


def measure_members(networks, dosage, *, start, **options):
    """`measure_attention` of several networks, averaged over them, and what they started from.

    Parameters
    ----------
    networks : sequence of nn.Module
    dosage : ndarray (n, L) int8
    start : nn.Module, keyword only
        The first as it was initialised.
    **options
        Of `measure_attention`.

    Returns
    -------
    figures, between
        As `measure_attention` gives them.
    """
    measured = [measure_attention(network, dosage, **options) for network in networks]
    figures = pd.DataFrame([figures for figures, _ in measured]).mean().to_dict()
    figures |= _spreads_at_start(start, dosage, **options)
    return figures, sum(between for _, between in measured) / len(measured)
