"""A study of 3 chromosomes and 48 lines that walks the whole road in half a minute, in text files.

Every file is plain text of a few kB, so that a fault is a small edit of it.
"""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[2]
LENGTHS = {"Gm01": 1_000_000, "Gm02": 800_000, "Gm03": 600_000}
SNPS = {"Gm01": 12, "Gm02": 10, "Gm03": 8}
LINES = 48
BIN = 100_000
VCF, OIL, PLOTS, PAIRS = "genotypes.vcf", "oil.csv", "plots.csv", "leaf.allValidPairs"
MATRIX, BINS = "root.matrix", "root_abs.bed"
TRAITS, LIBRARIES, CHROMOSOMES = "traits.tsv", "hic.tsv", "chromosomes.tsv"


@dataclasses.dataclass
class Study:
    """A study's folder, with its config as a mapping that a fault may change."""

    folder: Path
    config: dict

    def path(self, name):
        """A file of the study."""
        return self.folder / name

    def lines(self, name):
        """A text file's lines."""
        return self.path(name).read_text().splitlines()

    def write(self, name, lines):
        """Write a text file line by line."""
        self.path(name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def edit(self, name, old, new, *, count=1):
        """Replace text in a file; it must be there. A count of -1 replaces all."""
        text = self.path(name).read_text()
        assert old in text, f"{name} doesn't hold {old!r}"
        self.path(name).write_text(text.replace(old, new, count), encoding="utf-8")

    def edit_cells(self, name, line, **cells):
        """Replace tab-separated cells of one line, numbered from 0: `c1="x"`."""
        lines = self.lines(name)
        parts = lines[line].split("\t")
        for place, text in cells.items():
            parts[int(place.removeprefix("c"))] = text
        lines[line] = "\t".join(parts)
        self.write(name, lines)

    def save(self):
        """Write the config; returns its path."""
        path = self.path("study.yaml")
        path.write_text(yaml.safe_dump(self.config, sort_keys=False, allow_unicode=True))
        return path

    def copy(self, folder):
        """A copy of the study, with its results if it has any."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return Study(Path(folder), yaml.safe_load(yaml.safe_dump(self.config)))


def write_study(folder):
    """Write the good study's files; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    study = Study(folder, _config())
    rng = np.random.default_rng(1)
    if not (folder / "resources").exists():  # the papers' own values
        (folder / "resources").symlink_to(ROOT / "resources")
    study.write(CHROMOSOMES, _chromosome_table())
    counts = _genotypes(rng)
    study.write(VCF, _vcf(counts, rng))
    _write_phenotypes(study, counts, rng)
    _write_contacts(study, rng)
    study.save()
    return study


def write_spaced_study(folder):
    """The same study in a folder and files whose names hold spaces; the folder's does already."""
    study = write_study(folder)
    for path in folder.glob("*.*"):
        if path.suffix != ".yaml" and path.is_file():
            path.rename(path.with_name(f"my {path.name}"))
    for sheet in (f"my {TRAITS}", f"my {LIBRARIES}"):
        for name in (OIL, PLOTS, PAIRS, MATRIX, BINS):
            if name in study.path(sheet).read_text():
                study.edit(sheet, f"\t{name}", f"\tmy {name}")
    study.config["chromosomes"] = f"my {CHROMOSOMES}"
    study.config["genotypes"]["file"] = f"my {VCF}"
    study.config["contacts"]["libraries"] = f"my {LIBRARIES}"
    study.config["cohort"]["traits"] = f"my {TRAITS}"
    study.save()
    return study


def _config():
    return {
        "study": "tiny",
        "chromosomes": CHROMOSOMES,
        "genotypes": {"file": VCF},
        "imputation": {"iterations": 2, "burnin": 1, "memory_gb": 0.5},
        "contacts": {"libraries": LIBRARIES},
        "cohort": {"traits": TRAITS, "minimum_lines": 20},
        "splits": {"seeds": 1, "ratio": [5, 2, 2]},
        "training": {
            "models_file": str(ROOT / "config" / "models.yaml"),
            "models": ["mean", "gblup"],
            "preset": "demo",
        },
        "evaluation": {"paper_tables": False},
    }


def sample_names():
    """Ids of the lines, as the VCF has them."""
    return [f"PI{548400 + number}" for number in range(LINES)]


def _chromosome_table():
    yield "chromosome\tlength\taliases"
    for number, (name, length) in enumerate(LENGTHS.items(), start=1):
        yield f"{name}\t{length}\tChr0{number},chr{number},{number}"


def _genotypes(rng):
    """Counts of ALT (SNPs, lines) of inbred lines; neighbours alike, -1 is missing."""
    blocks = []
    for snps in SNPS.values():
        founders = rng.integers(0, 2, (snps, 6))
        founders[:, 0], founders[:, 1] = 0, 1  # so that every SNP varies
        blocks.append(2 * founders[:, rng.integers(0, 6, LINES)])
    counts = np.concatenate(blocks).astype(np.int8)
    counts[rng.random(counts.shape) < 0.04] = -1
    return counts


def _vcf(counts, rng):
    yield "##fileformat=VCFv4.2"
    fixed = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT"
    yield "\t".join([*fixed.split(), *sample_names()])
    rows = iter(counts)
    for name, snps in SNPS.items():
        for position in np.sort(rng.choice(LENGTHS[name], snps, replace=False)) + 1:
            calls = [{0: "0/0", 2: "1/1", -1: "./."}[count] for count in next(rows)]
            record = [name, position, f"{name}_{position}", "A", "G", ".", "PASS", ".", "GT"]
            yield "\t".join(map(str, [*record, *calls]))


def _write_phenotypes(study, counts, rng):
    value = 20 + np.where(counts > 0, counts, 0)[[0, 4, 15, 25]].sum(0)
    value = value + rng.normal(0, 0.5, LINES)
    lines = [f"{name},{v:.3f}" for name, v in zip(sample_names(), value, strict=True)]
    study.write(OIL, ["Plant ID,OIL", *lines])
    plots = [
        f"{name},{place},{2 * v + shift + rng.normal(0, 0.5):.3f}"
        for place, shift in (("IA_2012", 0), ("IL_2013", 3))
        for name, v in zip(sample_names(), value, strict=True)
    ]
    study.write(PLOTS, ["strain,environment,protein", *plots])
    study.write(
        TRAITS,
        [
            "trait\tfile\tformat\tid_column\tvalue_column\tenvironment_column\tunit",
            f"oil\t{OIL}\tnpgs_wide\tPlant ID\tOIL\tNA\t%",
            f"protein\t{PLOTS}\tplots\tstrain\tprotein\tenvironment\t%",
        ],
    )


def _write_contacts(study, rng):
    names, lengths = list(LENGTHS), np.array(list(LENGTHS.values()))
    ends = rng.choice(len(names), size=(3000, 2), p=lengths / lengths.sum())
    near = rng.random(3000) < 0.5
    ends[near, 1] = ends[near, 0]
    places = rng.integers(1, lengths[ends] + 1)
    pairs = [
        "\t".join(
            map(str, [f"read{k}", names[one], a, "+", names[two], b, "-", 250, "f1", "f2", 40, 41])
        )
        for k, ((one, two), (a, b)) in enumerate(zip(ends, places, strict=True))
    ]
    study.write(PAIRS, pairs)
    study.write(BINS, _bins())
    first = np.concatenate([[0], np.cumsum(lengths // BIN)])
    bins = np.sort(first[ends] + (places - 1) // BIN, axis=1)
    pairs_of_bins, number = np.unique(bins, axis=0, return_counts=True)
    study.write(
        MATRIX,
        [f"{a + 1}\t{b + 1}\t{n}" for (a, b), n in zip(pairs_of_bins, number, strict=True)],
    )
    study.write(
        LIBRARIES,
        [
            "library\tformat\tfile\tbins\tresolution",
            f"leaf\thicpro_pairs\t{PAIRS}\tNA\t{BIN}",
            f"root\thicpro_matrix\t{MATRIX}\t{BINS}\tNA",
        ],
    )


def _bins():
    number = 0
    for name, length in LENGTHS.items():
        for start in range(0, length, BIN):
            number += 1
            yield f"{name}\t{start}\t{start + BIN}\t{number}"
