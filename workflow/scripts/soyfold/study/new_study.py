"""A study file and its traits sheet of genotypes and a phenotype table, and what is uncertain."""

import itertools
import re
from pathlib import Path

import pandas as pd
import yaml

from soyfold.cohort.phenotypes import ACCESSION_COLUMNS
from soyfold.cohort.spellings import safe_keys
from soyfold.common.chromosomes import NAME, read_chromosomes
from soyfold.common.delimited import find_columns, read_columns
from soyfold.common.errors import UserError
from soyfold.common.values import is_missing
from soyfold.genotypes import bed
from soyfold.genotypes.sources import FORMATS, file_format
from soyfold.study.marker_tables import propose_settings
from soyfold.study.settings import HOME

PREFIXES = ("PI", "FC")
MOST_RECORDS = 100_000  # of which places are looked at
FEWEST = 3  # values that a trait has: two are yes and no
NUMERIC = 0.9  # share of a column's cells that are numbers, for a trait
_ENVIRONMENT = re.compile(r"env(ironment)?|loc(ation)?|site|trial|year", re.IGNORECASE)
_DESIGN = re.compile(
    r"(year|rep|replicat\w*|block|plot|row|col(umn)?|range|entry|fam(ily)?|set|lat\w*|lon\w*|no|index|unnamed.*)$|.*_n$",
    re.IGNORECASE,
)
HEADER = ["trait", "file", "format", "id_column", "value_column", "environment_column", "unit",
          "decimal"]  # fmt: skip


def write_study(name, genotypes, phenotypes, *, folder="config"):
    """Write `<name>.yaml` and `<name>_traits.tsv` into a folder, and say what is uncertain.

    Parameters
    ----------
    name : str
    genotypes, phenotypes : str
        Any file that `genotypes.file` takes, and a table or workbook of phenotypes.
    folder : path-like, keyword only

    Returns
    -------
    files : list of str
    told : list of str
        What was chosen, and why it may be wrong (these begin with `?`).

    Raises
    ------
    UserError
        If either file is there already, no assembly fits, no column names the samples, or no
        column holds numbers.
    """
    if not re.fullmatch(NAME, name) or not genotypes or not phenotypes:
        found = f"study {name!r}, genotypes {genotypes!r}, phenotypes {phenotypes!r}"
        allowed = "a name of letters, digits, '_', '.', '-', and two files"
        raise UserError(found, allowed=allowed, mend="make new STUDY=name VCF=... PHENOTYPES=...")
    for path in (genotypes, phenotypes):
        if not Path(path).is_file():
            raise UserError("no such file", file=path, mend="correct the path")
    study, sheet = (Path(folder) / f"{name}{end}" for end in (".yaml", "_traits.tsv"))
    for path in (study, sheet):
        if path.exists():
            raise UserError("a file of this name", file=path, mend="take another STUDY")
    settings, of_genotypes = _propose_format(genotypes)
    samples, contigs, places = _read_genotypes(genotypes, settings)
    chromosomes, of_assembly = choose_assembly(contigs, places)
    rows, of_traits = propose_traits(phenotypes, samples)
    sheet.parent.mkdir(parents=True, exist_ok=True)
    lines = [HEADER, *([row[key] or "NA" for key in HEADER] for row in rows)]
    sheet.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
    study.write_text(
        _STUDY.format(
            name=name, genotypes=genotypes, chromosomes=chromosomes, sheet=sheet,
            of_assembly=_comments(of_assembly), of_traits=_comments(of_traits, "  "),
            settings=_comments(of_genotypes, "  ") + _yaml(settings, "  "),
        ), encoding="utf-8",
    )  # fmt: skip
    return [str(study), str(sheet)], [*of_assembly, *of_genotypes, *of_traits]


_STUDY = """\
# Written from {genotypes}; what stands behind a ? should be looked at. Every key: config/README.md
study: {name}
{of_assembly}chromosomes: {chromosomes}
genotypes:
  file: {genotypes}
{settings}contacts: expected # from chromosome lengths; with Hi-C: {{libraries: SHEET}}
cohort:
{of_traits}  traits: {sheet}
training:
  models: [mean, gblup, rkhs] # seconds a fit; networks and others: README.md, Models
evaluation:
  paper_tables: false
"""


