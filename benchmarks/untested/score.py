"""How well lines that were set aside are predicted, by trait, model and kind of line.

    python benchmarks/untested/score.py --predictions PREDICTIONS ... --out untested.tsv

Columns: benchmarks/README.md.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import pandas as pd
from set_aside import FAMILY

from soyfold.common.files import write_table
from soyfold.metrics import mae, pearson


def score(rows):
    """One row of the table for the lines of one trait, model and kind.

    Lines of a new family are ranked within it, as its breeder would: PCC is the mean over families.
    """
    inside = (rows["observed"] >= rows["lower"]) & (rows["observed"] <= rows["upper"])
    families = inside.groupby(rows["family"])
    ranked = [rows] if rows["family_lines"].any() else [own for _, own in rows.groupby("family")]
    return pd.Series(
        {
            "lines": len(rows),
            "families": families.ngroups,
            "PCC": sum(pearson(own["observed"], own["prediction"]) for own in ranked) / len(ranked),
            "bias": (rows["prediction"] - rows["observed"]).mean(),
            "MAE": mae(rows["observed"], rows["prediction"]),
            "coverage": inside.mean(),
            "least_coverage": families.mean().min(),
            "width": (rows["upper"] - rows["lower"]).mean(),
        }
    )


def main(arguments=None):
    """Read the command line, compare with the published line effects, write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("SOYFOLD_DATA", "../shared/data"))
    parser.add_argument("--effects", type=Path, default=data / "soynam/blues.tsv")
    parser.add_argument("--predictions", required=True, type=Path, nargs="+", help="one per set")
    parser.add_argument("--out", required=True, type=Path)
    given = parser.parse_args(arguments)
    table = pd.concat([pd.read_csv(path, sep="\t") for path in given.predictions])
    effects = pd.read_csv(given.effects, sep="\t").melt("strain", ["oil_blue", "protein_blue"])
    effects["trait"] = effects.pop("variable").str.removesuffix("_blue")
    table = table.merge(
        effects.rename(columns={"strain": "line", "value": "observed"}), on=["line", "trait"]
    ).dropna(subset="observed")
    table["family"] = table["line"].str.extract(FAMILY)[0]
    table["kind"] = table["family_lines"].eq(0).map({True: "new family", False: "sisters"})
    found = table.groupby(["trait", "model", "kind"], sort=True)[
        ["family", "family_lines", "observed", "prediction", "lower", "upper"]
    ].apply(score)
    found = found.astype({"lines": int, "families": int})
    write_table(found.reset_index().round(4), given.out)
    print(found.round(3).to_string())


if __name__ == "__main__":
    main()
