"""Config, sheets and schemas: read, checked, defaults filled, paths expanded."""

import contextlib
import os
from pathlib import Path

from soyfold.cohort.families import check_pattern
from soyfold.common.errors import UserError, raise_all
from soyfold.common.files import read_sheet_rows
from soyfold.common.schema import check, fill_defaults, read_schema, read_yaml
from soyfold.genotypes.sources import PLACEHOLDER
from soyfold.study.fetched import is_url, place_genotypes

DATA_VARIABLE = "SOYFOLD_DATA"
DATA_DEFAULT = "../shared/data"
HOME = Path(__file__).resolve().parents[4]  # soyfold's own folder


def expand_path(path):
    """Replace ${SOYFOLD_DATA} (default ../shared/data) and other variables in a path, not a URL."""
    if path is None or is_url(path):
        return path
    data = os.environ.get(DATA_VARIABLE, DATA_DEFAULT)
    return os.path.expandvars(path.replace("${" + DATA_VARIABLE + "}", data))


def shipped(path):
    """A file that comes with soyfold, or one of the user's with the same path.

    Parameters
    ----------
    path : str
        Relative to the working folder; where nothing is there, to soyfold's own folder, which are
        two as soon as soyfold is a module of another workflow.
    """
    own = HOME / path
    return path if Path(path).exists() or not own.exists() else str(own)


def read_sheet(path, schema, *, key, expand=lambda row, **where: [row]):
    """Read a sheet (traits.tsv, hic.tsv) into a dict of rows by the column `key`.

    `expand` makes rows of one row as it was read: what a row that stands for several is.

    Raises
    ------
    UserError
        For a missing column; a line for each offending cell, and each name given twice.
    """
    schema = read_schema(schema)
    table = read_sheet_rows(path, required=schema["required"])
    rows, errors = {}, []
    for line, record in zip(table.index, table.to_dict("records"), strict=True):
        row = {name: None if value != value else value for name, value in record.items()}
        for name, rule in schema["properties"].items():
            row.setdefault(name, None)
            for kind, number in (("integer", int), ("number", float)):
                if kind in rule.get("type", "") and row[name] is not None:
                    with contextlib.suppress(ValueError):  # the schema says what is wrong with it
                        row[name] = number(row[name])
        where = {"file": path, "at": f"line {line}"}
        try:
            several = [check(one, schema, **where) for one in expand(row, **where)]
        except UserError as error:
            errors.append(error)
            continue
        for one in several:
            if one[key] in rows:
                errors.append(UserError(f"{key} {one[key]!r} twice", allowed="each once", **where))
            rows[one[key]] = one | {"file": expand_path(one["file"])}
    raise_all(errors)
    if not rows:
        raise UserError("no rows", file=path, allowed=f"one row for each {key}")
    return rows


def read_libraries(study, schemas):
    """Rows of hic.tsv by library; empty for a study with `contacts: expected`.

    A cooler's `file::/group` comes apart into `file` and `group`.
    """
    sheet = study["contacts"]["libraries"]
    if sheet is None:
        return {}
    libraries = read_sheet(sheet, Path(schemas) / "hic.schema.yaml", key="library")
    coarsest = study["contacts"]["resolution"] == "coarsest"
    for name, row in libraries.items():
        row["bins"] = expand_path(row["bins"])
        row["file"], _, group = row["file"].partition("::")
        row["group"] = group or None
        if row["format"] == "hicpro_matrix" and row["bins"] is None:
            raise UserError(
                "no bins", file=sheet, at=f"library {name}", allowed="the matrix's _abs.bed file"
            )
        if row["format"] in ("hicpro_pairs", "pairs") and row["resolution"] is None and coarsest:
            raise UserError(
                "no resolution",
                file=sheet,
                at=f"library {name}",
                allowed="a bin size in bp",
                mend="fill it in, or set contacts.resolution in the config",
            )
    return libraries


def read_hypotheses(study, schemas):
    """Rows of hypotheses.tsv by hypothesis; empty for a study without."""
    if not study["hypotheses"]:
        return {}
    schema = Path(schemas) / "hypotheses.schema.yaml"
    rows = read_sheet(study["hypotheses"]["sheet"], schema, key="hypothesis")
    return {
        name: row | {"weights": expand_path(row["weights"]), "flank": row["flank"] or 0}
        for name, row in rows.items()
    }


