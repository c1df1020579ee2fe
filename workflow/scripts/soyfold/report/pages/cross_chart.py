"""Crosses by mean and standard deviation, with the lines on which all are as useful."""

import altair as alt
import numpy as np
import pandas as pd

from soyfold.report.pages.charts import BETTER, OPEN, SIDE, inlined, significant_digits
from soyfold.report.pages.pages import Chart

INDEX = "index"
MOST_CROSSES = 3000
FIELDS = ("mean", "sd", "usefulness", "above_check")


def _long(crosses, names, few):
    """A row a cross and trait: of, cross, mean, sd, usefulness, above_check, best, differing."""
    parts = []
    for name in names:
        part = pd.DataFrame({field: crosses[f"{field}_{name}"] for field in FIELDS})
        part = part.apply(significant_digits)
        part["cross"] = crosses["parent_1"] + " x " + crosses["parent_2"]
        part["differing"] = significant_digits(crosses["differing_snps"], 3)
        top = np.argsort(-crosses["usefulness_index"].to_numpy(), kind="stable")[:few]
        part["best"] = np.where(np.isin(np.arange(len(part)), top), "yes", "no")
        parts.append(part.assign(of=name))
    return pd.concat(parts, ignore_index=True)


def _usefulness_line(crosses, name):
    """Two points (mean, sd) of the line on which crosses are as useful as the most useful one."""
    mean, sd = crosses[f"mean_{name}"], crosses[f"sd_{name}"]
    ratio = (crosses[f"usefulness_{name}"] - mean).sum() / max(sd.sum(), 1e-300)  # i, with its sign
    if ratio == 0:
        return pd.DataFrame({"of": [], "mean": [], "sd": []})
    useful = crosses[f"usefulness_{name}"]
    most = useful.max() if ratio > 0 else useful.min()
    # As far as it runs between the crosses: more would make them small.
    ends = np.clip(
        np.array([mean.min(), mean.max()]), *sorted(most - ratio * sd.agg(["min", "max"]))
    )
    return pd.DataFrame({"of": name, "mean": ends, "sd": (most - ends) / ratio})


def cross_chart(crosses, traits, *, units, share, few):
    """Mean against standard deviation of each cross, for the index or a trait.

    Parameters
    ----------
    crosses : DataFrame
        crosses.tsv.
    traits : sequence of str
    units : dict of str to str or None, keyword only
    share : float, keyword only
        Of the progeny, which usefulness is about.
    few : int, keyword only
        Of the most useful crosses, which are coloured.

    Returns
    -------
    Chart
    """
    shown = crosses.head(MOST_CROSSES // (1 + len(traits)))
    names = [INDEX, *traits]
    data = _long(shown, names, few)
    lines = pd.concat([_usefulness_line(shown, name) for name in names], ignore_index=True)
    labels = [INDEX] + [f"{t} ({units[t]})" if units.get(t) else t for t in traits]
    of = alt.param(name="of", value=INDEX, bind=alt.binding_select(
        options=names, labels=labels, name="of "))  # fmt: skip
    scale = alt.Scale(zero=False)
    wanted = "datum.of === of"
    dots = (
        alt.Chart(inlined(data, "of", "cross", "best"))
        .transform_filter(wanted)
        .mark_circle(size=46, opacity=0.75)
        .encode(
            x=alt.X("mean:Q", title="mean of the progeny", scale=scale),
            y=alt.Y("sd:Q", title="genetic standard deviation of the progeny", scale=scale),
            color=alt.Color("best:N", legend=None,
                            scale=alt.Scale(domain=["yes", "no"], range=[BETTER, OPEN])),
            order=alt.Order("best:N"),
            tooltip=["cross:N", *(alt.Tooltip(f"{name}:Q", format=".4~g")
                                  for name in (*FIELDS, "differing"))],
        )
    )  # fmt: skip
    rule = alt.Chart(inlined(lines, "of")).transform_filter(wanted).mark_line(
        color="#333", strokeDash=[5, 4], clip=True
    ).encode(x=alt.X("mean:Q", scale=scale), y=alt.Y("sd:Q", scale=scale))  # fmt: skip
    chart = alt.layer(rule, dots).add_params(of).properties(width="container", height=SIDE)
    blue = f" Blue: the {few} most useful by the index." * (few > 0)
    left = f" The first {len(shown):,} of {len(crosses):,} crosses." * (len(shown) < len(crosses))
    return Chart("Mean and spread of each cross", chart.to_dict(), width=SIDE + 330, note=(
        f"Dashed: as useful as the most useful cross, mean + i sd of the best {share:.0%}; further"
        f" to the better side of it there is none.{blue} Hover for names and numbers.{left}"
    ))  # fmt: skip
