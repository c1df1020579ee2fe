"""Models whose unit is a line in an environment: where they are fitted, and to what."""

from soyfold.common.errors import UserError
from soyfold.models.declarations import declaration
from soyfold.models.declarations import models as all_models
from soyfold.study.schemes import OF_ENVIRONMENTS


def of_environments(block):
    """Whether a model, by its block of the registry, predicts lines in environments."""
    return block["unit"] == "environment"


def cells_path(trait, scheme, seed):
    """File of a split's values by environment under cohort/splits."""
    return f"{scheme}/cells/seed{seed}/{trait}.tsv"


def refuse_misplaced_units(models, plan, schemes, final, traits, *, blends, file):
    """Refuse a model of environments where there are none.

    Parameters
    ----------
    models : dict of str to dict
        Registry blocks.
    plan : list of dict
        As `roles.plan_roles` gives it, for the main scheme.
    schemes : dict
        As `schemes.read_schemes` gives them, the main one first.
    final : dict of str to list of str
        Models of the final fits by trait.
    traits : dict of str to dict
        Rows of the traits sheet.
    blends : dict of str to list of str, keyword only
        Members by blend.
    file : str, keyword only
        The study file, for messages.

    Raises
    ------
    UserError
        For the first such model on a scheme of lines, in the final fits of a trait without
        environments, or in a blend.
    """
    main, *further = schemes
    named = {main: [item["model"] for item in plan]}
    named |= {scheme: schemes[scheme]["models"] for scheme in further}
    for scheme, names in named.items():
        _refuse(
            [name for name in names if of_environments(models[name])],
            scheme in OF_ENVIRONMENTS,
            f"scheme {scheme!r}",
            ", ".join(sorted(OF_ENVIRONMENTS)),
            {"file": file, "at": "key splits" if scheme == main else "key splits.further"},
            "take it out there, or give it a scheme of environments (splits.further has models)",
        )
    for trait, names in final.items():
        _refuse(
            [name for name in names if of_environments(models[name])],
            traits[trait]["environment_column"],
            f"trait {trait}, which has no environment_column",
            "traits with one",
            {"file": file, "at": "key prediction.models"},
            "fill it in in the traits sheet, or name other models",
        )
    for blend, members in blends.items():
        _refuse(
            [name for name in members if of_environments(models[name])],
            False,
            f"blend {blend}",
            "members that predict lines",
            {"at": f"key models.{blend}.members"},
            "take it out there",
        )


def _refuse(names, fitting, place, allowed, where, mend):
    if names and not fitting:
        found = f"model {names[0]!r}, which predicts lines in environments, in {place}"
        raise UserError(found, allowed=allowed, mend=mend, **where)


def refuse_idle_conditions(table, models, *, file):
    """Raise `UserError` for covariates of environments that no model of the study takes.

    Parameters
    ----------
    table : str or None
        `cohort.environment_covariates` of the study.
    models : dict of str to dict
        Registry blocks.
    file : str, keyword only
        The study file, for the message.
    """
    taking = [module for module in all_models() if declaration(module).conditions]
    if table and not any(block["module"] in taking for block in models.values()):
        raise UserError(
            "covariates of environments without a model that takes them",
            file=file,
            at="key cohort.environment_covariates",
            allowed=f"with {', '.join(taking)}",
            mend="add one to the models of a scheme of environments, or leave the table out",
        )
