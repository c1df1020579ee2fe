"""A tiny study whose models are fitted finally and saved, one or all of models.yaml."""

import numpy as np
import pandas as pd
from field_trials import grow
from group_files import write_halves
from tiny_study import fit, write_cohort, write_second_trait

from soyfold.cohort.splits.cells import final_values
from soyfold.common.files import read_table, write_table
from soyfold.common.schema import overlay
from soyfold.models.declarations import declaration
from soyfold.prediction.panel import describe_panel
from soyfold.prediction.saved_models import save_model
from soyfold.study import registry, roles
from soyfold.training import blend_fits, direct_fits, network_fits

TRAITS = {"first": "%", "second": None}
FAMILIES = {"pattern": r"(\d)$"}  # of names such as PI000017
# What makes a fit a matter of moments, by kind or module.
NETWORK = {"epochs": 2, "patience": 2, "window": 4, "d_model": 8}
DIRECT = {
    "bayesb": {"iterations": 40, "burn_in": 10},
    "family_bayesb": {"iterations": 40, "burn_in": 10},
    "bayescpi": {"iterations": 40, "burn_in": 10},
    "bayesian_lasso": {"iterations": 40, "burn_in": 10},
    "random_forest": {"trees": 5},
    "boosted_trees": {"rounds": 10, "leaves": [4]},
    "svr": {"gammas": [0.5], "costs": [2.0], "epsilons": [0.1]},
    "contact_kernel": {"power": 1.0},
    "learned_contact_kernel": {"iterations": 5},
}


def write_study(folder, *, n=120):
    """A cohort's files with families, two traits and a final split; fit's inputs, and the panel."""
    inputs = write_cohort(folder, n=n)
    samples = pd.read_csv(inputs["samples"], sep="\t")
    samples["family"] = samples["sample"].str[-1]
    write_table(samples, inputs["samples"])
    parts = np.where(np.arange(n) % 10 == 3, "val", "train")
    write_table(pd.DataFrame({"sample": samples["sample"], "part": parts}), folder / "final.tsv")
    inputs |= {"splits": [folder / "final.tsv"], "seeds": [0], "families": inputs["samples"]}
    parts = samples.assign(part=parts)
    write_table(
        final_values(grow(n, interaction=0.5, lost=0.05), parts), folder / "final_cells.tsv"
    )
    values = write_second_trait(folder, inputs)
    panel = describe_panel(inputs["dosage"], inputs["variants"])
    return inputs, values, panel


def quick_block(block):
    """A model's final block, in parameters of moments."""
    changes = (
        NETWORK if block["kind"] in ("network", "ensemble") else DIRECT.get(block["module"], {})
    )
    known = {k: v for k, v in changes.items() if k not in ("window", "d_model")}
    known |= {
        k: changes[k] for k in ("window", "d_model") if k in block["parameters"] and k in changes
    }
    if block["parameters"].get("tokens") == "snp":
        known.pop("window", None)
    return roles.final_block(overlay(block, {"parameters": known}))


class Saver:
    """Fits final models one by one, each once, and saves them."""

    def __init__(self, folder, root):
        self.folder = folder
        self.inputs, self.values, self.panel = write_study(folder)
        self.study = {
            "training": {"models_file": str(root / "config/models.yaml"), "preset": "demo"}
        }
        self.schemas = root / "workflow/schemas"
        self.fitted = {}

    def block(self, name):
        return registry.load_models(self.study, self.schemas, [name])[name]

    def fit(self, name):
        """Predictions (lines, T) of a final fit, its table, and its saved model.

        Of a model of environments the means over these.
        """
        if name in self.fitted:
            return self.fitted[name]
        block = self.block(name)
        folder = self.folder / name
        traits = TRAITS if block["joint"] else {"first": "%"}
        told = []
        real = blend_fits.write_fit

        def spied(where, task, fit, **more):
            told.append(fit.predicted[np.argsort(task.sample, kind="stable")])
            real(where, task, fit, **more)

        members = [self.fit(member)[2] for member in block["members"]]
        direct_fits.write_fit = network_fits.write_fit = blend_fits.write_fit = spied
        try:
            if block["kind"] == "blend":
                self._blend(block, folder)
            else:
                self._fit(quick_block(block), folder, traits)
        finally:
            direct_fits.write_fit = network_fits.write_fit = blend_fits.write_fit = real
        path = self.folder / f"{name}.npz"
        save_model(
            path,
            checkpoint=folder / "checkpoint.npz",
            members=members,
            predictions=folder / "predictions.tsv",
            panel=self.panel,
            traits=traits,
            study="tiny", name=name, label=name, chromosomes=["Gm01", "Gm02", "Gm03"],
            families=FAMILIES,
        )  # fmt: skip
        predictions = read_table(folder / "predictions.tsv", dtype={"sample": str})
        values = told[0].reshape(len(told[0]), -1)
        if block["unit"] == "environment":
            values = values.mean(1, keepdims=True)
        self.fitted[name] = values, predictions, path
        return self.fitted[name]

    def _fit(self, block, folder, traits):
        inputs = dict(self.inputs)
        if len(traits) > 1:
            inputs["phenotypes"] = self.values
        if block["cim"] == "none":
            inputs.pop("cim")
        if block["unit"] == "environment":
            inputs["splits"] = [self.folder / "final_cells.tsv"]
        if "groups" in declaration(block["module"]).needs:
            inputs["groups"] = write_halves(self.folder / "groups.npz", len(self.panel))
        fit(block, folders=[folder], **inputs)

    def _blend(self, block, folder):
        files = [self.folder / member / "predictions.tsv" for member in block["members"]]
        blend_fits.fit_blend(
            roles.final_block(block), trait="first", folders=[folder], predictions=[files],
        )  # fmt: skip
