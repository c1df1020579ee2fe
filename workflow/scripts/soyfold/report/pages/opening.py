"""The text that the report opens with: a verdict a trait, and where to go on."""

import re

from soyfold.evaluation.verdicts import best_models, fired_guards, verdict

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
MOST_TRAITS = 12  # whose verdicts stand here
MOST_FITS = 6  # that a guard names here


def escape_rst(text):
    """Text without a meaning of its own in reStructuredText or jinja."""
    return re.sub(r"([\\`*_|{}<>%#])", r"\\\1", text)


def opening_text(tables, comparisons, *, scheme, title):
    """What the report opens with, in reStructuredText.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Trait to its table, as `scores.trait_table` returns it.
    comparisons : DataFrame or None
    scheme, title : str, keyword only

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
    return "\n".join([*start, *shown, *warned, "", "Go on with:", "", CATEGORIES, READ])
