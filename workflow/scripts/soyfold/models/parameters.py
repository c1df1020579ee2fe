"""A model's parameters: defaults filled in depth, unknown names and contradictions refused.

Imports no torch, so that a models file can be checked before the first job.
"""

from soyfold.common.errors import UserError

# What every network's training knows; the rest of a network's parameters are its own.
TRAINING = {
    "learning_rate": 1e-4,
    "betas": [0.9, 0.999],
    "weight_decay": 0.01,
    "clip": 1.0,
    "batch_size": 32,
    "accumulate": 1,
    "epochs": 100,
    "warmup_epochs": 0,
    "schedule": "constant",
    "patience": 10,
    "snp_dropout": 0.0,
    "mixup": 0.0,
    "ema": 0.0,
    "refit": False,
    "members": 1,
    "precision": "32-true",
    "compile": False,
}


def resolve(parameters, defaults, *, model, beside=()):
    """Lay `parameters` over a model's defaults.

    Parameters
    ----------
    parameters : dict
        As the models file gives them.
    defaults : dict
        Every parameter that the model knows.
    model : str
        For the message.
    beside : iterable of str
        Names that may be there and are another's: they are left out.

    Returns
    -------
    dict
        With the keys of `defaults`, no others.

    Raises
    ------
    UserError
        For a name that nobody knows.
    """
    known = {*defaults, *beside}
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise UserError(
            f"unknown parameter {', '.join(map(repr, unknown))}",
            at=f"model {model}",
            allowed=", ".join(sorted(known)),
        )
    return {name: parameters.get(name, default) for name, default in defaults.items()}


def resolve_network(parameters, defaults, *, model):
    """A network's own parameters, laid over its defaults; those of its training may stand beside.

    Raises
    ------
    UserError
        For an unknown name, or parameters that contradict each other.
    """
    resolved = resolve(parameters, defaults, model=model, beside=TRAINING)
    refuse_contradictions(resolved, model=model)
    return resolved


def training_options(parameters):
    """The parameters of `parameters` that concern training, laid over `TRAINING`."""
    return {name: parameters.get(name, default) for name, default in TRAINING.items()}


def refuse_contradictions(parameters, *, model):
    """Raise `UserError` for parameters of a network that exclude each other.

    Parameters
    ----------
    parameters : dict
        Those that are not there contradict nothing.
    model : str
        For the message.
    """
    p = parameters
    window, heads = p.get("window"), p.get("heads")
    if p.get("tokens") == "window":
        require(
            isinstance(window, int) and window >= 2,
            f"tokens: window with window: {window}",
            model=model,
            allowed="window: 2 or more SNPs",
        )
        require(
            p.get("embedding") != "none",
            "tokens: window with embedding: none",
            model=model,
            allowed="embedding: locus_scaled or dosage_table",
        )
    elif "tokens" in p:
        require(
            window is None,
            f"tokens: snp with window: {window}",
            model=model,
            mend="drop `window`, or say tokens: window",
        )
    if heads is not None and p.get("d_model") is not None:
        require(
            p["d_model"] % heads == 0,
            f"d_model: {p['d_model']} with heads: {heads}",
            model=model,
            allowed="d_model a multiple of heads",
        )
    require(
        not (p.get("bidirectional") and p.get("chunk")),
        f"bidirectional: true with chunk: {p.get('chunk')}",
        model=model,
        mend="chunk: null, since a backward walk starts at the end",
    )


def require(condition, found, *, model, allowed=None, mend=None):
    """Raise `UserError` about a model's parameters unless `condition` holds."""
    if not condition:
        raise UserError(found, at=f"model {model}", allowed=allowed, mend=mend)


def require_choice(parameters, name, choices, *, model):
    """Raise `UserError` unless the parameter `name` is one of `choices`."""
    require(
        parameters[name] in choices,
        f"{name}: {parameters[name]!r}",
        model=model,
        allowed=", ".join(map(str, choices)),
    )
