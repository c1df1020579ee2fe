# Loads and checks the study, and hands it over: all that the storeys share is the one object `study`.
import os
import sys
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

# Idle threads of OpenMP otherwise spin for some 7 ms after each operation, on cores that others want:
# the blocks of attention took half as long again on two threads (benchmarks/attention).
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.errors import UserError
from soyfold.interpretation.qtl import read_qtl
from soyfold.selection.genetic_map import read_map
from soyfold.study import load
from soyfold.study.command_line import as_in_file
from soyfold.study.tables import check_tables

try:
    # Another workflow may hand its config over without a file.
    study = load(
        as_in_file(config, workflow.config_settings.config),
        WORKFLOW / "schemas",
        file=(workflow.configfiles or ["the module's config"])[-1],
    )
    if workflow.is_main_process:  # once, not for each job that reads the rules again
        further, chromosomes = [], read_chromosomes(study.settings["chromosomes"])
        further += [(read_map, (path, chromosomes.aliases)) for path in study.selection.genetic_map]
        if qtl := study.interpretation.qtl:
            further += [(read_qtl, (qtl, chromosomes, list(study.traits)))]
        if study.hypothesised:
            from soyfold.cohort.hypotheses import read_hypothesis  # which loads SciPy

            rows = study.hypothesised.values()
            further += [(read_hypothesis, (row, chromosomes)) for row in rows]
        check_tables(study.settings, study.traits, study.schemes, further=further)
except UserError as error:
    raise WorkflowError(str(error))


wildcard_constraints:
    chromosome="[^/]+",
    library="[A-Za-z0-9][A-Za-z0-9_.-]*",
    hypothesis="[A-Za-z0-9][A-Za-z0-9_.-]*",
    trait="[A-Za-z0-9][A-Za-z0-9_.-]*",
    model="[A-Za-z0-9][A-Za-z0-9_.-]*",
    scheme="|".join(study.drawn),
    seed=r"\d+",
    split=rf"(?:(?:{'|'.join(study.drawn)})/)?seed\d+",