def _with_genotypes(config, file):
    """A config whose genotypes are those of another study, as if it said all of them itself.

    Returns
    -------
    config : dict
    owner : str
        Name of the study whose genotypes these are.
    """
    own = config.get("genotypes")
    if not isinstance(own, dict) or "from" not in own:
        return config, config.get("study")
    where = {"file": file, "at": "key genotypes.from"}
    further = [f"genotypes.{key}" for key in own if key != "from"]
    further += ["imputation"] if "imputation" in config else []
    if further:
        mend = "leave them to that study, or drop genotypes.from"
        raise UserError(f"{', '.join(further)} beside it", allowed="from alone", mend=mend, **where)
    path = expand_path(str(own["from"]))
    other = read_yaml(path, key="genotypes.from")
    given = other.get("genotypes")
    if not isinstance(given, dict) or "from" in given or not other.get("study"):
        allowed = "a study file with a name and genotypes of its own"
        raise UserError(f"no such study in {path}", allowed=allowed, **where)
    if other["study"] == config.get("study"):
        raise UserError(f"the study {other['study']!r} itself", allowed="another study", **where)
    same = config.get("chromosomes", other.get("chromosomes"))
    if same != other.get("chromosomes"):
        raise UserError(f"chromosomes {same!r} beside it", allowed=repr(other.get("chromosomes")),
                        mend="leave chromosomes out", **where)  # fmt: skip
    taken = {key: other[key] for key in ("chromosomes", "imputation") if key in other}
    sources = {**(other.get("sources") or {}), **(config.get("sources") or {})}
    return {**config, **taken, "genotypes": given, "sources": sources}, other["study"]


def load_study(config, schemas, *, file):
    """Check a study's config, fill its defaults and expand its paths.

    Parameters
    ----------
    config : dict
        As read from the study file.
    schemas : path-like
        Folder of the schemas.
    file : str
        The study file, for messages.

    Returns
    -------
    dict
        `contacts` is always an object: a study that says `expected` has `libraries` None.
        `genotypes_of` is the name of the study whose genotypes and imputation these are.
    """
    path = Path(schemas) / "config.schema.yaml"
    config, owner = _with_genotypes(dict(config), file)
    if isinstance(config.get("reference"), str):
        config["reference"] = {"file": config["reference"]}
    study = check(config, path, file=file)
    study["genotypes_of"] = owner
    if study["contacts"] == "expected":
        schema = read_schema(path)
        contacts = {}
        fill_defaults(contacts, schema["properties"]["contacts"]["oneOf"][1])
        study["contacts"] = {**contacts, "libraries": None}
    study["selection"] = _selection(study["selection"], path)
    study.setdefault("title", study["study"])
    for holder, key in _paths(study):
        given = holder[key]
        several = isinstance(given, list)
        holder[key] = [expand_path(name) for name in given] if several else expand_path(given)
    for holder, key in ((study, "chromosomes"), (study["training"], "models_file")):
        holder[key] = shipped(holder[key])
    place_genotypes(study["genotypes"], f"{results_folder()}/{owner}", file=file)
    if "pattern" in (families := study["cohort"]["families"] or {}):
        check_pattern(families["pattern"], file=file)
    for scheme in (study["splits"], *study["splits"]["further"]):
        if (scheme["scheme"] == "given") != bool(scheme["file"]):
            raise UserError(
                f"scheme {scheme['scheme']!r} with file {scheme['file']!r}",
                file=file,
                at="key splits",
                allowed="scheme: given with a file, or another scheme without",
            )
    return study


def _paths(study):
    """Where a study has paths: (dict, key) of each."""
    cohort, contacts, training = (study[name] for name in ("cohort", "contacts", "training"))
    yield from ((study, "chromosomes"), (study, "new_genotypes"))
    yield from ((contacts, "libraries"), (training, "models_file"))
    yield from ((cohort, key) for key in ("traits", "id_map", "environment_covariates"))
    for holder in (
        study["genotypes"], study["reference"], cohort["families"], cohort["covariates"],
        study["splits"], *study["splits"]["further"], (study["interpretation"] or {}).get("qtl"),
    ):  # fmt: skip
        if holder and "file" in holder:
            yield holder, "file"
    if study["hypotheses"]:
        yield study["hypotheses"], "sheet"
    yield study["selection"]["crosses"], "genetic_map"


