"""The page of methods and versions."""

import datetime

import pandas as pd

from soyfold.report import provenance
from soyfold.report.pages.pages import Column, Notes, Table, count, number
from soyfold.report.summary import storey_times


def _facts(title, facts, *, names=("what", "value"), note=""):
    rows = [[str(key), str(value)] for key, value in facts]
    return Table(title, [Column(name) for name in names], rows, note=note)


def model_table(models):
    """The models with their parameters, presets laid over and searches aside."""
    rows = [
        [block["label"], name, block["kind"], block["preset"] or "", block["cim"],
         provenance.as_text(block["parameters"])]
        for name, block in models.items()
    ]  # fmt: skip
    columns = [Column(name) for name in ("model", "name", "kind", "preset", "CIM", "parameters")]
    return Table("Models and their parameters", columns, rows)


def time_table(benchmarks):
    """Hours and memory of each storey's jobs, and of all."""
    times = storey_times(benchmarks)
    if times.empty:
        return Notes("Time", ["No job has left its time under benchmarks/."])
    total = {
        "storey": "all", "jobs": times.jobs.sum(), "seconds": times.seconds.sum(),
        "cpu_seconds": times.cpu_seconds.sum(), "max_rss_mb": times.max_rss_mb.max(),
    }  # fmt: skip
    times = pd.concat([times, pd.DataFrame([total])], ignore_index=True)
    rows = [
        [row.storey, count(row.jobs), number(row.seconds / 3600, 3),
         number(row.cpu_seconds / 3600, 3), count(row.max_rss_mb)]
        for row in times.itertuples()
    ]  # fmt: skip
    columns = [
        Column("storey"), Column("jobs", number=True), Column("time", "h, jobs added up", True),
        Column("CPU time", "h", True), Column("peak memory", "MB, of a job", True),
    ]  # fmt: skip
    return Table("Time and memory", columns, rows, note="From the jobs' own benchmark files.")


def software_tables(logs, environments, snakemake_version, *, conda):
    """Versions of soyfold, the programs called and the packages that ran."""
    programs = [
        ("soyfold", provenance.soyfold_version()),
        ("Snakemake", snakemake_version),
        *provenance.program_versions(logs).items(),
    ]
    packages = provenance.package_versions(environments, conda=conda)
    rows = [[row.package, row.version or "not here", row.storeys] for row in packages.itertuples()]
    columns = [Column("package"), Column("version"), Column("storeys")]
    where = "the environments that conda made" if conda else "the one environment of all jobs"
    return [
        _facts("Software", programs, names=("program", "version")),
        Table("Packages", columns, rows, note=f"In {where}."),
    ]


def method_sections(
    *, settings, traits, libraries, models, seeds, used, citations, cited, costs, environments,
    results, snakemake_version, conda,
):  # fmt: skip
    """What was run, with what, where, for how long, and whom to cite.

    Parameters
    ----------
    settings, traits, libraries, models : dict, keyword only
        The study as resolved: defaults filled, paths expanded.
    seeds : dict of str to list of int, keyword only
        Scheme to the seeds of its splits.
    used : set of str, keyword only
        As `provenance.used_methods` returns it.
    citations : path-like, keyword only
    cited : list of dict, keyword only
        As `registry.cited_models` returns it.
    costs, environments : list of path-like, keyword only
    results : path-like, keyword only
        results/<study>.
    snakemake_version : str, keyword only
    conda : bool, keyword only
        Whether conda brought the storeys' packages.

    Returns
    -------
    list of Table and Notes
    """
    now = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    imputation = settings["imputation"] or {}
    drawn = [(f"splits, {name}", ", ".join(map(str, of))) for name, of in seeds.items()]
    drawn += [("imputation and masked calls", imputation.get("seed", "not used"))]
    listed = provenance.citations(citations, used, cited)
    cited = [
        [row.what, row.citation, "" if pd.isna(row.doi) else f"doi:{row.doi}"]
        for row in listed.itertuples()
    ]
    return [
        Notes("", [f"Study {settings['study']}: {settings['title']}. Page written {now}."]),
        *software_tables(f"{results}/logs", environments, snakemake_version, conda=conda),
        _facts("Hardware", provenance.hardware(costs).items()),
        time_table(f"{results}/benchmarks"),
        _facts("Seeds", drawn),
        model_table(models),
        _facts("Configuration as resolved", provenance.flatten(settings), names=("key", "value")),
        _facts("Traits", provenance.flatten(traits), names=("key", "value")),
        *([_facts("Hi-C libraries", provenance.flatten(libraries), names=("key", "value"))]
          if libraries else []),
        Table("Please cite", [Column("used for"), Column("citation"), Column("doi")], cited),
    ]  # fmt: skip
