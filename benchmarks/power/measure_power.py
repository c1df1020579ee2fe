"""What could each model have seen? Planted epistasis found or not, by size, share and topology.

    make bench-power BENCH_ARGS="--models gblup learned_contact_kernel --share 0.5 --lines 1008"

A row a cell (model, cim, lines, share, topology, draw, split), written as it is measured: whoever
stops it goes on where it was. Columns and what was found: benchmarks/README.md. Traits are planted
on the real genotypes of config/yeast.yaml; beyond its lines, on crosses of them in silico.
"""

import argparse
import itertools
import logging
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from planted_cells import Genotypes, cohort_of, fill_table, fit_cell

from soyfold.common.errors import UserError
from soyfold.contacts.cim import make_control, normalise
from soyfold.metrics import pearson
from soyfold.simulation.epistasis import Planting, plant_pairs
from soyfold.simulation.topologies import TOPOLOGIES, topology_pairs

KEYS = ["model", "cim", "lines", "share", "topology", "draw", "split"]
COLUMNS = [*KEYS, "pcc", "loglik", "seconds"]
# CIMs that each model is asked with; those of the second kind have five permuted ones at most.
DECIDES = ("contact_kernel", "learned_contact_kernel", "contact_readout")
WITNESSES = ("contact_readout_windows",)  # of witnesses.yaml, which decide as well
MODELS = (
    "gblup", "lightgbm", "transformer", *DECIDES, "learned_contact_kernel_sparse",
    "contact_readout_learned", "csafm", "csafm_contact", "csafm_products", "cisem", "cisem_contact",
)  # fmt: skip
OTHER_CIMS = ("expected", "constant", "zero")
FEW_PERMUTED = 5
METHOD = "observed_expected"  # as pairs are chosen
# What holds a model's CIM against permuted ones: with the prior on what departs from it.
LIKELIHOODS = ("log_posterior", "log_likelihood")


def read_arguments(arguments=None):
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--study", default="config/yeast.yaml", help="its results must be there")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--models-file", help="where they stand; default: the study's own")
    parser.add_argument("--lines", nargs="+", type=int, default=[1008])
    parser.add_argument("--share", nargs="+", type=float, default=[0.5])
    parser.add_argument("--topology", nargs="+", choices=TOPOLOGIES, default=["contact"])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--permuted", type=int, default=20, help="where a model decides by them")
    parser.add_argument("--cims", nargs="+", help="these alone, such as real permuted1 zero")
    return parser.parse_args(arguments)


def cims_of(model, block, permuted):
    """Names of the CIMs that a model is asked with: none where it predicts the same with any."""
    if "cim" not in block["needs"]:
        return ["none"]
    count = permuted if model in DECIDES + WITNESSES else min(permuted, FEW_PERMUTED)
    return ["real", *(f"permuted{k}" for k in range(1, count + 1)), *OTHER_CIMS]


class Source(Genotypes):
    """A study's genotypes and contacts, and traits planted on them; as `Genotypes`."""

    def __init__(self, study, models_file=None):
        super().__init__(study, models_file)
        self.cim = normalise(self.sums, METHOD, chromosomes=self.chromosomes)

    def block(self, model):
        """A model's entry of the registry; the CIM is taken as it is given."""
        block = super().block(model)
        if model in ("contact_kernel", "learned_contact_kernel"):
            block["parameters"] |= {"contacts": "cim"}
        return block

    def cim_named(self, name):
        """The CIM itself, a control's, or None."""
        if name in ("real", "none"):
            return self.cim  # what needs none doesn't look
        options = {"chromosomes": self.chromosomes, "method": METHOD, "zero_diagonal": False}
        return make_control(name, self.cim, self.sums, **options)

    def planted(self, lines, share, topology, draw):
        """The cohort without a CIM: a draw's lines, SNPs and values."""
        dosage = self.lines_of(lines, draw)
        names = list(self.sums)
        chromosome = self.variants.chromosome.to_numpy()
        parts = [dosage[:, chromosome == name].T for name in names]
        plain = Planting(epistasis=share, seed=draw)
        sizes, contacts = [len(part) for part in parts], self.sums.to_numpy()
        pairs = topology_pairs(topology, contacts, sizes, plain.pairs, plain.generator(6))
        each = plain.products * plain.pairs // len(pairs)
        planting = Planting(epistasis=share, seed=draw, products=each)
        values, _ = plant_pairs(parts, pairs if share else pairs[:0], planting)
        return cohort_of(dosage, values, chromosome, self.cim)


def measure(block, cohort, cim, split):
    """PCC on the test lines, what holds the CIM against others, CPU seconds of one fit."""
    done, observed, predicted, seconds = fit_cell(block, replace(cohort, cim=cim), split)
    told = {name: value for part, name, value in done.extra if part is None}
    loglik = next((told[name] for name in LIKELIHOODS if name in told), np.nan)
    return pearson(observed, predicted), loglik, seconds


def cells(given, source):
    """All cells asked for; those of one cohort and split stand together."""
    asked = [
        (model, cim)
        for model in given.models
        for cim in cims_of(model, source.block(model), given.permuted)
    ]
    if given.cims:
        asked = [(model, cim) for model, cim in asked if cim in (*given.cims, "none")]
    cohorts = itertools.product(given.lines, given.share, given.topology, range(given.draws))
    for (lines, share, topology, draw), split in itertools.product(cohorts, range(given.splits)):
        for model, cim in asked:
            yield (model, cim, lines, share, topology, draw + 1, split)


def main(arguments=None):
    """Measure what is not in the table yet, a row at a time."""
    given = read_arguments(arguments)
    source = Source(given.study, given.models_file)
    place, cohort = None, None

    def measured(cell):
        nonlocal place, cohort
        model, cim, *where, split = cell
        if where != place:
            place, cohort = where, source.planted(*where)
        return measure(source.block(model), cohort, source.cim_named(cim), split)

    fill_table(given.out, KEYS, COLUMNS, cells(given, source), measured)


if __name__ == "__main__":
    logging.getLogger("soyfold").setLevel(logging.ERROR)  # of this process alone
    try:
        main()
    except UserError as error:
        sys.exit(f"soyfold: ERROR {error}")
