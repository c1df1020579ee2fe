"""checkpoint.npz: a fitted model as named arrays, without pickle, and back to predictions."""

import dataclasses
import json

import numpy as np

from soyfold.common.errors import UserError
from soyfold.common.files import staged
from soyfold.common.groups import group_arrays, groups_of
from soyfold.models.loading import import_model
from soyfold.models.parameters import training_options

WEIGHTS = "weights/"
# Facts without which no network is rebuilt; earlier versions lack some.
REBUILT_FROM = ("module", "parameters", "chromosomes", "width", "outputs", "members", "scaler")
SCALED = ("scale", "mean", "sd")


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


def save_networks(path, networks, scaler, layout, block, traits=(), environments=()):
    """Write a fitted network, or the members of an ensemble, with all that predictions need.

    Parameters
    ----------
    path : path-like
    networks : sequence of nn.Module
        One; or members that differ by their weights alone.
    scaler : soyfold.training.scaling.Scaler
    layout : soyfold.models.tokens.Layout
    block : dict
        The model's entry of the registry.
    traits : sequence of str
        Those learnt together, in the order of the outputs.
    environments : sequence of str
        In the order of the outputs, of a network whose unit they are.
    """
    weights = {
        _prefix(number, len(networks)) + name: value.cpu().numpy()
        for number, network in enumerate(networks)
        for name, value in network.state_dict().items()
    }
    cim = getattr(networks[0], "cim", None)
    save_checkpoint(
        path,
        {
            **weights,
            "snp_chromosome": layout.snp_chromosome,
            "centre": scaler.centre,
            **({} if layout.kept is None else {"kept": layout.kept}),
            **({} if cim is None else {"cim": cim.cpu().numpy()}),
            **({} if layout.groups is None else group_arrays(layout.groups)),
            **{name: each for name, each in _of_tokens(layout).items() if each is not None},
        },
        module=block["module"],
        kind=block["kind"],
        members=len(networks),
        parameters=block["parameters"],
        chromosomes=list(layout.chromosomes),
        width=layout.width,
        outputs=layout.outputs,
        traits=list(traits),
        **({"environments": list(environments)} if len(environments) else {}),
        **({"classes": list(layout.classes)} if layout.classes else {}),
        **({"links": networks[0].links.counts} if hasattr(networks[0], "links") else {}),
        scaler={name: np.asarray(getattr(scaler, name)).tolist() for name in SCALED},
    )


def _of_tokens(layout):
    """Of a layout, what isn't to be had from its SNPs' chromosomes; None where there is none."""
    return {"position": layout.position, "class_shares": layout.class_shares}


def load_direct(path):
    """The fitted direct model of a checkpoint."""
    arrays, facts = read_checkpoint(path)
    return import_model(facts["module"]).from_state(arrays)


def _prefix(number, members):
    """Where a member's weights stand among the arrays."""
    return WEIGHTS if members == 1 else f"member{number}/{WEIGHTS}"


def load_network(path):
    """Rebuild a fitted network or ensemble.

    Parameters
    ----------
    path : path-like
        As `save_networks` wrote it.

    Returns
    -------
    network : nn.Module
        Of an ensemble: the mean of its members. It gives z-scores, of classes too.
    scaler : soyfold.training.scaling.Scaler
        For `soyfold.training.loop.predict(network, dosage, scaler=scaler)`.

    Raises
    ------
    UserError
        If the file holds another kind of model, or is of an earlier version.
    """
    from soyfold.training.loop.ensemble import Ensemble
    from soyfold.training.loop.links import Linked

    arrays, facts = read_checkpoint(path)
    if facts["kind"] not in ("network", "ensemble"):
        raise UserError(f"a {facts['kind']} model", file=path, allowed="a network's checkpoint")
    if absent := [name for name in REBUILT_FROM if name not in facts]:
        raise UserError(
            f"no {', '.join(absent)}",
            file=path,
            allowed="a checkpoint of this version of soyfold",
            mend="delete the fit's folder, and run again",
        )
    members, scaler = rebuild_members(arrays, facts)
    if "links" in facts:
        members = [Linked(member, scaler) for member in members]
    network = members[0] if len(members) == 1 else Ensemble(members)
    return network.eval(), scaler


def rebuild_members(arrays, facts):
    """The networks of a checkpoint, one or an ensemble's, each by itself; and their scaler."""
    from soyfold.training.scaling import Scaler

    members = [_rebuild(arrays, facts, number).eval() for number in range(facts["members"])]
    stored = facts["scaler"]
    scaled = {k: np.asarray(v) if isinstance(v, list) else v for k, v in stored.items()}
    return members, Scaler(arrays["centre"], **scaled, kept=arrays.get("kept"))


def _rebuild(arrays, facts, number):
    """One member's network with its weights."""
    import torch

    from soyfold.models.tokens import lay_out_groups, make_layout

    place, outputs = (arrays["snp_chromosome"], facts["chromosomes"]), facts["outputs"]
    if groups := groups_of(arrays):
        layout = lay_out_groups(*place, groups, outputs=outputs)
    else:
        layout = make_layout(*place, width=facts["width"], outputs=outputs)
    known = {name: arrays.get(name) for name in _of_tokens(layout)}
    layout = dataclasses.replace(layout, classes=tuple(facts.get("classes", ())), **known)
    cim = torch.from_numpy(arrays["cim"]) if "cim" in arrays else None
    network = import_model(facts["module"]).Network(layout, facts["parameters"], cim)
    prefix = _prefix(number, facts["members"])
    if "links" in facts:
        from soyfold.training.loop.links import Links

        network.links = Links.of_counts(facts["links"])
    weights = {
        name.removeprefix(prefix): torch.from_numpy(value)
        for name, value in arrays.items()
        if name.startswith(prefix)
    }
    network.load_state_dict(weights)
    return network


def batch_size_of(facts):
    """Lines at a time that a network was trained with, from its checkpoint's facts."""
    return training_options(facts["parameters"])["batch_size"]
