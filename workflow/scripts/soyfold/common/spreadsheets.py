"""Excel workbooks (.xlsx) as rows of text, as a table of text would have them."""

import datetime
import itertools
import zipfile

from soyfold.common.errors import UserError

ZIP = b"PK\x03\x04"  # with which an .xlsx begins
OLD = b"\xd0\xcf\x11\xe0"  # with which an .xls begins


def _text(value, decimal):
    """A cell as text; whole numbers without a decimal point, so that ids stay ids."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        return text.replace(".", decimal)
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return str(value)


def _rows(values, formulas, path, sheet, decimal):
    """Rows of one sheet; a formula whose value was never stored is refused, not lost."""
    both = zip(
        values.iter_rows(values_only=True), formulas.iter_rows(values_only=True), strict=True
    )
    for number, (row, written) in enumerate(both, start=1):
        for column, (value, text) in enumerate(itertools.zip_longest(row, written), start=1):
            if value is None and text is not None:
                raise UserError(
                    f"a formula without its value ({text})",
                    file=path,
                    at=f"sheet {sheet!r}, line {number}, column {column}",
                    allowed="values",
                    mend="open the workbook in Excel or LibreOffice and save it",
                )
        yield number, [_text(value, decimal) for value in row]


def read_sheets(path, *, sheet=None, decimal="."):
    """Read a workbook's sheets.

    Parameters
    ----------
    path : path-like
    sheet : str, optional
        This sheet alone.
    decimal : str
        What to write between a number and its decimals.

    Returns
    -------
    dict of str to list of (int, list of str)
        By sheet: the number of each row, from 1, and its cells as text, "" where blank.

    Raises
    ------
    UserError
        For a file that is no .xlsx, an unknown sheet, or a formula without a stored value.
    """
    import openpyxl  # half a second, which tables of text needn't wait for
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        values = openpyxl.load_workbook(path, read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(path, read_only=True, data_only=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise UserError(
            f"no readable workbook ({error})",
            file=path,
            allowed="Excel's .xlsx, or CSV or TSV",
            mend="save it as .xlsx or CSV",
        ) from None
    try:
        names = [worksheet.title for worksheet in values.worksheets]
        if sheet is not None and sheet not in names:
            raise UserError(f"no sheet {sheet!r}", file=path, allowed=", ".join(map(repr, names)))
        return {
            name: list(_rows(values[name], formulas[name], path, name, decimal))
            for name in ([sheet] if sheet is not None else names)
        }
    finally:
        values.close()
        formulas.close()
