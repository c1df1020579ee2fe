"""Which models learn products of four loci? R2 of test lines over the additive term's weight.

    make bench-epistasis BENCH_ARGS="--eps 0 0.5 1 --lines 10000 --epochs 500"

The simulated traits of Rijal et al. 2025 (arXiv:2504.10388) on 100 loci of config/yeast.yaml, or
on simulated segregants where that study has no results. A row a cell, written as it is measured:
whoever stops it goes on where it was. Columns and what was found: benchmarks/README.md.
"""

import argparse
import itertools
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd
from planted_cells import ROOT, Genotypes, cohort_of, fill_table, fit_cell

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.contacts.cim import expected_sums, normalise
from soyfold.metrics import pearson, r2
from soyfold.models.chosen_loci import choose_loci
from soyfold.simulation.epistasis import cross_lines
from soyfold.simulation.high_order import COEFFICIENTS, HighOrder, plant_high_order
from soyfold.study.registry import load_models

KEYS = ["genotypes", "model", "eps", "coefficients", "lines", "epochs", "draw", "split"]
COLUMNS = [*KEYS, "additive_share", "r2", "pcc", "seconds"]
MODELS_FILE = Path(__file__).resolve().with_name("models.yaml")
MODELS = (
    "gblup", "pairwise", "rijal_12", "rijal_30", "rijal_50", "rijal_80", "arcadia_64", "csafm",
    "csafm_products",
)  # fmt: skip
BALANCE = 0.05  # |mean| of alleles -1 and 1 that loci stay below
COPIES = 0.94  # |r| above which two SNPs are one locus
# Segregants of two founders where there are no real ones.
SIMULATED, SPACING, MORGANS_PER_MB = 1000, 4000, 3.5


