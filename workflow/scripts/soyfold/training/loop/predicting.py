"""A fitted network's predictions, batch by batch."""

import torch

from soyfold.training.loop.devices import device_name


def standardised_batches(dosage, scaler, *, size, device):
    """Walk over all rows: standardised dosages (batch, L) on `device`."""
    centre = torch.from_numpy(scaler.centre).to(device)
    for start in range(0, len(dosage), size):
        rows = torch.tensor(dosage[start : start + size]).to(device)  # of read-only files, too
        yield (rows.float() - centre) / scaler.scale


@torch.no_grad()
def predict(network, dosage, *, scaler, size=64):
    """Predictions in trait units.

    Parameters
    ----------
    network : nn.Module
        With `links` where traits have them.
    dosage : ndarray (n, L) int8
        All SNPs of the study, or in a fit those that it takes.
    scaler : soyfold.training.scaling.Scaler
    size : int
        Rows a batch.

    Returns
    -------
    ndarray (n,) float64
    """
    device = device_name()
    network.eval().to(device)
    batches = standardised_batches(scaler.columns(dosage), scaler, size=size, device=device)
    z = torch.cat([network(g) for g in batches]).float()
    told = scaler.restore(z.cpu().numpy())
    if not hasattr(network, "links"):
        return told
    return network.links(z, torch.from_numpy(told).to(device)).cpu().numpy()
