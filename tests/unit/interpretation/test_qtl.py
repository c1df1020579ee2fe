"""Published QTL: names matched openly, recovery against direct counts; overlap with a scan."""

import numpy as np
import pandas as pd
import pytest

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.errors import UserError
from soyfold.common.files import write_table
from soyfold.interpretation.attention import attention_table
from soyfold.interpretation.loci import line_up
from soyfold.interpretation.overlap import compare_loci, overlap_row
from soyfold.interpretation.qtl import match_traits, read_qtl
from soyfold.interpretation.recovery import recovery_table
from soyfold.report.figures.manhattan import plot_manhattan
from soyfold.report.figures.recovery import plot_recovery

SETTINGS = {
    "trait_column": "Trait", "chromosome_column": "Chr", "position_column": "Peak (bp)",
    "traits": {"Manganese": "Magnesium"},
}  # fmt: skip
TRAITS = ["x4NQO", "YPD_37C", "Magnesium", "Zeocin"]


@pytest.fixture
def assembly(tmp_path):
    path = tmp_path / "chromosomes.tsv"
    path.write_text("chromosome\tlength\taliases\nchrI\t200000\t1,01\nchrII\t300000\t2\n")
    return read_chromosomes(path)


def write_qtl(path, rows):
    text = "\n".join(",".join(map(str, row)) for row in [("Trait", "Chr", "Peak (bp)"), *rows])
    path.write_text(text + "\n")
    return {**SETTINGS, "file": path}


def test_names_are_matched_openly_and_counted(tmp_path, assembly):
    rows = [
        ("4NQO", 1, 5),
        ("YPD:37C", 2, 7),
        ("Manganese", "01", 9),
        ("Copper", 2, 8),
        ("4NQO", 2, 6),
    ]
    qtl, names = read_qtl(write_qtl(tmp_path / "qtl.csv", rows), assembly, TRAITS)
    told = names.set_index("published")
    assert told["how"].to_dict() == {
        "4NQO": "respelt", "YPD:37C": "respelt", "Manganese": "named", "Copper": "none",
    }  # fmt: skip
    assert told["qtl"].sum() == 5 and told.loc["4NQO", "qtl"] == 2
    assert qtl["trait"].fillna("").tolist() == ["x4NQO", "YPD_37C", "Magnesium", "", "x4NQO"]
    assert qtl["chromosome"].tolist() == ["chrI", "chrII", "chrI", "chrII", "chrII"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("Zeocin", "chrX", 5), "line 3.*chromosome 'chrX'"),
        (("Zeocin", 1, 200001), "line 3.*position 200001 on chrI"),
        (("Zeocin", 1, "five"), "line 3.*'five'"),
        (("Zeocin", 1, "NA"), "line 3.*no position"),
        (("Zeocin", 1, "5.5"), "line 3.*position 5.5"),
    ],
)
def test_bad_rows_are_refused(tmp_path, assembly, row, told):
    with pytest.raises(UserError, match=told):
        read_qtl(write_qtl(tmp_path / "qtl.csv", [("Manganese", 1, 1), row]), assembly, TRAITS)


def test_a_named_trait_that_the_table_lacks_is_refused():
    with pytest.raises(UserError, match="published trait 'Gold'"):
        match_traits(["Iron"], TRAITS, {"Gold": "Zeocin"}, file="qtl.csv")


def snps(seed, peaks=()):
    """2,000 SNPs 250 bp apart on two chromosomes; importance is noise, with peaks."""
    random = np.random.default_rng(seed)
    position = 1 + 250 * np.concatenate([np.arange(800), np.arange(1200)])
    importance = random.random(2000)
    importance[list(peaks)] += 10
    names = np.repeat(["chrI", "chrII"], [800, 1200])
    return pd.DataFrame(
        {
            "variant": [f"s{i}" for i in range(2000)], "chromosome": names, "position": position,
            "importance": importance, "minus_log10_p": importance, "status": "tested",
        }
    )  # fmt: skip


