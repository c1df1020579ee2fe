"""A study in which a leak would show: more SNPs than lines, families, environments, no signal.

Models are fitted by the workflow's own road: the registry's blocks, `fits.fit`, shared kernels,
traits learnt together, blends of their members.
"""

import functools

import numpy as np
import pandas as pd
import yaml
from group_files import write_halves
from tiny_study import fit

from soyfold.cohort.splits.drawing import draw_split
from soyfold.common.files import write_table
from soyfold.models.declarations import declaration
from soyfold.models.kernels.matrices import write_products
from soyfold.models.kernels.names import kernels_of, parts_of
from soyfold.models.kernels.shared import decompose_part
from soyfold.study import registry
from soyfold.study.schemes import OF_ENVIRONMENTS
from soyfold.training.blend_fits import fit_blend

CHROMOSOMES = ["Gm01", "Gm02", "Gm03"]
SNPS = 480
FAMILIES = 5
LINES = 200
ENVIRONMENTS = 4
TRAITS = ("oil", "protein")
# Laid over parameters of the same names, so that a fit takes a fraction of a second.
SMALLER = {
    "window": 32, "d_model": 8, "feed_forward": 16, "layers": 1, "heads": 1, "epochs": 3,
    "hidden": 8, "channels": 8, "batch_size": 32, "iterations": 60, "burn_in": 20, "chains": 1,
    "members": 2, "trees": 20, "rounds": 20,
}  # fmt: skip
RATIO = [5, 2, 3]
SCHEMES = {
    "random": {"ratio": RATIO, "stratify": False},
    "kfold": {"folds": 3, "ratio": RATIO, "stratify": False},
    "leave_family_out": {"minimum": 10, "ratio": RATIO},
    "cluster": {"identity": 0.98, "ratio": RATIO},
    "cv1": {"ratio": RATIO},
    "cv2": {"ratio": RATIO},
    "leave_environment_out": {"ratio": RATIO},
    "given": {"file": "splits.tsv"},
}


def sample_names():
    """Names of the lines."""
    return [f"PI{number:06d}" for number in range(LINES)]


def family_dosage(seed=0):
    """Dosages (LINES, SNPS) int8 of families: a third of a line's SNPs from its family's parents.

    The others are its own, so that no line is like another, and a kernel that has seen a line's
    value can tell it again.
    """
    random = np.random.default_rng(seed)
    parents = random.integers(0, 2, (FAMILIES, 2, SNPS))
    family = np.arange(LINES) % FAMILIES
    chosen, own = random.integers(0, 2, (2, LINES, SNPS))
    inherited = np.where(chosen, parents[family, 0], parents[family, 1])
    return (2 * np.where(random.random((LINES, SNPS)) < 1 / 3, inherited, own)).astype(np.int8)


def noise(*shape, seed=1):
    """Values that no genotype explains, about 50 in their units."""
    return 50 + 2 * np.random.default_rng(seed).standard_normal(shape)


