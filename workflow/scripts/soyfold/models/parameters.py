"""A model's parameters: laid over its declaration, unknown names and contradictions refused.

Imports no torch, so that a models file can be checked before the first job.
"""

from soyfold.common.errors import UserError
from soyfold.common.schema import check
from soyfold.models.declarations import declaration

# What every network's training knows; the rest of a network's parameters are its own.
TRAINING = declaration("network").defaults


def resolve(parameters, module, *, model=None, file=None):
    """Lay parameters over what a model declares, and check all of them.

    Parameters
    ----------
    parameters : dict
        Some of those that the model declares.
    module : str
        The model's file: `soyfold.models.declarations`.
    model : str, keyword only
        What the message calls it; the module by default.
    file : path-like, keyword only
        Where the parameters come from, for the message.

    Returns
    -------
    dict
        Every parameter that the model declares.

    Raises
    ------
    UserError
        For an unknown name (and the name that it is nearest to), a value that is not allowed, and
        values that contradict each other.
    """
    declared = declaration(module)
    model = model or declared.module
    full = {**declared.defaults, **parameters}
    full = check(full, declared.schema, file=file, at=f"model {model}")
    refuse_contradictions(full, model=model, file=file)
    return full


def training_options(parameters):
    """The parameters of `parameters` that concern training, laid over `TRAINING`."""
    return {name: parameters.get(name, default) for name, default in TRAINING.items()}


def refuse_contradictions(parameters, *, model, file=None):
    """Raise `UserError` for parameters that exclude each other.

    Parameters
    ----------
    parameters : dict
        Those that are not there contradict nothing.
    model : str, keyword only
    file : path-like, keyword only
        For the message, as `model`.
    """
    p, place = parameters, {"model": model, "file": file}
    window, heads = p.get("window"), p.get("heads")
    if p.get("tokens") == "window":
        require(
            window is not None,
            "tokens: window with window: null",
            allowed="window: 2 or more SNPs",
            **place,
        )
        require(
            p.get("embedding") != "none",
            "tokens: window with embedding: none",
            allowed="embedding: locus_scaled or dosage_table",
            **place,
        )
    elif "tokens" in p:
        require(
            window is None,
            f"tokens: {p['tokens']} with window: {window}",
            mend="drop `window`, or say tokens: window",
            **place,
        )
    if "tokens" in p:
        require(
            (p["tokens"] == "group") == bool(p.get("hypothesis")),
            f"tokens: {p['tokens']} with hypothesis: {p.get('hypothesis') or 'null'}",
            allowed="tokens: group with a name of hypotheses.tsv, and neither without the other",
            **place,
        )
    if heads is not None and p.get("d_model") is not None:
        require(
            p["d_model"] % heads == 0,
            f"d_model: {p['d_model']} with heads: {heads}",
            allowed="d_model a multiple of heads",
            **place,
        )
    for name, value in (("position", "rope_bp"), ("motif_bias", True)):
        require(
            p.get(name) != value or p.get("layers") != 0,
            f"{name}: {str(value).lower()} with layers: 0",
            allowed="at least one layer of self-attention, in whose scores it stands",
            mend="raise layers, or leave it out",
            **place,
        )
    if p.get("position") == "rope_bp":
        require(
            p.get("tokens") != "group",
            "position: rope_bp with tokens: group",
            allowed="tokens: snp or window, which have a place",
            **place,
        )
        require(
            heads is None or p.get("d_model") is None or p["d_model"] // heads % 2 == 0,
            f"position: rope_bp with d_model: {p.get('d_model')} and heads: {heads}",
            allowed="an even d_model / heads, since columns turn in pairs",
            **place,
        )
    require(
        p.get("contacts") != "learned" or p.get("readout", "contact") == "contact",
        f"contacts: learned with readout: {p.get('readout')}",
        allowed="readout: contact, which alone learns them",
        **place,
    )
    require(
        not (p.get("bidirectional") and p.get("chunk")),
        f"bidirectional: true with chunk: {p.get('chunk')}",
        mend="chunk: null, since a backward walk starts at the end",
        **place,
    )


def require(condition, found, *, model, file=None, allowed=None, mend=None):
    """Raise `UserError` about a model's parameters unless `condition` holds."""
    if not condition:
        raise UserError(found, file=file, at=f"model {model}", allowed=allowed, mend=mend)
