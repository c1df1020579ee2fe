"""The yeast genotypes of config/yeast_sequence.yaml, at their places on R64.

    python workflow/scripts/lift_yeast_markers.py

writes results/yeast_r64/genotypes.txt.gz: the markers that `markers_r64.tsv.gz` has a place for,
named by it; their REF is the reference's base. A maintainer's tool, not a rule.
"""

import argparse
from pathlib import Path

from soyfold.common.files import read_table, write_table
from soyfold.study.settings import expand_path


def lift(genotypes, places):
    """Markers (first column) that have a place, as `<chromosome>_<position>_<ref>_<alt>`."""
    parts = [places[name].astype(str) for name in ("chromosome", "position", "ref", "alt")]
    names = parts[0].str.cat(parts[1:], sep="_").set_axis(places["marker"])
    first = genotypes.columns[0]
    return genotypes.assign(**{first: genotypes[first].map(names)}).dropna(subset=[first])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="results/yeast_r64")
    out = Path(parser.parse_args().out)
    out.mkdir(parents=True, exist_ok=True)
    data = expand_path("${SOYFOLD_DATA}/yeast")
    genotypes = read_table(f"{data}/genotypes.txt.gz", dtype=str)
    lifted = lift(genotypes, read_table(f"{data}/markers_r64.tsv.gz"))
    write_table(lifted, out / "genotypes.txt.gz")
    print(f"{len(lifted)} of {len(genotypes)} markers")
