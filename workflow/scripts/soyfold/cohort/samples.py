"""Which samples passed the genotype storey, and why the others did not."""

import pandas as pd

from soyfold.common.files import read_table
from soyfold.genotypes.bed import read_fam


def read_samples(fam, samples):
    """Samples of the genotypes with their fate in quality control.

    Parameters
    ----------
    fam : path-like
        PLINK .fam of the filtered genotypes: the samples that passed.
    samples : path-like
        genotypes/samples.tsv: every sample of the raw file, with the reason of its removal.

    Returns
    -------
    DataFrame
        sample, kept (bool), reason (missing where kept); the kept ones first, in .fam order.
    """
    passed = read_fam(fam)
    raw = read_table(samples, required=("sample", "reason"), dtype=str)
    removed = raw.loc[~raw["sample"].isin(passed), ["sample", "reason"]]
    table = pd.concat(
        [pd.DataFrame({"sample": passed, "kept": True}), removed.assign(kept=False)],
        ignore_index=True,
    )
    return table.astype({"kept": bool})[["sample", "kept", "reason"]]
