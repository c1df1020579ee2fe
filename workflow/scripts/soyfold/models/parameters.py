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
    for told in (_of_tokens, _of_attention, _of_readouts):
        for holds, found, how in told(parameters):
            require(holds, found, model=model, file=file, **how)


def _of_tokens(p):
    """Conditions, what is found where they don't hold, and how it is mended: of what a token is."""
    if "tokens" not in p:
        return
    tokens, window = p["tokens"], p.get("window")
    if tokens == "window":
        how = {"allowed": "window: 2 or more SNPs"}
        yield window is not None, "tokens: window with window: null", how
        how = {"allowed": "embedding: locus_scaled or dosage_table"}
        yield p.get("embedding") != "none", "tokens: window with embedding: none", how
    else:
        how = {"mend": "drop `window`, or say tokens: window"}
        yield window is None, f"tokens: {tokens} with window: {window}", how
    named = p.get("hypothesis")
    how = {"allowed": "tokens: group with a name of hypotheses.tsv, and neither without the other"}
    found = f"tokens: {tokens} with hypothesis: {named or 'null'}"
    yield (tokens == "group") == bool(named), found, how
    how = {"allowed": "tokens: snp or window, which have a place"}
    turned = p.get("position") == "rope_bp"
    yield not (turned and tokens == "group"), "position: rope_bp with tokens: group", how


def _of_attention(p):
    """The same, of heads and of what stands in their scores."""
    heads, width = p.get("heads"), p.get("d_model")
    if heads is not None and width is not None:
        found = f"d_model: {width} with heads: {heads}"
        yield width % heads == 0, found, {"allowed": "d_model a multiple of heads"}
        found = f"position: rope_bp with d_model: {width} and heads: {heads}"
        how = {"allowed": "an even d_model / heads, since columns turn in pairs"}
        yield p.get("position") != "rope_bp" or width // heads % 2 == 0, found, how
    for name, value in (("position", "rope_bp"), ("motif_bias", True)):
        found = f"{name}: {str(value).lower()} with layers: 0"
        how = {
            "allowed": "at least one layer of self-attention, in whose scores it stands",
            "mend": "raise layers, or leave it out",
        }
        yield p.get(name) != value or p.get("layers") != 0, found, how


def _of_readouts(p):
    """The same, of what is read from the tokens, and in which order."""
    readout = p.get("readout", "contact")
    how = {"allowed": "readout: contact, which alone learns them"}
    found = f"contacts: learned with readout: {readout}"
    yield p.get("contacts") != "learned" or readout == "contact", found, how
    how = {"mend": "chunk: null, since a backward walk starts at the end"}
    found = f"bidirectional: true with chunk: {p.get('chunk')}"
    yield not (p.get("bidirectional") and p.get("chunk")), found, how


def require(condition, found, *, model, file=None, allowed=None, mend=None):
    """Raise `UserError` about a model's parameters unless `condition` holds."""
    if not condition:
        raise UserError(found, file=file, at=f"model {model}", allowed=allowed, mend=mend)
