"""How a study was made, from the run's own files: settings, versions, hardware, time, citations."""

import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pandas as pd
import yaml

from soyfold.common.files import read_table

ROOT = Path(__file__).resolve().parents[4]
# What a package is called where pip installs it, where conda calls it otherwise.
PIP_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}
# A program's version as its own output in a rule's log has it.
PROGRAMS = {
    "PLINK 1.9": ("genotypes", r"PLINK v(1\.9\S*)"),
    "PLINK 2": ("interpretation", r"PLINK v(2\.\S*)"),
    "Beagle": ("imputation", r"beagle\.(\w+\.\w+)\.jar|beagle\.jar \(version ([^)]+)\)"),
}
LOG_HEAD = 200_000  # characters of a log that are searched


def flatten(settings, prefix=""):
    """A nested config as (dotted key, value as text) pairs, in order.

    Parameters
    ----------
    settings : dict
    prefix : str

    Yields
    ------
    tuple of str
    """
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from flatten(value, f"{name}.")
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for at, item in enumerate(value):
                yield from flatten(item, f"{name}[{at}].")
        else:
            yield name, as_text(value)


def as_text(value):
    """A setting as the config would write it."""
    if value is None or value is False:
        return "off" if value is False else "none"
    if isinstance(value, list):
        return ", ".join(map(as_text, value))
    if isinstance(value, dict):
        return "; ".join(f"{key} {as_text(item)}" for key, item in value.items())
    return str(value)


def soyfold_version(root=ROOT):
    """Version of the changelog, and the commit where the sources are a git checkout."""
    changelog = Path(root) / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8") if changelog.is_file() else ""
    found = re.search(r"(?m)^## (.+)$", text)
    version = found[1] if found else "unknown"
    if (Path(root) / ".git").exists() and (git := shutil.which("git")):
        command = [git, "-C", str(root), "describe", "--always", "--dirty"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            version += f", commit {done.stdout.strip()}"
    return version


def program_versions(logs):
    """Versions of the programs that the run called, read from its logs.

    Parameters
    ----------
    logs : path-like
        results/<study>/logs.

    Returns
    -------
    dict of str to str
        Only programs that some log names.
    """
    found = {}
    for program, (storey, pattern) in PROGRAMS.items():
        for path in sorted((Path(logs) / storey).rglob("*.log")):
            with path.open(encoding="utf-8", errors="replace") as lines:
                match = re.search(pattern, lines.read(LOG_HEAD))
            if match:
                found[program] = next(group for group in match.groups() if group)
                break
    return found


def package_versions(environments, *, conda):
    """Packages of the storeys in the versions that ran.

    Parameters
    ----------
    environments : iterable of path-like
        envs/<storey>.yaml.
    conda : bool
        Whether conda brought them, in the versions that these files pin; else all jobs ran in this
        one's environment.

    Returns
    -------
    DataFrame
        package, version (None where this job's environment lacks it), storeys.
    """
    storeys = {}
    for path in environments:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        for entry in content["dependencies"]:
            name, _, version = str(entry).partition("=")
            if not conda:
                version = platform.python_version() if name == "python" else _installed(name)
            storeys.setdefault((name, version), []).append(Path(path).stem)
    rows = [(*key, ", ".join(names)) for key, names in sorted(storeys.items(), key=str)]
    return pd.DataFrame(rows, columns=["package", "version", "storeys"])


def _installed(name):
    try:
        return metadata.version(PIP_NAMES.get(name, name))
    except metadata.PackageNotFoundError:
        return None


def _first_match(path, pattern):
    """The group of a pattern in a file of the system, or None where there is no such file."""
    try:
        found = re.search(pattern, Path(path).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return found[1].strip() if found else None


def hardware(costs):
    """The machine that writes the report, and the devices that fits ran on.

    Parameters
    ----------
    costs : iterable of path-like
        cost.tsv of fits.

    Returns
    -------
    dict of str to str
    """
    memory = _first_match("/proc/meminfo", r"MemTotal:\s+(\d+) kB")
    facts = {
        "system": platform.platform(),
        "processor": _first_match("/proc/cpuinfo", r"model name\s*:\s*(.+)") or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory) / 1024**2:.1f} GiB" if memory else "unknown",
    }
    tables = [read_table(path, required=("device",)) for path in costs]
    if tables:
        counts = pd.concat(tables).device.fillna("cpu").value_counts()
        facts["fits ran on"] = ", ".join(f"{name} ({n})" for name, n in counts.items())
    return facts


def used_methods(settings, *, formats, kinds, schemes, compared):
    """Keys of resources/citations.tsv that a study's settings reach.

    Parameters
    ----------
    settings : dict
        As `settings.load_study` returns it.
    formats : iterable of str, keyword only
        Of the Hi-C libraries.
    kinds : collection of str, keyword only
        Of the models.
    schemes : iterable of str, keyword only
    compared : bool, keyword only
        Whether models are compared with references or controls.

    Returns
    -------
    set of str
    """
    formats = list(formats)
    flags = {
        "imputation": settings["imputation"],
        "contacts": formats,
        "balance": formats and settings["contacts"]["balance"],
        "tuning": settings["training"]["tuning"],
        "comparisons": compared,
        "gradients": settings["interpretation"] and "network" in kinds,
    }
    keys = {"always", *(name for name, used in flags.items() if used)}
    return keys | {f"format:{name}" for name in formats} | {f"scheme:{name}" for name in schemes}


def citations(path, used, models=()):
    """Rows of the citation list whose methods a study used, then those of its models.

    Parameters
    ----------
    path : path-like
        resources/citations.tsv.
    used : set of str
        As `used_methods` returns it.
    models : sequence of dict
        As `registry.cited_models` returns it.

    Returns
    -------
    DataFrame
        what, citation, doi; each citation once, its uses joined.
    """
    table = read_table(path, required=("used_for", "what", "citation", "doi"), dtype=str)
    rows = pd.concat([table[table.used_for.isin(used)], pd.DataFrame(models, dtype=str)])
    joined = rows.groupby("citation", sort=False).agg(
        what=("what", lambda uses: ", ".join(dict.fromkeys(uses))), doi=("doi", "first")
    )
    return joined.reset_index()[["what", "citation", "doi"]]
