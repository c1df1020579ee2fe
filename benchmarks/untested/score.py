"""How well lines that were set aside are predicted, by trait, model and kind of line.

    python benchmarks/untested/score.py --predictions PREDICTIONS --out untested.tsv

Columns: benchmarks/README.md.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import pandas as pd

from soyfold.common.files import write_table
from soyfold.metrics import mae, pearson


def score(rows):
    """One row of the table for the lines of one trait, model and kind."""
    inside = (rows["observed"] >= rows["lower"]) & (rows["observed"] <= rows["upper"])
    return pd.Series(
        {
            "lines": len(rows),
            "PCC": pearson(rows["observed"], rows["prediction"]),
            "bias": (rows["prediction"] - rows["observed"]).mean(),
            "MAE": mae(rows["observed"], rows["prediction"]),
            "coverage": inside.mean(),
        }
    )


def main(arguments=None):
    """Read the command line, compare with the published line effects, write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("SOYFOLD_DATA", "../shared/data"))
    parser.add_argument("--effects", type=Path, default=data / "soynam/blues.tsv")
    parser.add_argument("--predictions", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    given = parser.parse_args(arguments)
    table = pd.read_csv(given.predictions, sep="\t")
    effects = pd.read_csv(given.effects, sep="\t").melt("strain", ["oil_blue", "protein_blue"])
    effects["trait"] = effects.pop("variable").str.removesuffix("_blue")
    table = table.merge(
        effects.rename(columns={"strain": "line", "value": "observed"}), on=["line", "trait"]
    ).dropna(subset="observed")
    table["kind"] = table["family_lines"].eq(0).map({True: "new family", False: "sisters"})
    found = table.groupby(["trait", "model", "kind"], sort=True)[
        ["observed", "prediction", "lower", "upper"]
    ].apply(score)
    found["lines"] = found["lines"].astype(int)
    write_table(found.reset_index().round(4), given.out)
    print(found.round(3).to_string())


if __name__ == "__main__":
    main()
