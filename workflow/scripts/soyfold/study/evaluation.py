"""Which tables the evaluation makes, and of which fits."""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from soyfold.study.roles import VARIANT_TABLES, tables_of
from soyfold.study.schemes import OF_ENVIRONMENTS

PAPER_TABLES = {"oil": "table1_oil", "protein": "table2_protein"}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Of a `study`."""

    study: object

    @property
    def folder(self):
        """Folder of the tables."""
        return f"{self.study.results}/evaluation/tables"

    @cached_property
    def trait_tables(self):
        """The table of each trait."""
        return {
            trait: f"{self.folder}/{PAPER_TABLES.get(trait, f'table_{trait}')}.tsv"
            for trait in self.study.traits
        }

    @cached_property
    def traits(self):
        """The trait of each of those tables, by the table's name."""
        return {Path(path).stem: trait for trait, path in self.trait_tables.items()}

    def heritability(self, wildcards):
        """Heritability of a table's trait."""
        return self.study.traits[self.traits[wildcards.table]]["heritability"]

    @cached_property
    def variants(self):
        """Rows of each of the paper's tables of variants that the study can fill."""
        wanted = self.study.settings["evaluation"]["paper_tables"]
        filled = {table for names in self.study.trait_models.values() for table in tables_of(names)}
        return {name: rows for name, rows in VARIANT_TABLES.items() if wanted and name in filled}

    @staticmethod
    def number(wildcards):
        """The number that a table has in the paper."""
        return int(re.match(r"table(\d)_", wildcards.table)[1])

    def measured(self, wildcards):
        """A trait's fits on all splits, and each one's cells."""
        return [
            {**fit, "cells": self._cells(fit["trait"], fit["scheme"], fit["seed"])}
            for fit in self.study.fits.all
            if fit["trait"] == wildcards.trait
        ]

    def predictions(self, wildcards):
        """Predictions of those fits."""
        return self.study.fits.files(self.measured(wildcards), "predictions.tsv")

    def cells(self, wildcards):
        """Values by environment of those fits' splits."""
        return list(chain(*(fit["cells"] for fit in self.measured(wildcards))))

    def _cells(self, trait, scheme, seed):
        """The values by environment of a split, as a list of one file; none where lines count."""
        if scheme not in OF_ENVIRONMENTS:
            return []
        return [f"{self.study.results}/cohort/splits/{scheme}/cells/seed{seed}/{trait}.tsv"]

    @cached_property
    def controlled(self):
        """Trait and model of those that have controls."""
        fits = self.study.fits.all
        return sorted({(f["trait"], f["base"]) for f in fits if f["role"] == "control"})

    @cached_property
    def permuted(self):
        """Names of the permuted CIMs among the controls."""
        names = dict.fromkeys(fit["control"] for fit in self.study.fits.all if fit["control"])
        return [name for name in names if name.startswith("permuted")]

    @property
    def controlled_split(self):
        """A main split whose rows count in one unit what is trained on and what is tested."""
        trait, seed = self.controlled[0][0] if self.controlled else "", self.study.seeds[0]
        cells = self._cells(trait, self.study.scheme, seed)
        return cells or self.study.fits.split_file(trait, f"seed{seed}")

    @cached_property
    def costed(self):
        """Networks of the paper's table 3."""
        names = dict.fromkeys(
            item["model"]
            for item in self.study.plan
            if item["role"] == "model" or item["model"] == "csafm_gau"
        )
        blocks = {name: self.study.models[name] for name in names}
        # Of the paper's tokens and attention: groups and classes are no size of a network.
        return [
            name
            for name, block in blocks.items()
            if block["kind"] == "network"
            and not any(block["parameters"].get(key) for key in ("hypothesis", "motif_bias"))
        ]

    @property
    def ablations(self):
        """Names of the paper's tables 3 to 6."""
        cost = self.study.settings["evaluation"]["paper_tables"] and self.costed
        return [*self.variants, *(["table3_cost"] if cost else [])]

    @property
    def tables(self):
        """All tables' files."""
        wanted = {
            "comparisons": self.study.references,
            "controls": self.controlled,
            "schemes": len(self.study.schemes) > 1,
        }
        names = self.ablations + [name for name, given in wanted.items() if given]
        made = [*self.trait_tables.values(), *(f"{self.folder}/{name}.tsv" for name in names)]
        return made + self.study.transfer.tables
