"""The training panel: the study's lines, on whose variants and phase new lines lean."""

import numpy as np

from soyfold.common.blocks import blocks
from soyfold.common.errors import UserError
from soyfold.common.files import read_table

KEYS = ["variant", "chromosome", "position", "ref", "alt"]
PANEL = [*KEYS, "frequency", "most_frequent"]


def describe_panel(dosage, variants):
    """Variants of the models, with what replaces a call that can't be imputed.

    Parameters
    ----------
    dosage, variants : path-like
        Files of the cohort storey.

    Returns
    -------
    DataFrame
        In the matrix's order: variant, chromosome, position (bp), ref, alt, frequency (of ALT, over
        all lines), most_frequent (genotype, as count of ALT; the smaller of two).
    """
    matrix = np.load(dosage, mmap_mode="r")
    counts = np.zeros((3, matrix.shape[1]), dtype=np.int64)
    for rows in blocks(len(matrix)):
        block = matrix[rows]
        for genotype, count in enumerate(counts):
            count += (block == genotype).sum(axis=0)
    table = read_table(variants, required=(*KEYS, "column"), dtype=dict.fromkeys(KEYS[:2], str))
    return table.sort_values("column", ignore_index=True)[KEYS].assign(
        frequency=(counts[1] + 2 * counts[2]) / (2 * len(matrix)),
        most_frequent=counts.argmax(axis=0),
    )


def read_panel(path):
    """Read the table that `describe_panel` gave."""
    text = dict.fromkeys(["variant", "chromosome", "ref", "alt"], str)
    return read_table(path, required=PANEL, dtype=text)[PANEL]


def refuse_other_variants(variants, panel, *, file):
    """Raise `UserError` unless a saved model's variants are those of the panel, in its order."""
    if len(variants) == len(panel) and all(
        np.array_equal(variants[name].to_numpy(), panel[name].to_numpy()) for name in KEYS
    ):
        return
    shared = variants[KEYS].merge(panel[KEYS], on=["chromosome", "position", "ref", "alt"])
    raise UserError(
        f"a model of {len(variants)} variants, {len(shared)} of them among the {len(panel)} here",
        file=file,
        allowed="the variants that the new genotypes were aligned to, in the same order",
        mend="align them to this model's variants, or fit it anew (snakemake final)",
    )
