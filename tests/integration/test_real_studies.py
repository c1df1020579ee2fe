"""The real studies: what the pipeline must reach on SoyNAM and yeast."""

import functools
import gzip
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from soyfold.cohort.clusters import find_clusters
from soyfold.cohort.families import name_families
from soyfold.cohort.splits.leave_family_out import leave_family_out
from soyfold.common.chromosomes import read_chromosomes
from soyfold.genotypes import bed
from soyfold.genotypes.filters import filter_genotypes
from soyfold.genotypes.importing import import_genotypes
from soyfold.metrics import pearson
from soyfold.models import gblup
from soyfold.models.kernels.shared import own_kernels

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
PLINK = {"threads": 2, "memory_mb": 2000}
SOYNAM_TRAITS = ("protein", "oil")


@pytest.fixture(scope="module")
def soynam_bed(real_data, root, tmp_path_factory):
    """SoyNAM's genotypes after the filters."""
    folder = tmp_path_factory.mktemp("soynam")
    study = yaml.safe_load((root / "config/soynam.yaml").read_text())
    chromosomes = read_chromosomes(root / study["chromosomes"])
    raw, filtered = folder / "raw", folder / "filtered"
    import_genotypes(
        real_data / "soynam/genotypes.vcf.gz", settings={"format": "auto"},
        chromosomes=chromosomes, prefix=raw, variants=folder / "import.tsv", **PLINK,
    )  # fmt: skip
    filter_genotypes(
        raw, folder / "import.tsv", chromosomes=chromosomes, prefix=filtered,
        thresholds=study["genotypes"]["filters"], samples=folder / "samples.tsv",
        variants=folder / "variants.tsv", counts=folder / "counts.tsv", **PLINK,
    )  # fmt: skip
    return filtered.with_suffix(".bed")


@pytest.fixture(scope="module")
def soynam(soynam_bed):
    """SoyNAM's filtered dosage, a missing call as its SNP's most frequent count; and the lines."""
    lines = list(bed.read_fam(soynam_bed.with_suffix(".fam")))
    variants = len(bed.read_bim(soynam_bed.with_suffix(".bim")))
    rows = bed.open_bed(soynam_bed, variants=variants, samples=len(lines))
    counts = bed.unpack(rows, len(lines))
    often = np.stack([(counts == value).sum(axis=1) for value in (0, 1, 2)]).argmax(axis=0)
    return np.where(counts < 0, often[:, None], counts).T.astype(np.int8), lines


def correlations(dosage, values, fit, test):
    """PCC of GBLUP by trait; all have the same lines, and so one decomposition."""
    kernels = SimpleNamespace(kernel=functools.cache(own_kernels(dosage[fit]).kernel))
    told = {}
    for trait, y in values.items():
        model = gblup.fit(dosage[fit], y[fit], parameters={}, seed=0, kernels=kernels)
        told[trait] = pearson(y[test], model.predict(dosage[test]))
    return told


def read_blues(real_data, lines):
    """BLUEs of both traits, in the order of the lines; NaN for a line without."""
    blues = pd.read_csv(real_data / "soynam/blues.tsv", sep="\t").set_index("strain")
    return {trait: blues[f"{trait}_blue"].reindex(lines).to_numpy() for trait in SOYNAM_TRAITS}


@pytest.fixture(scope="module")
def on_a_given_split(soynam, real_data):
    """PCC by trait on the test lines of the first of the given splits."""
    dosage, lines = soynam
    part = pd.read_csv(real_data / "soynam/splits.tsv", sep="\t").set_index("strain").seed0
    part = part.reindex(lines).to_numpy()
    fit, test = np.isin(part, ["train", "val"]), part == "test"
    return correlations(dosage, read_blues(real_data, lines), fit, test)


@pytest.mark.parametrize("trait", SOYNAM_TRAITS)
def test_gblup_reaches_the_given_baseline_on_a_given_split(on_a_given_split, real_data, trait):
    baselines = pd.read_csv(real_data / "soynam/baselines.tsv", sep="\t")
    given = baselines[
        (baselines.trait == trait) & (baselines.model == "GBLUP")
        & (baselines.train_on == "train+val") & (baselines.seed == 0)
    ].pcc.item()  # fmt: skip
    assert on_a_given_split[trait] == pytest.approx(given, abs=0.01)


@pytest.fixture(scope="module")
def of_families_left_out(soynam, real_data, root):
    """PCC by trait where the first family, and the 27th, is the test."""
    dosage, lines = soynam
    study = yaml.safe_load((root / "config/soynam.yaml").read_text())
    families = name_families(lines, **study["cohort"]["families"])
    assert families.nunique() == 40
    blues, told = read_blues(real_data, lines), {}
    known = np.isfinite(blues["oil"])
    assert (known == np.isfinite(blues["protein"])).all()
    for seed in (0, 26):
        part = leave_family_out(families, minimum=20, ratio=[7, 2, 1], seed=seed)
        tested = np.asarray(part) == "test"
        told[seed] = correlations(dosage, blues, known & ~tested, known & tested)
    return told


