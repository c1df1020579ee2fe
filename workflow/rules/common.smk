# Loads and validates; names the folders. Everything else lives in the storeys or in soyfold.
import sys
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError

# As a module of another workflow, soyfold's folder is neither the working folder nor workflow.basedir.
WORKFLOW = Path(str(workflow.current_basedir)).parent
if not WORKFLOW.is_dir():
    raise WorkflowError(
        f"found soyfold as a module at {workflow.current_basedir}; allowed: a local clone, since its"
        " scripts import a package; to mend: git clone it, and write snakefile: PATH/Snakefile"
    )
sys.path.insert(0, str(WORKFLOW / "scripts"))

from soyfold.evaluation import comparisons
from soyfold.models.kernels import names as kernel_names
from soyfold.study import registry, roles as experiments, schemes, settings
from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.digest import source_digest
from soyfold.common.errors import UserError
from soyfold.study import interpreted_models as interpretation_plan

SCHEMAS = WORKFLOW / "schemas"
# The study file, for messages; another workflow may hand its config over without one.
STUDY_FILE = (workflow.configfiles or ["the module's config"])[-1]
try:
    SETTINGS = settings.load_study(config, SCHEMAS, file=STUDY_FILE)
    TRAITS = settings.read_sheet(
        SETTINGS["cohort"]["traits"], SCHEMAS / "traits.schema.yaml", key="trait"
    )
    LIBRARIES = settings.read_libraries(SETTINGS, SCHEMAS)
    CHROMOSOMES = read_chromosomes(SETTINGS["chromosomes"]).names
    SCHEMES = schemes.read_schemes(
        SETTINGS["splits"],
        TRAITS,
        families=bool(SETTINGS["cohort"]["families"]),
        file=STUDY_FILE,
    )
    GROUPS = experiments.trait_groups(TRAITS, file=SETTINGS["cohort"]["traits"])
    TRAIT_MODELS = registry.models_by_trait(SETTINGS, TRAITS)
    BLENDS = registry.read_blends(
        SETTINGS,
        SCHEMAS,
        [
            *sum(TRAIT_MODELS.values(), []),
            *schemes.further_models(SCHEMES),
            *(SETTINGS["prediction"]["models"] or []),
        ],
    )
    PLAN = experiments.plan_roles(
        TRAIT_MODELS,
        paper_tables=SETTINGS["evaluation"]["paper_tables"],
        controls=SETTINGS["evaluation"]["controls"],
        has_contacts=bool(LIBRARIES),
        blends=BLENDS,
        chromosomes=len(CHROMOSOMES),
    )
    MODELS = registry.load_models(
        SETTINGS,
        SCHEMAS,
        [plan["model"] for plan in PLAN if plan["control"] is None]
        + experiments.with_members(schemes.further_models(SCHEMES), BLENDS),
    )
    experiments.refuse_idle_controls(
        SETTINGS["evaluation"]["controls"],
        TRAIT_MODELS,
        {name: block["cim"] for name, block in MODELS.items()},
        file=STUDY_FILE,
    )
    REFERENCES = comparisons.choose_references(
        SETTINGS["evaluation"]["references"], list(MODELS), file=STUDY_FILE
    )
    INTERPRETATION = SETTINGS["interpretation"] or {}
    ASKED = interpretation_plan.choose_models(
        INTERPRETATION.get("models", []), TRAIT_MODELS, MODELS, file=STUDY_FILE
    )
    QTL = INTERPRETATION.get("qtl") or {}
    interpretation_plan.refuse_unknown_traits(QTL.get("traits", {}), TRAITS, file=STUDY_FILE)
    MODELS |= experiments.control_blocks(PLAN, MODELS)
    # What predicts untested lines, and its split: beside the study's schemes, never among them.
    FINAL_MODELS = {
        trait: SETTINGS["prediction"]["models"] or models for trait, models in TRAIT_MODELS.items()
    }
    MODELS |= registry.load_models(
        SETTINGS, SCHEMAS, experiments.with_members(sum(FINAL_MODELS.values(), []), BLENDS)
    )
    DRAWN = SCHEMES | schemes.final_scheme(SETTINGS["prediction"], TRAITS)
    settings.refuse_missing_files(SETTINGS, TRAITS, LIBRARIES)
except UserError as error:
    raise WorkflowError(str(error))

RESULTS = f"{settings.results_folder()}/{SETTINGS['study']}"
LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"
SCHEME = SETTINGS["splits"]["scheme"]  # the main one
SEEDS = SCHEMES[SCHEME]["seeds"]


def raised(megabytes):
    """Memory of a job, in MB, that each retry raises by as much; only clusters' profiles retry."""
    return lambda wildcards, attempt: attempt * megabytes


wildcard_constraints:
    chromosome="[^/]+",
    library="[A-Za-z0-9][A-Za-z0-9_.-]*",
    trait="[A-Za-z0-9][A-Za-z0-9_.-]*",
    model="[A-Za-z0-9][A-Za-z0-9_.-]*",
    scheme="|".join(DRAWN),
    seed=r"\d+",
    split=rf"(?:(?:{'|'.join(DRAWN)})/)?seed\d+",


# Categories of the HTML report, in the order of its menu.
CATEGORY = {
    "results": "1 Results",
    "quality": "2 Quality control",
    "contacts": "3 Chromosome contacts",
    "curves": "4 Learning curves",
    "interpretation": "5 Interpretation",
    "predictions": "6 Predictions",
    "methods": "7 Methods and versions",
}
# Parts of the results, in their order.
PART = {
    "scores": "1 Scores",
    "comparisons": "2 Who beats whom",
    "controls": "3 Controls of the CIM",
    "lines": "4 Line by line",
    "paper": "5 The paper's tables",
}
