"""A study's config, checked to the end before the first job, made one object."""

from itertools import chain

from soyfold.common.chromosomes import read_chromosomes
from soyfold.genotypes.sources import check_settings, list_files
from soyfold.study.fetched import place_phenotypes
from soyfold.study.hypotheses import (
    refuse_idle_networks,
    refuse_idle_traits,
    refuse_unknown_hypotheses,
)
from soyfold.study.interpreted_models import choose_models, refuse_unknown_traits
from soyfold.study.registry import load_models, models_by_trait, read_blends, refuse_unknown_models
from soyfold.study.roles import (
    choose_references,
    control_blocks,
    plan_roles,
    refuse_idle_controls,
    refuse_idle_known_traits,
    trait_groups,
    with_members,
)
from soyfold.study.schemes import check_limits, final_scheme, further_models, read_schemes
from soyfold.study.selection import check_index, check_training, choose_model
from soyfold.study.settings import (
    load_study,
    read_hypotheses,
    read_libraries,
    refuse_missing_files,
    results_folder,
)
from soyfold.study.study import Study
from soyfold.study.trait_columns import name_fixed, read_traits
from soyfold.study.transfer import refuse_idle_transfer, transfer_models
from soyfold.study.units import refuse_idle_conditions, refuse_misplaced_units


def load(config, schemas, *, file):
    """Check a study's config and all that it names, and plan its fits.

    Parameters
    ----------
    config : dict
        As read from the study file.
    schemas : pathlib.Path
        Folder of the schemas.
    file : str, keyword only
        The study file, for messages.

    Returns
    -------
    Study

    Raises
    ------
    UserError
        For the first thing that is wrong with the config, a sheet, or a file that they name.
    """
    settings = load_study(config, schemas, file=file)
    results = f"{results_folder()}/{settings['study']}"
    sheet = settings["cohort"]["traits"]
    traits = place_phenotypes(read_traits(sheet, schemas), results, sheet=sheet)
    name_fixed(traits, settings["cohort"], file=file)
    libraries = read_libraries(settings, schemas)
    hypotheses = read_hypotheses(settings, schemas)
    refuse_idle_traits(settings["hypotheses"], traits, file=file)
    chromosomes = read_chromosomes(settings["chromosomes"])
    families = bool(settings["cohort"]["families"])
    schemes = read_schemes(settings["splits"], traits, families=families, file=file)
    groups = trait_groups(traits, file=sheet)
    planned = _plan_models(settings, schemas, traits, schemes, chromosomes, bool(libraries), file)
    refuse_unknown_hypotheses(planned["models"], hypotheses, file=file)
    refuse_idle_networks(settings["hypotheses"], planned["models"], file=file)
    refuse_idle_known_traits(planned["models"], groups, file=file)
    refuse_idle_conditions(
        settings["cohort"]["environment_covariates"], planned["models"], file=file
    )
    refuse_idle_transfer(settings, traits, groups, planned["models"], file=file)
    refuse_missing_files(settings, traits, libraries, hypotheses)
    return Study(
        file=file,
        settings=settings,
        traits=traits,
        libraries=libraries,
        hypothesised=hypotheses,
        chromosomes=chromosomes.names,
        genotype_format=check_settings(settings["genotypes"]),
        genotype_files=list_files(settings["genotypes"]["file"], chromosomes),
        schemes=schemes,
        drawn=schemes | final_scheme(settings["prediction"], traits),
        groups=groups,
        results=results,
        **planned,
    )


def _plan_models(settings, schemas, traits, schemes, chromosomes, has_contacts, file):
    """Which models each trait fits and why, with their registry blocks: attributes of `Study`."""
    refuse_unknown_models(settings, schemas, traits, file=file)
    trait_models = models_by_trait(settings, traits)
    named = [*chain(*trait_models.values()), *further_models(schemes)]
    blends = read_blends(settings, schemas, named + (settings["prediction"]["models"] or []))
    controls = settings["evaluation"]["controls"]
    plan = plan_roles(
        trait_models,
        paper_tables=settings["evaluation"]["paper_tables"],
        controls=controls,
        has_contacts=has_contacts,
        blends=blends,
        chromosomes=len(chromosomes.names),
    )
    fitted = [item["model"] for item in plan if item["control"] is None]
    fitted += with_members(further_models(schemes), blends)
    models = load_models(settings, schemas, fitted)
    cims = {name: block["cim"] for name, block in models.items()}
    check_limits(settings["training"]["seeds"], list(models), schemes, blends=blends, file=file)
    refuse_idle_controls(controls, trait_models, cims, file=file)
    references = choose_references(settings["evaluation"]["references"], list(models), file=file)
    why = settings["interpretation"] or {}
    interpreted = choose_models(why.get("models", []), trait_models, models, file=file)
    refuse_unknown_traits((why.get("qtl") or {}).get("traits", {}), traits, file=file)
    chosen = settings["prediction"]["models"]
    final = {trait: chosen or names for trait, names in trait_models.items()}
    models |= control_blocks(plan, models)
    models |= load_models(settings, schemas, with_members([*chain(*final.values())], blends))
    refuse_misplaced_units(models, plan, schemes, final, traits, blends=blends, file=file)
    models |= load_models(settings, schemas, transfer_models(settings))
    return {
        "trait_models": trait_models, "final_models": final, "blends": blends, "plan": plan,
        "models": models, "references": references, "interpreted": interpreted,
        "selected": _plan_selection(settings["selection"], final, models, file),
    }  # fmt: skip


def _plan_selection(settings, final, models, file):
    """Model and traits of selection."""
    model = choose_model(settings["model"], final, models, file=file, asked=settings["asked"])
    selected = [trait for trait, names in final.items() if model in names]
    if settings["asked"]:
        check_index(settings["index"], selected, file=file)
        check_training(settings["training_set"], selected, file=file)
    return {"model": model, "traits": selected}
