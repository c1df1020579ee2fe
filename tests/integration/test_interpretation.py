"""Why, in the demo: planted loci are found, parts add up, tables and figures belong together."""

import numpy as np
import pandas as pd
import pytest

from soyfold.common.groups import read_groups
from soyfold.interpretation.recovery import recovery_table

pytestmark = pytest.mark.slow


@pytest.fixture
def why(finished_demo):
    return finished_demo.folder / "results/demo/interpretation"


def test_planted_loci_are_found_and_not_by_chance(why, root):
    truth = pd.read_csv(root / "resources/demo/truth.tsv", sep="\t")
    truth = truth[truth.kind == "additive"].assign(size=lambda table: table.effect.abs())
    qtl = pd.concat(rows.nlargest(10, "size") for _, rows in truth.groupby("trait"))
    asked = [
        {"trait": trait, "model": "gblup", "snps": why / f"importance/{trait}/gblup/snps.tsv"}
        for trait in ("oil", "protein")
    ]
    options = {"top": 0.02, "reach": 1e6, "draws": 200, "seed": 1}
    table = recovery_table(asked, qtl.astype({"position": int}), **options)
    table = table[table.trait == "all"].set_index("model")
    assert (table.share > 2 * table.uniform).all()
    assert (table.shifted_p < 0.01).all() and (table.uniform_p < 0.05).all()


def test_parts_of_predictions_add_up(why):
    fits = pd.read_csv(why / "fits.tsv", sep="\t")
    asked = fits[fits.method == "gradients"]
    assert len(asked) == 18 and (asked.completeness_error < 0.05).all()
    assert fits.groupby("model").seed_agreement.min()["gblup"] > 0.5


def test_importance_of_windows_and_chromosomes_is_that_of_snps(why):
    folder = why / "importance/oil/csafm"
    sums = [
        pd.read_csv(folder / f"{name}.tsv", sep="\t").importance.sum()
        for name in ("snps", "windows", "chromosomes")
    ]
    assert np.allclose(sums, sums[0])
    shares = pd.read_csv(why / "chromosomes.tsv", sep="\t").groupby(["trait", "model"]).share.sum()
    assert np.allclose(shares, 1) and len(shares) == 8
    attention = pd.read_csv(why / "attention.tsv", sep="\t")
    assert np.allclose(attention.groupby(["trait", "model", "queries"]).attention.sum(), 1)


def test_scans_and_overlap_speak_of_the_same_loci(why):
    summary = pd.read_csv(why / "gwas_summary.tsv", sep="\t").set_index("trait")
    overlap = pd.read_csv(why / "overlap.tsv", sep="\t")
    for trait in ("oil", "protein"):
        scan = pd.read_csv(why / f"gwas/{trait}.tsv", sep="\t")
        assert scan.loc[scan.p.idxmin(), "variant"] == summary.loc[trait, "top_variant"]
        assert (scan.status == "tested").sum() == summary.loc[trait, "tested"]
    assert (overlap.scan_loci == 20).all()
    assert (overlap[overlap.model == "gblup"].p < 0.05).all()


def test_traits_planted_against_each_other_are_found_so(why):
    [row] = pd.read_csv(why / "genetic_correlations.tsv", sep="\t").itertuples()
    assert row.genetic_correlation < -3 * row.genetic_correlation_se < 0
    parameters = pd.read_csv(why / "genetic_parameters.tsv", sep="\t").set_index("trait")
    # Of one record's 0.7 three tenths are products of SNPs, which additive effects hardly tell.
    assert parameters.heritability.between(0.3, 0.8).all()


def test_figures_are_there(finished_demo):
    for trait in ("oil", "protein"):
        path = finished_demo.folder / f"results/demo/report/figures/manhattan_{trait}.png"
        assert path.stat().st_size > 50_000


def test_weights_between_groups_reach_groups_and_their_products(demo):
    (demo.folder / "pairs.tsv").write_text("group\tgroup_2\tweight\npathway1\tpathway2\t0.25\n")
    with (demo.folder / "config/hypotheses.tsv").open("a") as sheet:
        sheet.write("weighed\tresources/demo/pathways.gff3\t200000\tpairs.tsv\n")
    made = [
        f"results/demo/{made}"
        for made in (
            "cohort/hypotheses/weighed/groups.npz",
            "training/hypotheses/weighed/products.npz",
        )
    ]
    done = demo.snakemake(*made)
    assert done.returncode == 0, done.stdout
    groups = read_groups(demo.folder / made[0])
    first, second = (groups.names.index(name) for name in ("pathway1", "pathway2"))
    assert groups.weights[first, second] == groups.weights[second, first] == 0.25
    assert "diagonal" in np.load(demo.folder / made[1])
