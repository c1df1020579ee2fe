"""What the attention of a fitted network looks like: NAE, AAS, and chromosomes on chromosomes."""

import pandas as pd
import torch

from soyfold.attention.biased import attention_floors, attention_statistics
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
        tells it).
    between : DataFrame (G, G)
        Mean attention of a chromosome's queries (rows) on each chromosome; NA without tokens.
    """
    device = loop.device_name()
    network.eval().to(device)
    sums, mass = {}, 0.0
    for g in loop.standardised_batches(dosage, scaler, size=size, device=device):
        q, k, H, chromosome, biased = network.final_attention(g)
        learned = H is not network.cim
        statistics = attention_statistics(q, k, H, chromosome, biased=biased, measured=network.cim)
        mass = mass + statistics.pop("chromosome_mass").double().mean(1).sum(0)
        statistics |= _coupling_by_layer(network, g)
        for name, value in statistics.items():
            sums[name] = sums.get(name, 0.0) + value.double().reshape(len(g), -1).mean(1).sum()
    labels = {name: label for name, label in STATISTICS.items() if learned or name != "aas"}
    labels |= {f"{name}_headmean": f"{label}_headmean" for name, label in labels.items()}
    labels |= {name: name for name in sums if biased and name.startswith("negative_coupling")}
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


def measure_members(networks, dosage, **options):
    """`measure_attention` of several networks, averaged over them.

    Parameters
    ----------
    networks : sequence of nn.Module
    dosage : ndarray (n, L) int8
    **options
        Of `measure_attention`.

    Returns
    -------
    figures, between
        As `measure_attention` gives them.
    """
    measured = [measure_attention(network, dosage, **options) for network in networks]
    figures = pd.DataFrame([figures for figures, _ in measured]).mean().to_dict()
    return figures, sum(between for _, between in measured) / len(measured)
