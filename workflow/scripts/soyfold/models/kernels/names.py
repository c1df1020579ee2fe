"""Names of kernels between lines, and which of them a model takes. Imports nothing heavy."""

import re

ADDITIVE = "additive"
GAUSSIAN = re.compile(r"gaussian(\d+(?:\.\d+)?)")
# Yeast's traits are likeliest at 1 to 8, SoyNAM's at 8 (training lines); below 1 none is.
BANDWIDTHS = (1.0, 2.0, 4.0, 8.0)


def gaussian_name(bandwidth):
    """Name of the Gaussian kernel of a bandwidth, as files have it."""
    return f"gaussian{bandwidth:g}"


def rkhs_kernels(parameters):
    """Names of the kernels among which RKHS chooses."""
    if parameters.get("kernel", "gaussian") == "linear":
        return [ADDITIVE]
    return [gaussian_name(h) for h in parameters.get("bandwidths", BANDWIDTHS)]


# By module; one that takes the products of all lines alone has no names.
TAKEN = {
    "contact_kernel": lambda parameters: [ADDITIVE],
    "family_gblup": lambda parameters: [],
    "gblup": lambda parameters: [ADDITIVE],
    "principal_components": lambda parameters: [ADDITIVE],
    "rkhs": rkhs_kernels,
    "rr_blup": lambda parameters: [ADDITIVE],  # where SNPs outnumber lines
}


def kernels_of(block):
    """Names of the kernels that a model's fits take, empty for most models.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.

    Returns
    -------
    list of str
    """
    return TAKEN.get(block["module"], lambda parameters: [])(block["parameters"])


def takes_products(block):
    """Whether a model's fits take the products of all lines."""
    return block["module"] in TAKEN


def parts_of(block):
    """Lines over which those kernels are decomposed: some of `train` and `train_val`.

    A model that is fitted on train + val is fitted on train too, to predict the validation lines
    unseen, unless its block says `held_out: false`. Without `train_on` it chooses by validation
    and refits, and needs both.
    """
    if not kernels_of(block):
        return []
    fitted = set(block["parameters"].get("train_on", ["train", "val"]))
    if fitted == {"train"}:
        return ["train"]
    if fitted == {"train", "val"}:
        return ["train", "train_val"] if block.get("held_out", True) else ["train_val"]
    return []
