"""Which validation schemes a study runs, and which fits on which splits."""

from soyfold.common.errors import UserError
from soyfold.common.schema import nearest
from soyfold.study.roles import members_beside

# What decides a split beside its seed, with defaults where the schema has none. A scheme's module
# is soyfold.cohort.splits.<name>.
OPTIONS = {
    "random": {"ratio": None, "stratify": None},
    "given": {"file": None},
    "kfold": {"folds": 5, "ratio": None, "stratify": None},
    "leave_family_out": {"minimum": 20, "ratio": None},
    "cluster": {"identity": 0.98, "ratio": None},
    "cv1": {"ratio": None},
    "cv2": {"ratio": None},
    "leave_environment_out": {"ratio": None},
}
# Their splits part a trait's values by line and environment.
OF_ENVIRONMENTS = frozenset({"cv1", "cv2", "leave_environment_out"})
# The split of the fits that predict untested lines: it has no test and is never a study's choice.
FINAL = "final"


def read_schemes(splits, traits, *, families, file):
    """The main scheme and the further ones.

    Parameters
    ----------
    splits : dict
        `splits` of the study.
    traits : dict of str to dict
        Rows of traits.tsv.
    families : bool, keyword only
        Whether the study names families.
    file : str, keyword only
        The study file, for messages.

    Returns
    -------
    dict of str to dict
        By name, the main scheme first: `seeds` (list of int), `settings` (scheme and its options:
        all that decides a split), `traits`, and for further ones `models`.

    Raises
    ------
    UserError
        For a scheme named twice, an option that isn't the scheme's, a trait that isn't the
        study's, or a study without the families or environments that a scheme needs.
    """
    schemes = {}
    for number, entry in enumerate([splits, *splits["further"]]):
        name = entry["scheme"]
        where = {
            "file": file,
            "at": f"key splits.further[{number - 1}]" if number else "key splits",
        }
        if name in schemes:
            raise UserError(
                f"scheme {name!r} twice",
                allowed="each once, the main one included",
                mend="drop one of them",
                **where,
            )
        if name == "leave_family_out" and not families:
            raise UserError(
                "leave_family_out without families", mend="set cohort.families", **where
            )
        schemes[name] = {
            "seeds": list(range(entry["seeds"])),
            "settings": _settings(entry, traits, where),
            "traits": _traits(entry, traits, where),
        }
        if number:
            schemes[name]["models"] = entry["models"]
    return schemes


def final_scheme(prediction, traits):
    """The scheme of the final fits, in the form of `read_schemes`.

    Parameters
    ----------
    prediction : dict
        `prediction` of the study.
    traits : iterable of str
    """
    settings = {"scheme": FINAL, "validation": prediction["validation"]}
    return {FINAL: {"seeds": [0], "settings": settings, "traits": list(traits)}}


def _settings(entry, traits, where):
    """The scheme's name and its options, checked."""
    name = entry["scheme"]
    known = OPTIONS[name]
    for key in sorted(set().union(*OPTIONS.values()) - {"ratio"}):
        if entry.get(key) and key not in known:
            raise UserError(
                f"{key} beside scheme {name!r}",
                allowed=", ".join(["scheme", "seeds", *known]),
                **where,
            )
    if "stratify" in known and entry["stratify"]:
        _refuse_unknown([entry["stratify"]["trait"]], traits, "stratify.trait", where)
    return {"scheme": name} | {key: entry.get(key, default) for key, default in known.items()}


def _traits(entry, traits, where):
    """Traits that the scheme is for: all, or those of `traits`; with environments if need be."""
    wanted = entry.get("traits")
    _refuse_unknown(wanted or [], traits, "traits", where)
    if entry["scheme"] not in OF_ENVIRONMENTS:
        return wanted or list(traits)
    grown = [name for name, row in traits.items() if row["environment_column"]]
    # A further scheme passes over traits without environments, unless it names them.
    wanted = wanted or (grown if "models" in entry else list(traits))
    lacking = [name for name in wanted if name not in grown]
    if lacking or not wanted:
        raise UserError(
            f"scheme {entry['scheme']!r} for {', '.join(lacking) or 'no trait'}",
            allowed="traits with an environment_column",
            mend="fill it in in the traits sheet, or take another scheme",
            **where,
        )
    return wanted


def _refuse_unknown(names, traits, key, where):
    unknown = [name for name in names if name not in traits]
    if unknown:
        raise UserError(
            f"trait {', '.join(map(repr, unknown))}",
            file=where["file"],
            at=f"{where['at']}.{key}",
            allowed=", ".join(traits),
        )


