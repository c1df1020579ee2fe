"""Which fits a study runs: its models, the variants of the paper's tables 4-6, the control CIMs.

A variant is an entry of models.yaml; a control is a model whose CIM is another. Imports no torch.
"""

import copy
import math

from soyfold.common.errors import UserError
from soyfold.common.schema import nearest
from soyfold.contacts.cim import CONTROLS

# Rows of the paper's tables ([C], tables 4 to 6), as printed, and the entry of models.yaml of each.
VARIANT_TABLES = {
    "table4_csafm": {"none": "transformer", "CIM": "csafm", "CIM+GAU": "csafm_gau"},
    "table5_cisem": {"none": "transformer", "CIM": "cisem_cim", "CIM+SE": "cisem"},
    "table6_gamma": {
        "gamma=0": "cisem_gamma0",
        "gamma=0.0002": "cisem",
        "gamma=0.001": "cisem_gamma1e-3",
    },
}
VARIANTS = {
    "csafm_gau": "csafm",
    "cisem_cim": "cisem",
    "cisem_gamma0": "cisem",
    "cisem_gamma1e-3": "cisem",
}
REFERENCES = ("gblup", "rkhs", "gblup_rkhs", "mean")


def tables_of(models):
    """Tables 4-6 that a list of models can fill: those whose own models are all among them."""
    return [
        table
        for table, rows in VARIANT_TABLES.items()
        if set(rows.values()) - set(VARIANTS) <= set(models)
    ]


def variants_of(models):
    """Entries that tables 4-6 need beside the given models: variant name to the model behind it."""
    wanted = [name for table in tables_of(models) for name in VARIANT_TABLES[table].values()]
    return {name: VARIANTS[name] for name in wanted if name in VARIANTS and name not in models}


def control_names(permuted, *, has_contacts, chromosomes=None):
    """Names of the control CIMs.

    Parameters
    ----------
    permuted : int
        How many shuffles of the chromosome labels.
    has_contacts : bool
        Without Hi-C the study's own CIM is the expected one, which is then no control.
    chromosomes : int, optional, keyword only
        Of so many there are factorial - 1 shuffles beside the CIM itself: never more.
    """
    if chromosomes is not None:
        permuted = min(permuted, math.factorial(chromosomes) - 1)
    shuffled = [f"permuted{k}" for k in range(1, permuted + 1)]
    return shuffled + [name for name in CONTROLS if has_contacts or name != "expected"]


def control_model(model, control):
    """Name of the fit of `model` with the CIM `control`."""
    return f"{model}.{control}"


def control_block(block, control):
    """A model's registry block with another CIM; everything else stays, its tuning too.

    The seeds of a control share a job unless they are trained at the paper's size: there are many
    controls, and each job loads torch anew.
    """
    changed = copy.deepcopy(block)
    changed |= {
        "name": control_model(block["name"], control),
        "label": f"{block['label']}, {control}",
        "cim": control,
    }
    if block["preset"] != "paper":
        changed["seeds_per_job"] = "all"
    return changed


def control_blocks(plan, models):
    """Registry blocks of all controls of a plan, by name."""
    return {
        item["model"]: control_block(models[item["base"]], item["control"])
        for item in plan
        if item["control"]
    }


def final_block(block):
    """A model's registry block for the fit that learns from all lines, to predict untested ones.

    Parameters
    ----------
    block : dict
        As `registry.load_models` gives it.

    Returns
    -------
    dict
        Networks, and models that choose by validation, are refitted on train + val; models
        without a choice learn from both at once. Residuals of lines that a fit hasn't seen, from
        which the intervals come, are always made.
    """
    changed = copy.deepcopy(block)
    parameters = changed["parameters"]
    if block["kind"] in ("network", "ensemble") or "refit" in parameters:
        parameters["refit"] = True
    if "train_on" in parameters:
        parameters["train_on"] = ["train", "val"]
    changed["held_out"] = True
    return changed


def members_beside(models, blends):
    """What the blends among some models weigh that isn't among them: names, each once.

    Parameters
    ----------
    models : list of str
    blends : dict of str to list of str
        Members by blend, as `registry.read_blends` gives them.
    """
    found, waiting = [], list(models)
    while waiting:
        for member in blends.get(waiting.pop(0), []):
            if member not in (*models, *found):
                found.append(member)
                waiting.append(member)
    return found


def with_members(models, blends):
    """Models, and after them the members of blends that aren't among them."""
    return [*models, *members_beside(models, blends)]


