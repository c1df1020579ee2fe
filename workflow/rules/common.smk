# Loads and validates; names the folders. Everything else lives in the storeys or in soyfold.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from soyfold import experiments, registry, settings
from soyfold.chromosomes import read_chromosomes
from soyfold.digest import source_digest
from soyfold.errors import UserError

SCHEMAS = Path(workflow.basedir) / "workflow" / "schemas"
try:
    SETTINGS = settings.load_study(config, SCHEMAS, file=workflow.configfiles[-1])
    TRAITS = settings.read_sheet(
        SETTINGS["cohort"]["traits"], SCHEMAS / "traits.schema.yaml", key="trait"
    )
    LIBRARIES = settings.read_libraries(SETTINGS, SCHEMAS)
    CHROMOSOMES = read_chromosomes(SETTINGS["chromosomes"]).names
    TRAIT_MODELS = registry.models_by_trait(SETTINGS, TRAITS)
    PLAN = experiments.plan_roles(
        TRAIT_MODELS, **SETTINGS["evaluation"], has_contacts=bool(LIBRARIES)
    )
    MODELS = registry.load_models(
        SETTINGS, SCHEMAS, [plan["model"] for plan in PLAN if plan["control"] is None]
    )
    experiments.refuse_idle_controls(
        SETTINGS["evaluation"]["controls"],
        TRAIT_MODELS,
        {name: block["cim"] for name, block in MODELS.items()},
        file=workflow.configfiles[-1],
    )
    MODELS |= experiments.control_blocks(PLAN, MODELS)
    settings.refuse_missing_files(SETTINGS, TRAITS, LIBRARIES)
except UserError as error:
    raise WorkflowError(str(error))

RESULTS = f"{settings.results_folder()}/{SETTINGS['study']}"
LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"
SEEDS = list(range(SETTINGS["splits"]["seeds"]))
SCHEME = SETTINGS["splits"]["scheme"]


wildcard_constraints:
    chromosome="[^/]+",
    library="[A-Za-z0-9][A-Za-z0-9_.-]*",
    trait="[A-Za-z0-9][A-Za-z0-9_.-]*",
    model="[A-Za-z0-9][A-Za-z0-9_.-]*",
    seed=r"\d+",
