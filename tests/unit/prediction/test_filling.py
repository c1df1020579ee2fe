"""filling: gaps of new lines from the study's, as many lines at a time as Beagle's memory holds."""

import numpy as np
import pandas as pd
import pytest
from genotype_files import PLINK

from soyfold.genotypes import bed
from soyfold.prediction import filling

SETTINGS = {"seed": 1, "iterations": 2, "burnin": 1, "threads": 1}
VARIANTS, PANEL, NEW = 40, 30, 26


def write(prefix, counts, position):
    names = [f"l{k}" for k in range(counts.shape[1])]
    facts = {"chromosome": "chr1", "variant": [f"m{k}" for k in range(VARIANTS)]}
    bim = pd.DataFrame({**facts, "position": position, "alt": "T", "ref": "C"})
    bed.write_bed(bed.pack(counts), f"{prefix}.bed")
    bed.write_bim(bim, f"{prefix}.bim")
    bed.write_fam(names, f"{prefix}.fam")
    return bim.assign(most_frequent=0)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A phased panel of mosaics of two founders, and new lines that lack a tenth of their calls."""
    folder, rng = tmp_path_factory.mktemp("filling"), np.random.default_rng(5)
    founders = rng.permuted(np.tile([[0, 2]], (VARIANTS, 1)), axis=1).astype(np.int8)
    start = rng.integers(0, 2, PANEL + NEW)
    turned = np.cumsum(rng.random((VARIANTS, PANEL + NEW)) < 0.03, axis=0)
    lines = np.take_along_axis(founders, (start + turned) % 2, axis=1)
    position = 1 + 400_000 * np.arange(VARIANTS)
    panel = write(folder / "panel", lines[:, :PANEL], position)
    told = lines[:, PANEL:].copy()
    told[rng.random(told.shape) < 0.1] = bed.MISSING
    told[7] = bed.MISSING  # a variant that the new file lacks
    write(folder / "new", told, position)
    filling.phase_chromosome(
        folder / "panel", "chr1", settings=SETTINGS, path=folder / "phased.vcf.gz",
        memory_mb=PLINK["memory_mb"],
    )  # fmt: skip
    return folder, panel, lines[:, PANEL:], told


def fill(study, source, out):
    folder, panel, *_ = study
    filling.fill_chromosome(
        source, "chr1", panel=panel, phased=folder / "phased.vcf.gz", settings=SETTINGS,
        prefix=out, calls=f"{out}.tsv", memory_mb=PLINK["memory_mb"],
    )  # fmt: skip
    samples = len(bed.read_fam(f"{source}.fam"))
    return bed.unpack(bed.open_bed(f"{out}.bed", variants=VARIANTS, samples=samples), samples)


def test_batches_are_filled_as_they_would_be_alone(study, tmp_path, monkeypatch, caplog):
    folder, _, true, told = study
    caplog.set_level("INFO", logger="soyfold")
    monkeypatch.setattr(filling, "LEAST_LINES", 9)
    monkeypatch.setattr(filling, "BATCH_CALLS", 13 * (VARIANTS - 1))
    filled = fill(study, folder / "new", tmp_path / "both")
    assert "in 2 batches of up to 13 lines" in caplog.text
    known = told != bed.MISSING
    assert (filled[known] == told[known]).all() and (filled != bed.MISSING).all()
    assert (filled == true)[~known].mean() > 0.9
    position = 1 + 400_000 * np.arange(VARIANTS)
    write(tmp_path / "second", told[:, 13:], position)
    alone = fill(study, tmp_path / "second", tmp_path / "alone")
    assert (filled[:, 13:] == alone).all()


def test_a_batch_may_lack_a_variant_that_another_has(study, tmp_path, monkeypatch):
    _, _, true, told = study
    told = told.copy()
    told[11, 13:] = bed.MISSING
    write(tmp_path / "new", told, 1 + 400_000 * np.arange(VARIANTS))
    monkeypatch.setattr(filling, "LEAST_LINES", 9)
    monkeypatch.setattr(filling, "BATCH_CALLS", 13 * (VARIANTS - 1))
    filled = fill(study, tmp_path / "new", tmp_path / "filled")
    assert (filled[11, 13:] == true[11, 13:]).mean() > 0.8


@pytest.mark.parametrize(
    ("samples", "shared", "sizes"),
    [(1270, 281, [318, 318, 317, 317]), (355, 281, [355]), (250, 9000, [84, 83, 83]), (3, 2, [3])],
)
def test_batches_are_even_and_as_large_as_memory_allows(samples, shared, sizes):
    found = filling.batches(samples, shared)
    assert [len(lines) for lines in found] == sizes
    assert (np.concatenate(found) == np.arange(samples)).all()
