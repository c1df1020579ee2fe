"""benchmarks/untested: lines set aside lose nothing but what is told, and are scored as defined."""

import sys

import numpy as np
import pandas as pd
import pytest

COMPLEMENT = str.maketrans("ACGT", "TGCA")


@pytest.fixture
def modules(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "benchmarks/untested"))
    import score
    import set_aside

    yield set_aside, score
    for name in ("score", "set_aside"):
        sys.modules.pop(name, None)


def write_panel(path, set_aside, snps=200):
    """Lines of three families and a parent, every call with a depth beside it."""
    rng = np.random.default_rng(4)
    lines = [f"DS1{k % 2}-{family:02d}{k:03d}" for family in (2, 3, 64) for k in range(8)]
    names = [*lines, "IA3023"]
    alleles = np.array([("A", "C"), ("A", "G"), ("T", "C"), ("G", "T")])[rng.integers(0, 4, snps)]
    table = pd.DataFrame(
        {
            "#CHROM": np.where(np.arange(snps) < snps // 2, "Gm01", "Gm02"),
            "POS": (np.arange(snps) * 1000 + 1).astype(str),
            "ID": [f"snp{k}" for k in range(snps)],
            "REF": alleles[:, 0],
            "ALT": alleles[:, 1],
            "QUAL": ".",
            "FILTER": ".",
            "INFO": "NS=3",
            "FORMAT": "GT:DP",
        }
    )
    calls = np.array(["0/0:3", "0/1:4", "1/1:5", "./.:0"])[rng.integers(0, 4, (snps, len(names)))]
    table[names] = calls
    set_aside.write_vcf(path, ["##fileformat=VCFv4.2\n"], table)
    return table


def letters(table, name):
    """Each call of a line as the sorted letters of its alleles."""
    calls = table[name].str.partition(":")[0]
    return [
        tuple(sorted({"0": ref, "1": alt, ".": "."}[code] for code in call.split("/")))
        for call, ref, alt in zip(calls, table["REF"], table["ALT"], strict=True)
    ]


def test_lines_set_aside_keep_their_alleles(modules, tmp_path):
    set_aside, _ = modules
    table = write_panel(tmp_path / "all.vcf.gz", set_aside)
    set_aside.main(
        ["--genotypes", str(tmp_path / "all.vcf.gz"), "--lines", "5", "--out", str(tmp_path)]
    )
    _, train = set_aside.read_vcf(tmp_path / "train.vcf.gz")
    _, new = set_aside.read_vcf(tmp_path / "new.vcf.gz")
    aside = list(new.columns[set_aside.FIXED :])
    assert {name for name in table.columns if name[5:7] == "64"} <= set(aside)  # every fifth of 3
    assert len(aside) == 8 + 5 and "IA3023" not in aside
    pd.testing.assert_frame_equal(train, table.drop(columns=aside))
    assert 0 < len(table) - len(new) < 0.2 * len(table)
    table["#CHROM"] = table["#CHROM"].str[3:]
    before = new[["#CHROM", "POS"]].merge(table, on=["#CHROM", "POS"], validate="one_to_one")
    assert len(before) == len(new)
    pairs = [
        (set(old), set(now))
        for old, now in zip(
            before[["REF", "ALT"]].to_numpy(), new[["REF", "ALT"]].to_numpy(), strict=True
        )
    ]
    other_strand = np.array([old != now for old, now in pairs])
    assert 0 < other_strand.mean() < 0.2
    new.loc[other_strand, "REF"] = new.loc[other_strand, "REF"].str.translate(COMPLEMENT)
    new.loc[other_strand, "ALT"] = new.loc[other_strand, "ALT"].str.translate(COMPLEMENT)
    assert 0.1 < (new["REF"] != before["REF"]).mean() < 0.3
    for name in aside:
        assert letters(new, name) == letters(before, name)


def test_five_sets_hold_each_family_once(modules):
    set_aside, _ = modules
    families = [f"{family:02d}" for family in range(2, 14)]
    names = [f"DS10-{family}{k}" for family in families for k in range(3)]
    rng = np.random.default_rng(1)
    sets = [
        set_aside.choose_lines(names, number, 0, rng) for number in range(1, set_aside.SETS + 1)
    ]
    assert [name[5:7] for name in sets[0]] == [f for f in ("03", "08", "13") for _ in range(3)]
    assert sorted(name for chosen in sets for name in chosen) == sorted(names)
    more = set_aside.choose_lines(names, 1, 2, rng)
    assert set(sets[0]) < set(more) and len(more) == len(sets[0]) + 2


def test_score_counts_by_kind_of_line(modules, tmp_path):
    _, score = modules
    lines = [f"DS10-{family}00{k}" for family in ("02", "03", "59", "64") for k in (1, 2)]
    observed = np.array([1.0, 2.0, 11.0, 12.0, 15.0, 17.0, 5.0, 7.0])
    predicted = np.array([2.0, 1.0, 12.0, 11.0, 6.0, 8.0, 6.0, 8.0])  # 02, 03: wrong within
    reach = np.array([1.5, 1.5, 0.5, 1.5, 9.5, 9.5, 1.5, 0.5])
    pd.DataFrame({"strain": lines, "oil_blue": observed, "protein_blue": np.nan}).to_csv(
        tmp_path / "blues.tsv", sep="\t", index=False
    )
    table = pd.DataFrame(
        {"line": lines, "trait": "oil", "model": "gblup", "prediction": predicted,
         "family_lines": [9, 9, 7, 7, 0, 0, 0, 0],
         "lower": predicted - reach, "upper": predicted + reach}
    )  # fmt: skip
    sets = [tmp_path / "one.tsv", tmp_path / "two.tsv"]
    for path, rows in zip(sets, (table[:5], table[5:]), strict=True):
        rows.to_csv(path, sep="\t", index=False)
    score.main(
        ["--predictions", *map(str, sets), "--out", str(tmp_path / "out.tsv"),
         "--effects", str(tmp_path / "blues.tsv")]
    )  # fmt: skip
    found = pd.read_csv(tmp_path / "out.tsv", sep="\t").set_index("kind")
    assert found["lines"].to_dict() == {"new family": 4, "sisters": 4}
    sisters = found.loc["sisters"]
    assert sisters["PCC"] == pytest.approx(np.corrcoef(observed[:4], predicted[:4])[0, 1], abs=1e-4)
    # Within a new family all is right; over both it is not.
    assert found.loc["new family", ["PCC", "bias", "MAE"]].tolist() == [1, -4, 5]
    assert found["coverage"].to_dict() == {"new family": 0.75, "sisters": 0.75}
    assert found["least_coverage"].to_dict() == {"new family": 0.5, "sisters": 0.5}
    assert found["width"].to_dict() == {"new family": 10.5, "sisters": 2.5}