def tables():
    """What schemes draw from, by name: families, clusters, values by line and environment."""
    names, number = sample_names(), np.arange(LINES)
    cells = pd.DataFrame(
        {
            "sample": np.repeat(names, ENVIRONMENTS),
            "environment": [f"place{k}" for k in range(ENVIRONMENTS)] * LINES,
            "value": noise(LINES * ENVIRONMENTS, seed=2),
        }
    )
    return {
        "families": pd.DataFrame({"sample": names, "family": [f"f{k}" for k in number % FAMILIES]}),
        "clusters": pd.DataFrame({"sample": names, "cluster": [f"c{k}" for k in number // 4]}),
        "cells": cells,
        "splits": pd.DataFrame(
            {"sample": names}
            | {f"seed{k}": np.roll(np.repeat(["train", "val", "test"], [100, 40, 60]), 60 * k)
               for k in range(2)}
        ),
    }  # fmt: skip


NEEDED = {
    "leave_family_out": "families", "cluster": "clusters", "given": "splits", "cv1": "cells",
    "cv2": "cells", "leave_environment_out": "cells",
}  # fmt: skip


def draw(scheme, seed, **changed):
    """Rows of one split of a scheme; `changed` tables take the place of `tables()`."""
    samples = pd.DataFrame({"sample": sample_names(), "kept": True, "reason": None})
    name = NEEDED.get(scheme)
    given = {name: changed.get(name, tables()[name])} if name else {}
    return draw_split(samples, {"scheme": scheme, **SCHEMES[scheme]}, seed=seed, **given)[0]


def write_study(folder, dosage, values):
    """Write what the cohort and contacts storeys leave: `values` (LINES, traits)."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "dosage.npy", dosage)
    write_products(folder / "dosage.npy", folder / "products.npy")
    names = sample_names()
    families = tables()["families"].family
    write_table(
        pd.DataFrame({"sample": names, "row": range(LINES), "family": families}),
        folder / "samples.tsv",
    )
    chromosome = np.repeat(CHROMOSOMES, [SNPS // 2, SNPS // 3, SNPS - SNPS // 2 - SNPS // 3])
    write_table(
        pd.DataFrame({"chromosome": chromosome, "column": range(SNPS)}), folder / "variants.tsv"
    )
    for trait, column in zip(TRAITS, values.T, strict=True):
        write_table(pd.DataFrame({"sample": names, "value": column}), folder / f"{trait}.tsv")
    contacts = np.array([[1.0, 0.5, 0.2], [0.5, 0.8, 0.4], [0.2, 0.4, 0.6]])
    cim = pd.DataFrame(contacts, columns=CHROMOSOMES)
    cim.insert(0, "chromosome", CHROMOSOMES)
    write_table(cim, folder / "cim.tsv")
    write_halves(folder / "groups.npz", SNPS)
    return folder


@functools.cache
def blocks(root):
    """Every entry of the project's models file, made small."""
    file = root / "config/models.yaml"
    names = list(yaml.safe_load(file.read_text(encoding="utf-8"))["models"])
    study = {"training": {"models_file": str(file), "preset": "demo"}}
    found = registry.load_models(study, root / "workflow/schemas", names)
    for block in found.values():
        block["parameters"] |= {k: v for k, v in SMALLER.items() if block["parameters"].get(k)}
    return found


def _kernels(block, study, split):
    """Decompositions that a model's fits share, made once a split."""
    paths = []
    for kernel in kernels_of(block):
        for part in parts_of(block):
            path = split.parent / f"kernels_{split.stem}" / f"{kernel}_{part}.npz"
            if not path.is_file():
                decompose_part(
                    study / "products.npy", study / "samples.tsv", split,
                    kernel=kernel, part=part, path=path,
                )  # fmt: skip
            paths.append(path)
    return paths


def fit_model(models, name, study, split, *, seed=0):
    """Fit one model as the workflow does; the folder of its outputs, which is reused.

    Parameters
    ----------
    models : dict of str to dict
        Blocks, as `blocks` returns them.
    name : str
    study : path-like
        As `write_study` leaves it.
    split : path-like
        A split's table in a folder named as its scheme; the outputs go into a folder beside it.
    """
    block, folder = models[name], split.with_suffix("") / name
    if block["unit"] == "environment":
        split = split.parent / "cells" / split.name
    if (folder / "estimates.tsv").is_file():
        return folder
    if block["kind"] == "blend":
        files = [
            fit_model(models, member, study, split, seed=seed) / "predictions.tsv"
            for member in block["members"]
        ]
        fit_blend(
            block,
            trait=TRAITS[0],
            folders=[folder],
            predictions=[files],
        )
        return folder
    phenotypes = {trait: study / f"{trait}.tsv" for trait in TRAITS}
    together = block["joint"] and split.parent.name not in OF_ENVIRONMENTS
    fit(
        block,
        seeds=[seed],
        splits=[split],
        folders=[folder],
        dosage=study / "dosage.npy",
        samples=study / "samples.tsv",
        families=study / "samples.tsv",
        variants=study / "variants.tsv",
        phenotypes=phenotypes if together else phenotypes[TRAITS[0]],
        cim=None if block["cim"] == "none" else study / "cim.tsv",
        products=study / "products.npy" if kernels_of(block) else None,
        kernels=_kernels(block, study, split),
        groups=study / "groups.npz" if "groups" in declaration(block["module"]).needs else None,
    )
    return folder
