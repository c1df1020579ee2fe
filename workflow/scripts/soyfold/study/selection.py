"""What selection is asked for: its model, traits, candidates and tables."""

from dataclasses import dataclass
from functools import cached_property

from soyfold.common.errors import UserError
from soyfold.common.schema import nearest
from soyfold.study.interpreted_models import method_of
from soyfold.study.prediction import folder_name
from soyfold.study.schemes import FINAL

DEFAULT = "gblup"
KEY = "key selection"
RESERVED = "index"


def choose_model(wanted, final_models, models, *, file, asked):
    """The model that selection goes by.

    Parameters
    ----------
    wanted : str or None
        `selection.model` of the study; None takes GBLUP, or the first linear one.
    final_models : dict of str to list of str
        Models that predict untested lines, by trait.
    models : dict of str to dict
        Registry blocks by name.
    file : str, keyword only
        The study file, for messages.
    asked : bool, keyword only
        Whether the study itself asks for selection; else a study without such a model is let pass.

    Returns
    -------
    str or None

    Raises
    ------
    UserError
        If no trait has such a model.
    """
    fitted = dict.fromkeys(name for names in final_models.values() for name in names)
    linear = [name for name in fitted if method_of(models[name]) == "effects"]
    if wanted is None and linear:
        return DEFAULT if DEFAULT in linear else linear[0]
    if wanted in linear or not (wanted or asked):
        return wanted
    found = f"model {wanted!r}" if wanted else "no linear model"
    raise UserError(
        f"{found}, which has no SNP effects or isn't fitted" if wanted else found,
        file=file, at=f"{KEY}.model",
        allowed=", ".join(linear) or "a linear model, such as gblup or bayesb",
        mend=(wanted and nearest(wanted, linear))
        or "add gblup to training.models, and to prediction.models where they are named",
    )  # fmt: skip


def check_training(settings, selected, *, file):
    """Refuse a next training set for a trait that isn't selected for."""
    trait = (settings or {}).get("trait")
    if trait and trait not in selected:
        raise UserError(f"trait {trait!r}", file=file, at=f"{KEY}.training_set.trait",
                        allowed=", ".join(selected), mend=nearest(trait, selected))  # fmt: skip