def test_qtl_under_peaks_are_found_and_others_by_chance_alone(tmp_path):
    places = [100, 900, 1500]
    write_table(snps(1, places), tmp_path / "sharp.tsv")
    write_table(snps(2), tmp_path / "noise.tsv")
    table = snps(1)
    qtl = table.loc[[*places, 600], ["chromosome", "position"]].assign(trait="oil")
    qtl = pd.concat([qtl, qtl.head(1).assign(trait="other")])
    asked = [
        {"trait": "oil", "model": name, "snps": tmp_path / f"{name}.tsv"}
        for name in ("sharp", "noise")
    ]
    options = {"top": 0.005, "reach": 500, "draws": 500, "seed": 1}
    found = recovery_table(asked, qtl, **options).set_index(["trait", "model"])
    sharp, noise = found.loc[("oil", "sharp")], found.loc[("oil", "noise")]
    assert (sharp.qtl, sharp.unreachable, sharp.found, sharp.share) == (4, 0, 3, 0.75)
    assert sharp.shifted_p < 0.01 and sharp.uniform_p < 0.01
    assert noise.shifted_low <= noise.share <= noise.shifted_high
    # Ten loci of 2,000, five SNPs around each QTL: chance finds one in forty.
    assert sharp.uniform == pytest.approx(1 - (1 - 5 / 2000) ** 10, abs=0.01)
    assert noise.shifted == pytest.approx(sharp.uniform, abs=0.01)
    assert found.loc[("all", "sharp")].tolist() == sharp.tolist()
    assert set(found.index.get_level_values("trait")) == {"oil", "all", "shared"}
    assert recovery_table(asked, qtl, **options).equals(found.reset_index())
    plot_recovery(
        found.reset_index(), labels={"sharp": "Sharp"}, top=0.005, distance_kb=0.5,
        paths=[tmp_path / "recovery.png"],
    )  # fmt: skip
    assert (tmp_path / "recovery.png").stat().st_size > 10_000


def test_loci_of_the_scan_are_near_themselves_and_shifted_ones_are_not(tmp_path):
    clumps = [*range(300, 310), *range(1700, 1710)]
    table = snps(3, clumps)
    places = line_up(pd.factorize(table["chromosome"])[0], table["position"])
    options = {"top": 0.01, "reach": 1000}
    same = overlap_row(places, table["importance"], table["minus_log10_p"], **options)
    assert (same["loci"], same["near"], same["share"]) == (20, 20, 1)
    assert same["p"] <= 9 / 2000 and same["rank_correlation"] == pytest.approx(1)
    other = np.roll(table["importance"], 500)
    apart = overlap_row(places, other, table["minus_log10_p"], **options)
    assert apart["share"] == 0 and apart["p"] == 1
    # By chance a locus is near where the genome is: two clumps of ten SNPs and four to each side.
    assert apart["expected"] == pytest.approx(36 / 2000, abs=1e-4)
    write_table(table, tmp_path / "scan.tsv")
    write_table(table.iloc[::-1], tmp_path / "snps.tsv")
    files = {"snps": tmp_path / "snps.tsv", "scan": tmp_path / "scan.tsv"}
    row = compare_loci([{"trait": "oil", "model": "m", **files}], **options).iloc[0]
    assert (row.near, row.p) == (same["near"], same["p"])


@pytest.mark.parametrize(("nae", "guards"), [(0.95, "uniform attention"), (0.6, None)])
def test_attention_table_is_mean_and_spread_over_seeds(tmp_path, nae, guards):
    names = ["chrI", "chrII"]
    seeds = [np.array([[0.2, 0.8], [0.5, 0.5]]), np.array([[0.4, 0.6], [0.5, 0.5]])]
    fits = []
    for number, values in enumerate(seeds):
        path = tmp_path / f"{number}.tsv"
        table = pd.DataFrame(values, columns=names)
        table.insert(0, "chromosome", names)
        write_table(table, path)
        estimates = tmp_path / f"{number}_estimates.tsv"
        rows = [("test", name, value) for name, value in (("NAE", nae), ("AAS", 0.5))]
        write_table(pd.DataFrame(rows, columns=["part", "metric", "value"]), estimates)
        fits.append({"trait": "oil", "model": "csafm", "attention": path, "estimates": estimates})
    table = attention_table(fits, pd.Series({"chrI": 30, "chrII": 10})).set_index(["queries", "on"])
    row = table.loc[("chrI", "chrII")]
    assert (row.attention, row.uniform) == pytest.approx((0.7, 0.25))
    assert row.enrichment == pytest.approx(0.7 / 0.25)
    assert row.attention_sd == pytest.approx(np.std([0.8, 0.6], ddof=1))
    flat = [(values / [0.75, 0.25]).ravel() for values in seeds]
    np.testing.assert_allclose(table.seed_correlation, np.corrcoef(flat)[0, 1])
    assert set(table.guards) == {guards}
    one = attention_table(fits[:1], pd.Series({"chrI": 30, "chrII": 10}))
    assert one.seed_correlation.isna().all()


@pytest.mark.parametrize("scanned", [True, False])
@pytest.mark.parametrize("tracks", [0, 3])
def test_manhattan_is_drawn_with_what_there_is(tmp_path, scanned, tracks):
    table = snps(4, [50, 1300])
    summary = pd.Series({"threshold": 0.05 / 2000, "tested": 2000, "lambda_gc": 1.1})
    models = {f"Model {i}": snps(i, [50]) for i in range(tracks)}
    paths = [tmp_path / "m.png", tmp_path / "m.svg"]
    found = (table, summary) if scanned else None
    plot_manhattan(found, models, trait="oil", unit="%", paths=paths)
    text = paths[1].read_text()
    assert all(label in text for label in models)
    assert ("QQ:" in text) == scanned