def _comments(told, indent=""):
    return "".join(f"{indent}# {line}\n" for line in told)


def _yaml(settings, indent):
    lines = yaml.safe_dump(settings, sort_keys=False, default_flow_style=None, width=1000)
    return "".join(f"{indent}{line}\n" for line in lines.splitlines()) if settings else ""


def _propose_format(file):
    """Settings of a marker table, and what is uncertain; none where the format is known."""
    try:
        file_format(file)
    except UserError:
        if not re.search(r"\.(txt|csv|tsv|tab)(\.b?gz)?$", str(file), re.IGNORECASE):
            raise
        return propose_settings(file)
    return {}, []


def _read_genotypes(file, settings):
    """Samples, declared lengths of contigs, and the first places as (contig, position)."""
    kind = file_format(file, settings.get("format", "auto"))
    if kind == "bed":
        stem = Path(file).with_suffix("")
        table, samples = bed.read_bim(f"{stem}.bim"), bed.read_fam(f"{stem}.fam")
        pairs = zip(table["chromosome"], table["position"], strict=True)
        return list(samples), {}, [(str(contig), int(place)) for contig, place in pairs]
    header, records = FORMATS[kind].read(file, settings)
    found = [(r.contig, r.position) for r in itertools.islice(records, MOST_RECORDS)]
    return header.samples, header.contigs, [(c, int(p)) for c, p in found if p.isdigit()]


def choose_assembly(contigs, places):
    """The chromosome table that fits best: by declared lengths, else by positions.

    Parameters
    ----------
    contigs : dict of str to int
        Lengths by contig, where a header declares them.
    places : list of (str, int)

    Returns
    -------
    table : str
    told : list of str

    Raises
    ------
    UserError
        If none of the tables in `resources/chromosomes` knows most of the places.
    """
    fits = {}
    tables = (HOME / "resources/chromosomes").glob("*.tsv")
    # Where all fit alike, the newest of soybean, which is the home case.
    for path in sorted(tables, key=lambda path: ("soybean" in path.name, path.name), reverse=True):
        table = read_chromosomes(path)
        known = [(table.aliases[c], n) for c, n in contigs.items() if c in table.aliases]
        equal = sum(table.length(c) == n for c, n in known)
        inside = [c in table.aliases and 1 <= n <= table.length(table.aliases[c])
                  for c, n in places]  # fmt: skip
        share = sum(inside) / max(len(inside), 1)
        fits[f"resources/chromosomes/{path.name}"] = (
            equal,
            share if equal * 2 >= len(known) else 0,
            _reach(table, places) > 0.5,  # any genome holds the places of a smaller one
        )
    best = max(fits, key=fits.get)
    equal, share, _ = fits[best]
    if share < 0.9:
        raise UserError(
            f"no assembly that fits; the nearest, {best}, holds {share:.0%} of the places",
            allowed=", ".join(fits), mend="write a chromosome table (resources/chromosomes shows"
            " how) and a study file by hand (config/config.yaml is one)",
        )  # fmt: skip
    if equal:
        return best, [f"assembly: lengths of {equal} contigs of the header are those of this table"]
    others = [name for name, fit in fits.items() if fit == fits[best] and name != best]
    told = f"assembly: {share:.1%} of the positions lie within this table's chromosomes"
    return best, [f"? {told}, and so for {', '.join(others)}" if others else f"? {told}"]


def _reach(table, places):
    """Share of a genome that lies before the last place on each of its chromosomes."""
    last = {}
    for contig, place in places:
        name = table.aliases.get(contig)
        last[name] = max(place, last.get(name, 0))
    return sum(last.get(name, 0) for name in table.names) / sum(map(int, table.lengths))


