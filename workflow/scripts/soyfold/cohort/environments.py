"""A trait's values by line and environment."""

import pandas as pd

from soyfold.cohort.fixed_effects import build_design
from soyfold.cohort.phenotypes import terms_of
from soyfold.cohort.traits import read_lines
from soyfold.common.errors import UserError
from soyfold.common.logs import log


def average_plots(row, samples, *, prefixes, id_map):
    """Mean of a trait's records for each genotyped line in each environment.

    Parameters
    ----------
    row : dict
        The trait's row of the traits sheet; it names an environment_column.
    samples : DataFrame
        sample, kept, reason (`samples.read_samples`).
    prefixes : sequence of str
        Prefixes of accession ids.
    id_map : Series of str
        Sample by phenotype key (`joins.read_id_map`).

    Returns
    -------
    DataFrame
        sample, environment, value (trait units), records (int): samples that passed QC, in their
        order, environments by name. With fixed effects also the mean of each column of their design
        (`fixed_effects.build_design`), which a split's training values take off.

    Raises
    ------
    UserError
        For unreadable phenotypes, or fewer than two environments.
    """
    named, identities, _ = read_lines(row, samples, prefixes=prefixes, id_map=id_map)
    sample = named["id"].map(identities.set_index("phenotype_id")["sample"])
    kept = samples.loc[samples["kept"], "sample"]
    known = named.assign(sample=pd.Categorical(sample, categories=kept)).dropna(subset="sample")
    keys = ["sample", "environment"]
    means = known.groupby(keys, observed=True)["value"].agg(value="mean", records="size")
    design, names = build_design(known, terms_of(row))
    if names:
        fixed = pd.DataFrame(design.toarray(), columns=names)
        fixed = fixed.groupby([known[key].to_numpy() for key in keys], observed=True).mean()
        means[names] = fixed.reindex(means.index)
    cells = means.reset_index().astype({"sample": str})
    count = cells["environment"].nunique()
    if count < 2:
        raise UserError(
            f"{count} environments of genotyped lines",
            file=row["file"],
            at=f"trait {row['trait']}, column {row['environment_column']!r}",
            allowed="at least two",
        )
    log.info("%s: %d values of %d lines in %d environments", row["trait"], len(cells),
             cells["sample"].nunique(), count)  # fmt: skip
    return cells
