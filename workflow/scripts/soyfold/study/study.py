"""A study as the rules see it: what was read of it, and a part for each storey that asks more."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from soyfold.common.digest import source_digests
from soyfold.study.evaluation import Evaluation
from soyfold.study.fits import Fits, any_of
from soyfold.study.hypotheses import Hypotheses
from soyfold.study.inputs import Inputs
from soyfold.study.interpretation import Interpretation
from soyfold.study.kernels import Kernels
from soyfold.study.prediction import Prediction
from soyfold.study.report import Report
from soyfold.study.selection import Selection
from soyfold.study.transfer import Transfer


@dataclass(frozen=True, eq=False)
class Study:
    """What `load` has read and planned; nothing of it changes afterwards.

    Attributes
    ----------
    file : str
        The study file, for messages.
    settings : dict
        The config with all defaults, as `settings.load_study` gives it.
    traits, libraries, hypothesised : dict of str to dict
        Rows of the sheets by name; the last are hypotheses.
    chromosomes : list of str
        In genome order.
    genotype_format : str
    genotype_files : list of str
    schemes, drawn : dict of str to dict
        The study's validation schemes, the main one first; and with the final fits' split.
    groups : dict of str to str
        The group of each trait.
    trait_models, final_models, interpreted : dict of str to list of str
        Models by trait: those of the study, those that predict untested lines, those asked why.
    blends : dict of str to list of str
        Members by blend.
    plan : list of dict
        Roles of the models, as `plan_roles` gives them.
    models : dict of str to dict
        Registry blocks of all models that are fitted, controls included.
    references : list of str
        Models that all others are compared with.
    selected : dict
        Of selection: model (None without a linear one) and traits that have it.
    results : str
        Folder of the study's results.
    """

    file: str
    settings: dict
    traits: dict
    libraries: dict
    hypothesised: dict
    chromosomes: list
    genotype_format: str
    genotype_files: list
    schemes: dict
    drawn: dict
    groups: dict
    trait_models: dict
    final_models: dict
    interpreted: dict
    blends: dict
    plan: list
    models: dict
    references: list
    selected: dict
    results: str

    @property
    def genotyped(self):
        """Results of the study whose genotypes and imputation these are: its own, mostly."""
        return f"{Path(self.results).parent}/{self.settings['genotypes_of']}"

    @property
    def logs(self):
        """Folder of the rules' logs."""
        return f"{self.results}/logs"

    def benchmark_of(self, log):
        """The file of what a job takes, by that of its log; None for a log of no study's job."""
        studies = "|".join(re.escape(f"/{Path(at).name}/") for at in (self.results, self.genotyped))
        found = re.fullmatch(rf"(.*(?:{studies}))logs/(.+)\.log", f"/{log}")
        return found and f"{found[1][1:]}benchmarks/{found[2]}.tsv"

    @property
    def scheme(self):
        """The main scheme, which tables and figures are about."""
        return self.settings["splits"]["scheme"]

    @property
    def seeds(self):
        """Seeds of the main scheme."""
        return self.schemes[self.scheme]["seeds"]

    @property
    def families(self):
        """How families are named; empty without."""
        return self.settings["cohort"]["families"] or {}

    @property
    def imputation(self):
        """Beagle's settings; empty without imputation."""
        return self.settings["imputation"] or {}

    any_of = staticmethod(any_of)

    def source(self, script, *models):
        """Digests of the code of a script, and of models (or modules) that it imports by name."""
        known = [self.models[name]["module"] if name in self.models else name for name in models]
        modules = [f"soyfold.models.{module}" for module in known]
        return source_digests(script, *modules)

    @staticmethod
    def resources(megabytes=1000, *, minutes=10, gpu=0):
        """What a job asks for; what 50 of 60 rules need is the default.

        Parameters
        ----------
        megabytes : int, or function of wildcards
            Memory, which each retry raises by as much; only clusters' profiles retry.
        minutes, gpu : int, or function of wildcards
        """
        of = megabytes if callable(megabytes) else lambda wildcards: megabytes
        raised = lambda wildcards, attempt: attempt * of(wildcards)  # noqa: E731
        return {"mem_mb": raised, "runtime": minutes, "gpu": gpu}

    @cached_property
    def inputs(self):
        """What the storeys before training read: `Inputs`."""
        return Inputs(self)

    @cached_property
    def fits(self):
        """Which fits there are: `Fits`."""
        return Fits(self)

    @cached_property
    def kernels(self):
        """Decompositions that fits share: `Kernels`."""
        return Kernels(self)

    @cached_property
    def evaluation(self):
        """Which tables follow: `Evaluation`."""
        return Evaluation(self)

    @cached_property
    def hypotheses(self):
        """Which SNPs are said to act together: `Hypotheses`."""
        return Hypotheses(self)

    @cached_property
    def transfer(self):
        """Which traits are learnt from few lines, by which models: `Transfer`."""
        return Transfer(self)

    @cached_property
    def interpretation(self):
        """Which models are asked why: `Interpretation`."""
        return Interpretation(self)

    @cached_property
    def prediction(self):
        """New lines and saved models: `Prediction`."""
        return Prediction(self)

    @cached_property
    def selection(self):
        """What to advance and what to cross: `Selection`."""
        return Selection(self)

    @cached_property
    def report(self):
        """Which pages and figures follow: `Report`."""
        return Report(self)
