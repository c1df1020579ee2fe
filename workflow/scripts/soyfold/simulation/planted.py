"""A study with planted epistasis, written so that it runs by itself: genotypes, traits, config."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.errors import UserError
from soyfold.common.files import read_cim, read_table, staged, write_table, zipped
from soyfold.common.logs import log
from soyfold.simulation.epistasis import (
    TRAITS,
    cross_lines,
    name_crosses,
    plant_trait,
    truth_table,
)
from soyfold.study.settings import load_study, results_folder

# The marker table of crosses: any study's variants fit into such names.
MARKER_NAME = r"^(?P<chromosome>.+)_(?P<position>\d+)_(?P<ref>[^_]+)_(?P<alt>[^_]+)$"
CODES = {"0": 0, "1": 1, "2": 2}


def read_source(config, schemas, *, file):
    """A study's genotypes and contacts, from its results.

    Parameters
    ----------
    config : dict
        As read from the study file.
    schemas : path-like
        Folder of the schemas.
    file : path-like
        The study file, for messages.

    Returns
    -------
    dosage : ndarray (n, L) int8
        Memory-mapped.
    samples : list of str
    variants : DataFrame
        variant, chromosome, position, ref, alt of the columns of `dosage`, in their order.
    sums : DataFrame (G, G)
        Contacts summed by chromosome pair.

    Raises
    ------
    UserError
        If the study has no Hi-C, or hasn't been run so far.
    """
    study = load_study(config, schemas, file=file)
    if study["contacts"]["libraries"] is None:
        raise UserError(
            "contacts: expected",
            file=file,
            allowed="a study with Hi-C libraries: without, no pair of chromosomes meets more often",
        )
    folder = Path(results_folder()) / study["study"]
    matrix, table = folder / "cohort" / "dosage.npy", folder / "contacts" / "cim_sums.tsv"
    for path in (matrix, table):
        if not path.is_file():
            raise UserError(
                "no such file",
                file=path,
                mend=f"snakemake {matrix} {table} --cores 2 --configfile {file}",
            )
    cohort = matrix.parent
    samples = read_table(cohort / "samples.tsv", required=("sample", "row"), dtype={"sample": str})
    text = dict.fromkeys(("variant", "chromosome", "ref", "alt"), str)
    variants = read_table(cohort / "variants.tsv", required=(*text, "position"), dtype=text)
    sums = read_cim(table, read_chromosomes(study["chromosomes"]).names)
    return (
        np.load(matrix, mmap_mode="r"),
        samples.sort_values("row")["sample"].tolist(),
        variants.sort_values("column", ignore_index=True),
        sums,
    )


def write_marker_table(path, dosage, samples, variants):
    """Write dosages (n, L) as a marker table: gzip, a row a marker, a column a sample."""
    names = variants.chromosome + "_" + variants.position.astype(str)
    names += "_" + variants.ref + "_" + variants.alt
    with staged(path) as temporary, zipped(temporary, level=1) as stream:
        stream.write("\t".join(["marker", *samples]).encode() + b"\n")
        cells = np.full((len(samples), 2), ord("\t"), dtype=np.uint8)
        for name, counts in zip(names, dosage.T, strict=True):
            cells[:, 1] = counts + ord("0")
            stream.write(name.encode() + cells.tobytes() + b"\n")


def study_config(config, out, *, crosses):
    """Config of the planted study: the given one with other traits and, of crosses, genotypes.

    The CIM is observed / expected, as the pairs were chosen by it: sums grow with chromosome size
    and would hide them. What names other traits or samples is left out.
    """
    study = copy.deepcopy(config)
    study |= {"study": out.resolve().name, "title": f"Planted epistasis on {config['study']}"}
    study["contacts"] |= {"normalisation": "observed_expected"}
    study["cohort"] = {"traits": str(out / "traits.tsv")}
    study["splits"] = {k: v for k, v in study.get("splits", {}).items() if k != "stratify"}
    if crosses:
        study["genotypes"] = {
            "file": str(out / "genotypes.txt.gz"),
            "format": "marker_table",
            "marker_name": MARKER_NAME,
            "codes": CODES,
        }
        study["imputation"] = False
        study["splits"] = {k: v for k, v in study["splits"].items() if k not in ("scheme", "file")}
    kept = {k: v for k, v in study.get("training", {}).items() if k in ("models_file", "preset")}
    study["training"] = {
        **kept,
        "models": ["mean", "gblup", "contact_kernel"],
        "parameters": {"contact_kernel": {"contacts": "cim"}},
    }
    study["interpretation"] = False
    study["evaluation"] = {"paper_tables": False, "controls": {"models": ["contact_kernel"]}}
    return study


def _choose_lines(samples, lines, rng):
    """Rows of the lines that get phenotypes, ascending."""
    if lines is None:
        return np.arange(len(samples))
    if not 30 <= lines <= len(samples):
        raise UserError(f"{lines}", at="--lines", allowed=f"30 to {len(samples)}")
    return np.sort(rng.choice(len(samples), size=lines, replace=False))


def _write_traits(out, planted, samples, variants, chromosomes):
    """Write phenotypes.tsv, traits.tsv and truth.tsv of traits as `plant_trait` returns them."""
    values = pd.DataFrame({trait: value for trait, (value, _) in planted.items()})
    values.insert(0, "sample", samples)
    write_table(values, out / "phenotypes.tsv")
    sheet = pd.DataFrame({"trait": list(planted), "file": str(out / "phenotypes.tsv")})
    sheet = sheet.assign(format="npgs_wide", id_column="sample", value_column=sheet.trait)
    write_table(sheet.assign(environment_column=None, unit="sd"), out / "traits.tsv")
    truths = {trait: truth for trait, (_, truth) in planted.items()}
    places = [variants[variants.chromosome == name] for name in chromosomes]
    places = [place.reset_index(drop=True) for place in places]
    write_table(truth_table(truths, places, chromosomes), out / "truth.tsv")


def write_planted(
    config, schemas, out, planting, *, file, contacts, lines=None, crosses=0, morgans_per_mb=3.5
):
    """Plant traits on a study's genotypes and write a study of them.

    Parameters
    ----------
    config : dict
        As read from the study file.
    schemas : path-like
        Folder of the schemas.
    out : path-like
        Folder to write phenotypes.tsv, traits.tsv, truth.tsv, study.yaml and, of crosses,
        genotypes.txt.gz into; its name is the new study's.
    planting : soyfold.simulation.epistasis.Planting
    file : path-like, keyword only
        The study file, for messages.
    contacts : sequence of str, keyword only
        Which traits: high, low, none.
    lines : int, optional, keyword only
        Number of lines with phenotypes; default all.
    crosses : int, optional, keyword only
        Number of offspring in silico to take in place of the study's lines.
    morgans_per_mb : float, optional, keyword only
        Map of the crosses. Yeast has about 0.35 cM/kb.

    Raises
    ------
    UserError
        If the study has no Hi-C or no results, or for an impossible number.
    """
    out = Path(out)
    for name, value, fine, allowed in (
        ("--crosses", crosses, crosses == 0 or crosses >= 30, "30 or more"),
        ("--morgans-per-mb", morgans_per_mb, morgans_per_mb > 0, "a number above 0"),
    ):
        if not fine:
            raise UserError(f"{value}", at=name, allowed=allowed)
    dosage, samples, variants, sums = read_source(config, schemas, file=file)
    if crosses:
        places = variants.chromosome.to_numpy(), variants.position.to_numpy()
        rng = planting.generator(4)
        dosage, parents = cross_lines(
            dosage, *places, crosses=crosses, morgans_per_mb=morgans_per_mb, rng=rng
        )
        samples = name_crosses(samples, parents)
    rows = _choose_lines(samples, lines, planting.generator(5))
    chosen = np.asarray(dosage)[rows]
    by_chromosome = [chosen[:, variants.chromosome == name].T for name in sums]
    planted = {
        TRAITS[kind]: plant_trait(by_chromosome, sums.to_numpy(), kind, planting)
        for kind in contacts
    }
    if crosses:
        write_marker_table(out / "genotypes.txt.gz", dosage, samples, variants)
    _write_traits(out, planted, [samples[row] for row in rows], variants, list(sums))
    with staged(out / "study.yaml") as temporary:
        study = study_config(config, out, crosses=crosses)
        temporary.write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    log.info("%d lines, %d SNPs, traits %s", len(rows), len(variants), ", ".join(planted))
