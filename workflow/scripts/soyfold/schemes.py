"""Which validation schemes a study runs, and which fits on which splits."""

from soyfold.errors import UserError

MAIN_OPTIONS = ("ratio", "stratify", "file")


def read_schemes(splits, traits, *, file):
    """The main scheme and the further ones.

    Parameters
    ----------
    splits : dict
        `splits` of the study.
    traits : collection of str
        Traits of the study.
    file : str
        The study file, for messages.

    Returns
    -------
    dict of str to dict
        By name, the main scheme first: `seeds` (list of int), `settings` (scheme and its options:
        all that decides a split), and for further ones `models` and `traits`.

    Raises
    ------
    UserError
        For a scheme named twice, or a trait that isn't the study's.
    """
    schemes = {}
    for number, entry in enumerate([splits, *splits["further"]]):
        name, place = entry["scheme"], f"key splits.further[{number - 1}]"
        if name in schemes:
            raise UserError(
                f"scheme {name!r} twice",
                file=file,
                at=place,
                allowed="each once, the main one included",
                mend="drop one of them",
            )
        schemes[name] = {
            "seeds": list(range(entry["seeds"])),
            "settings": {key: entry[key] for key in ("scheme", *MAIN_OPTIONS)},
        }
        if number:
            schemes[name] |= _models_and_traits(entry, traits, file, place)
    return schemes


def _models_and_traits(entry, traits, file, place):
    """Who is fitted on a further scheme."""
    wanted = entry["traits"] or list(traits)
    if unknown := [name for name in wanted if name not in traits]:
        raise UserError(
            f"trait {', '.join(map(repr, unknown))}",
            file=file,
            at=f"{place}.traits",
            allowed=", ".join(traits),
        )
    return {"models": entry["models"], "traits": wanted}


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
    return f"{scheme or main}/{seed}.tsv"


def plan_fits(plan, schemes):
    """Every fit of a study: its roles on the main scheme's splits, then the further schemes.

    Parameters
    ----------
    plan : list of dict
        As `experiments.plan_roles` returns it.
    schemes : dict
        As `read_schemes` returns it.

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
            items = [
                {"trait": trait, "model": model, "role": "model", "control": None,
                 "base": bases.get((trait, model), model)}
                for trait in scheme["traits"]
                for model in scheme["models"]
            ]  # fmt: skip
        fits += [
            _fit(item, name, seed, f"{name}/seed{seed}" if number else f"seed{seed}")
            for item in items
            for seed in scheme["seeds"]
        ]
    return fits


def _fit(item, scheme, seed, split):
    home = item["trait"]
    folder = f"training/{home}/{item['model']}/{split}"
    return {**item, "home": home, "scheme": scheme, "seed": seed, "split": split, "folder": folder}
