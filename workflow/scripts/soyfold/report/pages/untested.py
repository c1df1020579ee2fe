"""The table of untested lines, which opens on the best model of each trait."""

import dataclasses

from soyfold.common.files import read_table
from soyfold.report.pages.plain import MOST_ROWS, plain_table

NAMES = ("line", "trait", "environment", "model", "nearest_line")
OVER_ALL = "over all"
BEST = "best model"
NOTE = (
    "Shown{first}: each trait's best model, by {how}.{others} A line with a low kinship_max"
    " is far from all lines that the models have seen. Reliability: the share of a line's genetic"
    " variance that its prediction catches (1: known), by models that know it."
)


def prediction_table(path, best):
    """Predictions of untested lines, those of each trait's best model first.

    A trait that `best` has no model of, or none that predicts, is shown by the model with the
    narrowest intervals: the one that missed validation lines least.

    Parameters
    ----------
    path : path-like
        predictions.tsv.
    best : dict of str to str
        Trait to model.

    Returns
    -------
    Table
    """
    text = ("trait", "model", "prediction", "lower", "upper")
    table = read_table(path, required=text, dtype=dict.fromkeys(NAMES, str))
    choices, lines = (BEST, "trait", "model"), table
    if "environment" in table:
        lines = table[table["environment"].isna()]
        table["environment"] = table["environment"].fillna(OVER_ALL)
        choices = (*choices, "environment")
    width = (lines.upper - lines.lower).groupby([lines.trait, lines.model]).mean()
    chosen, how = {}, {}
    for trait, models in table.groupby("trait", sort=False).model:
        scored = best.get(trait) in set(models)
        narrow = width[trait].dropna()
        chosen[trait] = (
            best[trait] if scored else (models.iloc[0] if narrow.empty else narrow.idxmin())
        )
        how["test PCC" if scored else "the narrowest intervals"] = None
    leads = table.model == table.trait.map(chosen)
    table.insert(0, BEST, leads.map({True: "yes", False: "no"}))
    table = table.sort_values(BEST, ascending=False, kind="stable")
    room = not leads.all() and leads.sum() < MOST_ROWS  # for what other models say
    names, note = (
        (BEST, *NAMES),
        NOTE.format(
            how=" or ".join(how), first=" first" * room, others=f" Others: {BEST}, all." * room
        ),
    )
    shown = plain_table(table, "Predictions", names=names, choices=choices, note=note)
    opens = dict.fromkeys(choices[3:], OVER_ALL)
    return dataclasses.replace(shown, opens={BEST: "yes", **opens})
