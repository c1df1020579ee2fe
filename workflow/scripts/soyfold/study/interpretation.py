"""Which models are asked why, and the files of their answers."""

from dataclasses import dataclass
from functools import cached_property

from soyfold.study.fits import any_of
from soyfold.study.interpreted_models import method_of

SCAN = "gwas"


@dataclass(frozen=True, eq=False)
class Interpretation:
    """Of a `study`."""

    study: object

    @property
    def settings(self):
        """`interpretation` of the study; empty where it is off."""
        return self.study.settings["interpretation"] or {}

    @property
    def qtl(self):
        """Where known QTL are; empty without."""
        return self.settings.get("qtl") or {}

    @property
    def folder(self):
        """Folder of the answers."""
        return f"{self.study.results}/interpretation"

    @cached_property
    def models(self):
        """Trait and model of each that is asked."""
        return [(trait, name) for trait, names in self.study.interpreted.items() for name in names]

    @cached_property
    def scanned(self):
        """Traits with an association scan."""
        return list(self.study.traits) if self.settings.get("gwas") else []

    @cached_property
    def parameters(self):
        """Tables of heritabilities and, of several traits, of their correlations, by name."""
        if not self.settings.get("genetic_parameters"):
            return {}
        several = ["genetic_correlations"] if len(self.study.traits) > 1 else []
        return {name: f"{self.folder}/{name}.tsv" for name in ("genetic_parameters", *several)}

    @cached_property
    def compared(self):
        """Models asked whose trait has a scan."""
        return [(trait, model) for trait, model in self.models if trait in self.scanned]

    @cached_property
    def ranked(self):
        """What recovery of known QTL is asked of: the models, and the scans as their yardstick."""
        return self.models + [(trait, SCAN) for trait in self.scanned]

    @cached_property
    def attentive(self):
        """Fits of models asked that have attention."""
        return [
            fit
            for trait in self.study.traits
            for fit in self.study.fits.attentive(trait)
            if (trait, fit["model"]) in self.models
        ]

    @cached_property
    def paired(self):
        """Fits that learn how pairs of chromosomes interact, whatever models are asked."""
        return [fit for trait in self.study.traits for fit in self.study.fits.paired(trait)]

    @cached_property
    def motif_biased(self):
        """Fits whose attention learns of pairs of classes of variants, once where traits share one.

        `trait` is the group of traits that are learnt together.
        """
        blocks = self.study.models
        fits = {
            fit["folder"]: fit | {"trait": fit["home"]}
            for trait in self.study.traits
            for fit in self.study.fits.of(trait)
            if blocks[fit["model"]]["parameters"].get("motif_bias")
        }
        return list(fits.values())

    @cached_property
    def grouped(self):
        """First fits of networks whose tokens are the groups of a hypothesis, of traits tried."""
        first = self.study.seeds[:1]
        return [
            fit
            for trait in self.study.hypotheses.traits
            for fit in self.study.fits.trained(trait)
            if fit["seed"] in first
            and self.study.models[fit["model"]]["parameters"].get("tokens") == "group"
        ]

    @property
    def knock_outs(self):
        """Tables of knock-outs: of each trait's hypotheses, and of networks on their groups."""
        asked = [(fit["trait"], f"/{fit['model']}") for fit in self.grouped]
        asked += [(trait, "") for trait in self.study.hypotheses.traits]
        return [f"{self.folder}/knock_outs/{trait}{model}.tsv" for trait, model in asked]

    def first_fit(self, name):
        """Input function: a file of the first fit of a model asked."""
        return lambda wildcards: self.study.fits.files(self._fits(wildcards)[:1], name)[0]

    @cached_property
    def nulls(self):
        """Tables of what models that learn pairs find in shuffled traits; none unless asked."""
        if not self.settings.get("pair_permutations"):
            return []
        learning = dict.fromkeys(
            (fit["trait"], fit["model"])
            for fit in self.paired
            if self.study.models[fit["model"]]["parameters"].get("pairs") == "learned"
        )
        return [f"{self.folder}/pairs/{trait}/{model}.tsv" for trait, model in learning]

    def names(self, method):
        """Regular expression of the models that are asked in one way."""
        names = dict.fromkeys(name for _, name in self.models)
        return any_of(name for name in names if method_of(self.study.models[name]) == method)

    def files(self, name):
        """Input function: a file of each fit of a model asked, seed by seed."""
        return lambda wildcards: self.study.fits.files(self._fits(wildcards), name)

    def seeds(self, wildcards):
        """The seeds of those fits."""
        return [fit["seed"] for fit in self._fits(wildcards)]

    def _fits(self, wildcards):
        fits = self.study.fits.of(wildcards.trait)
        return [fit for fit in fits if fit["model"] == wildcards.model]

    @property
    def importance(self):
        """Outputs of a model asked, by name."""
        folder = f"{self.folder}/importance/{{trait}}/{{model}}"
        return {name: f"{folder}/{name}.tsv" for name in ("snps", "windows", "chromosomes", "fits")}

    @property
    def gradients(self):
        """What decides importance by gradients."""
        return {k: v for k, v in self.settings.items() if k in ("lines", "steps", "tolerance")}

    @property
    def collected(self):
        """Outputs over all models asked, by name."""
        names = [*(["attention"] if self.attentive else []), "fits", "chromosomes"]
        return {name: f"{self.folder}/{name}.tsv" for name in names}

    @staticmethod
    def named(pairs):
        """Pairs of trait and model as mappings."""
        return [{"trait": trait, "model": model} for trait, model in pairs]

    def importance_tables(self, name):
        """A table of each model asked."""
        return [f"{self.folder}/importance/{t}/{model}/{name}.tsv" for t, model in self.models]

    def ranking(self, trait, model):
        """The table of importance of a model, or the scan of a trait."""
        if model == SCAN:
            return f"{self.folder}/gwas/{trait}.tsv"
        return f"{self.folder}/importance/{trait}/{model}/snps.tsv"

    def rankings(self, pairs):
        """The same for pairs of trait and model."""
        return [self.ranking(trait, model) for trait, model in pairs]

    def scan(self, wildcards):
        """The scan of a trait, as a list of none or one file."""
        return [self.ranking(wildcards.trait, SCAN)] if self.scanned else []

    def summary(self, wildcards):
        """What a scan found in short, as a list of none or one file."""
        summary = f"{self.folder}/gwas/summaries/{wildcards.trait}.tsv"
        return [summary] if self.scanned else []

    def rankings_of(self, wildcards):
        """The tables of importance of a trait's models."""
        names = self.study.interpreted[wildcards.trait]
        return [self.ranking(wildcards.trait, model) for model in names]

    def labels_of(self, wildcards):
        """Labels of those models."""
        names = self.study.interpreted[wildcards.trait]
        return [self.study.models[name]["label"] for name in names]

    @property
    def labels(self):
        """Labels by model of all that are asked, and of the scans."""
        return {name: self.study.models[name]["label"] for _, name in self.models} | {SCAN: "GWAS"}

    @cached_property
    def tables(self):
        """Files of the tables over all models and traits."""
        made = {
            "fits": self.models,
            "chromosomes": self.models,
            "attention": self.attentive,
            "gwas_summary": self.scanned,
            "overlap": self.compared,
            "qtl_recovery": self.qtl,
            "pair_weights": self.paired,
            "motif_bias": self.motif_biased,
            "knock_outs": self.study.hypotheses.names,
        }
        own = [f"{self.folder}/{name}.tsv" for name, given in made.items() if given]
        return own + list(self.parameters.values())
