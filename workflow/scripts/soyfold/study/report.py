"""Which figures and pages follow from a study, and all that a whole run makes."""

from dataclasses import dataclass
from functools import cached_property

from soyfold.contacts.cim import CONTROLS
from soyfold.study.pages import CATEGORIES, PARTS, numbered, pages_of
from soyfold.study.registry import cited_models
from soyfold.study.settings import HOME, shipped

COMPARED = ("PCC", "R2", "selection_efficiency")  # metrics with a figure of the comparisons


@dataclass(frozen=True, eq=False)
class Report:
    """Of a `study`."""

    study: object

    def place(self, what, category, part=None):
        """Arguments of Snakemake's `report`: where a page or figure stands, and its name there.

        Parameters
        ----------
        what : str
        category, part : str
            Keys of `CATEGORIES` and, among the results, of `PARTS`.
        """
        categories, parts = self._numbered
        labels = {"what": what}
        return {
            "category": categories[category],
            "subcategory": part and parts[part],
            "labels": labels,
        }

    @cached_property
    def _numbered(self):
        """Categories and parts of the results, numbered as far as this study has them."""
        study, pages = self.study, self.pages.values()
        shown = {"results", "contacts", "methods"} | {page.category for page in pages}
        shown |= {"curves"} if self.curved or study.fits.tuned else set()
        explained = study.interpretation.settings or study.hypotheses.names or study.inputs.classed
        shown |= {"interpretation"} if explained else set()
        shown |= {"predictions"} if study.prediction.file else set()
        shown |= {"selection"} if study.selection.asked else set()
        parts = {"lines"} | {page.part for page in pages}
        return numbered(CATEGORIES, shown), numbered(PARTS, parts)

    @property
    def curved(self):
        """Traits with a figure of learning curves: those that a network is fitted to."""
        return [trait for trait in self.study.traits if self.study.fits.trained(trait)]

    @property
    def figures(self):
        """Folder of the figures."""
        return f"{self.study.results}/report/figures"

    @property
    def vega(self):
        """What draws interactive figures."""
        return f"{self.study.results}/report/interactive/vega.js"

    @property
    def opening(self):
        """What the report opens with."""
        return f"{self.study.results}/report/opening.rst"

    @property
    def environments(self):
        """Conda files of all rules."""
        return [shipped(f"envs/{path.name}") for path in sorted((HOME / "envs").glob("*.yaml"))]

    @cached_property
    def pages(self):
        """Pages of tables by name."""
        return pages_of(self.study)

    @property
    def page_files(self):
        """Files of those pages."""
        return [f"{self.study.results}/report/tables/{page}.html" for page in self.pages]

    def attention(self, name):
        """Input function: the file `name` of each fit of a trait that has attention."""
        fits = self.study.fits
        return lambda wildcards: fits.files(fits.attentive(wildcards.trait), name)

    @property
    def costs(self):
        """What each fit of the study cost, once where traits share it."""
        folders = dict.fromkeys(fit["folder"] for fit in self.study.fits.all)
        return [f"{self.study.results}/{folder}/cost.tsv" for folder in folders]

    @property
    def facts(self):
        """The study as resolved, for the page of methods."""
        study = self.study
        names = dict.fromkeys(f["model"] for f in study.fits.all if f["role"] == "model")
        return {
            "settings": study.settings,
            "traits": study.traits,
            "libraries": study.libraries,
            "models": {name: study.fits.labelled(name) for name in names},
            "seeds": {name: entry["seeds"] for name, entry in study.schemes.items()},
            "cited": cited_models(study.models.values()),
        }

    @property
    def used(self):
        """What of the study's choices `provenance.used_methods` cites, by its parameters."""
        study = self.study
        return {
            "formats": [row["format"] for row in study.libraries.values()],
            "kinds": {block["kind"] for block in study.models.values()},
            "schemes": study.schemes,
            "compared": bool(study.references or study.evaluation.controlled),
        }

    @property
    def drawn(self):
        """Names of all figures."""
        study, traits = self.study, list(self.study.traits)
        attentive = [trait for trait in traits if study.fits.attentive(trait)]
        compared = study.schemes if study.references else []
        return [
            "cim",
            *[f"learning_curves_{trait}" for trait in self.curved],
            *[f"predictions_{trait}" for trait in traits],
            *[f"attention_{trait}" for trait in attentive],
            *[f"pair_weights_{trait}" for trait in traits if study.fits.paired(trait)],
            *(["motif_bias"] if study.interpretation.motif_biased else []),
            *(["controls"] if study.evaluation.controlled else []),
            *(["hypotheses", "knock_outs"] if study.hypotheses.names else []),
            *(["transfer"] if study.transfer.targets else []),
            *[f"comparisons_{scheme}_{metric}" for scheme in compared for metric in COMPARED],
            *[f"tuning_{trait}_{model}" for trait, model in study.fits.tuned],
            *[name for name in study.interpretation.parameters if name == "genetic_correlations"],
            *(["qtl_recovery"] if study.interpretation.qtl else []),
            *[f"manhattan_{trait}" for trait in traits if study.interpretation.settings],
        ]

    @property
    def interactive(self):
        """Interactive figures, and the pages that tables don't make."""
        folder = f"{self.study.results}/report"
        return [
            *[f"{folder}/interactive/predictions_{trait}.html" for trait in self.study.traits],
            *[
                f"{folder}/interactive/manhattan_{t}.html"
                for t in self.study.interpretation.scanned
            ],
            f"{folder}/tables/methods.html",
            self.opening,
        ]

    @property
    def targets(self):
        """All that a whole run makes, by name."""
        study = self.study
        return {
            "qc": f"{study.genotyped}/genotypes/qc_counts.tsv",
            "accuracy": f"{study.genotyped}/imputation/accuracy.tsv",
            "cim_sums": f"{study.results}/contacts/cim_sums.tsv",
            "controls": [f"{study.results}/contacts/cim_{name}.tsv" for name in CONTROLS],
            "joins": f"{study.results}/cohort/join_report.tsv",
            "scores": f"{study.results}/evaluation/scores.tsv",
            "released": study.kernels.released(final=False),
            "tables": study.evaluation.tables,
            "classes": list(study.inputs.class_tables.values()) if study.inputs.classed else [],
            "hypotheses": study.hypotheses.tables,
            "interpretation": study.interpretation.tables,
            "figures": [f"{self.figures}/{name}.png" for name in self.drawn],
            "pages": self.page_files + self.interactive,
            "selection": study.selection.targets,
        }
