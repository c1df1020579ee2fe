"""The steps of a study from raw files to the dosage matrix and the CIM, as the rules run them.

    python benchmarks/scale/steps.py STEP '{"folder": ..., ...}'

runs one step in this process and prints what it cost as JSON.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import pandas as pd
import yaml

from soyfold.common.chromosomes import read_chromosomes
from soyfold.simulation.study import OTHERS, Options, name_styles, simulate_study
from soyfold.study import settings

ROOT = Path(__file__).resolve().parents[2]
CHROMOSOMES = ROOT / "resources" / "chromosomes" / "soybean_wm82.a2.tsv"
SCHEMAS = ROOT / "workflow" / "schemas"
PLINK = {"threads": 1, "memory_mb": 4000}


class Study:
    """A simulated study under `folder`, with the settings that its study.yaml leaves at default."""

    def __init__(self, folder, **sizes):
        self.folder = Path(folder)
        self.raw, self.results = self.folder / "study", self.folder / "results"
        self.sizes = sizes
        self.chromosomes = read_chromosomes(CHROMOSOMES)

    def load(self):
        """Settings of the study."""
        file = self.raw / "study.yaml"
        return settings.load_study(yaml.safe_load(file.read_text()), SCHEMAS, file=str(file))

    def left_out(self):
        """Chromosomes that the sizes don't name, where they name any: Beagle fills the others."""
        chosen = self.sizes.get("chromosomes") or self.chromosomes.names
        return [name for name in self.chromosomes.names if name not in chosen]

    def library(self):
        """The library of pairs, to be binned at the benchmark's bin size."""
        row = settings.read_libraries(self.load(), SCHEMAS)["leaf_pairs"]
        return {**row, "resolution": self.sizes["bin_size"]}


def simulate(study):
    """Raw files of the study."""
    sizes = {name: study.sizes[name] for name in ("lines", "snps", "pairs", "seed")}
    simulate_study(study.raw, Options(**sizes), CHROMOSOMES)


def import_genotypes(study):
    """VCF to bed."""
    from soyfold.genotypes.importing import import_genotypes

    own = study.load()["genotypes"]
    import_genotypes(
        own["file"], settings=own, chromosomes=study.chromosomes,
        prefix=study.results / "raw", variants=study.results / "import.tsv", **PLINK,
    )  # fmt: skip


def filter_genotypes(study):
    """The paper's three filters."""
    from soyfold.genotypes.filters import filter_genotypes

    tables = {name: study.results / f"{name}.tsv" for name in ("samples", "variants", "counts")}
    filter_genotypes(
        study.results / "raw", study.results / "import.tsv", chromosomes=study.chromosomes,
        thresholds=study.load()["genotypes"]["filters"], prefix=study.results / "filtered",
        **tables, **PLINK,
    )  # fmt: skip


def impute_chromosome(study, chromosome):
    """Beagle on one chromosome, twice: once for the accuracy on masked calls."""
    from soyfold.imputation.imputing import impute_chromosomes

    own = study.load()["imputation"]
    prefix = study.results / "imputed" / chromosome
    impute_chromosomes(
        study.results / "filtered", [chromosome], settings=own, prefix=prefix,
        calls=f"{prefix}.calls.tsv", memory_mb=int(1024 * own["memory_gb"]) + 1000,
    )  # fmt: skip


def fill_chromosomes(study):
    """Not measured by Beagle: each variant's most frequent genotype, so that merging finds it."""
    from soyfold.common.files import write_table
    from soyfold.genotypes import bed
    from soyfold.imputation.imputing import MOST_FREQUENT, fill_most_frequent
    from soyfold.imputation.masking import PAIRS

    source, folder = study.results / "filtered", study.results / "imputed"
    bim, samples = bed.read_bim(f"{source}.bim"), bed.read_fam(f"{source}.fam")
    rows = bed.open_bed(f"{source}.bed", variants=len(bim), samples=len(samples))
    names = ["chromosome", "variants", "missing_before", "method", *PAIRS]
    folder.mkdir(exist_ok=True)
    for chromosome in study.left_out():
        prefix, here = folder / chromosome, (bim["chromosome"] == chromosome).to_numpy()
        bed.write_bed(fill_most_frequent(rows[here], len(samples)), f"{prefix}.bed")
        bed.write_bim(bim[here], f"{prefix}.bim")
        bed.write_fam(samples, f"{prefix}.fam")
        row = [chromosome, here.sum(), 0, MOST_FREQUENT, *[0] * len(PAIRS)]
        write_table(pd.DataFrame([row], columns=names), f"{prefix}.calls.tsv")


