"""Which hypotheses of SNPs that act together a study tries, on what, and the files that follow."""

from dataclasses import dataclass

from soyfold.common.errors import UserError


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
        return self.files("groups.tsv")
