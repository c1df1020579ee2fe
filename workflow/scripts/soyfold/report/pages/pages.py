"""A page of the report: one HTML file that opens from disk and asks nobody for anything."""

import dataclasses
import json
import math
import os
from pathlib import Path

import jinja2
import pandas as pd

from soyfold.common.decimals import decimals, difference_text
from soyfold.common.errors import UserError
from soyfold.common.files import staged
from soyfold.report.pages.templates import TEMPLATES

# Snakemake embeds a page as a data: URI in base64, and Chromium draws none above 2 MiB.
MOST_BYTES = 2 * 1024**2 * 3 // 4 - 1024

LONG_TEXT = 48  # characters; cells with more wrap


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell that shows one thing and sorts by another.

    Parameters
    ----------
    text : str
    value : float, optional
        What the column is sorted by; missing ones come last.
    bar : float, optional
        Share from 0 to 1 of the cell that is filled.
    mark : {'', 'good', 'bad'}
        Colour of the text.
    """

    text: str
    value: float | None = None
    bar: float | None = None
    mark: str = ""

    @property
    def key(self):
        """The sort key as HTML holds it."""
        known = self.value is not None and math.isfinite(self.value)
        return f"{self.value:.9g}" if known else ""


@dataclasses.dataclass(frozen=True)
class Column:
    """A column's name, its unit or meaning (shown beneath), and whether it holds numbers."""

    name: str
    help: str = ""
    number: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """A table that sorts by a click on a header; `filters` are columns with a choice of values.

    `opens` has the value of a filter that is chosen at first, where it isn't all.
    """

    title: str
    columns: list
    rows: list
    note: str = ""
    filters: tuple = ()
    opens: dict = dataclasses.field(default_factory=dict)
    kind: str = "table"


@dataclasses.dataclass(frozen=True)
class Chart:
    """An interactive figure: a Vega-Lite specification, and how many pixels wide it may get."""

    title: str
    spec: dict
    note: str = ""
    width: int = 1100
    kind: str = "chart"


@dataclasses.dataclass(frozen=True)
class Notes:
    """Sentences, one a line; `warning` draws a frame around them."""

    title: str
    items: list
    warning: bool = False
    kind: str = "notes"


def number(value, digits=3, *, sign=False, **more):
    """A number with so many decimals; NA where it is missing."""
    if value is None or pd.isna(value):
        return Cell("NA")
    return Cell(decimals(value, digits, sign=sign), float(value), **more)


def count(value, **more):
    """A whole number with separators; empty where it is missing."""
    return Cell("") if pd.isna(value) else Cell(f"{int(value):,}", float(value), **more)


def mean_sd(mean, sd, digits=3):
    """`mean (sd)`, sorted by the mean."""
    cell = number(mean, digits)
    known = cell.value is not None and not pd.isna(sd)
    return (
        dataclasses.replace(cell, text=f"{cell.text} ({decimals(sd, digits)})") if known else cell
    )


def interval(difference, low, high, digits=3, mark=""):
    """`difference [low, high]`, sorted by the difference."""
    cell = number(difference, digits, sign=True, mark=mark)
    return dataclasses.replace(cell, text=difference_text(difference, low, high, digits))


def p_value(value):
    """A probability with two digits."""
    return Cell("NA") if pd.isna(value) else Cell(f"{value:.2g}", float(value))


def write_vega(path):
    """Write Vega, Vega-Lite and vega-embed in one file, as altair inlines them.

    Bundling takes seconds, so a study does it once. The report's opening holds it once for all
    pages (`opening.vega_html`); a page that is opened alone reads the file.
    """
    import altair
    import vl_convert

    version = ".".join(altair.SCHEMA_VERSION.split(".")[:2])
    code = vl_convert.javascript_bundle(vl_version=version)
    with staged(path) as temporary:
        temporary.write_text(code, encoding="utf-8")


def _classes(cell, column):
    """CSS classes of a cell: long text wraps, bars and marks are drawn."""
    wrap = not column.number and len(cell.text) > LONG_TEXT
    names = ["wrap" * wrap, cell.mark, "bar" * (cell.bar is not None)]
    return " ".join(filter(None, names))


def _json(value):
    """JSON that may stand inside a <script>."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("</", r"<\/")


def render_page(title, sections, *, vega=None):
    """A page as HTML.

    Parameters
    ----------
    title : str
    sections : list of Table, Chart or Notes
    vega : str, keyword only
        Where the page finds what `write_vega` wrote; a page with charts needs it.

    Returns
    -------
    str
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["cell"] = lambda cell: cell if isinstance(cell, Cell) else Cell(str(cell))
    environment.filters["script_json"] = _json
    environment.filters["classes"] = _classes
    drawn = any(section.kind == "chart" for section in sections)
    return environment.get_template("page.html.jinja").render(
        title=title, sections=sections, vega=vega if drawn else None
    )


def write_page(path, title, sections, *, vega=None):
    """Write a page whole or not at all; `vega` is a path.

    Raises
    ------
    UserError
        If it is larger than a browser shows inside the report.
    """
    near = vega and Path(os.path.relpath(vega, Path(path).parent)).as_posix()
    page = render_page(title, sections, vega=near).encode()
    if len(page) > MOST_BYTES:
        raise UserError(
            f"a page of {len(page) / 1e6:.1f} MB", file=path, allowed=f"{MOST_BYTES / 1e6:.1f} MB",
            mend="a defect of soyfold: it has to show fewer rows here",
        )  # fmt: skip
    with staged(path) as temporary:
        temporary.write_bytes(page)
