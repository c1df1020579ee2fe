"""The join of phenotype lines with genotype samples: nothing lost without a word."""

import numpy as np
import pandas as pd
import pytest
from cohort_files import PREFIXES, sample_table, trait_row, write_text
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.cohort.joins import count_joins, read_id_map
from soyfold.cohort.samples import read_samples
from soyfold.cohort.traits import collect_reports, join_trait
from soyfold.common.errors import UserError
from soyfold.common.files import write_table

NO_MAP = pd.Series(dtype=object)


def join(row, samples, *, id_map=NO_MAP, minimum_lines=1):
    return join_trait(row, samples, prefixes=PREFIXES, id_map=id_map, minimum_lines=minimum_lines)


def wide(tmp_path, rows, name="w.csv"):
    text = "acid,protein\n" + "".join(f"{line},{value}\n" for line, value in rows)
    return trait_row(write_text(tmp_path / name, text))


def fates(report):
    """(status, why) of every phenotype id, and of every sample without one."""
    name = report["phenotype_id"].fillna(report["sample"])
    return dict(zip(name, zip(report["status"], report["why"], strict=True), strict=True))


def id_map(tmp_path, *rows):
    text = "pheno\tgeno\n" + "".join(f"{one}\t{other}\n" for one, other in rows)
    return read_id_map(write_text(tmp_path / "map.tsv", text), PREFIXES)


def test_every_fate(tmp_path):
    samples = sample_table(
        ["PI054613", "Lee", "PI1", "PI 01", "PI417479A", "unseen", "PI9"], removed=["PI7"]
    )
    rows = [
        ("PI 54613", 40), ("Lee", 41), ("PI 1", 42), ("PI 417479 B", 43), ("PI 7", 44),
        ("PI 417479 A", 41), ("PI 9", "NA"), ("PI 8", "NA"), ("", 39), ("", "NA"),
    ]  # fmt: skip
    values, report = join(wide(tmp_path, rows), samples)
    assert values["sample"].tolist() == ["PI054613", "Lee", "PI417479A"]
    assert values["value"].tolist() == [40, 41, 41]
    assert fates(report.dropna(subset=["sample", "phenotype_id"], how="all")) == {
        "PI 54613": ("matched", "by the accession key"),
        "Lee": ("matched", "by the same id"),
        "PI 417479 A": ("matched", "by the accession key"),
        "PI 9": ("genotype_only", "no value"),
        "unseen": ("genotype_only", "no phenotype record"),
        "PI 417479 B": ("phenotype_only", "not in the genotypes"),
        "PI 7": ("phenotype_only", "removed by genotype QC: sample missing > 0.1"),
        "PI 8": ("phenotype_only", "no value"),
        "PI 1": ("ambiguous", "names several samples"),
        "PI1": ("ambiguous", "shares its accession key"),
        "PI 01": ("ambiguous", "shares its accession key"),
    }
    nameless = report[report["sample"].isna() & report["phenotype_id"].isna()]
    assert nameless["why"].tolist() == ["record without an id"]
    assert report["status"].unique().tolist() == [
        "matched", "genotype_only", "phenotype_only", "ambiguous",
    ]  # fmt: skip


def test_spellings_of_one_accession_pool_their_records(tmp_path):
    rows = [("PI 54613", 40), ("PI054613", "41; 45"), ("PI1", 40)]
    values, report = join(wide(tmp_path, rows), sample_table(["PI1", "PI54613"]))
    # Of 40, 41 and 45: squares of 14 over two degrees of freedom.
    assert values.pop("error_variance").tolist() == [7, pytest.approx(7 / 3)]
    assert values.to_dict("list") == {
        "sample": ["PI1", "PI54613"],
        "value": [40, 42],
        "records": [1, 3],
        "environments": [0, 0],
    }
    counts = count_joins(report)
    assert counts["count"].sum() == 2  # two samples, though three phenotype ids
    assert len(report) == 3


def test_a_sample_that_qc_removed_leaves_its_key_to_the_other(tmp_path):
    samples = sample_table(["PI 01", "PI2"], removed=["PI1"])
    values, _ = join(wide(tmp_path, [("PI001", 40), ("PI2", 41)]), samples)
    assert values["sample"].tolist() == ["PI 01", "PI2"]


