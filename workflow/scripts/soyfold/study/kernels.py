"""Products of all lines once a study, decompositions once a split: what kernel models share."""

from dataclasses import dataclass
from functools import cached_property

from soyfold.models.kernels.names import kernels_of, parts_of, takes_products
from soyfold.study.schemes import FINAL, split_path


@dataclass(frozen=True, eq=False)
class Kernels:
    """Of a `study`."""

    study: object

    def folder(self, trait, split):
        """Folder of the decompositions over a split's lines."""
        parts = split_path(trait, split, main=self.study.scheme).removesuffix(".tsv")
        return f"{self.study.results}/training/kernels/{parts}"

    def files(self, wildcards, splits):
        """The decompositions that a model takes on some splits; most models take none."""
        block = self.study.models[wildcards.model]
        return [
            f"{self.folder(wildcards.trait, split)}/{kernel}_{part}.npz"
            for split in splits
            for kernel in kernels_of(block)
            for part in parts_of(block)
        ]

    def products(self, wildcards):
        """The products of all lines for a model that takes them, as a list of none or one file."""
        taken = takes_products(self.study.models[wildcards.model])
        return [f"{self.study.results}/cohort/products.npy"] if taken else []

    @cached_property
    def readers(self):
        """The fits that read each folder."""
        fits = {}
        for fit in self.study.fits.all + self.study.fits.final:
            if kernels_of(self.study.models[fit["model"]]):
                fits.setdefault(self.folder(fit["trait"], fit["split"]), []).append(fit)
        return fits

    def read(self, wildcards):
        """A file of each fit that reads the decompositions of a split."""
        folder = f"{self.study.results}/training/kernels/{wildcards.parts}"
        return self.study.fits.files(self.readers[folder], "predictions.tsv")

    def released(self, *, final):
        """Notes that the decompositions of the study's fits, or of the final ones, are removed."""
        if self.study.settings["training"]["keep_kernels"]:
            return []
        last = self.folder("", f"{FINAL}/seed0")
        return [f"{folder}/released.tsv" for folder in self.readers if (folder == last) == final]
