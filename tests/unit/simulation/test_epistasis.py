"""Planted epistasis: the shares asked for, the pairs meant, crosses, and a study that loads."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.cohort.phenotypes import read_records
from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.contacts.cim import write_cim
from soyfold.genotypes import markers
from soyfold.metrics import pearson
from soyfold.models import contact_kernel
from soyfold.simulation.epistasis import Planting, choose_pairs, cross_lines, plant_trait
from soyfold.study.settings import load_study, read_sheet

NAMES = ["c1", "c2", "c3", "c4", "c5"]
SNPS = 12
LINES = 80


def make_dosage(lines=LINES, seed=0):
    """Dosages 0 and 2 of each chromosome, (SNPs, lines)."""
    rng = np.random.default_rng(seed)
    return [2 * rng.integers(0, 2, (SNPS, lines), dtype=np.int8) for _ in NAMES]


def make_sums():
    """Contacts by chromosome size, but for two pairs that meet more and two that meet less.

    Around a ring 0-1-2-3 one contact is moved from every second pair to the next: all marginals
    stay, so that observed / expected is known: 3/2, 5/6, 17/15, 3/5.
    """
    length = np.array([1.0, 2.0, 3.0, 2.5, 1.5])
    sums = np.outer(length, length)
    for k, moved in enumerate((1, -1, 1, -1)):
        a, b = k, (k + 1) % 4
        sums[a, b] = sums[b, a] = sums[a, b] + moved
    return sums


def literal_parts(truth, dosage):
    """Additive and product part of the genetic value, term by term from the truth."""
    additive, product = np.zeros((2, dosage[0].shape[1]))
    for row in truth.itertuples():
        first = dosage[row.chromosome][row.snp].astype(float)
        first -= first.mean()
        if row.kind == "additive":
            additive += row.effect * first
        else:
            second = dosage[row.chromosome_2][row.snp_2].astype(float)
            product += row.effect * first * (second - second.mean())
    return additive, product


@settings(max_examples=25)
@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 1000), st.sampled_from(["high", "low"]))
def test_shares_are_those_asked_for(heritability, epistasis, seed, contacts):
    planting = Planting(heritability=heritability, epistasis=epistasis, pairs=2, seed=seed)
    dosage = make_dosage()
    value, truth = plant_trait(dosage, make_sums(), contacts, planting)
    additive, product = literal_parts(truth, dosage)
    assert (additive + product).var() == pytest.approx(heritability, abs=1e-9)
    parts = product.var(), additive.var()
    assert parts[0] == pytest.approx(epistasis * sum(parts), abs=1e-9)
    residual = value - value.mean() - (additive + product - product.mean())
    assert residual.var() == pytest.approx(1 - heritability, abs=1e-9)
    assert residual @ (additive + product) == pytest.approx(0, abs=1e-8)


def test_products_lie_on_the_pairs_of_most_or_least_contact():
    expected = {
        "high": {(0, 1): 3 / 2, (2, 3): 17 / 15},
        "low": {(1, 2): 5 / 6, (0, 3): 3 / 5},
    }
    for contacts, pairs in expected.items():
        chosen, ratio = choose_pairs(make_sums(), contacts, 2)
        found = dict(zip(map(tuple, chosen.tolist()), ratio, strict=True))
        assert found == pytest.approx(pairs)
        _, truth = plant_trait(make_dosage(), make_sums(), contacts, Planting(pairs=2, products=3))
        products = truth[truth.kind == "product"]
        planted = set(zip(products.chromosome, products.chromosome_2, strict=True))
        assert planted == set(pairs)
        assert len(products) == 2 * 3


def test_traits_share_their_additive_qtl():
    truths = [plant_trait(make_dosage(), make_sums(), c, Planting(pairs=2))[1] for c in
              ("high", "low", "none")]  # fmt: skip
    additive = [truth[truth.kind == "additive"] for truth in truths]
    assert len(truths[2]) == len(additive[2]) == 20
    for other in additive[1:]:
        pd.testing.assert_frame_equal(
            other[["chromosome", "snp"]], additive[0][["chromosome", "snp"]]
        )
        ratio = other.effect / additive[0].effect
        np.testing.assert_allclose(ratio, ratio.iloc[0])


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"heritability": 1.2}, "--heritability"),
        ({"epistasis": -0.1}, "--epistasis"),
        ({"pairs": 0}, "--pairs"),
        ({"pairs": 6}, "--pairs"),
    ],
)
def test_impossible_plantings_are_refused(options, place):
    with pytest.raises(UserError, match=place):
        plant_trait(make_dosage(), make_sums(), "high", Planting(**options))


def make_cross(crosses=4000, morgans_per_mb=3.5):
    rng = np.random.default_rng(3)
    # The parents carry their own number everywhere, so that an offspring tells which it has.
    dosage = np.repeat(np.arange(6, dtype=np.int8)[:, None], 8, axis=1)
    chromosome = np.array(list("aaaaabbb"))
    position = np.array([100, 20_000, 120_000, 121_000, 900_000, 50, 60_000, 300_000])
    offspring, parents = cross_lines(
        dosage, chromosome, position, crosses=crosses, morgans_per_mb=morgans_per_mb, rng=rng
    )
    return offspring, parents, chromosome, position


def test_offspring_carry_what_their_two_parents_have():
    offspring, parents, _, _ = make_cross()
    assert (parents[:, 0] != parents[:, 1]).all()
    assert ((offspring == parents[:, :1]) | (offspring == parents[:, 1:])).all()
    from_first = (offspring == parents[:, :1]).mean()
    assert from_first == pytest.approx(0.5, abs=0.02)


def test_recombination_follows_haldane():
    offspring, _, chromosome, position = make_cross()
    seen = (offspring[:, 1:] != offspring[:, :-1]).mean(0)
    morgans = np.diff(position) * 3.5e-6
    expected = np.where(chromosome[1:] == chromosome[:-1], (1 - np.exp(-2 * morgans)) / 2, 0.5)
    spread = np.sqrt(expected * (1 - expected) / len(offspring))
    assert (np.abs(seen - expected) < 4.5 * spread + 1e-12).all()


@pytest.fixture
def study(tmp_path, root):
    """A study file with the results that planting needs."""
    rng = np.random.default_rng(4)
    table = {"chromosome": NAMES, "length": [10**6] * 5, "aliases": [f"a{n}" for n in NAMES]}
    write_table(pd.DataFrame(table), tmp_path / "chromosomes.tsv")
    config = {
        "study": "source",
        "chromosomes": str(tmp_path / "chromosomes.tsv"),
        "genotypes": {"file": "none.vcf.gz", "filters": {"sample_heterozygosity": 0.2}},
        "contacts": {"libraries": "hic.tsv"},
        "cohort": {"traits": "traits.tsv", "id_map": "ids.tsv"},
        "splits": {"seeds": 3, "stratify": {"trait": "oil"}},
    }
    (tmp_path / "source.yaml").write_text(yaml.safe_dump(config))
    folder = tmp_path / "results" / "source"
    (folder / "cohort").mkdir(parents=True)
    np.save(folder / "cohort" / "dosage.npy", np.vstack(make_dosage()).T)
    sample = [f"line_{k}" for k in range(LINES)]
    write_table(
        pd.DataFrame({"sample": sample, "row": range(LINES)}), folder / "cohort" / "samples.tsv"
    )
    variants = pd.DataFrame({"chromosome": np.repeat(NAMES, SNPS)})
    variants["position"] = np.tile(np.sort(rng.choice(10**6, SNPS, replace=False)), 5)
    variants = variants.assign(ref="A", alt="T", column=range(len(variants)))
    variants["variant"] = [f"snp{k}" for k in variants.column]
    write_table(variants, folder / "cohort" / "variants.tsv")
    sums = pd.DataFrame(make_sums(), index=NAMES, columns=NAMES)
    write_cim(sums, folder / "contacts" / "cim_sums.tsv")
    return tmp_path


def plant(folder, root, *options, out="planted"):
    script = root / "workflow" / "scripts" / "plant_epistasis.py"
    command = [sys.executable, script, "--study", "source.yaml", "--out", out, "--pairs", "2"]
    return subprocess.run(
        [*command, *options], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_study_written_loads_and_holds_the_trait(study, root):
    done = plant(study, root, "--lines", "50", "--contacts", "high", "none")
    assert done.returncode == 0, done.stderr
    schemas = root / "workflow" / "schemas"
    config = yaml.safe_load((study / "planted" / "study.yaml").read_text())
    loaded = load_study(config, schemas, file="study.yaml")
    assert loaded["study"] == "planted"
    assert loaded["genotypes"]["file"] == "none.vcf.gz"
    assert loaded["genotypes"]["filters"]["sample_heterozygosity"] == 0.2
    assert loaded["contacts"]["normalisation"] == "observed_expected"
    assert loaded["splits"]["seeds"] == 3
    assert not loaded["splits"]["stratify"]
    rows = read_sheet(study / "planted" / "traits.tsv", schemas / "traits.schema.yaml", key="trait")
    assert list(rows) == ["contact_high", "additive_only"]
    records = read_records({**rows["contact_high"], "file": study / rows["contact_high"]["file"]})
    assert len(records) == records["id"].nunique() == 50
    # The truth names SNPs by chromosome, place and id: with it the trait can be made again.
    truth = read_table(study / "planted" / "truth.tsv").query("trait == 'contact_high'")
    dosage = pd.DataFrame(np.vstack(make_dosage()), index=[f"snp{k}" for k in range(5 * SNPS)])
    chosen = dosage[[int(name.removeprefix("line_")) for name in records["id"]]]
    chosen = chosen.sub(chosen.mean(axis=1), axis=0)
    genetic = sum(
        term.effect
        * chosen.loc[term.variant].to_numpy()
        * (1 if term.kind == "additive" else chosen.loc[term.variant_2].to_numpy())
        for term in truth.itertuples()
    )
    assert pearson(records["value"].to_numpy(), genetic) == pytest.approx(np.sqrt(0.8), abs=1e-6)


def test_crosses_come_as_a_marker_table_that_reads_back(study, root):
    for out in ("first", "first/again"):
        done = plant(study, root, "--crosses", "40", out=out)
        assert done.returncode == 0, done.stderr
    first = (study / "first" / "genotypes.txt.gz").read_bytes()
    assert first == (study / "first" / "again" / "genotypes.txt.gz").read_bytes()
    config = yaml.safe_load((study / "first" / "study.yaml").read_text())
    load_study(config, root / "workflow" / "schemas", file="study.yaml")
    header, found = markers.read(study / "first" / "genotypes.txt.gz", config["genotypes"])
    samples, records = header.samples, list(found)
    assert len(samples) == len(set(samples)) == 40
    assert len(records) == 5 * SNPS
    dosage = np.vstack(make_dosage())
    for k, record in enumerate(records):
        assert (record.contig, record.ref, record.alt) == (NAMES[k // SNPS], "A", "T")
        calls = record.rest.split(b"\t")[-40:]
        for sample, call in zip(samples, calls, strict=True):
            mother, father = sample.rsplit("_", 1)[0].split("x")
            seen = {dosage[k, int(name.removeprefix("line_"))] for name in (mother, father)}
            assert record.rules[call] in seen


def test_missing_results_name_the_command(study, root):
    (study / "results" / "source" / "contacts" / "cim_sums.tsv").unlink()
    done = plant(study, root)
    assert done.returncode == 1
    named = "results/source/contacts/cim_sums.tsv --cores 2 --configfile source.yaml"
    assert re.search(f"snakemake .*{named}", done.stderr)
    assert "Traceback" not in done.stderr
    assert not (study / "planted").exists()


@pytest.mark.slow
@pytest.mark.real_data
def test_the_kernel_finds_what_is_planted_on_real_yeast(real_data):
    """The real CIM explains contact_high far better than shuffled ones, and contact_low not."""
    table = pd.read_csv(real_data / "yeast" / "genotypes.txt.gz", sep="\t", index_col=0)
    table = table.iloc[::10, ::2]  # 504 lines
    dosage = (2 * (table.to_numpy().T == "R")).astype(np.int8)
    codes = table.index.str.extract(r"_chr(\d+)_", expand=False).astype(int).to_numpy() - 1
    sums = real_data / "yeast" / "yeast_hic_10kb_chrom_sums_ice_once.tsv"
    sums = pd.read_csv(sums, sep="\t", index_col=0).to_numpy()
    by_chromosome = [dosage[:, codes == k].T for k in range(len(sums))]
    gains = {}
    for contacts in ("high", "low"):
        value, _ = plant_trait(by_chromosome, sums, contacts, Planting())
        for k in range(4):  # 0: the real CIM
            order = np.random.default_rng(k).permutation(16) if k else np.arange(16)
            model = contact_kernel.fit(
                dosage, value, parameters={"power": 16}, seed=0,
                cim=sums[np.ix_(order, order)], snp_chromosome=codes,
            )  # fmt: skip
            gains[contacts, k] = model.summary()["gain"]
    assert gains["high", 0] > 20 + max(gains["high", k] for k in (1, 2, 3))
    assert gains["low", 0] < 5 + max(gains["low", k] for k in (1, 2, 3))