def test_id_map_names_samples(tmp_path):
    mapping = id_map(tmp_path, ("MaGellan", "P_Mag"), ("Magellan", "P_Mag"), ("IA2094", "NONE"))
    samples = sample_table(["P_Mag", "IA2094", "x"])
    rows = [("MaGellan", 40), ("Magellan", 42), ("IA2094", 50), ("x", 39)]
    values, report = join(wide(tmp_path, rows), samples, id_map=mapping)
    assert values.set_index("sample")["value"].to_dict() == {"P_Mag": 41, "x": 39}
    assert fates(report)["MaGellan"] == ("matched", "by the id map")
    assert ("phenotype_only", "the id map names no sample of the genotypes") in set(
        zip(report["status"], report["why"], strict=True)
    )


def test_id_map_settles_an_ambiguous_key(tmp_path):
    mapping = id_map(tmp_path, ("PI 1", "PI001"))
    values, report = join(
        wide(tmp_path, [("PI1", 40), ("y", 41)]),
        sample_table(["PI1", "PI001", "y"]),
        id_map=mapping,
    )
    assert values["sample"].tolist() == ["PI001", "y"]
    assert report.loc[report["sample"] == "PI1", "status"].tolist() == ["ambiguous"]


def test_id_map_refusals(tmp_path):
    with pytest.raises(UserError, match=r"line 3: found the id 'PI01' for 'a' and for 'b'"):
        id_map(tmp_path, ("PI 1", "a"), ("PI01", "b"))
    with pytest.raises(UserError, match="found 1 column; allowed: two tab-separated"):
        read_id_map(write_text(tmp_path / "one.tsv", "a,b\nx,y\n"), PREFIXES)
    assert read_id_map(None, PREFIXES).empty


IDS = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from(["", "A", "-1"]), st.booleans()), max_size=25
)


@settings(max_examples=60)
@given(IDS, IDS, st.integers(0, 2**32 - 1))
def test_every_id_and_every_sample_is_accounted_for(tmp_path_factory, phenotypes, genotypes, seed):
    def spell(parts):
        number, suffix, padded = parts
        return f"PI{number:06d}{suffix}" if padded else f"PI {number} {suffix}".strip()

    ids = list(dict.fromkeys(map(spell, phenotypes)))
    names = list(dict.fromkeys(map(spell, genotypes)))
    half = len(names) // 3
    samples = sample_table([*names[half:], "other1", "other2"], removed=names[:half])
    values = np.random.default_rng(seed).normal(size=len(ids)).round(3)
    rows = [("other1", 1), ("other2", 2), *zip(ids, values, strict=True)]
    joined, report = join(wide(tmp_path_factory.mktemp("j"), rows), samples)

    assert sorted(report["phenotype_id"].dropna()) == sorted([*ids, "other1", "other2"])
    assert set(samples.loc[samples["kept"], "sample"]) <= set(report["sample"])
    matched = report[report["status"] == "matched"]
    assert set(matched["sample"]) == set(joined["sample"])
    assert joined["sample"].is_unique
    # Suffix and number decide, by an independent reading of the ids.
    for one, other in zip(matched["phenotype_id"], matched["sample"], strict=True):
        parts = [name.replace(" ", "").removeprefix("PI").lstrip("0") for name in (one, other)]
        assert parts[0] == parts[1]


def test_environments_count_through_ungenotyped_checks(tmp_path):
    text = "strain,env,protein\ncheck,X,40\ncheck,Y,44\na,X,41\nb,Y,46\nc,Z,50\n"
    row = trait_row(write_text(tmp_path / "p.csv", text), "plots", identity="strain")
    row["environment_column"] = "env"
    samples = sample_table(["a", "b", "c"])
    with pytest.raises(UserError, match=r"1 of 4 lines in environments that share no line"):
        join(row, samples)
    text = text.replace("c,Z,50\n", "")
    row["file"] = write_text(tmp_path / "q.csv", text)
    values, _ = join(row, samples)
    assert values.set_index("sample")["value"].to_dict() == {"a": 43, "b": 44}


