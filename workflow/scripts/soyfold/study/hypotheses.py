"""Which hypotheses of SNPs that act together a study tries, on what, and the files that follow."""

from dataclasses import dataclass

from soyfold.common.errors import UserError
from soyfold.models.declarations import declaration


def refuse_idle_traits(settings, traits, *, file):
    """Raise `UserError` if `hypotheses.traits` names a trait that isn't the study's.

    Parameters
    ----------
    settings : dict or False
        `hypotheses` of the study.
    traits : collection of str
    file : str, keyword only
        The study file, for the message.
    """
    unknown = [name for name in (settings or {}).get("traits") or [] if name not in traits]
    if unknown:
        raise UserError(
            f"trait {', '.join(map(repr, unknown))}",
            file=file,
            at="key hypotheses.traits",
            allowed=", ".join(traits),
        )


def refuse_unknown_hypotheses(models, known, *, file):
    """Raise `UserError` for a model whose groups are of no hypothesis of the study.

    Parameters
    ----------
    models : dict of str to dict
        Registry blocks.
    known : collection of str
        Hypotheses of the study.
    file : str, keyword only
        The study file, for the message.
    """
    for name, block in models.items():
        wanted = block["parameters"].get("hypothesis")
        needed = "groups" in declaration(block["module"]).needs
        if (wanted or needed) and wanted not in known:
            raise UserError(
                f"hypothesis {wanted!r}" if wanted else "no hypothesis",
                file=file,
                at=f"model {name}, parameter hypothesis",
                allowed=", ".join(known) or "none: the study has no hypotheses",
                mend="correct it, or add it to hypotheses.tsv",
            )


def refuse_idle_networks(settings, models, *, file):
    """Raise `UserError` if `hypotheses.networks` names what isn't a network on groups of one trait.

    Parameters
    ----------
    settings : dict or False
        `hypotheses` of the study.
    models : dict of str to dict
        Registry blocks of what the study fits.
    file : str, keyword only
        The study file, for the message.
    """
    able = [
        name
        for name, block in models.items()
        if block["parameters"].get("tokens") == "group" and not block["joint"]
    ]
    wrong = [name for name in (settings or {}).get("networks") or [] if name not in able]
    if wrong:
        raise UserError(
            f"model {', '.join(map(repr, wrong))}",
            file=file,
            at="key hypotheses.networks",
            allowed=", ".join(able) or "none: no network of one trait here has tokens: group",
            mend="give it tokens: group and a hypothesis in training.parameters, or drop it here",
        )


@dataclass(frozen=True, eq=False)
class Hypotheses:
    """Of a `study`."""

    study: object

    @property
    def settings(self):
        """`hypotheses` of the study; empty where it is off."""
        return self.study.settings["hypotheses"] or {}

    @property
    def names(self):
        """Their names."""
        return list(self.study.hypothesised)

    @property
    def folder(self):
        """Folder of their groups."""
        return f"{self.study.results}/cohort/hypotheses"

    @property
    def tried(self):
        """Folder of what is fitted for them."""
        return f"{self.study.results}/training/hypotheses"

    def weights(self, wildcards):
        """The file of a hypothesis' weights: a list of none or one."""
        path = self.study.hypothesised[wildcards.hypothesis]["weights"]
        return [path] if path else []

    @property
    def products(self):
        """Kernels of each."""
        return [f"{self.tried}/{hypothesis}/products.npz" for hypothesis in self.names]

    @property
    def scores(self):
        """Scores of each trait in kernels, then in networks."""
        kernels = [f"{self.tried}/{trait}.tsv" for trait in self.traits]
        return kernels + [
            f"{self.tried}/{trait}/{model}/{arm}.tsv"
            for trait in self.traits
            for model in self.networks
            if any(fit["model"] == model for fit in self.study.fits.of(trait))
            for arm in self.arms(model)
        ]

    @property
    def networks(self):
        """Networks in which their hypotheses are tried."""
        return self.settings.get("networks") or []

    def arms(self, model):
        """A network's arms."""
        name = self.study.models[model]["parameters"]["hypothesis"]
        copies = [f"permuted{k}" for k in range(1, self.settings["permuted"] + 1)]
        weighted = ["diagonal"] if self.study.hypothesised[name]["weights"] else []
        return ["real", "none", *copies, "random", *weighted]

    def splits(self, wildcards):
        """The main scheme's splits of a trait."""
        fits, trait = self.study.fits, wildcards.trait
        return [fits.split_file(trait, f"seed{seed}") for seed in self.study.seeds]

    @property
    def first_split(self):
        """A split whose parts are counted."""
        trait = next(iter(self.traits), "")
        return self.study.fits.split_file(trait, f"seed{self.study.seeds[0]}")

    def files(self, name):
        """The file `name` of each hypothesis."""
        return [f"{self.folder}/{hypothesis}/{name}" for hypothesis in self.names]

    @property
    def traits(self):
        """Traits that they are tried on."""
        wanted = self.settings.get("traits") or list(self.study.traits)
        return wanted if self.names else []

    @property
    def tables(self):
        """Files of all that is made of them."""
        table = f"{self.study.evaluation.folder}/hypotheses.tsv"
        return [*self.files("groups.tsv"), *([table] if self.names else [])]