def refuse_idle_known_traits(models, groups, *, file):
    """Raise `UserError` for a known trait that no other trait is learnt together with.

    Parameters
    ----------
    models : dict of str to dict
        Registry blocks.
    groups : dict of str to str
        As `trait_groups` gives them.
    file : str, keyword only
        The study file, for the message.
    """
    shared = list(groups.values())
    known = [trait for trait, group in groups.items() if shared.count(group) > 1]
    for name, block in models.items():
        for trait in block["parameters"].get("known_traits", []):
            if trait not in known:
                raise UserError(
                    f"trait {trait!r}",
                    file=file,
                    at=f"model {name}, parameter known_traits",
                    allowed=", ".join(known) or "none: no traits share a group",
                    mend=nearest(trait, known) or "give it a group in traits.tsv, with the others",
                )


def trait_groups(traits, *, file):
    """The group of each trait, whose traits joint models learn together; its own name without one.

    Parameters
    ----------
    traits : dict of str to dict
        Rows of traits.tsv.
    file : str
        The sheet, for messages.

    Raises
    ------
    UserError
        For a group that is named like another trait: their fits would share folders.
    """
    groups = {trait: row.get("group") or trait for trait, row in traits.items()}
    for trait, group in groups.items():
        if group != trait and group in traits:
            raise UserError(
                f"group {group!r} of trait {trait}",
                file=file,
                at="column group",
                allowed="a name that no trait has",
            )
    return groups


def plan_roles(
    trait_models, *, paper_tables, controls, has_contacts, blends=None, chromosomes=None
):
    """What each trait's fits are for.

    Parameters
    ----------
    trait_models : dict of str to list of str
    paper_tables : bool
        Add the variants of tables 4-6.
    controls : dict or False
        models, traits (None for all) and permuted of `scores.controls`.
    has_contacts : bool
    blends : dict of str to list of str, optional
        Members by blend.
    chromosomes : int, optional
        How many there are.

    Returns
    -------
    list of dict
        trait, model, role (model | member, which a blend weighs | variant | control), base (the
        model that a variant or control comes from), control (name of the control CIM, or None).
    """
    plan = []
    for trait, models in trait_models.items():
        plan += [_role(trait, name, "model", name) for name in models]
        if paper_tables:
            found = variants_of(models).items()
            plan += [_role(trait, name, "variant", base) for name, base in found]
        fitted = [item["model"] for item in plan if item["trait"] == trait]
        plan += [
            _role(trait, name, "member", name) for name in members_beside(fitted, blends or {})
        ]
        if controls and (controls["traits"] is None or trait in controls["traits"]):
            names = control_names(
                controls["permuted"], has_contacts=has_contacts, chromosomes=chromosomes
            )
            plan += [
                _role(trait, control_model(base, control), "control", base, control)
                for base in controls["models"]
                if base in models
                for control in names
            ]
    return plan


def choose_references(wanted, fitted, *, file):
    """Models that all others are compared with.

    Parameters
    ----------
    wanted : list of str or None
        `scores.references`; None takes those of `REFERENCES` that are fitted.
    fitted : collection of str
        Models of the study.
    file : str, keyword only
        The study file, for the message.

    Returns
    -------
    list of str

    Raises
    ------
    UserError
        If a model named is not fitted.
    """
    if wanted is None:
        return [name for name in REFERENCES if name in fitted]
    if unknown := [name for name in wanted if name not in fitted]:
        raise UserError(
            ", ".join(unknown),
            file=file,
            at="key evaluation.references",
            allowed=f"{', '.join(fitted)} (models fitted here)",
            mend="add it to training.models, or drop it here",
        )
    return list(wanted)


def refuse_idle_controls(controls, trait_models, cims, *, file):
    """Raise `UserError` if `scores.controls` names a model or trait that isn't fitted.

    Parameters
    ----------
    controls : dict or False
    trait_models : dict of str to list of str
    cims : dict of str to str
        The `cim` of each model that is fitted.
    file : str
        The study file, for messages.
    """
    if not controls:
        return
    fitted = [name for name, cim in cims.items() if cim == "real"]
    _refuse_unknown(controls["models"], fitted, "models", file)
    _refuse_unknown(controls["traits"] or [], list(trait_models), "traits", file)


def _refuse_unknown(names, known, key, file):
    unknown = [name for name in names if name not in known]
    if unknown:
        what = "models fitted here with cim: real" if key == "models" else "traits of the study"
        raise UserError(
            ", ".join(unknown),
            file=file,
            at=f"key evaluation.controls.{key}",
            allowed=f"{', '.join(known)} ({what})",
            mend="add it to the study, drop it here, or set evaluation.controls: off",
        )


def _role(trait, model, role, base, control=None):
    return {"trait": trait, "model": model, "role": role, "base": base, "control": control}
