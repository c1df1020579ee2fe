"""Which traits are learnt from few lines beside others, by which models, and the files of it."""

from dataclasses import dataclass

from soyfold.common.errors import UserError
from soyfold.models.declarations import declaration
from soyfold.study.schemes import OF_ENVIRONMENTS
from soyfold.study.units import of_environments


def transfer_models(settings):
    """Names of the models whose curves are asked for."""
    return list((settings["evaluation"]["transfer"] or {}).get("models", []))


def refuse_idle_transfer(settings, traits, groups, models, *, file):
    """Refuse curves that can't be drawn.

    Parameters
    ----------
    settings : dict
        The study's.
    traits : dict of str to dict
        Rows of the traits sheet.
    groups : dict of str to str
        The group of each trait.
    models : dict of str to dict
        Registry blocks.
    file : str, keyword only
        The study file, for messages.

    Raises
    ------
    UserError
        For a target that is no trait, or has nothing to be learnt beside, a blend, a model of
        environments without some, or a main scheme of environments.
    """
    asked = settings["evaluation"]["transfer"]
    if not asked:
        return
    at, places = "key evaluation.transfer", asked["environments"]
    for target in asked["targets"]:
        if target not in traits:
            found, allowed, mend = f"trait {target!r}", ", ".join(traits), "name one of these"
        elif places and not traits[target]["environment_column"]:
            found = f"trait {target!r}, which has no environment_column, with environments"
            allowed, mend = "traits with one", "fill it in in traits.tsv, or leave environments out"
        elif not places and list(groups.values()).count(groups[target]) == 1:
            found = f"trait {target!r}, which shares its group with no other"
            allowed = "traits of a group (traits.tsv), or environments"
            mend = "give it and others the same group in traits.tsv"
        else:
            continue
        raise UserError(found, file=file, at=f"{at}.targets", allowed=allowed, mend=mend)
    for name in asked["models"]:
        block = models[name]
        if block["kind"] == "blend" or (of_environments(block) and not places):
            kind = "is a blend" if block["kind"] == "blend" else "predicts lines in environments"
            allowed = "networks, ensembles and direct models; those of environments beside some"
            found = f"model {name!r}, which {kind}"
            mend = (
                "take it out there" if places or block["kind"] == "blend" else "name environments"
            )
            raise UserError(found, file=file, at=f"{at}.models", allowed=allowed, mend=mend)
    if settings["splits"]["scheme"] in OF_ENVIRONMENTS:
        raise UserError(
            f"scheme {settings['splits']['scheme']}", file=file, at="key splits.scheme",
            allowed="a scheme of lines beside evaluation.transfer",
            mend="make it a further scheme (splits.further), or leave evaluation.transfer out",
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Transfer:
    """Of a `study`."""

    study: object

    @property
    def settings(self):
        """`evaluation.transfer` of the study; empty where it is off."""
        return self.study.settings["evaluation"]["transfer"] or {}

    @property
    def targets(self):
        """Traits whose curves are drawn."""
        return list(self.settings.get("targets", []))

    @property
    def models(self):
        """Models by the script that fits them."""
        found = {"transfer_direct": [], "transfer_network": []}
        for name in transfer_models(self.study.settings):
            direct = self.study.models[name]["kind"] == "direct"
            found["transfer_direct" if direct else "transfer_network"].append(name)
        return found

    @property
    def folder(self):
        """Folder of the scores."""
        return f"{self.study.results}/training/transfer"

    @property
    def table(self):
        """The table of all curves."""
        return f"{self.study.evaluation.folder}/transfer.tsv"

    @property
    def tables(self):
        """Files that follow."""
        return [self.table] if self.targets else []

    @property
    def scores(self):
        """Scores of each target and model."""
        names = transfer_models(self.study.settings)
        return [f"{self.folder}/{trait}/{name}.tsv" for trait in self.targets for name in names]

    @property
    def labels(self):
        """What tables call each model."""
        names = transfer_models(self.study.settings)
        return {name: self.study.models[name]["label"] for name in names}

    def together(self, wildcards):
        """The traits of the target's group, itself among them."""
        groups = self.study.groups
        return [trait for trait, group in groups.items() if group == groups[wildcards.trait]]

    def phenotypes(self, wildcards):
        """Values of those traits."""
        folder = f"{self.study.results}/cohort/phenotypes"
        return [f"{folder}/{trait}.tsv" for trait in self.together(wildcards)]

    @property
    def environments(self):
        """Environments in which few lines have a value; empty where traits take their place."""
        return self.settings.get("environments") or []

    def cells(self, wildcards):
        """Values of the target by environment, as a list of none or one file."""
        file = f"{self.study.results}/cohort/environments/{wildcards.trait}.tsv"
        return [file] if self.environments else []

    def splits(self, wildcards):
        """The main scheme's splits."""
        fits = self.study.fits
        return [fits.split_file(wildcards.trait, f"seed{seed}") for seed in self.study.seeds]

    @property
    def first_split(self):
        """A split whose parts are counted."""
        return self.study.fits.split_file(
            next(iter(self.targets), ""), f"seed{self.study.seeds[0]}"
        )

    def families(self, wildcards):
        """The families of lines for a model that needs them, as a list of none or one file."""
        needs = declaration(self.study.models[wildcards.model]["module"]).needs
        return self.study.inputs.families_table if "families" in needs else []

    def conditions(self, wildcards):
        """The covariates of environments for a model that takes them, as a list of none or one."""
        job = next(iter(self.study.fits.jobs))  # the same for all
        return job.conditions(wildcards) if self.environments else []

    def kinds(self, wildcards):
        """The kind of each of those traits, by name."""
        return {trait: self.study.fits.kind_of(trait) for trait in self.together(wildcards)}
