"""Saved models, and where untested lines and their predictions are."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from soyfold.common.errors import UserError
from soyfold.genotypes.sources import SUFFIXES, files_beside, format_like
from soyfold.study.fits import any_of
from soyfold.study.inputs import READING
from soyfold.study.schemes import FINAL

RESERVED = ("models", "panel")  # folders beside those of new files


def folder_name(file):
    """Name of the folder of a new file's predictions: its stem, as folders may be named.

    Parameters
    ----------
    file : path-like

    Returns
    -------
    str
    """
    name = Path(file).name
    suffix = next((s for s in sorted(SUFFIXES, key=len)[::-1] if name.lower().endswith(s)), None)
    stem = name[: -len(suffix)] if suffix else Path(file).stem
    stem = re.sub(r"[^A-Za-z0-9_.-]", "_", stem).lstrip("_.-") or "lines"
    return f"{stem}_lines" if stem in RESERVED else stem


@dataclass(frozen=True, eq=False)
class Prediction:
    """Of a `study`."""

    study: object

    @property
    def file(self):
        """Genotypes of the new lines, or None."""
        return self.study.settings["new_genotypes"]

    def genotypes(self, wildcards):
        """The same; without any, a `UserError` that says how to name them."""
        if self.file is None:
            raise UserError(
                "no new_genotypes",
                allowed="a VCF, PLINK bed, HapMap or marker table",
                mend="snakemake predict --config new_genotypes=FILE",
            )
        return self.file

    @property
    def folder(self):
        """Folder of the new lines."""
        return f"{self.study.results}/prediction/{folder_name(self.file) if self.file else 'new'}"

    @property
    def panel(self):
        """Folder of what new lines are aligned to and filled from."""
        return f"{self.study.results}/prediction/panel"

    @property
    def bed_parts(self):
        """What belongs to the new genotypes if they are PLINK's."""
        return files_beside([self.file], self.format) if self.file else []

    @property
    def format(self):
        """Theirs; a file that tells none by its content or suffix is of the study's format."""
        declared = self.study.settings["genotypes"]["format"]
        return format_like(self.file, declared) if self.file else declared

    @property
    def reading(self):
        """What decides how they are read."""
        declared = self.study.settings["genotypes"]
        keys = [key for key in READING if key in declared]
        match = self.study.settings["prediction"]["match"]
        own = {"format": self.format, "invariant": True, "match": match}
        return {key: declared[key] for key in keys} | own

    @property
    def alignment(self):
        """What decides how they are aligned."""
        keys = ("match", "min_overlap", "ambiguous", "missing")
        return {key: self.study.settings["prediction"][key] for key in keys}

    @property
    def filling(self):
        """What decides how their gaps are filled: not what is masked to measure accuracy."""
        return self.study.inputs.beagle_settings("mask_fraction")

    def parts(self, suffix):
        """A file of each chromosome of the new lines."""
        folder = f"{self.folder}/by_chromosome"
        return [f"{folder}/{chromosome}.{suffix}" for chromosome in self.study.chromosomes]

    @cached_property
    def saved(self):
        """Saved models of the fits that are asked for, in the order of the study."""
        return self._saved(fit for fit in self.study.fits.final if fit["role"] == "model")

    def members(self, wildcards):
        """Saved models of the members of a blend."""
        found = {(fit["trait"], fit["model"]): fit for fit in self.study.fits.final[::-1]}
        names = self.study.models[wildcards.model]["members"]
        return self._saved(found[wildcards.home, name] for name in names)

    def _saved(self, fits):
        folder = f"{self.study.results}/prediction/models"
        return list(dict.fromkeys(f"{folder}/{fit['home']}/{fit['model']}.npz" for fit in fits))

    @property
    def homes(self):
        """Regular expression of the traits and groups that final fits learn."""
        return any_of(dict.fromkeys(fit["home"] for fit in self.study.fits.final))

    @property
    def models(self):
        """Names of the models of all final fits."""
        return sorted({fit["model"] for fit in self.study.fits.final})

    def units(self, wildcards):
        """Unit by trait of what a final fit learns, in the order of its outputs."""
        learnt = self.study.fits.learnt[wildcards.home, wildcards.model, f"{FINAL}/seed0"]
        return {trait: self.study.traits[trait]["unit"] for trait in learnt}

    def about(self, wildcards):
        """What a saved model says of itself."""
        return {
            "study": self.study.settings["study"],
            "name": wildcards.model,
            "label": self.study.models[wildcards.model]["label"],
            "chromosomes": self.study.chromosomes,
            "families": self.study.families or None,
        }
