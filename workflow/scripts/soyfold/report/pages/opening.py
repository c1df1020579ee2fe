"""The text that the report opens with: scores, a verdict a trait, and where to go on."""

import base64
import gzip
import re
import textwrap
from pathlib import Path

import jinja2
import pandas as pd

from soyfold.common.decimals import decimals
from soyfold.evaluation.verdicts import best_models, fired_guards, verdict
from soyfold.report.pages.results import difference_mark, reference_rows
from soyfold.report.pages.templates import TEMPLATES

# Snakemake renders the text with jinja, which knows the categories. Its own links to them would
# leave another category's list in the menu, so these pass by the menu's start.
CATEGORIES = """\
.. raw:: html

   <ul>
   {% for category, results in categories|dictsort %}
   <li><a href="javascript:void(app.setView({navbarMode: 'menu'}),
   setTimeout(() => app.showCategory('{{ category.name }}')))">{{ category.name }}</a></li>
   {% endfor %}
   </ul>

"""
READ = """\
Each result has an eye, which shows it, and an i, which says what to read it for. Figures and tables
are part of this file: it needs no network and can be sent as it is.
"""
# What the table's numbers mean; names in brackets are filled in.
MEANING = """\
PCC is the correlation of predicted with observed values of test lines, whose values no fit has
seen: 1 orders all lines rightly, 0 is chance. Mean over {splits} splits; NA: the same prediction
for every line. {compared} Errors in the trait's unit, intervals, what selection gains: {scores}.
"""
COMPARED = """\
Blue: better than {reference} by more than chance explains, red: worse (95 % interval of the paired
difference), black: no difference shown.
"""
MOST_TRAITS = 12  # whose verdicts stand here
MOST_COLUMNS = 6  # traits whose scores stand here
MOST_MODELS = 15
MOST_FITS = 6  # that a guard names here


def escape_rst(text):
    """Text without a meaning of its own in reStructuredText or jinja."""
    return re.sub(r"([\\`*_|{}<>%#])", r"\\\1", text)


def opening_text(tables, comparisons, *, scheme, title, place):
    """What the report opens with, in reStructuredText.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Trait to its table, as `scores.trait_table` returns it.
    comparisons : DataFrame or None
    scheme, title : str, keyword only
    place : str, keyword only
        Category of the page of scores.

    Returns
    -------
    str
    """
    best = best_models(tables, comparisons, scheme=scheme)
    shown = [
        f"- **{escape_rst(row.trait)}**: {escape_rst(verdict(row))}."
        for row in best.head(MOST_TRAITS).itertuples()
    ]
    if len(best) > MOST_TRAITS:
        shown.append(f"- and {len(best) - MOST_TRAITS} traits more: see the scores.")
    guards = [
        f"- {escape_rst(guard)}: {escape_rst(', '.join(fits[:MOST_FITS]))}"
        + (f" and {len(fits) - MOST_FITS} more" if len(fits) > MOST_FITS else "")
        for guard, fits in fired_guards(tables).items()
    ]
    warned = ["", "Guards that fired, see the scores:", "", *guards] if guards else []
    heading = escape_rst(title)
    what = (
        f"Best model of each trait on test lines, scheme {escape_rst(scheme)}: mean (sd) over"
        " splits, difference with its 95 % interval."
    )
    start = [heading, "=" * len(heading), "", what, ""]
    scores = _score_table(tables, best, comparisons, scheme=scheme, place=place)
    return "\n".join(
        [*start, *shown, "", *scores, *warned, "", "Go on with:", "", CATEGORIES, READ]
    )


def _score_table(tables, best, comparisons, *, scheme, place):
    """Test PCC of models (rows, the best mean first) and traits, and what it means."""
    shown = dict(list(tables.items())[:MOST_COLUMNS])
    columns = {
        trait: table[table.metric == "PCC"].set_index("model")["mean"]
        for trait, table in shown.items()
    }
    pcc = pd.DataFrame(columns)
    pcc = pcc.loc[pcc.mean(axis=1).sort_values(ascending=False, kind="stable").index]
    reference, against = reference_rows(best, comparisons, scheme)
    leading = set(zip(best.trait, best.model, strict=True))
    rows = [
        [escape_rst(label)]
        + [_score(value, against.get((trait, label)), (trait, label) in leading)
           for trait, value in row.items()]
        for label, row in pcc.head(MOST_MODELS).iterrows()
    ]  # fmt: skip
    left = {"models": len(pcc) - len(rows), "traits": len(tables) - len(shown)}
    more = " and ".join(f"{count} {what} more" for what, count in left.items() if count > 0)
    splits = pd.concat([table[table.metric == "PCC"].seeds for table in shown.values()])
    meaning = MEANING.format(
        splits=f"{'up to ' if splits.nunique() > 1 else ''}{splits.max():.0f}",
        compared=COMPARED.format(reference=escape_rst(reference)).strip() if reference else "",
        scores=escape_rst(place),
    )
    return [
        ".. role:: good", ".. role:: bad", "",
        f".. list-table:: Test PCC{f' ({more}: {escape_rst(place)})' if more else ''}",
        "   :header-rows: 1", "",
        *(f"   {'-' if column else '* -':>3} {cell}"
          for row in [["model", *map(escape_rst, shown)], *rows]
          for column, cell in enumerate(row)),
        "", meaning,
    ]  # fmt: skip


def _score(value, against, leads):
    """A mean, bold where it leads, coloured where its interval leaves out the reference."""
    text = decimals(value)
    mark = difference_mark(against) if against else ""
    if mark:
        return f":{mark}:`{text}`"
    return f"**{text}**" if leads else text


def vega_html(vega):
    """What draws the report's figures, as HTML in reStructuredText: once, for all its pages.

    Snakemake embeds pages as data: URIs, which can read nothing beside them, but may ask the report
    that holds them. Its opening is the one place where HTML of ours gets into that; scripts in it
    don't run, an image's `onload` does.

    Parameters
    ----------
    vega : path-like
        As `pages.write_vega` wrote it.

    Returns
    -------
    str
    """
    packed = base64.encodebytes(gzip.compress(Path(vega).read_bytes(), mtime=0)).decode()
    template = jinja2.Template((TEMPLATES / "vega.html.jinja").read_text(encoding="utf-8"))
    return "\n.. raw:: html\n\n" + textwrap.indent(template.render(packed=packed), "   ")
