"""checkpoint.npz: a fitted model as named arrays, without pickle, and back to predictions."""

import json

import numpy as np

from soyfold import registry
from soyfold.errors import UserError
from soyfold.files import staged

WEIGHTS = "weights/"


def save_checkpoint(path, arrays, **facts):
    """Write named arrays and plain facts (JSON) to an .npz that needs no pickle to read.

    Parameters
    ----------
    path : path-like
    arrays : dict of str to ndarray
    **facts
        Strings, numbers, lists, dicts.
    """
    with staged(path) as temporary:
        np.savez(temporary, facts=np.array(json.dumps(facts, sort_keys=True)), **arrays)


def read_checkpoint(path):
    """Read what `save_checkpoint` wrote: (arrays, facts)."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return arrays, json.loads(str(arrays.pop("facts")))


def save_network(path, network, scaler, layout, block):
    """Write a fitted network with all that its predictions need.

    Parameters
    ----------
    path : path-like
    network : nn.Module
    scaler : soyfold.scaling.Scaler
    layout : soyfold.tokens.Layout
    block : dict
        The model's entry of the registry.
    """
    weights = {name: value.cpu().numpy() for name, value in network.state_dict().items()}
    cim = getattr(network, "cim", None)
    arrays = {
        **{WEIGHTS + name: value for name, value in weights.items()},
        "snp_chromosome": layout.snp_chromosome,
        "centre": scaler.centre,
        **({} if cim is None else {"cim": cim.cpu().numpy()}),
    }
    scaled = {"scale": scaler.scale, "mean": scaler.mean, "sd": scaler.sd}
    save_checkpoint(
        path,
        arrays,
        module=block["module"],
        kind="network",
        parameters=block["parameters"],
        chromosomes=list(layout.chromosomes),
        width=layout.width,
        scaler=scaled,
    )


def load_network(path):
    """Rebuild a fitted network.

    Parameters
    ----------
    path : path-like
        As `save_network` wrote it.

    Returns
    -------
    network : nn.Module
    scaler : soyfold.scaling.Scaler
        For `soyfold.training.predict(network, dosage, scaler=scaler)`.

    Raises
    ------
    UserError
        If the file holds a direct model.
    """
    import torch

    from soyfold.scaling import Scaler
    from soyfold.tokens import make_layout

    arrays, facts = read_checkpoint(path)
    if facts["kind"] != "network":
        raise UserError(f"a {facts['kind']} model", file=path, allowed="a network's checkpoint")
    layout = make_layout(arrays["snp_chromosome"], facts["chromosomes"], width=facts["width"])
    cim = torch.from_numpy(arrays["cim"]) if "cim" in arrays else None
    module = registry.import_model(facts["module"])
    network = module.Network(layout, facts["parameters"], cim)
    weights = {
        name.removeprefix(WEIGHTS): torch.from_numpy(value)
        for name, value in arrays.items()
        if name.startswith(WEIGHTS)
    }
    network.load_state_dict(weights)
    return network.eval(), Scaler(arrays["centre"], **facts["scaler"])