def check_index(index, selected, *, file):
    """Refuse an index of unknown traits, or one that says two things.

    Parameters
    ----------
    index : dict or None
        `selection.index` of the study.
    selected : sequence of str
        Traits that have the model.
    file : str, keyword only

    Raises
    ------
    UserError
    """
    if RESERVED in selected:
        raise UserError(f"a trait called {RESERVED}", file=file, at=KEY, allowed="another name:"
                        " tables have so called what the traits become together")  # fmt: skip
    if not index:
        return
    where = {"file": file, "at": f"{KEY}.index"}
    if "desired" in index and len(index) > 1:
        raise UserError(
            f"{' and '.join(index)}", allowed="desired alone, or weights with restricted",
            mend="traits that desired doesn't name are held already", **where,
        )  # fmt: skip
    for key, named in index.items():
        unknown = [name for name in named if name not in selected]
        if unknown:
            raise UserError(
                f"trait {', '.join(map(repr, unknown))} in {key}", allowed=", ".join(selected),
                mend=nearest(unknown[0], selected), **where,
            )  # fmt: skip
        if isinstance(named, dict) and not any(named.values()):
            raise UserError(f"{key} that are all 0", allowed="one at least that isn't", **where)
    weights, held = index.get("weights", {}), index.get("restricted", [])
    both = [name for name in held if name in weights]
    if both:
        raise UserError(f"{', '.join(both)} with a weight and restricted", allowed="one of both",
                        mend="a trait that is held weighs nothing", **where)  # fmt: skip
    if set(held) >= set(weights or selected):
        raise UserError("no trait that may move", allowed="one at least that isn't restricted",
                        **where)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Selection:
    """Of a `study`."""

    study: object

    @property
    def settings(self):
        """`selection` of the study, or its defaults where it is off."""
        return self.study.settings["selection"]

    @property
    def asked(self):
        """Whether a whole run makes it."""
        return self.settings["asked"]

    @property
    def model(self):
        """The model that selection goes by; None where the study has none."""
        return self.study.selected["model"]

    @property
    def traits(self):
        """Traits that have that model."""
        return self.study.selected["traits"]

    @property
    def better(self):
        """Which end of each trait is wanted."""
        return {trait: self.study.traits[trait]["better"] or "high" for trait in self.traits}

    @property
    def units(self):
        """Unit of each trait."""
        return {trait: self.study.traits[trait]["unit"] for trait in self.traits}

    @property
    def new(self):
        """Genotypes of new lines that are the candidates; None for the study's own lines."""
        return self.study.prediction.file

    @property
    def folder(self):
        """Folder of the tables: those of new lines have their own."""
        folder = f"{self.study.results}/selection"
        return f"{folder}/{folder_name(self.new)}" if self.new else folder

    def saved(self, wildcards):
        """Input function: the saved model of each trait."""
        if self.model is None:
            raise UserError(
                "no linear model", file=self.study.file, at="key training.models",
                allowed="a model with SNP effects, such as gblup", mend="add gblup there",
            )  # fmt: skip
        homes = {fit["trait"]: fit["home"] for fit in self.study.fits.final
                 if fit["model"] == self.model}  # fmt: skip
        folder = f"{self.study.results}/prediction/models"
        return [f"{folder}/{homes[trait]}/{self.model}.npz" for trait in self.traits]

    @property
    def candidates(self):
        """Files of the candidates: dosage, samples."""
        if not self.new:
            folder = f"{self.study.results}/cohort"
            return {"dosage": f"{folder}/dosage.npy", "samples": f"{folder}/samples.tsv"}
        folder = self.study.prediction.folder
        return {"dosage": f"{folder}/dosage.npy", "samples": f"{folder}/lines.tsv",
                "predictions": f"{folder}/predictions.tsv"}  # fmt: skip

    @cached_property
    def tested(self):
        """Fits whose test lines tell what selection gains: the model's, on the main splits."""
        return [
            fit
            for trait in self.traits
            for fit in self.study.fits.of(trait, "model", "member")
            if fit["model"] == self.model
        ]

    @property
    def measured(self):
        """Whether every trait has such fits."""
        return {fit["trait"] for fit in self.tested} == set(self.traits) and bool(self.traits)

    @property
    def gains(self):
        """The table of gains on test lines, as a list of none or one."""
        return [f"{self.study.results}/selection/gains.tsv"] if self.measured else []

    @property
    def models(self):
        """Models that jobs import by name."""
        return [self.model] if self.model else []

    @property
    def choice(self):
        """What decides which lines are advanced."""
        keys = ("index", "max_identity", "max_kinship")
        share = self.study.settings["share"]
        return {key: self.settings[key] for key in keys} | {"share": share}

    @property
    def crossing(self):
        """What decides which parents are crossed and what is said of it."""
        keys = ("best", "progeny", "share", "cm_per_mb")
        crosses = self.settings["crosses"]
        # YAML reads a name such as 2048 as a number.
        parents = None if crosses["parents"] is None else [str(name) for name in crosses["parents"]]
        checks = [str(name) for name in self.settings["checks"]]
        return {key: crosses[key] for key in keys} | {"parents": parents, "checks": checks}

    @property
    def _trained(self):
        """The trait whose values the next training set is chosen for."""
        wanted = (self.settings["training_set"] or {}).get("trait")
        return wanted or next(iter(self.traits), next(iter(self.study.traits)))

    @property
    def training(self):
        """Its values, and what its final fit says of itself."""
        folder, trait = self.study.results, self._trained
        fit = f"training/{trait}/{self.model}/{FINAL}/seed0"
        return {
            "phenotypes": f"{folder}/cohort/phenotypes/{trait}.tsv",
            "estimates": f"{folder}/{fit}/estimates.tsv",
        }

    @property
    def training_choice(self):
        """What decides which lines are to be phenotyped."""
        settings, trait = self.settings["training_set"] or {}, self._trained
        told = {"trait": trait, "heritability": self.study.traits[trait]["heritability"]}
        return {**told, "lines": settings.get("lines", 1),
                "criterion": settings.get("criterion", "cdmean")}  # fmt: skip

    @property
    def training_set(self):
        """The table of lines to phenotype, as a list of none or one."""
        return [f"{self.folder}/training_set.tsv"] if self.settings["training_set"] else []

    @property
    def facts(self):
        """What the page of crosses tells beside its table."""
        crosses = self.settings["crosses"]
        told = {key: crosses[key] for key in ("share", "progeny")}
        return {**told, "traits": self.traits, "units": self.units}

    @property
    def genetic_map(self):
        """The genetic map, as a list of none or one."""
        path = self.settings["crosses"]["genetic_map"]
        return [path] if path else []

    @property
    def heritability(self):
        """Heritability of each trait's line values, where the sheet has it."""
        return {trait: self.study.traits[trait]["heritability"] for trait in self.traits}

    @property
    def logs(self):
        """Folder of the logs, which new lines have their own of."""
        folder = f"{self.study.logs}/selection"
        return f"{folder}/{folder_name(self.new)}" if self.new else folder

    @property
    def targets(self):
        """What a whole run makes of it."""
        if not self.asked:
            return []
        names = ("lines.tsv", "crosses.tsv", "lines.html", "crosses.html")
        tables = [f"{self.study.results}/selection/{name}" for name in names] + self.gains
        return tables + (self.training_set if not self.new else [])
