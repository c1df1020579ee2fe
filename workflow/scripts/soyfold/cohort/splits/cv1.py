"""Scheme `cv1`: lines that were grown in no environment are predicted in all of theirs."""

import pandas as pd

from soyfold.cohort.splits.cells import part_cells
from soyfold.cohort.splits.parts import draw_parts, generator, kept_names


def draw(samples, settings, *, seed, cells):
    """One split, and who is left out.

    Lines are dealt over all that passed QC, so that a test line is one for every trait. The test
    rows are all values of the test lines (CV1 of Burgueño et al. 2012).

    Parameters
    ----------
    samples : DataFrame
        sample, kept, reason.
    settings : dict
        ratio: shares of train, val and test among the lines.
    seed : int
    cells : DataFrame
        sample, environment, value (trait units).

    Returns
    -------
    rows, lost : DataFrame
        As `cells.part_cells` gives them.

    References
    ----------
    Burgueño J et al. (2012) Genomic prediction of breeding values when modeling genotype x
    environment interaction using pedigree and dense molecular markers. Crop Sci 52:707-719.
    """
    names = kept_names(samples)
    part = pd.Series(draw_parts(names, settings["ratio"], generator(seed)), index=names)
    cells = cells[cells["sample"].isin(names)]
    return part_cells(cells, cells["sample"].map(part).eq("test").to_numpy(), part)
