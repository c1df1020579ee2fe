"""Users' tables, read before the first job: all their faults told at once."""

import contextlib
import logging

from soyfold.cohort.covariates import read_covariates
from soyfold.cohort.families import read_families
from soyfold.cohort.joins import read_id_map
from soyfold.cohort.phenotypes import read_records
from soyfold.cohort.splits.given import check_words
from soyfold.common.conditions import read_conditions
from soyfold.common.errors import UserError, raise_all
from soyfold.common.files import read_sheet_rows
from soyfold.common.logs import log

MOST_ROWS = 5000  # of a trait's table: what a run begins with takes no seconds


def check_tables(study, traits, schemes, *, further=()):
    """Read the phenotypes, id map, families and given splits that a study names.

    What hangs on the genotypes, such as the ids, is left to the jobs, and so are warnings.

    Parameters
    ----------
    study : dict
        As `settings.load_study` returns it.
    traits : dict of str to dict
        Rows of traits.tsv.
    schemes : dict
        As `schemes.read_schemes` returns it.
    further : sequence of (callable, tuple), keyword only
        Readers of tables that other storeys know, and what they are called with.

    Raises
    ------
    UserError
        With a line for each table that can't be read as the study says.
    """
    given = [row for row in traits.values() if not row.get("url")]  # others are fetched by a job
    tasks = [(read_records, (row,), {"most": MOST_ROWS}) for row in given]
    cohort = study["cohort"]
    if cohort["id_map"]:
        tasks.append((read_id_map, (cohort["id_map"], cohort["accession_prefixes"]), {}))
    if "file" in (cohort["families"] or {}):
        tasks.append((read_families, (cohort["families"]["file"],), {}))
    if beside := cohort["covariates"]:
        tasks.append((read_covariates, (beside["file"], beside["columns"]), {}))
    if file := cohort["environment_covariates"]:
        tasks.append((read_conditions, (file,), {}))
    for scheme in schemes.values():
        if file := scheme["settings"].get("file"):
            tasks.append((_check_given, (file, scheme["seeds"]), {}))
    tasks += [(read, arguments, {}) for read, arguments in further]
    errors = []
    with _without_warnings():
        for read, arguments, options in tasks:
            try:
                read(*arguments, **options)
            except UserError as error:
                errors.append(error)
    raise_all(errors)


def _check_given(file, seeds):
    table = read_sheet_rows(file)
    for seed in seeds:
        check_words(table, f"seed{seed}", file)


@contextlib.contextmanager
def _without_warnings():
    """The job that reads a table warns of it, once."""
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