def arguments_of(doc, models, *, eps, lines):
    """The parser of a benchmark of such traits, with what they all take."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--study", default=str(ROOT / "config/yeast.yaml"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--figure", type=Path, help="of the whole table")
    parser.add_argument("--models", nargs="+", default=models)
    parser.add_argument("--models-file", default=MODELS_FILE)
    parser.add_argument("--eps", nargs="+", type=float, default=eps)
    parser.add_argument("--lines", nargs="+", type=int, default=lines, help="of the study, then "
                        "of crosses of its lines")  # fmt: skip
    parser.add_argument("--epochs", type=int, default=500, help="of networks; all are trained")
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--loci", type=int, default=HighOrder.loci)
    parser.add_argument("--products", type=int, default=HighOrder.products)
    return parser


def read_arguments(arguments=None):
    """Read the command line."""
    parser = arguments_of(__doc__, MODELS, eps=[k / 10 for k in range(11)], lines=[10_000])
    parser.add_argument("--coefficients", nargs="+", choices=COEFFICIENTS, default=["normal"])
    return parser.parse_args(arguments)


class Segregants(Genotypes):
    """Genotypes of a study that has results, or of simulated segregants on its chromosomes."""

    def __init__(self, study, models_file):
        try:
            super().__init__(study, models_file)
            self.name = "real"
        except UserError as error:
            print(f"simulated segregants: {error}", flush=True)
            self.read_settings(study, models_file)
            self.simulate()
            self.name = "simulated"
        self.cim = normalise(self.sums, "observed_expected", chromosomes=self.chromosomes)

    def simulate(self):
        """Recombinants of two founders that differ everywhere; contacts as lengths have them."""
        names, lengths = self.chromosomes.names, self.chromosomes.lengths
        places = [np.arange(SPACING, length, SPACING) for length in lengths]
        chromosome = np.repeat(names, [len(place) for place in places])
        self.variants = pd.DataFrame({"chromosome": chromosome, "position": np.concatenate(places)})
        founders = np.repeat(np.array([[0], [2]], dtype=np.int8), len(chromosome), axis=1)
        self.dosage, _ = cross_lines(
            founders, chromosome, self.variants.position.to_numpy(), crosses=SIMULATED,
            morgans_per_mb=MORGANS_PER_MB, rng=np.random.default_rng(0),
        )  # fmt: skip
        self.sums = expected_sums(self.chromosomes)

    def loci_of(self, lines, draw, planting):
        """Dosages (lines, planting.loci) of balanced loci, and their chromosomes."""
        dosage = self.lines_of(lines, draw)
        loci = choose_balanced(dosage, planting)
        return np.ascontiguousarray(dosage[:, loci]), self.variants.chromosome.to_numpy()[loci]

    def planted(self, eps, coefficients, lines, draw, given):
        """A cohort, and the additive term's share of the two terms' variances."""
        planting = HighOrder(
            loci=given.loci, products=given.products, coefficients=coefficients, seed=draw
        )
        dosage, chromosome = self.loci_of(lines, draw, planting)
        values, *terms = plant_high_order(dosage - 1.0, eps, planting)
        spread = [term.var() for term in terms]
        cohort = cohort_of(dosage, values, chromosome, self.cim)
        return cohort, spread[0] / sum(spread)


def choose_balanced(dosage, planting):
    """Loci of about equally frequent alleles, none a copy of another: columns, ascending."""
    mean = dosage.mean(axis=0, dtype=np.float64) - 1
    scores = 1 + planting.generator(0).random(dosage.shape[1])
    scores[np.abs(mean) >= BALANCE] = 0
    found, _ = choose_loci(dosage, scores, count=planting.loci, independence=COPIES)
    if len(found) < planting.loci:
        allowed = f"up to {len(found)}, with |mean| below {BALANCE} and |r| up to {COPIES}"
        raise UserError(f"{planting.loci} loci", at="--loci", allowed=allowed)
    return np.sort(found)


def trained_for(block, epochs):
    """A block that trains for so many epochs, whose best validation chooses."""
    if block["kind"] != "direct":
        block["parameters"] |= {"epochs": epochs, "patience": epochs}
    return block


def cells(given, source):
    """All cells asked for; those of one trait stand together. Direct models have no epochs."""
    direct = [name for name in given.models if source.block(name)["kind"] == "direct"]
    traits = itertools.product(given.lines, given.coefficients, range(given.draws), given.eps)
    for lines, coefficients, draw, eps in traits:
        for split, model in itertools.product(range(given.splits), given.models):
            epochs = 0 if model in direct else given.epochs
            yield source.name, model, eps, coefficients, lines, epochs, draw + 1, split


def labels_of(table, source):
    """What figures call the models of a table: dict of str to str."""
    names = list(dict.fromkeys(table.model))
    blocks = load_models(source.settings, source.schemas, names)
    return {name: blocks[name]["label"] for name in names}


def draw_figure(table, labels, path):
    """R2 over eps, a panel for each kind of trait and number of lines."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels = list(table.groupby(["coefficients", "lines"]))
    figure, axes = plt.subplots(
        1, len(panels), figsize=(1 + 4.5 * len(panels), 4), layout="constrained", squeeze=False,
        sharex=True, sharey=True,
    )  # fmt: skip
    ceiling = 1 / (1 + HighOrder.noise**2)
    budgets = sorted(table.epochs[table.epochs > 0].unique())
    styles = dict(zip(budgets, itertools.cycle(("-", "--", ":", "-.")), strict=False))
    for ax, ((coefficients, lines), rows) in zip(axes[0], panels, strict=True):
        for number, model in enumerate(labels):
            for epochs, own in rows[rows.model == model].groupby("epochs"):
                means = own.groupby("eps").r2.mean()
                name = labels[model] + (f", {epochs} epochs" if epochs else "")
                ax.plot(
                    means.index, means, marker="o", markersize=4, color=f"C{number % 10}",
                    linestyle=styles.get(epochs, "-"), label=name,
                )  # fmt: skip
        ax.axhline(ceiling, color="grey", linewidth=0.8, label="all but the noise")
        ax.set(title=f"{coefficients} coefficients, {lines} lines")
        ax.set(xlabel="weight of the additive term, eps", ylabel="R2 of test lines")
    told = {line.get_label(): line for ax in axes[0] for line in ax.lines}
    figure.legend(
        told.values(), told, fontsize=7, frameon=False, loc="outside right upper"
    )  # one of all panels
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(arguments=None):
    """Measure what is not in the table yet, a row at a time; draw the figure."""
    given = read_arguments(arguments)
    source = Segregants(given.study, given.models_file)
    trait, planted = None, None

    def measured(cell):
        nonlocal trait, planted
        _, model, eps, coefficients, lines, epochs, draw, split = cell
        if trait != (eps, coefficients, lines, draw):
            trait = eps, coefficients, lines, draw
            planted = source.planted(*trait, given)
        cohort, share = planted
        block = trained_for(source.block(model), epochs)
        _, observed, predicted, seconds = fit_cell(block, cohort, split)
        return share, r2(observed, predicted), pearson(observed, predicted), seconds

    fill_table(given.out, KEYS, COLUMNS, cells(given, source), measured)
    if given.figure:
        table = read_table(given.out)
        draw_figure(table, labels_of(table, source), given.figure)


if __name__ == "__main__":
    logging.getLogger("soyfold").setLevel(logging.ERROR)  # of this process alone
    try:
        main()
    except UserError as error:
        sys.exit(f"soyfold: ERROR {error}")