def test_few_lines_grown_apart_are_reported(tmp_path):
    lines = [f"l{i}" for i in range(12)]
    text = "strain,env,protein\n" + "".join(f"{x},X,{i}\n{x},Y,{i}\n" for i, x in enumerate(lines))
    row = trait_row(
        write_text(tmp_path / "p.csv", text + "c,Z,5\n"),
        "plots",
        identity="strain",
        environment="env",
    )
    values, report = join(row, sample_table([*lines, "c"]))
    assert values["sample"].tolist() == lines
    assert fates(report)["c"] == (
        "genotype_only", "its environments share no line with the others",
    )  # fmt: skip


def test_too_few_lines_says_why(tmp_path):
    rows = [(f"PI {i}", 40 + i) for i in range(40)]
    samples = sample_table([f"line{i}" for i in range(50)])
    with pytest.raises(UserError) as error:
        join(wide(tmp_path, rows), samples, minimum_lines=30)
    message = str(error.value)
    for part in (
        "found 0 joined lines", "50 genotype_only (no phenotype record)",
        "40 phenotype_only (not in the genotypes)", "'line0', 'line1', 'line2'", "'PI 0', 'PI 1'",
        "at least 30 (cohort.minimum_lines)", "id map", "trait protein",
    ):  # fmt: skip
        assert part in message
    assert "\n" not in message


def test_no_variance(tmp_path):
    rows = [(f"l{i}", 40) for i in range(40)]
    samples = sample_table([f"l{i}" for i in range(40)])
    with pytest.raises(UserError, match=r"no variance: all 40 joined lines have 40; allowed"):
        join(wide(tmp_path, rows), samples, minimum_lines=30)


def test_values_do_not_depend_on_which_lines_are_genotyped(tmp_path):
    rng = np.random.default_rng(1)
    lines = [f"l{i}" for i in range(20)]
    text = "strain,env,protein\n" + "".join(
        f"{x},{e},{rng.normal():.3f}\n" for x in lines for e in rng.choice(list("XYZ"), 2)
    )
    row = trait_row(
        write_text(tmp_path / "p.csv", text), "plots", identity="strain", environment="env"
    )
    every, _ = join(row, sample_table(lines))
    some, _ = join(row, sample_table(lines[3:9]))
    pd.testing.assert_frame_equal(every.iloc[3:9].reset_index(drop=True), some)


def test_samples_and_their_fate(tmp_path):
    (tmp_path / "a.fam").write_text("b\tb\t0\t0\t0\t-9\na\ta\t0\t0\t0\t-9\n")
    write_table(
        pd.DataFrame(
            {
                "sample": ["a", "c", "b"],
                "kept": ["yes", "no", "yes"],
                "reason": [None, "x > 1", None],
            }
        ),
        tmp_path / "samples.tsv",
    )
    samples = read_samples(tmp_path / "a.fam", tmp_path / "samples.tsv")
    assert samples["sample"].tolist() == ["b", "a", "c"]
    assert samples["kept"].tolist() == [True, True, False]
    assert samples["reason"].tolist()[2] == "x > 1"


def test_samples_where_nothing_was_removed(tmp_path):
    (tmp_path / "a.fam").write_text("a\ta\t0\t0\t0\t-9\n")
    table = pd.DataFrame({"sample": ["a"], "kept": ["yes"], "reason": [None]})
    write_table(table, tmp_path / "samples.tsv")
    samples = read_samples(tmp_path / "a.fam", tmp_path / "samples.tsv")
    assert samples["kept"].dtype == bool


def test_reports_of_several_traits(tmp_path):
    files = []
    for trait in ("oil", "protein"):
        _, report = join(wide(tmp_path, [("a", 1), ("b", 2)]), sample_table(["a", "b", "c"]))
        files.append(tmp_path / f"{trait}.tsv")
        write_table(report.assign(trait=trait), files[-1])
    report, counts = collect_reports(files)
    assert len(report) == 6
    assert counts.to_numpy().tolist() == [
        [trait, status, why, count]
        for trait in ("oil", "protein")
        for status, why, count in (
            ("matched", "by the same id", 2),
            ("genotype_only", "no phenotype record", 1),
        )
    ]
