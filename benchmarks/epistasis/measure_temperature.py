"""Does a trait at one temperature profit from its values at seven others? R2 over labelled lines.

    make bench-temperature BENCH_ARGS="--eps 0.5 1 --lines 10000 --epochs 500"

The transfer of Rijal et al. 2025 (arXiv:2504.10388), simulated: coefficients of loci and of
products of four are quadratic in the temperature; some of the training lines have a value at the
target, all have theirs at the other temperatures. A row a cell, written as it is measured. Columns
and what was found: benchmarks/README.md.
"""

import dataclasses
import itertools
import logging
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from measure_epistasis import Segregants, arguments_of, labels_of, trained_for
from planted_cells import TESTED, cohort_of, draw_split, fill_table, learner_of

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.evaluation.transfer import compare_transfer
from soyfold.report.figures.transfer import plot_transfer
from soyfold.simulation.high_order import TEMPERATURES, HighOrder, plant_temperatures
from soyfold.training.transfer import SCORES, curve, label_counts

KEYS = ["genotypes", "model", "eps", "target", "lines", "labels", "epochs", "draw", "split"]
ARMS = ("alone", "joint")
COLUMNS = [*KEYS, *(f"r2_{arm}" for arm in ARMS), *(f"pcc_{arm}" for arm in ARMS), "seconds"]
MODELS = ("gblup", "multi_trait_gblup", "rijal_temperatures", "cross_attention_temperatures")
POINTS, FEWEST = 5, 20
TRAINED = 1 - TESTED  # share of the lines that train or validate


def read_arguments(arguments=None):
    """Read the command line."""
    parser = arguments_of(__doc__, MODELS, eps=[0.0, 0.5, 1.0], lines=[10_000])
    parser.add_argument("--target", type=int, choices=TEMPERATURES, default=37)
    parser.add_argument("--labels", nargs="+", type=int, help="lines with a value at the target "
                        f"(default {POINTS} numbers, evenly on a log scale)")  # fmt: skip
    return parser.parse_args(arguments)


def plant(source, eps, lines, draw, given):
    """A cohort that has a column for each temperature."""
    planting = HighOrder(loci=given.loci, products=given.products, seed=draw)
    dosage, chromosome = source.loci_of(lines, draw, planting)
    cohort = cohort_of(
        dosage, plant_temperatures(dosage - 1.0, eps, planting), chromosome, source.cim
    )
    named = tuple(f"{temperature} C" for temperature in TEMPERATURES)
    return dataclasses.replace(cohort, traits=named)


def cells(given, source):
    """All cells asked for; those of one trait stand together. Direct models have no epochs."""
    direct = [name for name in given.models if source.block(name)["kind"] == "direct"]
    for lines, draw, eps in itertools.product(given.lines, range(given.draws), given.eps):
        counts = given.labels or label_counts(round(TRAINED * lines), points=POINTS, fewest=FEWEST)
        for split, model, labels in itertools.product(range(given.splits), given.models, counts):
            epochs = 0 if model in direct else given.epochs
            yield source.name, model, eps, given.target, lines, labels, epochs, draw + 1, split


def fit_arms(block, cohort, target, labels, split):
    """R2 and PCC by arm, NaN of one that the model hasn't, and CPU seconds of all fits."""
    learn = learner_of(block)
    task, started = draw_split(cohort, split), time.process_time()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "split.tsv"
        parts = pd.DataFrame({"sample": task.sample, "part": task.part})
        parts.to_csv(path, sep="\t", index=False)
        found = {
            (arm, metric): value
            for arm, _, _, metric, value in curve(
                block, learn, cohort, f"{target} C", seeds=[split], splits=[path], points=1,
                fewest=labels, kind="quantitative",
            )
        }  # fmt: skip
    told = [found.get((arm, metric), float("nan")) for metric in ("R2", "PCC") for arm in ARMS]
    return [*told, time.process_time() - started]


def scores_of(table):
    """A table's R2 as `training.transfer.transfer_trait` would return them: a trait a weight."""
    long = table.melt(KEYS, [f"r2_{arm}" for arm in ARMS], "arm", "value").dropna(subset="value")
    return pd.DataFrame({
        "trait": [f"eps {eps:g}, {target} C, {n} lines"
                  for eps, target, n in zip(long.eps, long.target, long.lines, strict=True)],
        "model": long.model, "arm": long.arm.str.removeprefix("r2_"), "lines": long.labels,
        "seed": 1000 * long.draw + long.split, "metric": "R2", "value": long.value,
    })[SCORES]  # fmt: skip


def main(arguments=None):
    """Measure what is not in the table yet, a row at a time; draw the figure."""
    given = read_arguments(arguments)
    source = Segregants(given.study, given.models_file)
    trait, cohort = None, None

    def measured(cell):
        nonlocal trait, cohort
        _, model, eps, target, lines, labels, epochs, draw, split = cell
        if trait != (eps, lines, draw):
            trait = eps, lines, draw
            cohort = plant(source, *trait, given)
        return fit_arms(trained_for(source.block(model), epochs), cohort, target, labels, split)

    fill_table(given.out, KEYS, COLUMNS, cells(given, source), measured)
    if given.figure:
        table = read_table(given.out)
        labels = labels_of(table, source)
        told = compare_transfer(scores_of(table), labels=labels, test_share=TESTED / TRAINED)
        plot_transfer(told, paths=[given.figure])


if __name__ == "__main__":
    logging.getLogger("soyfold").setLevel(logging.ERROR)  # of this process alone
    try:
        main()
    except UserError as error:
        sys.exit(f"soyfold: ERROR {error}")
