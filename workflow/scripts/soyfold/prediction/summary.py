"""What a prediction ends with on the terminal: lines, models, SNPs, where the table is."""

from pathlib import Path

from soyfold.common.files import read_table
from soyfold.prediction.alignment import RECORDS, VARIANTS
from soyfold.prediction.matching import MATCHED


def describe_run(predictions, alignment, filled):
    """What a prediction came to, for the terminal.

    Parameters
    ----------
    predictions : DataFrame
    alignment : DataFrame
        As `alignment.count_alignment` gives it.
    filled : DataFrame
        chromosome, variants, shared, filled, method.

    Returns
    -------
    str
    """
    count = alignment.set_index(["of", "what"])["count"]
    fates = count[VARIANTS].drop("all")
    told = ", ".join(f"{n} {what}" for what, n in fates.items() if n)
    [matched] = count[MATCHED].index
    methods = filled[filled["filled"] > 0].groupby("method", sort=False)["filled"].sum()
    ways = ", ".join(f"{n} by {method}" for method, n in methods.items()) or "none"
    lines = predictions.drop_duplicates("line")
    known = lines["in_training"].sum()
    alone = predictions.loc[predictions["family_lines"].eq(0).fillna(False), "line"].nunique()
    rows = [
        f"{count['lines', 'all']} lines predicted, {known} of them known from training",
        f"traits  {', '.join(dict.fromkeys(predictions['trait']))}",
        f"models  {', '.join(dict.fromkeys(predictions['model']))}",
        f"SNPs    {count[VARIANTS, 'all']} of the models, matched by {matched}: {told}",
        f"        {count[RECORDS, 'unknown to the model']} of the file unknown to them",
        f"calls   {count['calls', 'known']} known, imputed: {ways}",
    ]
    if alone:
        rows.insert(1, f"        {alone} of families without a training line: less sure")
    return "\n".join(rows)


def print_prediction(folder, *, title):
    """Print what the tables of a finished prediction come to.

    Parameters
    ----------
    folder : path-like
        prediction/<file>.
    title : str
        Of the study.
    """
    folder = Path(folder)
    names = ("predictions.tsv", "alignment.tsv", "filled.tsv")
    told = describe_run(*(read_table(folder / name) for name in names))
    print(f"\n{title}\n{'=' * len(title)}\n{told}")
    print(f"table   {folder / 'predictions.tsv'}\nfigures {folder / 'figures'}/")