def propose_traits(phenotypes, samples):
    """Rows of a traits sheet for the numeric columns of a table.

    Parameters
    ----------
    phenotypes : path-like
    samples : list of str

    Returns
    -------
    rows : list of dict
        By the columns of `HEADER`.
    told : list of str

    Raises
    ------
    UserError
        If no column names a sample, or none holds numbers.
    """
    header = find_columns(phenotypes, lambda cells: len({c for c in cells if c and not _number(c)}))
    if set(ACCESSION_COLUMNS) <= set(header):
        row = {"trait": _name(Path(phenotypes).stem), "format": "npgs_descriptor",
               "value_column": "observation_value"}  # fmt: skip
        told = "? an NPGS descriptor download: give environment_column if it has environments"
        return [dict.fromkeys(HEADER) | row | {"file": str(phenotypes)}], [told]
    names = [name for name in dict.fromkeys(header) if name]
    unnamed = not header[0] and "id" not in names  # R's row names: the sheet says NA
    table = read_columns(phenotypes, names, identity=() if unnamed else None)
    identity, told = _find_ids(table, header, samples, phenotypes)
    id_column = None if unnamed and identity == "id" else identity
    repeated = bool(table[identity].duplicated().any())
    environment = next((n for n in names if _ENVIRONMENT.fullmatch(n)), None) if repeated else None
    if repeated:
        what = f"the environment is {environment!r}" if environment else "no column of environments"
        told.append(f"? lines have several rows: {what}, the values of a line become one")
    rows, passed = [], []
    for name in names:
        decimal = None if name in (identity, environment) else _decimal(table[name])
        if decimal is None or _DESIGN.match(name):
            passed += [name] if decimal else []
            continue
        rows.append({
            "trait": _name(name), "file": str(phenotypes),
            "format": "plots" if repeated else "npgs_wide", "id_column": id_column,
            "value_column": name, "environment_column": environment,
            "unit": table.attrs["units"].get(name), "decimal": "," if decimal == "," else None,
        })  # fmt: skip
    if not rows:
        raise UserError("no column of numbers", file=phenotypes, allowed="one a trait")
    if passed:
        told.append(f"? numbers, but no traits by their names: {', '.join(passed)}")
    return rows, [*told, f"traits: {', '.join(row['trait'] for row in rows)}"]


def _find_ids(table, header, samples, file):
    """The column whose cells name the most samples, as ids are joined with them."""
    keys = set(safe_keys(pd.Series(samples, dtype=object), PREFIXES))
    named = {}
    for name in table:
        cells = pd.Series(table[name][~is_missing(table[name])].unique(), dtype=object)
        named[name] = len(set(safe_keys(cells, PREFIXES)) & keys) if len(cells) else 0
    best = max(named, key=named.get)
    if not named[best]:
        raise UserError(
            f"no column that names a sample ({', '.join(samples[:3])}, ...)", file=file,
            allowed=", ".join(table), mend="correct the ids, or write the sheet by hand with an id"
            " map (cohort.id_map)",
        )  # fmt: skip
    column = f"column {best!r}" if best in header else "the first column, which has no name,"
    told = f"ids: {column} names {named[best]} of {len(samples)} samples"
    return best, [f"? {told}" if named[best] < 0.5 * len(samples) else told]


def _number(text):
    return bool(re.fullmatch(r"[-+]?[0-9]*[.,]?[0-9]+([eE][-+]?[0-9]+)?%?", text))


def _decimal(cells):
    """`.` or `,` of a column of numbers that differ; None for another column."""
    cells = cells[~is_missing(cells)].str.split(";").explode().str.strip()  # several readings
    numbers = cells[cells.map(_number)]
    if len(numbers) < max(NUMERIC * len(cells), 1) or numbers.nunique() < FEWEST:
        return None
    return "," if numbers.str.contains(",").any() else "."


def _name(column):
    """A trait's name from a column's."""
    text = re.sub(r"[^A-Za-z0-9_.-]+", "_", column).strip("_.-")
    return text if text not in ("", "all") else f"trait_{text}".strip("_")
