"""Which fits a study runs, and which of them share a job."""

import re
from dataclasses import dataclass
from functools import cached_property

from soyfold.models.declarations import declaration
from soyfold.study.fit_jobs import ATTENTION, BLEND, CONTROLS, DIRECT, NETWORK, FitJob
from soyfold.study.schemes import limited, plan_final, plan_fits, split_path
from soyfold.study.units import cells_path, of_environments


def script_of(block):
    """The script that fits a model, by its block of the registry."""
    if block["kind"] in ("network", "ensemble"):
        return ATTENTION if block["attention"] else NETWORK
    return DIRECT if block["kind"] == "direct" else BLEND


def any_of(names):
    """Regular expression of some names; one that matches nothing if there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


@dataclass(frozen=True, eq=False)
class Fits:
    """Of a `study`."""

    study: object

    @cached_property
    def all(self):
        """The study's fits, as `plan_fits` gives them, with label, preset and cim (hic, ...)."""
        limits = self.study.settings["training"]["seeds"]
        fits = plan_fits(self.study.plan, self.study.schemes, limits=limits, **self._sharing)
        own = "hic" if self.study.libraries else "expected"
        for fit in fits:
            block = self.study.models[fit["model"]]
            cim = own if block["cim"] == "real" else block["cim"]
            fit |= {"label": block["label"], "preset": block["preset"], "cim": cim}
        return fits

    @cached_property
    def final(self):
        """Fits on all lines, for untested ones: no table or figure of the study knows them."""
        return plan_final(self.study.final_models, self.study.plan, **self._sharing)

    @property
    def _sharing(self):
        joint = [name for name, block in self.study.models.items() if block["joint"]]
        return {"blends": self.study.blends, "groups": self.study.groups, "joint": joint}

    @cached_property
    def learnt(self):
        """The traits that each fit learns, by home, model and split: several where it is joint."""
        traits = {}
        for fit in self.all + self.final:
            traits.setdefault((fit["home"], fit["model"], fit["split"]), []).append(fit["trait"])
        return traits

    def of(self, trait, *roles):
        """A trait's fits on the main splits, in table order: of role model, or the roles named."""
        return [
            fit
            for fit in self.all
            if (fit["trait"], fit["scheme"]) == (trait, self.study.scheme)
            and fit["role"] in (roles or ("model",))
        ]

    def files(self, fits, name):
        """The file `name` of each fit."""
        return [f"{self.study.results}/{fit['folder']}/{name}" for fit in fits]

    def files_of(self, name):
        """Input function: the file `name` of each fit of a trait, in the order of `of`."""
        return lambda wildcards: self.files(self.of(wildcards.trait), name)

    def trained(self, trait):
        """Those of a trait's fits that go by epochs."""
        kinds = ("network", "ensemble")
        return [fit for fit in self.of(trait) if self.study.models[fit["model"]]["kind"] in kinds]

    def attentive(self, trait):
        """Those of a trait's fits whose attention can be drawn."""
        return [fit for fit in self.of(trait) if self.study.models[fit["model"]]["attention"]]

    def paired(self, trait):
        """Those of a trait's fits that learn how pairs of chromosomes interact."""
        modules = {name: block["module"] for name, block in self.study.models.items()}
        return [fit for fit in self.of(trait) if declaration(modules[fit["model"]]).pairs]

    @property
    def search(self):
        """How hyperparameters are searched."""
        off = {"trials": 0, "workers": 1, "seed": 0}
        return self.study.settings["training"]["tuning"] or off

    @cached_property
    def tuned(self):
        """Searches, by trait and model, whose variants and controls share the parameters."""
        if not self.study.settings["training"]["tuning"]:
            return []
        pairs = dict.fromkeys((fit["trait"], fit["base"]) for fit in self.all)
        blocks = self.study.models
        return sorted(
            (trait, name)
            for trait, name in pairs
            if blocks[name]["kind"] == "network"
            and blocks[name]["tuning"]
            and not blocks[name]["joint"]
        )

    @property
    def tuned_names(self):
        """Regular expression of the models that are searched."""
        return any_of(sorted({name for _, name in self.tuned}))

    def tuned_parameters(self, wildcards):
        """The file of what the search for a fit's base model found, as a list of none or one."""
        wanted = (wildcards.trait, wildcards.model)
        fits = self.all + self.final
        base = next(fit["base"] for fit in fits if (fit["home"], fit["model"]) == wanted)
        if (wildcards.trait, base) not in self.tuned:
            return []
        return [f"{self.study.results}/training/{wildcards.trait}/{base}/tuning/best.yaml"]

    def cim(self, wildcards):
        """The CIM that a model takes, as a list of none or one file."""
        return self.cim_of(wildcards.model)

    def cim_of(self, model):
        """The same for a model by its name."""
        kind = self.study.models[model]["cim"]
        if kind == "none":
            return []
        return [f"{self.study.results}/contacts/cim{'' if kind == 'real' else f'_{kind}'}.tsv"]

    def groups(self, wildcards):
        """The groups of a model whose tokens they are, as a list of none or one file."""
        name = self.study.models[wildcards.model]["parameters"].get("hypothesis")
        return [f"{self.study.hypotheses.folder}/{name}/groups.npz"] if name else []

    def classes(self, wildcards):
        """Classes of the variants for a model that reads them, as a list of none or one file."""
        wanted = self.study.models[wildcards.model]["parameters"].get("motif_bias")
        return [self.study.inputs.class_tables["classes"]] if wanted else []

    def split_file(self, trait, split):
        """The parts of a split (`seed3`, or `<scheme>/seed3`) for a trait."""
        path = split_path(trait, split, main=self.study.scheme)
        return f"{self.study.results}/cohort/splits/{path}"

    def learnt_file(self, model, trait, split):
        """What a model learns of a split: the parts, or the values by environment of each."""
        if not of_environments(self.study.models[model]):
            return self.split_file(trait, split)
        scheme, _, seed = split.rpartition("seed")
        path = cells_path(trait, scheme.rstrip("/") or self.study.scheme, seed)
        return f"{self.study.results}/cohort/splits/{path}"

    def first_split(self, wildcards):
        """The main scheme's first split; of a rule that has a model, the model's, as it learns it.

        A model of lines in environments may have none on the main scheme.
        """
        first, model = f"seed{self.study.seeds[0]}", getattr(wildcards, "model", None)
        if model is None:
            return self.split_file(wildcards.trait, first)
        wanted = (wildcards.trait, model)
        fitted = [fit["split"] for fit in self.all if (fit["trait"], fit["model"]) == wanted]
        return self.learnt_file(model, wildcards.trait, next(iter(fitted), first))

    def scheme_splits(self, scheme):
        """The splits of a scheme, as folders name them: `seed3`, or `<scheme>/seed3`."""
        folder = self._folder(scheme)
        return [f"{folder}seed{seed}" for seed in self.study.drawn[scheme]["seeds"]]

    def _folder(self, scheme):
        return "" if scheme == self.study.scheme else f"{scheme}/"

    def block(self, model):
        """What decides a fit of a model: its block without label and space of a search."""
        block = self.study.models[model]
        return {key: v for key, v in block.items() if key not in ("label", "tuning")}

    def labelled(self, model):
        """That, with what tables call the model."""
        return self.block(model) | {"label": self.study.models[model]["label"]}

    def searched(self, wildcards):
        """What decides a search: the block of its model, and the space."""
        space = self.study.models[wildcards.model]["tuning"]
        return self.block(wildcards.model) | {"tuning": space}

    def kind_of(self, trait):
        """The kind of a trait: quantitative where the sheet says nothing."""
        return self.study.traits[trait]["kind"] or "quantitative"

    def is_large(self, model):
        """Whether a model is fitted at the size that was published."""
        return self.study.models[model]["preset"] == "paper"

    def memory_of(self, model):
        """Memory that a fit of a model takes, in MB."""
        return 16000 if self.is_large(model) else 4000

    def memory(self, wildcards):
        """The same for a job."""
        return self.memory_of(wildcards.model)

    def threads(self, wildcards):
        """Threads of a job that fits or asks a model."""
        return 4 if self.is_large(wildcards.model) else 1

    def minutes(self, wildcards):
        """The time that a fit may take."""
        return 2880 if self.is_large(wildcards.model) else 240

    def gpus(self, wildcards):
        """GPUs that a fit asks for."""
        return self.study.models[wildcards.model]["gpu"]

    @property
    def jobs(self):
        """Kinds of fit jobs, of one split or of all of a scheme's; blends have `blend_jobs`."""
        for script in (DIRECT, NETWORK, ATTENTION):
            alone, together = (self._names(script, seeds) for seeds in ("one", "all"))
            yield FitJob(self, script, alone, None, "{split}", script)
            for scheme in self.study.drawn:
                folder = self._folder(scheme)
                rule = f"{script}_{scheme if folder else 'seeds'}"
                yield FitJob(self, rule, together, scheme, f"{folder}all_seeds", script)
        if self._controls:
            bases, kinds = (tuple(dict.fromkeys(own)) for own in zip(*self._controls, strict=True))
            scheme, models = self.study.scheme, any_of(bases)
            yield FitJob(self, CONTROLS, models, scheme, "controls", CONTROLS, kinds)

    def weights(self, wildcards):
        """What values weigh by in the fits of a model that takes weights."""
        taken = self._weighs(self.study.models[wildcards.model])
        return (taken and self.study.settings["training"]["weights"]) or "off"

    @staticmethod
    def _weighs(block):
        """Whether a model's values weigh differently: those by environment never do."""
        return declaration(block["module"]).weights and not of_environments(block)

    @property
    def unweighted(self):
        """Models that count all lines the same, where the study's values are to weigh."""
        if (self.study.settings["training"]["weights"] or "off") == "off":
            return []
        blocks = self.study.models.items()
        return [name for name, block in blocks if not self._weighs(block)]

    @property
    def blend_jobs(self):
        """A job for the blends of each scheme."""
        names = any_of(self.study.blends)
        for scheme in self.study.drawn:
            yield FitJob(self, f"fit_blend_{scheme}", names, scheme, f"{scheme}_blend")

    @cached_property
    def _limited(self):
        """Models of which some splits aren't fitted: each of theirs has a job."""
        limits = self.study.settings["training"]["seeds"]
        return {fit["model"] for fit in self.all if limited(fit, limits)}

    @cached_property
    def _controls(self):
        """Those whose fits take seconds, by base and CIM: to load torch for each takes as long."""
        blocks = self.study.models
        fits = [fit for fit in self.all if fit["control"] and fit["model"] not in self._limited]
        return {
            (fit["base"], fit["control"]): fit["model"]
            for fit in fits
            if blocks[fit["base"]]["seeds_per_job"] == "all"
            and script_of(blocks[fit["base"]]) == ATTENTION
        }

    def _names(self, script, seeds_per_job):
        """Regular expression of the models that a script fits."""
        elsewhere = set(self._controls.values())
        return any_of(
            name
            for name, block in self.study.models.items()
            if script_of(block) == script
            and name not in elsewhere
            and ("one" if name in self._limited else block["seeds_per_job"]) == seeds_per_job
        )
