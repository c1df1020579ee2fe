"""What predicts in a saved model: a direct model, networks, or a blend of such."""

import dataclasses
import re

import numpy as np

from soyfold.models.declarations import declaration
from soyfold.models.loading import import_model
from soyfold.training.checkpoints import rebuild_members

BATCH = 64  # lines that a network without a batch_size of its own reads at a time
_MODULE = re.compile(r"[a-z][a-z0-9_]*")


class _Unsure:
    """A model that doesn't know how sure it is."""

    def errors(self, dosage, families):
        return np.full((2, len(dosage), 1), np.nan)


@dataclasses.dataclass(frozen=True)
class Direct(_Unsure):
    """A model without training loop."""

    module: str
    model: object

    def _handed(self, families):
        return {"families": families} if "families" in declaration(self.module).needs else {}

    def predict(self, dosage, families):
        values = self.model.predict(dosage, **self._handed(families)).reshape(len(dosage), -1)
        return values, np.full(values.shape, np.nan)

    def errors(self, dosage, families):
        if not declaration(self.module).reliability:
            return super().errors(dosage, families)
        told = self.model.errors(dosage, **self._handed(families))
        return np.array(told).reshape(2, len(dosage), -1)


@dataclasses.dataclass(frozen=True)
class Networks(_Unsure):
    """The networks of an ensemble, or one, of which the mean predicts."""

    networks: list
    scaler: object
    size: int  # lines at a time, as in the fit: float32 sums depend on it in their last bits

    def predict(self, dosage, families):
        from soyfold.training import loop

        told = [
            loop.predict(network, dosage, scaler=self.scaler, size=self.size)
            for network in self.networks
        ]
        told = np.stack([np.reshape(values, (len(dosage), -1)) for values in told])
        return told.mean(axis=0), members_sd(told, np.full(len(told), 1 / len(told)))


@dataclasses.dataclass(frozen=True)
class Blend:
    """Weighed members, and the column of the trait in what each of them predicts."""

    weights: object
    members: list
    columns: list

    def predict(self, dosage, families):
        told = np.column_stack(
            [
                member.predict(dosage, families)[0][:, column]
                for member, column in zip(self.members, self.columns, strict=True)
            ]
        )
        sd = members_sd(told.T, self.weights.weights)
        return self.weights.predict(told)[:, None], sd[:, None]

    def errors(self, dosage, families):
        sd = np.zeros(len(dosage))
        members = zip(self.members, self.columns, self.weights.weights, strict=True)
        for member, column, weight in members:
            if weight > 0:
                told = member.errors(dosage, families)[1]
                sd += weight * told[:, min(column, told.shape[1] - 1)]
        return np.stack([np.full(len(sd), np.nan), sd])[:, :, None]


def members_sd(told, weights):
    """Standard deviation between members, without bias: K - 1 divides for K of equal weights.

    Parameters
    ----------
    told : ndarray (K, ...)
        What the members predict.
    weights : ndarray (K,)
        Theirs in the mean, which add up to 1.

    Returns
    -------
    ndarray (...)
        The root of sum w (x - mean)^2 / (1 - sum w^2); NaN where one member weighs all.
    """
    spread = np.tensordot(weights, np.square(told - np.tensordot(weights, told, 1)), 1)
    rest = 1 - np.sum(np.square(weights))
    return np.sqrt(spread / rest) if rest > 1e-9 else np.full(spread.shape, np.nan)


def rebuild(arrays, node, prefix=""):
    """Make what predicts from a saved model's arrays.

    Parameters
    ----------
    arrays : dict of str to ndarray
    node : dict
        facts (of the checkpoint), traits, members (nodes of a blend).
    prefix : str
        Of the node's arrays.

    Returns
    -------
    Direct, Networks or Blend
        Their `predict(dosage, families)` gives values and the sd between members, each (m, T);
        `errors(dosage, families)` reliability and sd of the error, (2, m, T or 1).

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError, RuntimeError
        Where something is missing.
    """
    facts = node["facts"]
    if not _MODULE.fullmatch(facts["module"]):
        raise ValueError(f"module {facts['module']!r}")
    start = f"{prefix}model/"
    own = {name[len(start) :]: value for name, value in arrays.items() if name.startswith(start)}
    if facts["kind"] in ("network", "ensemble"):
        return Networks(*rebuild_members(own, facts), facts["parameters"].get("batch_size", BATCH))
    module = import_model(facts["module"])
    if facts["kind"] == "direct":
        return Direct(facts["module"], module.from_state(own))
    trait = node["traits"][0]
    members = [
        rebuild(arrays, member, f"{prefix}members/{number}/")
        for number, member in enumerate(node["members"])
    ]
    columns = [member["traits"].index(trait) for member in node["members"]]
    return Blend(module.from_state(own), members, columns)