def merge_chromosomes(study):
    """Imputed chromosomes to one bed."""
    from soyfold.imputation.imputing import merge_chromosomes

    names = study.chromosomes.names
    merge_chromosomes(
        [study.results / "imputed" / name for name in names], names,
        source=study.results / "filtered", prefix=study.results / "merged",
        accuracy=study.results / "accuracy.tsv",
    )  # fmt: skip


def join_traits(study):
    """Phenotypes of all traits to values of the lines."""
    from soyfold.cohort.joins import read_id_map
    from soyfold.cohort.samples import read_samples
    from soyfold.cohort.traits import join_trait

    cohort = study.load()["cohort"]
    samples = read_samples(study.results / "merged.fam", study.results / "samples.tsv")
    schema, prefixes = SCHEMAS / "traits.schema.yaml", cohort["accession_prefixes"]
    for row in settings.read_sheet(cohort["traits"], schema, key="trait").values():
        join_trait(
            row, samples, prefixes=prefixes, id_map=read_id_map(None, prefixes),
            minimum_lines=cohort["minimum_lines"],
        )  # fmt: skip


def write_dosage(study):
    """Bed to the dosage matrix."""
    from soyfold.cohort.dosage import write_dosage

    keys = {name: study.results / f"cohort_{name}.tsv" for name in ("samples", "variants")}
    write_dosage(study.results / "merged.bed", dosage=study.results / "dosage.npy", **keys)


def build_cim(study):
    """Valid pairs to a cooler to sums by chromosome."""
    from soyfold.contacts import sum_by_chromosome
    from soyfold.contacts.library import load_library

    cool = study.results / "pairs.cool"
    load_library(
        study.library(), study.chromosomes, resolution=None, cool=cool,
        table=study.results / "pairs.tsv",
    )  # fmt: skip
    sum_by_chromosome(cool, study.chromosomes.names).to_csv(study.results / "sums.tsv", sep="\t")


def cload_pairs(study):
    """The same pairs to a cooler by `cooler cload pairs`, without a CIM."""
    names = [*name_styles(study.chromosomes)["pairs"], "scaffold_21"]
    lengths = [*study.chromosomes.lengths, OTHERS["scaffold_21"]]
    sizes = study.results / "pairs.chromsizes"
    lines = (f"{name}\t{length}\n" for name, length in zip(names, lengths, strict=True))
    sizes.write_text("".join(lines))
    places = ["-c1", "2", "-p1", "3", "-c2", "5", "-p2", "6"]
    command = [str(Path(sys.executable).with_name("cooler")), "cload", "pairs", *places]
    out = study.results / "cload.cool"
    bins = f"{sizes}:{study.sizes['bin_size']}"
    done = subprocess.run(
        [*command, bins, study.library()["file"], str(out)],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"cooler cload pairs: {done.stderr[-500:]}")


# Step -> (storey, function); one job each, but for Beagle's on a chromosome.
STEPS = {
    "simulate": ("simulation", simulate),
    "import_genotypes": ("genotypes", import_genotypes),
    "filter_genotypes": ("genotypes", filter_genotypes),
    "impute_chromosome": ("imputation", impute_chromosome),
    "fill_chromosomes": ("stand-in", fill_chromosomes),
    "merge_chromosomes": ("imputation", merge_chromosomes),
    "join_traits": ("cohort", join_traits),
    "write_dosage": ("cohort", write_dosage),
    "build_cim": ("contacts", build_cim),
    "cload_pairs": ("contacts", cload_pairs),
}


def _cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _own_peak_mb():
    """Peak resident set of this process alone; ru_maxrss would begin with its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main():
    """Run the step named on the command line."""
    step, given = sys.argv[1], json.loads(sys.argv[2])
    chromosome = given.pop("chromosome", None)
    os.environ["OMP_NUM_THREADS"] = "1"
    study = Study(**given)
    study.results.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    STEPS[step][1](study, *([chromosome] if chromosome else []))
    cost = {
        "seconds": time.perf_counter() - began,
        "python_cpu": _cpu(resource.RUSAGE_SELF),
        "programs_cpu": _cpu(resource.RUSAGE_CHILDREN),
        "python_mb": _own_peak_mb(),
        "programs_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