def _selection(given, schema):
    """`selection` with its defaults also where it is off, `asked` where it isn't."""
    settings = given or {}
    if given is False:
        rules = read_schema(schema)["properties"]["selection"]
        fill_defaults(settings, rules["oneOf"][1])
    return {**settings, "asked": given is not False}


def results_folder():
    """Folder of all results: `$SOYFOLD_RESULTS`, by default results."""
    return os.environ.get("SOYFOLD_RESULTS", "results")


def _source_of(path, sources):
    """What the study says about where to get `path`: the entry with the longest matching path."""
    matching = [known for known in sources if path.startswith(known)]
    return sources[max(matching, key=len)] if matching else None


def _genotype_files(file):
    """Place in the config of each file of the genotypes; those of a pattern are found later."""
    if not isinstance(file, str):
        return {f"genotypes.file[{k}]": name for k, name in enumerate(file)}
    return {} if PLACEHOLDER in file else {"genotypes.file": file}


def _refuse_unreadable(wanted):
    """Raise for the first path, by its place in the study, that is no file with content to read."""
    for place, path in wanted.items():
        if not Path(path).is_file():
            raise UserError("a directory", file=path, at=place, allowed="a file")
        if not os.access(path, os.R_OK):
            raise UserError(
                "no permission to read it", file=path, at=place, mend=f"chmod u+r {path}"
            )
        if Path(path).stat().st_size == 0:
            raise UserError("an empty file", file=path, at=place, mend="copy or download it again")


def refuse_missing_files(study, traits, libraries, hypotheses=None):
    """Raise one `UserError` if a file that the study names isn't there, and say where it is from.

    The same for a folder in a file's place, an empty file, and one that may not be read.

    Parameters
    ----------
    study, traits, libraries, hypotheses : dict
        As `load_study`, `read_sheet`, `read_libraries` and `read_hypotheses` return them.
    """
    wanted = {"chromosomes": study["chromosomes"]}
    wanted["reference"] = (study["reference"] or {}).get("file")
    if not study["genotypes"]["url"]:
        wanted |= _genotype_files(study["genotypes"]["file"])
    wanted["new_genotypes"] = study["new_genotypes"]
    for section, key in (
        ("cohort", "id_map"),
        ("cohort", "environment_covariates"),
        ("splits", "file"),
    ):
        wanted[f"{section}.{key}"] = study[section][key]
    wanted["cohort.families.file"] = (study["cohort"]["families"] or {}).get("file")
    wanted["cohort.covariates.file"] = (study["cohort"]["covariates"] or {}).get("file")
    wanted["selection.crosses.genetic_map"] = study["selection"]["crosses"]["genetic_map"]
    known = (study["interpretation"] or {}).get("qtl") or {}
    wanted["interpretation.qtl.file"] = known.get("file")
    for scheme in study["splits"]["further"]:
        wanted[f"splits.further, scheme {scheme['scheme']}"] = scheme["file"]
    for trait, row in traits.items():
        place = f"trait {trait} in {study['cohort']['traits']}"
        wanted[place] = None if row.get("url") else row["file"]
    for library, row in libraries.items():
        wanted[f"library {library} in {study['contacts']['libraries']}"] = row["file"]
        wanted[f"bins of library {library} in {study['contacts']['libraries']}"] = row["bins"]
    for name, row in (hypotheses or {}).items():
        sheet = study["hypotheses"]["sheet"]
        wanted[f"hypothesis {name} in {sheet}"] = row["file"]
        wanted[f"weights of hypothesis {name} in {sheet}"] = row["weights"]
    wanted = {place: path for place, path in wanted.items() if path}
    missing = {place: path for place, path in wanted.items() if not Path(path).exists()}
    if not missing:
        return _refuse_unreadable(wanted)
    sources = {expand_path(path): text for path, text in study["sources"].items()}
    place, path = next(iter(missing.items()))
    source = _source_of(path, sources)
    others = ", ".join(f"{other} ({at})" for at, other in [*missing.items()][1:])
    raise UserError(
        "no such file" + (f"; nor {others}" if others else ""),
        file=path,
        at=place,
        mend=f"get it from {source}" if source else "correct the path, or put the file there",
    )
