"""What the storeys from genotypes to cohort read, and what of the settings decides their jobs."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from soyfold.common.digest import source_digests
from soyfold.genotypes.sources import files_beside
from soyfold.study.schemes import OF_ENVIRONMENTS

# A trait's row without what decides about models or labels alone.
JOIN_COLUMNS = (
    "trait",
    "file",
    "format",
    "sheet",
    "decimal",
    "missing",
    "id_column",
    "value_column",
    "codes",
    "kind",
    "environment_column",
    "environment_columns",
    "fixed",
    "unit",
    "unit_column",
)
SMALL_BYTES = 500_000  # of a gzipped VCF, some million calls
TOGETHER = 5  # chromosomes
READING = ("format", "marker_name", "codes", "dosage_certainty", "duplicates")


@dataclass(frozen=True, eq=False)
class Inputs:
    """Of a `study`."""

    study: object

    @property
    def bed_parts(self):
        """What belongs to the genotypes if they are PLINK's."""
        return files_beside(self.study.genotype_files, self.study.genotype_format)

    @property
    def reading(self):
        """What decides how genotypes are read."""
        return {key: self.study.settings["genotypes"].get(key) for key in READING}

    @cached_property
    def imputed(self):
        """Chromosomes of each job of Beagle, by its name; none without imputation.

        Of small files several share a job, in which a start of Java would cost more than they do.
        """
        names = self.study.chromosomes if self.study.imputation else []
        step = 1
        if not self.study.settings["genotypes"]["url"]:  # what is fetched has no size yet
            size = sum(Path(name).stat().st_size for name in self.study.genotype_files)
            step = TOGETHER if size < SMALL_BYTES else 1
        parts = [names[first : first + step] for first in range(0, len(names), step)]
        return {"_to_".join(dict.fromkeys((part[0], part[-1]))): part for part in parts}

    @property
    def beagle_memory(self):
        """Memory of a job of Beagle, in MB."""
        return int(1024 * self.study.imputation.get("memory_gb", 4)) + 1000

    def beagle_settings(self, *without):
        """What decides Beagle's records: not its memory, nor the keys named."""
        ignored = {"memory_gb", *without}
        return {k: value for k, value in self.study.imputation.items() if k not in ignored}

    def library_files(self, wildcards):
        """Files of a Hi-C library by name."""
        row = self.study.libraries[wildcards.library]
        return {key: row[key] for key in ("file", "bins") if row[key]}

    @property
    def resolution(self):
        """Bin size that the study fixes; else the libraries' coarsest is found as they merge."""
        resolution = self.study.settings["contacts"]["resolution"]
        return None if resolution == "coarsest" else resolution

    @property
    def source_of_contacts(self):
        """Where the CIM comes from, in words."""
        number = len(self.study.libraries)
        if not number:
            return "expected from chromosome lengths"
        balanced = ", ICE-balanced" if self.study.settings["contacts"]["balance"] else ""
        return f"Hi-C of {number} {'libraries' if number > 1 else 'library'}{balanced}"

    @property
    def id_map(self):
        """The map of phenotypes' ids by name; empty without one."""
        file = self.study.settings["cohort"]["id_map"]
        return {"id_map": file} if file else {}

    def phenotypes(self, wildcards):
        """The file of a trait."""
        return self.study.traits[wildcards.trait]["file"]

    @property
    def servers(self):
        """URL and token's variable by the name of each table of observations."""
        rows = [row for row in self.study.traits.values() if row.get("url")]
        return {
            Path(row["file"]).stem: {key: row[key] for key in ("url", "token_env")} for row in rows
        }

    def server(self, wildcards):
        """The same of one table."""
        return self.servers[wildcards.source]

    def join_row(self, wildcards):
        """What decides the values of a trait's lines."""
        return {name: self.study.traits[wildcards.trait][name] for name in JOIN_COLUMNS}

    @property
    def covariates(self):
        """The user's table of lines and its columns; empty without."""
        return self.study.settings["cohort"]["covariates"] or {}

    @property
    def covariates_table(self):
        """The covariates of all lines, as a list of none or one file."""
        return [f"{self.study.results}/cohort/covariates.tsv"] if self.covariates else []

    @property
    def reference(self):
        """The FASTA, as a list of none or one file."""
        reference = self.study.settings["reference"]
        return [reference["file"]] if reference else []

    @property
    def classed(self):
        """Whether variants have classes: a reference tells them, or a model reads them."""
        blocks = self.study.models.values()
        wanted = any(block["parameters"].get("motif_bias") for block in blocks)
        return bool(self.reference) or wanted

    @property
    def class_tables(self):
        """Outputs of classifying the variants, by name."""
        folder = f"{self.study.results}/cohort"
        names = {"classes": "variant_classes", "counts": "variant_class_counts"}
        return {name: f"{folder}/{stem}.tsv" for name, stem in names.items()}

    @property
    def families_table(self):
        """The families of all lines, as a list of none or one file."""
        return [f"{self.study.results}/cohort/families.tsv"] if self.study.families else []

    def split_settings(self, wildcards):
        """What decides a split beside its seed."""
        return self.study.drawn[wildcards.scheme]["settings"]

    def split_files(self, wildcards):
        """What a scheme's splits are drawn from beside the samples, by name."""
        settings, results = self.split_settings(wildcards), self.study.results
        stratify = settings.get("stratify")
        files = {
            "splits": settings.get("file"),
            "values": stratify and f"{results}/cohort/phenotypes/{stratify['trait']}.tsv",
            "families": wildcards.scheme == "leave_family_out" and f"{results}/cohort/families.tsv",
            "clusters": wildcards.scheme == "cluster" and f"{results}/cohort/clusters.tsv",
            "cells": wildcards.scheme in OF_ENVIRONMENTS
            and f"{results}/cohort/environments/{wildcards.trait}.tsv",
        }
        return {name: file for name, file in files.items() if file}

    def split_source(self, wildcards):
        """Digests of the code that draws a scheme's splits."""
        return source_digests("draw_split", f"soyfold.cohort.splits.{wildcards.scheme}")

    @property
    def lost(self):
        """Scheme and file of each table of lines that a split has no part for."""
        files = []
        for scheme, entry in self.study.schemes.items():
            folder = f"{self.study.results}/cohort/splits/{scheme}/lost"
            traits = (
                [f"/{trait}" for trait in entry["traits"]] if scheme in OF_ENVIRONMENTS else [""]
            )
            files += [
                (scheme, f"{folder}/seed{seed}{trait}.tsv")
                for seed in entry["seeds"]
                for trait in traits
            ]
        return files