def check_limits(limits, fitted, schemes, *, blends, file):
    """Refuse a wrong number of splits of a model that isn't fitted on all of them.

    Parameters
    ----------
    limits : dict of str to int
        `training.seeds` of the study.
    fitted : collection of str
        Models that the study fits.
    schemes : dict
        As `read_schemes` returns it.
    blends : dict of str to list of str, keyword only
        Members by blend, whose predictions are mixed split by split.
    file : str, keyword only
        The study file, for messages.

    Raises
    ------
    UserError
        For a model that isn't fitted or is mixed in a blend, or more splits than there are.
    """
    most = max(len(scheme["seeds"]) for scheme in schemes.values())
    for name, number in limits.items():
        where = {"file": file, "at": f"key training.seeds.{name}"}
        if name not in fitted:
            raise UserError(f"model {name!r}, which isn't fitted", allowed=", ".join(fitted),
                            mend=nearest(name, fitted), **where)  # fmt: skip
        mixing = [blend for blend, members in blends.items() if name in (blend, *members)]
        if mixing:
            raise UserError(
                f"fewer splits of {name!r}, which {mixing[0]} needs on all",
                allowed="models that are no blend and in none",
                mend=f"take {mixing[0]} out of the study, or lower splits.seeds for all", **where,
            )  # fmt: skip
        if number > most:
            raise UserError(f"{number} splits", allowed=f"at most {most} (splits.seeds)", **where)


def further_models(schemes):
    """Models that further schemes name, each once."""
    return list(dict.fromkeys(name for s in schemes.values() for name in s.get("models", ())))


def split_path(trait, split, *, main):
    """File of a split's parts under cohort/splits.

    Parameters
    ----------
    trait : str
    split : str
        `seed3` of the scheme `main`, or `<scheme>/seed3`.
    main : str, keyword only

    Returns
    -------
    str
    """
    scheme, _, seed = split.rpartition("/")
    scheme = scheme or main
    return f"{scheme}/{seed}/{trait}.tsv" if scheme in OF_ENVIRONMENTS else f"{scheme}/{seed}.tsv"


def plan_fits(plan, schemes, *, blends=None, groups=None, joint=(), limits=None):
    """Every fit of a study: its roles on the main scheme's splits, then the further schemes.

    Parameters
    ----------
    plan : list of dict
        As `roles.plan_roles` returns it.
    schemes : dict
        As `read_schemes` returns it.
    blends : dict of str to list of str, optional
        Members by blend.
    groups : dict of str to str, optional
        The group of each trait.
    joint : collection of str
        Models that learn the traits of a group together: these share the group's folder.
    limits : dict of str to int, optional
        Models that are fitted on the first splits of each scheme alone, and how many these are; a
        variant or control is fitted on those of its base.

    Returns
    -------
    list of dict
        The plan's keys, and home (the folder that the trait's fits share), scheme, seed, split
        (`seed3`; beyond the main scheme `kfold/seed3`), folder (under the study's results). On a
        further scheme a variant is a model like others, but takes its base's tuning.
    """
    bases = {(item["trait"], item["model"]): item["base"] for item in plan}
    fits = []
    for number, (name, scheme) in enumerate(schemes.items()):
        items = plan
        if number:
            beside = members_beside(scheme["models"], blends or {})
            roles = dict.fromkeys(scheme["models"], "model") | dict.fromkeys(beside, "member")
            items = [
                {"trait": trait, "model": model, "role": role, "control": None,
                 "base": bases.get((trait, model), model)}
                for trait in scheme["traits"]
                for model, role in roles.items()
            ]  # fmt: skip
        for item in items:
            together = item["model"] in joint and name not in OF_ENVIRONMENTS
            home = _home(item["trait"], groups, together)
            first = limited(item, limits or {})
            fits += [
                _fit(item, home, name, seed, f"{name}/seed{seed}" if number else f"seed{seed}")
                for seed in scheme["seeds"][:first]
            ]
    return fits


def plan_final(trait_models, plan, *, blends=None, groups=None, joint=()):
    """The final fits: every model that is to predict untested lines, and the members of blends.

    Parameters
    ----------
    trait_models : dict of str to list of str
        Models by trait.
    plan, blends, groups, joint
        As for `plan_fits`.

    Returns
    -------
    list of dict
        As `plan_fits` gives them.
    """
    bases = {(item["trait"], item["model"]): item["base"] for item in plan}
    fits = []
    for trait, models in trait_models.items():
        beside = members_beside(models, blends or {})
        roles = dict.fromkeys(models, "model") | dict.fromkeys(beside, "member")
        for model, role in roles.items():
            base = bases.get((trait, model), model)
            item = {"trait": trait, "model": model, "role": role, "control": None, "base": base}
            home = _home(trait, groups, model in joint)
            fits.append(_fit(item, home, FINAL, 0, f"{FINAL}/seed0"))
    return fits


def limited(item, limits):
    """On how many splits a plan's model is fitted; None for all."""
    return limits.get(item["model"], limits.get(item["base"]))


def _home(trait, groups, together):
    """The folder of a fit: its trait's, or that of the traits learnt together."""
    return (groups or {}).get(trait, trait) if together else trait


def _fit(item, home, scheme, seed, split):
    folder = f"training/{home}/{item['model']}/{split}"
    return {**item, "home": home, "scheme": scheme, "seed": seed, "split": split, "folder": folder}
