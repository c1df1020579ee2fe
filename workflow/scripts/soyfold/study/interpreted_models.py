"""Which models of a study are asked why, and how each is asked. Imports no torch."""

from soyfold.common.errors import UserError
from soyfold.models.declarations import declaration

DEFAULT = ("gblup", "transformer", "csafm", "cisem")


def method_of(block):
    """How a model is asked: by its SNP `effects`, by its `gradients`, or not at all (None).

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    """
    if block.get("unit") == "environment":  # its values are not of lines
        return None
    if block["kind"] == "direct":
        return "effects" if declaration(block["module"]).linear else None
    return "gradients" if block["kind"] in ("network", "ensemble") else None


def choose_models(chosen, trait_models, models, *, file):
    """The models that are asked, trait by trait.

    Parameters
    ----------
    chosen : list of str, or None
        `interpretation.models` of the study; None takes those of `DEFAULT`.
    trait_models : dict of str to list of str
        Models that each trait fits.
    models : dict of str to dict
        Registry blocks by name.
    file : str, keyword only
        The study file, for messages.

    Returns
    -------
    dict of str to list of str
        By trait: those of its models that are chosen; none for a trait that fits none of them.

    Raises
    ------
    UserError
        For a model that no trait fits, or one without effects and gradients.
    """
    fitted = list(dict.fromkeys(name for names in trait_models.values() for name in names))
    askable = [name for name in fitted if method_of(models[name])]
    for name in chosen or ():
        if name not in askable:
            why, mend = "is neither linear nor a network of lines", "drop it there"
            if name not in fitted:
                why, mend = "is not fitted here", f"{mend}, or add it to training.models"
            raise UserError(
                f"model {name!r}, which {why}",
                file=file,
                at="key interpretation.models",
                allowed=", ".join(askable) or "none of this study's models",
                mend=mend,
            )
    wanted = [name for name in (DEFAULT if chosen is None else chosen) if name in askable]
    return {
        trait: [name for name in wanted if name in names] for trait, names in trait_models.items()
    }


def refuse_unknown_traits(named, traits, *, file):
    """Raise `UserError` if `interpretation.qtl.traits` means a trait that isn't the study's.

    Parameters
    ----------
    named : dict of str to str
        Published name to trait.
    traits : collection of str
    file : str, keyword only
        The study file, for messages.
    """
    unknown = [trait for trait in named.values() if trait not in traits]
    if unknown:
        raise UserError(
            f"trait {', '.join(map(repr, unknown))}",
            file=file,
            at="key interpretation.qtl.traits",
            allowed=", ".join(traits),
        )
