"""What families would be by their parents, beside what they came to: SoyNAM's 40.

    python benchmarks/crosses/predict_families.py --results results/soynam_crosses --out FOLDER

Each family is taken out of the lines that effects come from, and foretold from its two parents.
Columns: benchmarks/README.md.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from scipy.linalg import cho_factor, cho_solve

from soyfold.cohort.families import find_families
from soyfold.common.files import write_table
from soyfold.metrics import pearson
from soyfold.models import gblup
from soyfold.selection.candidates import read_names
from soyfold.selection.genetic_map import place_snps
from soyfold.selection.progeny import linkage

PATTERN = r"^DS\d\d-(\d\d)"
REML_LINES = 1500
FITTING = 0.9  # least agreement of a family's SNPs with those at which its parents differ
RATE = 2.5  # cM/Mb
LOWER = 0.8  # share of the families, those foretold to be lowest, that must agree by themselves
# Whose values effects come from, and whether each family has a mean of its own beside them.
SCENARIOS = {
    "lines of other families": (False, False),
    "and all parents": (True, False),
    "and all parents, within families": (True, True),
}


class Effects:
    """Ridge effects of SNPs beside fixed ones, from which lines are taken out exactly.

    With X the fixed columns and centred dosages and A = X'X + penalties, leaving out the rows U is
    (A - U'U)^-1 = A^-1 + T (I - U T)^-1 T', T = A^-1 U' (Woodbury).
    """

    def __init__(self, dosage, y, fixed, ridge, residual):
        self.fixed, self.residual = fixed.shape[1], residual
        self.centre = dosage.mean(0)
        self.x, self.y = np.hstack([fixed, dosage - self.centre]), y
        a = self.x.T @ self.x
        penalties = np.full(len(a), ridge)
        penalties[: self.fixed] = 1e-6  # a family that is gone has no mean to estimate
        a[np.diag_indices_from(a)] += penalties
        self.inverse = cho_solve(cho_factor(a, lower=True), np.eye(len(a)), check_finite=False)
        self.right = self.x.T @ y

    def without(self, out):
        """Effects (fixed and SNPs) without the lines `out`, and T and the middle of Woodbury's."""
        u = self.x[out]
        t = self.inverse @ u.T
        middle = np.linalg.inv(np.eye(len(u)) - u @ t)
        first = self.inverse @ (self.right - u.T @ self.y[out])
        return first + t @ (middle @ (u @ first)), t, middle

    def covariance(self, snps, t, middle):
        """Posterior covariance of some SNPs' effects."""
        own = self.fixed + snps
        return self.residual * (self.inverse[np.ix_(own, own)] + t[own] @ middle @ t[own].T)


def foretell(model, out, parents, chromosome, maps):
    """Mean of a cross's progeny, and by each map their sd by the effects, and by uncertain ones.

    The variance of the posterior mean's progeny is b'Db; the posterior mean of the variance adds
    the trace of D with the effects' covariance (Lehermeier et al. 2017).
    """
    fitted, t, middle = model.without(out)
    effects = fitted[model.fixed :]
    half = (parents[0] - parents[1]) / 2
    found = {}
    for name in dict.fromkeys(chromosome):
        snps = np.flatnonzero((chromosome == name) & (half != 0))
        covariance = model.covariance(snps, t, middle)
        for key, morgans in maps.items():
            near = linkage(morgans[snps], morgans[snps], kind="ril")
            near *= np.outer(half[snps], half[snps])
            plain, full = found.get(key, (0.0, 0.0))
            plain += effects[snps] @ near @ effects[snps]
            found[key] = plain, full + (near * covariance).sum()
    fixed = fitted[: model.fixed]
    fixed = fixed[np.abs(fixed) > 1e-6]  # a family that is gone has none
    mean = fixed.mean() + (parents.mean(0) - model.centre) @ effects
    sds = {}
    for key, (plain, further) in found.items():
        sds |= {f"sd{key}": plain**0.5, f"sd_uncertain{key}": (plain + further) ** 0.5}
    return {"mean": mean, **sds}


def predict_trait(trait, dosage, names, values, parents, chromosome, maps):
    """A row a family and scenario."""
    known = np.flatnonzero(values.notna())
    y, x = values.to_numpy()[known], dosage[known].astype(np.float64)
    family = find_families(names[known], pattern=PATTERN).fillna("").to_numpy(dtype=str)
    sample = np.random.default_rng(0).choice(len(known), min(REML_LINES, len(known)), replace=False)
    sample.sort()
    told = gblup.fit(dosage[known][sample], y[sample], parameters={}, seed=0).summary()
    rows, named = pd.Index(names), ["common_parent", "other_parent"]
    own = np.isin(known, rows.get_indexer(parents[named].stack().unique()))
    table, before, model = [], None, None
    for scenario, (kept, within) in SCENARIOS.items():
        if within != before:
            fixed = pd.get_dummies(family).to_numpy(float) if within else np.ones((len(y), 1))
            model = Effects(x, y, fixed, told["lambda"], told["variance_residual"])
            before = within
        for row in parents.itertuples():
            lines = family == row.family
            pair = dosage[rows.get_indexer([row.common_parent, row.other_parent])].astype(float)
            out = np.flatnonzero(lines | (own & (not kept)))
            table.append({
                "trait": trait, "family": row.family, "effects_from": scenario,
                "lines": lines.sum(), "observed_mean": y[lines].mean(),
                "observed_sd": y[lines].std(ddof=1),
                **foretell(model, out, pair, chromosome, maps),
                "mid_parent": values[[row.common_parent, row.other_parent]].mean(skipna=False),
                "differing_snps": (pair[0] != pair[1]).mean(),
                "residual_variance": told["variance_residual"],
                "heritability": told["heritability"],
            })  # fmt: skip
        print(trait, scenario, flush=True)
    return pd.DataFrame(table)


def read_marker_map(path, chromosomes):
    """SoyNAM's map as `genetic_map.read_map` gives one: cM of markers that have stayed in place."""
    table = pd.read_csv(path, sep="\t").dropna(subset="lg_cM")
    table = table[table["chrom_a1"] == table["chrom_wm82a2"]].sort_values("pos_a1")
    return {
        name: (rows["pos_a1"].to_numpy(float), rows["lg_cM"].to_numpy(float))
        for name, rows in table.groupby("chrom_a1")
        if name in chromosomes
    }


def describe(rows):
    """Agreement over families of one trait and scenario: correlation, its ceiling, slope, levels.

    The ceiling is what the true values would reach: the observed ones have sampling errors of
    sd / sqrt(n) (means) and sd / sqrt(2 (n - 1)) (sds).
    """
    n, sd = rows["lines"], rows["observed_sd"]
    errors = {"mean": sd**2 / n, "sd": sd**2 / (2 * (n - 1))}
    found = []
    columns = [name for name in rows if name.startswith("sd")] + ["differing_snps"]
    for kind, predicted in (
        ("mean", "mean"), ("mean", "mid_parent"), *(("sd", name) for name in columns),
    ):  # fmt: skip
        pair = rows[[f"observed_{kind}", predicted]].dropna()
        observed, told = pair.to_numpy(dtype=float).T
        r = pearson(observed, told)
        ends = np.tanh(np.arctanh(r) + np.array([-1.96, 1.96]) / np.sqrt(len(pair) - 3))
        lower = told <= np.quantile(told, LOWER)
        known = max(0.0, 1 - errors[kind].mean() / observed.var(ddof=1))
        found.append({
            "of": kind, "by": predicted, "families": len(pair), "r": r, "low": ends[0],
            "high": ends[1], "spearman": pair.corr("spearman").iloc[0, 1],
            "r_lower": pearson(observed[lower], told[lower]),
            "ceiling": np.sqrt(known), "slope": np.polyfit(told, observed, 1)[0],
            "observed": observed.mean(), "predicted": told.mean(),
        })  # fmt: skip
    return pd.DataFrame(found)


def draw(families, path):
    """Observed against foretold sd (above) and mean (below) of each family, trait by trait."""
    rows = families[families["effects_from"] == "and all parents"]
    traits = list(dict.fromkeys(rows["trait"]))
    figure, axes = plt.subplots(2, len(traits), figsize=(3 * len(traits), 5.6), squeeze=False,
                                layout="constrained")  # fmt: skip
    for (above, below), trait in zip(axes.T, traits, strict=True):
        own = rows[rows["trait"] == trait]
        above.scatter(own["sd"], own["observed_sd"], s=16, color="#2f6fa8")
        above.set(title=trait, xlabel="sd foretold by SNP effects", ylabel="observed sd")
        for name, colour in (("mid_parent", "#2f6fa8"), ("mean", "#8a949e")):
            below.scatter(
                own[name],
                own["observed_mean"],
                s=16,
                color=colour,
                label={"mid_parent": "parents' own values", "mean": "predictions"}[name],
            )
        ends = own[["mean", "mid_parent", "observed_mean"]].agg(["min", "max"])
        ends = [ends.min(axis=None), ends.max(axis=None)]
        below.plot(ends, ends, color="#999", ls=":", zorder=0)
        below.set(xlabel="mean of", ylabel="observed mean")
        below.legend(fontsize=7, frameon=False)
    figure.savefig(path, dpi=130)


def main(arguments=None):
    """Read the command line, foretell the families, write both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("SOYFOLD_DATA", "../shared/data"))
    parser.add_argument("--parents", type=Path, default=data / "soynam/family_parents.tsv")
    parser.add_argument("--map", type=Path, default=data / "soynam/marker_map.tsv")
    parser.add_argument("--results", type=Path, default=Path("results/soynam_crosses"))
    parser.add_argument("--traits", nargs="+", default=["oil", "protein", "R8"])
    parser.add_argument("--out", required=True, type=Path, help="folder of the tables")
    parser.add_argument("--families", type=Path, help="families.tsv of before, to compare again")
    given = parser.parse_args(arguments)
    if given.families:
        families = pd.read_csv(given.families, sep="\t", dtype={"family": str})
    else:
        families = foretell_families(given)
        write_table(families, given.out / "families.tsv", digits=5)
    keys = ["trait", "effects_from"]
    summary = families.groupby(keys, sort=False)[families.columns].apply(describe)
    summary = summary.reset_index(keys).reset_index(drop=True)
    write_table(summary, given.out / "agreement.tsv", digits=4)
    draw(families, given.out / "families.png")
    print(summary.round(3).to_string(index=False))


def foretell_families(given):
    """Rows of all traits, from the command line's arguments."""
    cohort = given.results / "cohort"
    dosage, names = np.load(cohort / "dosage.npy"), read_names(cohort / "samples.tsv")
    variants = pd.read_csv(cohort / "variants.tsv", sep="\t").sort_values("column")
    chromosome = variants["chromosome"].to_numpy(dtype=str)
    position = variants["position"]
    known = read_marker_map(given.map, set(chromosome))
    maps = {
        "": place_snps(chromosome, position, rate=RATE),
        "_map": place_snps(chromosome, position, rate=RATE, genetic_map=known, file=given.map),
    }
    parents = pd.read_csv(given.parents, sep="\t", dtype={"family": str})
    parents = parents[parents["agreement"] >= FITTING]
    tables = []
    for trait in given.traits:
        values = pd.read_csv(cohort / f"phenotypes/{trait}.tsv", sep="\t", dtype={"sample": str})
        values = values.set_index("sample")["value"].reindex(names)
        tables.append(predict_trait(trait, dosage, names, values, parents, chromosome, maps))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    main()
