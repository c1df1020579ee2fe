"""What the jobs of a study's fits take and give."""

from dataclasses import dataclass
from pathlib import Path

from soyfold.models.declarations import declaration
from soyfold.study.roles import control_model, final_block
from soyfold.study.schemes import FINAL

DIRECT, NETWORK, ATTENTION, BLEND = (
    "fit_direct", "fit_network", "fit_attention_network", "fit_blend",
)  # fmt: skip
CONTROLS = "fit_controls"  # small ones of networks with attention, all of a model in a job
TABLES = ("predictions", "history", "estimates", "cost")


@dataclass(frozen=True, eq=False)
class FitJob:
    """Fits of a model that share a job; methods that take wildcards are input functions.

    Attributes
    ----------
    fits : soyfold.study.fits.Fits
    rule : str
        Its name.
    models : str
        Regular expression of the models.
    scheme : str or None
        Whose splits share the job; None for one split a job, the wildcard `split`.
    name : str
        Of its log.
    script : str
    controls : tuple of str
        Control CIMs whose fits share the job, each on every split; none for the model's own.
    """

    fits: object
    rule: str
    models: str
    scheme: str | None
    name: str
    script: str = BLEND
    controls: tuple = ()

    def splits(self, wildcards):
        """Splits of the job."""
        return self.fits.scheme_splits(self.scheme) if self.scheme else [wildcards.split]

    @property
    def outputs(self):
        """Outputs by name: lists, since splits may share a job."""
        splits = self.fits.scheme_splits(self.scheme) if self.scheme else ["{split}"]
        model = f"{self.fits.study.results}/training/{{trait}}/{{model,{self.models}}}"
        homes = self._named(model)
        names = [f"{name}.tsv" for name in TABLES] + ["checkpoint.npz"]
        names += ["attention.tsv"] if self.script in (ATTENTION, CONTROLS) else []
        return {
            Path(name).stem: [f"{home}/{split}/{name}" for home in homes for split in splits]
            for name in names
        }

    def _named(self, model):
        """The job's models: the one that its wildcard names, or that one's controls."""
        return [control_model(model, control) for control in self.controls] or [model]

    @property
    def message(self):
        """What the job does; the name's wildcards as messages have them."""
        name = self.name.replace("{", "{wildcards.")
        return f"training: {{wildcards.model}} on {{wildcards.trait}}, {name}"

    def learnt(self, wildcards):
        """The traits that the job learns; wildcards.trait is a group where the model is joint."""
        name = self._named(wildcards.model)[0]
        return self.fits.learnt[wildcards.trait, name, self.splits(wildcards)[0]]

    def together(self, wildcards):
        """The traits that a joint model learns together; none for a lone trait's fit."""
        return [] if wildcards.trait in self.fits.study.traits else self.learnt(wildcards)

    def phenotypes(self, wildcards):
        """Values of those traits."""
        folder = f"{self.fits.study.results}/cohort/phenotypes"
        return [f"{folder}/{trait}.tsv" for trait in self.learnt(wildcards)]

    def split_files(self, wildcards):
        """The parts of each split, or the values by environment of a model that takes these."""
        trait, model = self.learnt(wildcards)[0], wildcards.model
        return [self.fits.learnt_file(model, trait, split) for split in self.splits(wildcards)]

    def seeds(self, wildcards):
        """The seed of each split."""
        return [int(split.rpartition("seed")[2]) for split in self.splits(wildcards)]

    def block(self, wildcards):
        """The block of the model, or of its final fit; of controls those of each, by name."""
        if self.controls:
            return {name: self.fits.block(name) for name in self._named(wildcards.model)}
        block = self.fits.block(wildcards.model)
        final = self.splits(wildcards)[0].startswith(f"{FINAL}/")
        return final_block(block) if final else block

    def cim(self, wildcards):
        """The CIM that the model takes, as a list of none or one file; that of each control."""
        return [file for name in self._named(wildcards.model) for file in self.fits.cim_of(name)]

    def families(self, wildcards):
        """The families of lines for a model that needs them, or knows what it errs without one.

        As a list of none or one file.
        """
        declared = declaration(self.fits.study.models[wildcards.model]["module"])
        taken = "families" in declared.needs or declared.reliability
        return self.fits.study.inputs.families_table if taken else []

    def weights(self, wildcards):
        """What values weigh by in the model's fits."""
        return self.fits.weights(wildcards)

    def conditions(self, wildcards):
        """Covariates of environments for a model that takes them, as a list of none or one file."""
        file = self.fits.study.settings["cohort"]["environment_covariates"]
        taken = declaration(self.fits.study.models[wildcards.model]["module"]).conditions
        return [file] if taken and file else []

    def kind(self, wildcards):
        """The kind of the trait, or of each learnt together, of a model that has losses for it."""
        declared = declaration(self.fits.study.models[wildcards.model]["module"])
        kinds = [self.fits.kind_of(trait) for trait in self.learnt(wildcards)]
        if not (declared.binary or declared.kind == "network") or set(kinds) == {"quantitative"}:
            return "quantitative"
        return kinds if self.together(wildcards) else kinds[0]

    def groups(self, wildcards):
        """The groups that are a model's tokens, as a list of none or one file."""
        return self.fits.groups(wildcards)

    def classes(self, wildcards):
        """The classes of variants for a model that reads them, as a list of none or one file."""
        return self.fits.classes(wildcards)

    def source(self, wildcards):
        """Digest of the code that the job runs."""
        return self.fits.study.source(self.script, wildcards.model)

    def kernels(self, wildcards):
        """The decompositions that the job takes."""
        return self.fits.study.kernels.files(wildcards, self.splits(wildcards))

    def members(self, wildcards):
        """Predictions of a blend's members, split by split."""
        fits = {
            (fit["model"], fit["split"]): fit
            for fit in self.fits.all + self.fits.final
            if fit["trait"] == wildcards.trait
        }
        names = self.fits.study.models[wildcards.model]["members"]
        wanted = [fits[name, split] for split in self.splits(wildcards) for name in names]
        return self.fits.files(wanted, "predictions.tsv")