@pytest.mark.parametrize("trait", SOYNAM_TRAITS)
def test_gblup_reaches_the_given_baseline_of_families_left_out(
    of_families_left_out, real_data, trait
):
    baselines = pd.read_csv(real_data / "soynam/baselines_leave_family_out.tsv", sep="\t")
    given = baselines[baselines.trait == trait].lofo_pcc.to_numpy()
    told = of_families_left_out.items()
    assert abs(np.mean([pcc[trait] - given[seed] for seed, pcc in told])) <= 0.02


def test_near_identical_lines_are_in_one_cluster(soynam_bed, real_data):
    clusters = find_clusters(soynam_bed, identity=0.98).set_index("sample")
    pairs = pd.read_csv(real_data / "soynam/near_identical_pairs.tsv", sep="\t")
    assert (clusters.cluster[pairs.a].to_numpy() == clusters.cluster[pairs.b].to_numpy()).all()
    # Beyond the listed lines only what is near one of them, such as their common parent.
    assert (clusters.lines > 1).sum() <= 1.05 * len({*pairs.a, *pairs.b})


TARGETS = [
    f"results/yeast/{name}.tsv"
    for name in ("evaluation/scores", "contacts/cim_sums", "cohort/samples", "cohort/variants")
]
TRAITS = ["Cadmium_Chloride", "Caffeine", "Neomycin", "YPD_37C", "x6-Azauracil", "Xylose"]


@pytest.fixture(scope="module")
def yeast(real_data, fresh_project):
    """The yeast study from its files to its scores: some traits, the linear models."""
    folder = fresh_project.folder
    study = yaml.safe_load((folder / "config/yeast.yaml").read_text())
    sheet = pd.read_csv(folder / "config/yeast.traits.tsv", sep="\t", dtype=str, na_filter=False)
    sheet[sheet.trait.isin(TRAITS)].assign(models="NA").to_csv(
        folder / "config/some.traits.tsv", sep="\t", index=False
    )
    study["cohort"]["traits"] = "config/some.traits.tsv"
    study["evaluation"] = {"controls": False}  # of models that aren't fitted here
    study["interpretation"] = False  # its table names QTL of traits that are left out
    (folder / "config/some.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    fresh_project.share_seeds("gblup")
    done = fresh_project.snakemake(
        *TARGETS, "--configfile", "config/some.yaml", SOYFOLD_DATA=str(real_data.resolve())
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return folder / "results/yeast"


def test_yeast_gblup_reaches_the_given_baseline(yeast, real_data):
    scores = pd.read_csv(yeast / "evaluation/scores.tsv", sep="\t")
    ours = scores[(scores.model == "gblup") & (scores.metric == "R2")].groupby("trait").value.mean()
    given = pd.read_csv(real_data / "yeast/baselines.tsv", sep="\t")
    given["trait"] = given.trait.str.replace(":", "_")
    given = given.set_index("trait").r2[ours.index]
    assert len(ours) == len(TRAITS)
    assert ours.mean() == pytest.approx(given.mean(), abs=0.03)


def test_yeast_cim_sums_are_the_given_ones(yeast, real_data):
    ours = pd.read_csv(yeast / "contacts/cim_sums.tsv", sep="\t", index_col=0)
    file = real_data / "yeast/yeast_hic_10kb_chrom_sums_ice_once.tsv"
    given = pd.read_csv(file, sep="\t", index_col=0)
    assert list(ours) == list(given)
    np.testing.assert_allclose(ours, given, rtol=1e-6)


def test_yeast_dosage_is_the_marker_table(yeast, real_data):
    dosage = np.load(yeast / "cohort/dosage.npy", mmap_mode="r")
    assert dosage.shape[0] == 1008
    with gzip.open(real_data / "yeast/genotypes.txt.gz", "rt") as file:
        samples = file.readline().rstrip("\n").split("\t")[1:]
        first = file.readline().rstrip("\n").split("\t")
    rows = pd.read_csv(yeast / "cohort/samples.tsv", sep="\t").set_index("sample").row
    variants = pd.read_csv(yeast / "cohort/variants.tsv", sep="\t")
    column = variants[(variants.chromosome == "chrI") & (variants.position == 27915)].column.item()
    expected = [2 if cell == "R" else 0 for cell in first[1:]]
    assert dosage[rows[samples], column].tolist() == expected
