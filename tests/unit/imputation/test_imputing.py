"""imputing: called genotypes stay, none is missing, accuracy is counted as it is."""

import logging
import os
import re
import subprocess

import numpy as np
import pandas as pd
import pytest
from genotype_files import PLINK, random_counts
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.genotypes import bed
from soyfold.imputation import imputing, masking
from soyfold.imputation.beagle import (
    JAVA_VARIABLES,
    WINDOW_VARIANTS,
    java_options,
    run_beagle,
    window_cm,
)
from soyfold.imputation.imputing import impute_chromosomes, merge_chromosomes

SETTINGS = {"seed": 1, "mask_fraction": 0.05, "iterations": 2, "burnin": 1, "threads": 1}
NAMES = ["chrI", "chrII", "chrIII", "chrX", "chrXI"]
SAMPLES = [f"a_{i}-b" for i in range(40)]


@pytest.fixture
def source(tmp_path):
    """Filtered: a usual chromosome, a lone variant, none, two far apart, a complete one."""
    sizes = {"chrI": 30, "chrII": 1, "chrX": 2, "chrXI": 5}
    counts = random_counts(sum(sizes.values()), len(SAMPLES))
    counts[7] = -1
    counts[-5:] = np.abs(counts[-5:])
    position = np.concatenate(
        [np.arange(size) * 60_000_000 // max(1, size - 1) + 1 for size in sizes.values()]
    )
    bim = pd.DataFrame(
        {
            "chromosome": np.repeat(list(sizes), list(sizes.values())),
            "variant": [f"m{i}" for i in range(len(counts))],
            "position": position,
            "alt": "T",
            "ref": "TTA",
        }
    )
    prefix = tmp_path / "folder with spaces" / "filtered"
    bed.write_bed(bed.pack(counts), f"{prefix}.bed")
    bed.write_bim(bim, f"{prefix}.bim")
    bed.write_fam(SAMPLES, f"{prefix}.fam")
    return prefix, counts, bim


def impute(source, name, out, *further, **changes):
    """Impute a chromosome and further ones: prefix, counts and the first row of the table."""
    prefix = out / name
    impute_chromosomes(
        source, [name, *further], settings={**SETTINGS, **changes}, prefix=prefix,
        calls=f"{prefix}.calls.tsv", memory_mb=PLINK["memory_mb"],
    )  # fmt: skip
    bim = bed.read_bim(f"{prefix}.bim")
    rows = bed.open_bed(f"{prefix}.bed", variants=len(bim), samples=len(SAMPLES))
    row = read_table(f"{prefix}.calls.tsv").iloc[0]
    return prefix, bed.unpack(rows, len(SAMPLES)), row


METHODS = ["beagle", "most frequent genotype", "no variants", "beagle", "none missing"]


def test_the_road_from_filtered_to_merged(source, tmp_path):
    prefix, counts, bim = source
    parts, out = [], prefix.parent
    for name, method in zip(NAMES, METHODS, strict=True):
        part, imputed, row = impute(prefix, name, out)
        before = counts[bim["chromosome"] == name]
        assert row["method"] == method
        assert row["variants"] == len(before) and row["missing_before"] == (before < 0).sum()
        assert imputed.shape == before.shape and (imputed >= 0).all()
        assert np.array_equal(imputed[before >= 0], before[before >= 0])
        parts.append(part)
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    merge_chromosomes(
        parts, NAMES, source=prefix, prefix=out / "merged", accuracy=out / "accuracy.tsv"
    )
    assert bed.read_bim(out / "merged.bim").equals(bed.read_bim(f"{prefix}.bim"))
    assert bed.read_fam(out / "merged.fam") == SAMPLES
    rows = bed.open_bed(out / "merged.bed", variants=len(bim), samples=len(SAMPLES))
    merged = bed.unpack(rows, len(SAMPLES))
    assert np.array_equal(merged[counts >= 0], counts[counts >= 0]) and (merged >= 0).all()
    table = read_table(out / "accuracy.tsv").set_index("chromosome")
    assert table.index.tolist() == [*NAMES, "all"]
    assert table.loc["all", "masked"] == table["masked"].iloc[:-1].sum() > 0
    assert table.loc["all", "variants"] == 38
    assert table.loc["all", "method"] == "beagle, most frequent genotype"
    shares = (table["concordance"] * table["masked"]).iloc[:-1].sum() / table.loc["all", "masked"]
    assert np.isclose(table.loc["all", "concordance"], shares)
    assert table.loc[["chrIII", "chrXI"], ["concordance", "dosage_r2"]].isna().all(axis=None)


def test_chromosomes_that_share_a_job_come_out_in_their_order(source, tmp_path):
    """The first as it would alone: only what comes before in a run changes what Beagle draws."""
    prefix, counts, bim = source
    together, imputed, _ = impute(prefix, "chrI", tmp_path / "together", *NAMES[1:])
    _, alone, row = impute(prefix, "chrI", tmp_path / "alone")
    assert np.array_equal(imputed[: len(alone)], alone)
    assert (imputed >= 0).all() and np.array_equal(imputed[counts >= 0], counts[counts >= 0])
    assert bed.read_bim(f"{together}.bim").equals(bed.read_bim(f"{prefix}.bim"))
    table = read_table(f"{together}.calls.tsv")
    assert table["chromosome"].tolist() == NAMES and table["method"].tolist() == METHODS
    facts = ["variants", "missing_before", "method"]
    assert table.iloc[0][facts].equals(row[facts])
    shares = [(counts[bim["chromosome"] == name] < 0).sum() for name in NAMES]
    assert table["missing_before"].tolist() == shares


def test_the_same_seed_gives_the_same_files(source, tmp_path):
    prefix, _, _ = source
    first, second = (impute(prefix, "chrI", tmp_path / name)[0] for name in ("one", "two"))
    for suffix in ("bed", "bim", "fam", "calls.tsv"):
        one, two = (part.with_name(f"chrI.{suffix}").read_bytes() for part in (first, second))
        assert one == two


def test_neighbours_help(tmp_path):
    """Four founders and 60 linked variants: Beagle must do far better than the commonest call."""
    counts = random_counts(60, 80, missing=0.02)
    rows = bed.pack(counts)
    cells = masking.draw_masked(rows, 80, 0.05, 3)
    masked = masking.put_missing(rows, 80, cells)
    simple = imputing.fill_most_frequent(masked, 80)
    positions = np.arange(60) * 10_000 + 1
    settings = {**SETTINGS, "iterations": 12, "burnin": 3}
    [linked] = imputing._fill([(masked, positions, {})], 80, 1500, settings, tmp_path / "x")
    assert masking.concordance(masking.count_pairs(rows, simple, 80, cells)) < 0.75
    assert masking.concordance(masking.count_pairs(rows, linked, 80, cells)) > 0.9


@pytest.mark.parametrize(
    ("heterozygous", "settings", "expected"),
    [
        (10, {"iterations": "auto", "burnin": "auto"}, (3, 1)),
        (11, {"iterations": "auto", "burnin": "auto"}, (12, 3)),
        (0, {"iterations": 7, "burnin": "auto"}, (7, 1)),
        (50, {"iterations": "auto", "burnin": 2}, (12, 2)),
    ],
)
def test_inbred_lines_need_few_iterations(heterozygous, settings, expected, caplog):
    """Of 100 calls; the 40 missing ones are none."""
    counts = np.zeros((7, 20), dtype=np.int8)
    counts.ravel()[:heterozygous] = 1
    counts.ravel()[100:] = bed.MISSING
    genotypes = imputing.count_genotypes(bed.pack(counts), 20)
    assert genotypes.tolist() == [100 - heterozygous, heterozygous, 0, 40]
    with caplog.at_level(logging.INFO, logger="soyfold"):
        chosen = imputing.choose_phasing(genotypes, settings)
    assert (chosen["iterations"], chosen["burnin"]) == expected
    assert f"{expected[0]} phasing iterations after {expected[1]} of burn-in" in caplog.text


def test_no_accuracy_when_masking_is_off(source, tmp_path):
    _, imputed, row = impute(source[0], "chrII", tmp_path / "out", mask_fraction=False)
    assert (imputed >= 0).all()
    assert masking.judge_imputation(pd.DataFrame([row]))["concordance"].isna().all()


def test_imputation_off_copies_complete_genotypes(source):
    prefix, counts, _ = source
    bed.write_bed(bed.pack(np.abs(counts)), f"{prefix}.bed")
    out = prefix.parent
    merge_chromosomes(
        [], NAMES, source=prefix, prefix=out / "merged", accuracy=out / "accuracy.tsv"
    )
    assert (out / "merged.bed").read_bytes() == (out / "filtered.bed").read_bytes()
    table = read_table(out / "accuracy.tsv")
    assert table["variants"].tolist() == [30, 1, 0, 2, 5, 38]
    assert set(table["method"]) == {"off"}


def test_imputation_off_refuses_missing_calls(source):
    prefix, counts, _ = source
    with pytest.raises(UserError, match=rf"imputation: found {(counts < 0).sum()} missing calls"):
        merge_chromosomes(
            [],
            NAMES,
            source=prefix,
            prefix=prefix.parent / "merged",
            accuracy=prefix.parent / "a.tsv",
        )
    assert not (prefix.parent / "merged.bed").exists()


def test_most_frequent_genotype():
    counts = np.array([[0, 2, 2, -1, 1], [-1, 1, 0, -1, -1], [-1] * 5], dtype=np.int8)
    filled = bed.unpack(imputing.fill_most_frequent(bed.pack(counts), 5), 5)
    assert filled.tolist() == [[0, 2, 2, 2, 1], [0, 1, 0, 0, 0], [0] * 5]


@given(
    hnp.arrays(
        np.int8, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=st.integers(-1, 2)
    ),
    st.floats(0.01, 1),
    st.integers(0, 5),
)
def test_masked_are_called_and_nothing_else_changes(counts, fraction, seed):
    samples = counts.shape[1]
    rows = bed.pack(counts)
    cells = masking.draw_masked(rows, samples, fraction, seed)
    masked = bed.unpack(masking.put_missing(rows, samples, cells), samples)
    assert (counts.ravel()[cells] >= 0).all() and (np.diff(cells) > 0).all()
    expected = counts.ravel().copy()
    expected[cells] = -1
    assert np.array_equal(masked.ravel(), expected)
    pairs = masking.count_pairs(rows, rows, samples, cells)
    assert pairs.sum() == len(cells) == np.trace(pairs)


@given(hnp.arrays(np.int64, (3, 3), elements=st.integers(0, 6)))
def test_accuracy_equals_numpy_on_the_calls(pairs):
    true, imputed = np.repeat([(t, i) for t in range(3) for i in range(3)], pairs.ravel(), axis=0).T
    if not len(true):
        assert np.isnan(masking.concordance(pairs)) and np.isnan(masking.dosage_r2(pairs))
        return
    assert np.isclose(masking.concordance(pairs), (true == imputed).mean())
    if np.ptp(true) and np.ptp(imputed):
        assert np.isclose(masking.dosage_r2(pairs), np.corrcoef(true, imputed)[0, 1] ** 2)
    else:
        assert np.isnan(masking.dosage_r2(pairs))


def test_one_window_unless_there_are_too_many_variants():
    assert window_cm(np.array([1, 2])) >= 40
    assert window_cm(np.array([1, 80_000_001])) > 80
    assert window_cm(np.arange(WINDOW_VARIANTS + 1) * 10_000) == 40


@pytest.mark.parametrize("wrapper", ["", "-Xms512m -Xmx1g"], ids=["plain", "of bioconda"])
@pytest.mark.parametrize("variable", ["_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"])
@pytest.mark.parametrize(
    "site", ["-Xmx16m", "-Xms9g -Xmx9g", "-XX:MaxRAMPercentage=1 -XX:+UseParallelGC"]
)
def test_the_heap_holds_against_wrappers_and_sites(monkeypatch, wrapper, variable, site):
    for name in JAVA_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, f"-Dx=y {site}")
    done = subprocess.run(
        ["java", *wrapper.split(), "-XX:+PrintFlagsFinal", "-XshowSettings:properties", "-version"],
        env=os.environ | {"_JAVA_OPTIONS": java_options(100, 300)},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
    )  # fmt: skip
    assert re.search(rf"MaxHeapSize += {300 * 2**20} ", done.stdout)
    assert re.search("^ *x = y$", done.stdout, re.M)  # their other options stay
    assert bool(re.search(r"UseSerialGC += true", done.stdout)) == ("GC" not in site)


def test_java_compiles_little_for_little_work():
    assert "TieredStopAtLevel=1" in java_options(100, 4096)
    assert "TieredStopAtLevel" not in java_options(10**9, 4096)


@pytest.mark.parametrize(
    ("heap", "said"),
    [
        (990, r"key imputation\.memory_gb: found Beagle out of memory with a heap of 1000 MB"),
        (15, r"bin/beagle: found .*heap of 15 MB, where imputation\.memory_gb asks for 1000 MB"),
    ],
)
def test_out_of_memory_names_what_set_the_heap(tmp_path, monkeypatch, heap, said):
    """The second is a script that unsets what it is given, as those of containers do."""
    program = tmp_path / "bin" / "beagle"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\necho 'Command line: java -Xmx{heap}m -jar beagle.jar'\n"
        "echo 'java.lang.OutOfMemoryError: Java heap space'\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    rows = bed.pack(random_counts(3, 12))
    with pytest.raises(UserError, match=said):
        run_beagle(
            [(rows, np.array([1, 500, 900]))],
            12,
            settings=SETTINGS,
            memory_mb=2000,
            folder=tmp_path,
        )
