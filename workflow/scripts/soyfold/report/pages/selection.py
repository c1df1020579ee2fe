"""Lines to advance and crosses to make, with what would change the advice."""

import numpy as np

from soyfold.common.decimals import decimals
from soyfold.common.files import read_table
from soyfold.report.pages.pages import Notes
from soyfold.report.pages.plain import plain_table

INDEX = "index"
GAINED = ("chosen_by", "trait", "unit")
NAMES = ("advance", "line", "nearest_advanced", "instead")
OTHERWISE = "What would change the advice"
CHANGE = 0.25  # by which a coefficient is moved
SHOWN = 10  # crosses at most of which it is said how many would stay


def _top(values, count):
    """Rows of the `count` highest values, as a set."""
    return set(np.argsort(-np.asarray(values), kind="stable")[:count])


def line_advice(lines, index):
    """Sentences on how the choice of lines hangs on the index.

    Parameters
    ----------
    lines, index : DataFrame
        lines.tsv and index.tsv.

    Returns
    -------
    list of str
    """
    count = int((lines["advance"] == "yes").sum())
    gebvs = lines[[f"gebv_{trait}" for trait in index["trait"]]].to_numpy()
    coefficients = index["coefficient"].to_numpy()
    own = _top(gebvs @ coefficients, count)
    told = []
    for k, row in index.iterrows():
        alone = np.sign(row.coefficient) * gebvs[:, k]
        moved = [
            _top(gebvs @ np.where(np.arange(len(index)) == k, coefficients * factor, coefficients),
                 count)
            for factor in (1 - CHANGE, 1 + CHANGE)
        ]  # fmt: skip
        kept = " and ".join(str(len(own & one)) for one in moved)
        told.append(
            f"{row.trait}: with a quarter less or more weight {kept} of the {count} best lines"
            f" would be the same; by {row.trait} alone {len(own & _top(alone, count))}."
            if len(index) > 1
            else f"{row.trait} alone decides."
        )
    passed = lines["instead"].notna() & (lines["advance"] == "no")
    best = lines.loc[lines["advance"] == "yes", "index"]
    told.append(
        f"{passed.sum()} better lines are passed over, since they are too like one that is advanced"
        " (selection.max_identity, selection.max_kinship)."
        if passed.any()
        else "No line is passed over for being too like another."
    )
    if len(best) and len(lines) > count:
        following = lines.loc[(lines["advance"] == "no") & lines["instead"].isna(), "index"].max()
        told.append(
            f"The last line advanced has an index of {decimals(best.min())}, the next one"
            f" {decimals(following)}, the best {decimals(best.max())}: with a little more data the"
            " lines around the limit change places, those far above it don't."
        )
    return told


def line_sections(files):
    """The page of lines to advance. Files: lines, index, gains (a list of none or one)."""
    lines = read_table(files["lines"], dtype=dict.fromkeys(NAMES, str))
    index = read_table(files["index"], dtype={"trait": str, "unit": str})
    sections = [
        plain_table(
            lines, "Lines", names=NAMES, choices=("advance",),
            note="index: 0 is a line with the mean predictions. instead: the line of those advanced"
            " that it is too like. kinship_to_advanced: the highest to another one of them.",
        ),
        Notes(OTHERWISE, line_advice(lines, index)),
        plain_table(
            index, "The index", names=("trait", "unit"), choices=(),
            note="coefficient: value of a unit. expected_response: of the mean, were predictions"
            " normal and true; advanced_response: what the predictions of the lines say.",
        ),
    ]  # fmt: skip
    gains = files.get("gains") and read_table(files["gains"], dtype=dict.fromkeys(GAINED, str))
    if gains is not None and len(gains):
        sections.append(
            plain_table(
                gains, "What such choices gained on test lines",
                names=GAINED, choices=("trait",),
                note="gain: change of the mean observed value of lines that the model hadn't seen;"
                " expected: what was foretold. Phenotypes choose by the values that their gain is"
                " taken of, errors included: hold their expected column against the others' gain.",
            )
        )  # fmt: skip
    return sections


def count_useful(crosses):
    """How many crosses are told from the others as the most useful: half at most, since of all of
    them all would always stay."""
    return min(SHOWN, len(crosses) // 2)


def _staying(kept, count, name):
    """How many of the most useful crosses stay with another belief, as a sentence."""
    if count == 1:
        return f"The most useful cross {'stays' if kept else 'is another one'} with {name}."
    return f"{kept} of the {count} most useful crosses stay with {name}."


def cross_advice(crosses, column=INDEX):
    """Sentences on how the choice of crosses hangs on what is believed.

    Parameters
    ----------
    crosses : DataFrame
        crosses.tsv.
    column : str

    Returns
    -------
    list of str
    """
    mean, useful = crosses[f"mean_{column}"], crosses[f"usefulness_{column}"]
    spread, count = useful - mean, count_useful(crosses)
    if not count:
        return ["There is no other cross to hold this one against."]
    best = _top(useful, count)
    ways = {
        "the mean alone (the spread is not believed)": mean,
        "half of the spread": mean + spread / 2,
        "twice the spread (as if predictions had shrunk it)": (mean + 2 * spread),
    }
    unsure = crosses.get(f"sd_uncertain_{column}")
    if unsure is not None:
        wider = unsure / crosses[f"sd_{column}"].replace(0.0, np.nan)
        ways["the spread of uncertain effects (sd_uncertain)"] = mean + spread * wider.fillna(1.0)
    own = crosses.get(f"mid_parent_{column}")
    if own is not None and own.notna().all():
        ways["the parents' own values in the place of their predictions"] = own + spread
    told = [_staying(len(best & _top(values, count)), count, name) for name, values in ways.items()]
    if count == 1:
        return told
    parents = crosses.loc[sorted(best), ["parent_1", "parent_2"]].stack().value_counts()
    told.append(
        f"{parents.index[0]} is a parent of {parents.iloc[0]} of them: if its predictions fail, so"
        " do these crosses; the next generation's diversity hangs on the others."
    )
    return told


def cross_sections(files, facts):
    """The page of crosses. Files: crosses, vega; facts: traits, units, share, progeny."""
    from soyfold.report.pages.cross_chart import cross_chart  # altair takes a second to import

    crosses = read_table(files["crosses"], dtype={"parent_1": str, "parent_2": str})
    note = (
        "usefulness: mean of the best {share:.0%} of the progeny ({progeny}), as the predictions"
        " have it; above_check: share of the progeny beyond the best check; mid_parent: mean of the"
        " parents' own values; sd_uncertain: sd with what the uncertainty of SNP effects adds;"
        " differing_snps: share of the SNPs at which the parents differ; heterozygous: of the calls"
        " of the parent that has more of them, which count by half."
    ).format(**facts)
    return [
        cross_chart(
            crosses, facts["traits"], units=facts["units"], share=facts["share"],
            few=count_useful(crosses),
        ),
        Notes(OTHERWISE, cross_advice(crosses)),
        plain_table(crosses.dropna(axis=1, how="all"), "Crosses", names=("parent_1", "parent_2"),
                    choices=(), note=note),
    ]  # fmt: skip
