"""Coolers as other programs leave them: each gives what the plain one gives, or a line says why."""

import gzip
import subprocess
import sys

import cooler
import h5py
import numpy as np
import pandas as pd
import pytest
from hic_files import (
    CONTIGS,
    NAMES,
    PAIRS,
    RESOLUTION,
    dense_of,
    file_bins,
    folded,
    row_of,
    sums_of,
    write_hic,
)  # fmt: skip

from soyfold.contacts import coolers, sum_by_chromosome
from soyfold.contacts.merging import merge_libraries


def write_cool(path, *, values=None, square=False, weight=None, bins=None, symmetric=False):
    bins = file_bins() if bins is None else bins
    dense = folded(dense_of(PAIRS, file_bins())).astype(np.int64 if values is None else float)
    dense = dense if values is None else values(dense)
    if square and symmetric:
        dense = dense + np.triu(dense, 1).T
    one, two = np.nonzero(dense)
    if square and not symmetric:  # each contact in one of the triangles
        turned = np.random.default_rng(0).random(len(one)) < 0.5
        one, two = np.where(turned, two, one), np.where(turned, one, two)
        order = np.lexsort((two, one))
        one, two = one[order], two[order]
    count = dense[np.minimum(one, two), np.maximum(one, two)]
    cooler.create_cooler(
        str(path), bins[["chrom", "start", "end"]],
        pd.DataFrame({"bin1_id": one, "bin2_id": two, "count": count}),
        dtypes={"count": count.dtype}, symmetric_upper=not square, mode="a",
    )  # fmt: skip
    if weight is not None:
        name, _, group = str(path).partition("::")
        with h5py.File(name, "r+") as h5:
            h5[group or "/"]["bins"]["weight"] = weight
    return str(path)


def strip(file, *names):
    with h5py.File(file, "r+") as h5:
        for name in names:
            h5.attrs.pop(name)


@pytest.mark.parametrize(
    "absent",
    [("nnz", "sum"), ("bin-size", "bin-type"), ("nbins", "nchroms", "format", "storage-mode"),
     ("nnz", "sum", "bin-size", "bin-type", "nbins", "nchroms", "format", "format-version")],
)  # fmt: skip
def test_a_cooler_without_attributes_that_follow_from_its_tables(absent, load, tmp_path):
    file = write_cool(tmp_path / "a.cool")
    strip(file, *absent)
    load(row_of("cool", file))
    contigs = [f"Chr{name[2:]}" for name in NAMES]
    np.testing.assert_array_equal(sum_by_chromosome(file, contigs), sums_of(PAIRS))


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_square_cooler_counts_each_contact_once(symmetric, load, tmp_path):
    file = write_cool(tmp_path / "a.cool", square=True, symmetric=symmetric)
    load(row_of("cool", file))


def test_a_coolers_bins_are_rounded_up(load, tmp_path):
    bins = file_bins()
    bins["end"] = bins["start"] + RESOLUTION
    load(row_of("cool", write_cool(tmp_path / "a.cool", bins=bins)))


def test_whole_numbers_stored_as_floats_are_counts(load, tmp_path):
    counts = load(row_of("cool", write_cool(tmp_path / "a.cool", values=lambda dense: dense)))
    assert counts["values"] == "counts"


@pytest.mark.parametrize("weight", [None, np.full(len(file_bins()), 2.0)])
def test_fractions_are_taken_for_balanced_and_told_unless_weights_stand_beside(
    weight, load, tmp_path, caplog
):
    values, expected = (lambda dense: dense / 7), sums_of(PAIRS) / 7
    file = write_cool(tmp_path / "a.cool", values=values, weight=weight)
    counts = load(row_of("cool", file), expected=expected)
    assert counts["values"] == ("iced" if weight is None else "counts")
    merged = tmp_path / "merged.cool"
    merge_libraries(
        [tmp_path / "out.cool"], [tmp_path / "out.tsv"], balance=True, cool=merged,
        table=tmp_path / "libraries.tsv",
    )  # fmt: skip
    factor = 1 if weight is None else 4
    np.testing.assert_allclose(sum_by_chromosome(merged, NAMES, balanced=True), factor * expected)
    assert ("not balanced again" in caplog.text) == (weight is None)


def test_weights_of_nan_alone_are_left_out_and_told(load, tmp_path, caplog):
    file = write_cool(tmp_path / "a.cool", weight=np.full(len(file_bins()), np.nan))
    assert load(row_of("cool", file))["weights"] == "none"
    assert "balanced anew" in caplog.text


@pytest.mark.parametrize("kind", ["cool", "mcool"])
def test_a_group_of_a_file_is_read_by_its_name(kind, load, refused, tmp_path):
    file = tmp_path / "a.cool"
    for size in (1000, 2000):
        path = f"{file}::/resolutions/{size}"
        bins, dense = file_bins(size), folded(dense_of(PAIRS, file_bins(size)))
        one, two = np.nonzero(dense)
        pixels = pd.DataFrame({"bin1_id": one, "bin2_id": two, "count": dense[one, two]})
        cooler.create_cooler(path, bins[["chrom", "start", "end"]], pixels, mode="a")
    row = row_of(kind, file)
    assert load({**row, "group": "/resolutions/1000"})["resolution"] == 1000
    assert load(row)["resolution"] == 2000
    refused({**row, "group": "/resolutions/500"}, "no cooler at /resolutions/500", "/2000")
    refused({**row, "resolution": 500}, "no bins of 500 bp", "1000, 2000")
    refused({**row, "group": "/resolutions/1000", "resolution": 2000}, "no bins of 2000 bp")


def test_cells_of_a_scool_are_added_up(load, tmp_path):
    bins, dense = file_bins()[["chrom", "start", "end"]], folded(dense_of(PAIRS, file_bins()))
    one, two = np.nonzero(dense)
    cells = {}
    for name, share in (("a", 1), ("b", 2), ("c", 3)):
        cells[name] = pd.DataFrame(
            {"bin1_id": one, "bin2_id": two, "count": share * dense[one, two]}
        )
    cooler.create_scool(str(tmp_path / "a.scool"), bins, cells)
    load(row_of("mcool", tmp_path / "a.scool"), times=6)
    cell = {**row_of("cool", tmp_path / "a.scool"), "group": "/cells/b"}
    load(cell, times=2)


def test_two_coolers_of_one_bin_size_are_named(refused, tmp_path):
    for group in ("leaf", "root"):
        write_cool(f"{tmp_path / 'a.cool'}::/{group}")
    refused(row_of("cool", tmp_path / "a.cool"), "2 coolers of 1000 bp", "a.cool::/leaf, ")


def test_a_file_is_what_its_bytes_say(load, refused, tmp_path, caplog):
    file = write_cool(tmp_path / "a.hic")
    for kind in ("hic", "hicpro_matrix", "pairs"):
        load(row_of(kind, file))
        assert f"WARNING {file}: hic.tsv says {kind}, but it is a cooler" in caplog.text
    (tmp_path / "b.cool").write_text("<!DOCTYPE html>\n")
    refused(row_of("cool", tmp_path / "b.cool"), "no cooler, but text that begins with '<!DOC")
    (tmp_path / "c.cool").write_bytes(gzip.compress((tmp_path / "a.hic").read_bytes()))
    refused(row_of("cool", tmp_path / "c.cool"), "gzipped", "gunzip")


def test_a_hic_file_under_another_name(tmp_path, load):
    one, two = np.nonzero(dense := folded(dense_of(PAIRS, file_bins())))
    pixels = {"bin1_id": one.tolist(), "bin2_id": two.tolist(), "count": dense[one, two].tolist()}
    write_hic(tmp_path / "a.hic", CONTIGS, [1000], pixels)
    (tmp_path / "a.hic").rename(tmp_path / "a.cool")
    load(row_of("cool", tmp_path / "a.cool"))


def test_a_file_that_cannot_be_locked_is_told_as_that(refused, tmp_path, monkeypatch):
    file = write_cool(tmp_path / "a.cool")
    error = "[Errno 11] Unable to synchronously open file (unable to lock file, errno = 11)"

    def no_locks(*args, **options):
        raise BlockingIOError(11, error)

    monkeypatch.setattr(coolers.h5py, "File", no_locks)
    refused(row_of("cool", file), "can't lock", "HDF5_USE_FILE_LOCKING=FALSE")


def test_a_file_that_another_program_holds_is_read(tmp_path, root):
    """HDF5 takes no locks once soyfold.contacts is imported before h5py, as in the rules."""
    file = write_cool(tmp_path / "a.cool")
    script = (
        "import fcntl, sys\n"
        "held = open(sys.argv[1], 'rb+'); fcntl.flock(held, fcntl.LOCK_EX)\n"
        "from soyfold.contacts import sum_by_chromosome\n"
        "print(int(sum_by_chromosome(sys.argv[1], ['Chr01']).iloc[0, 0]))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, file],
        env={"PYTHONPATH": str(root / "workflow/scripts"), "PATH": "/usr/bin"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert told.stdout.strip() == str(sums_of(PAIRS).loc["Gm01", "Gm01"]), told.stderr


def test_lengths_of_the_chromosomes_stay_the_assemblys(tmp_path, refused):
    bins = file_bins(contigs={**CONTIGS, "Chr04": 11_999})
    pixels = pd.DataFrame({"bin1_id": [0], "bin2_id": [1], "count": [1]})
    cooler.create_cooler(str(tmp_path / "a.cool"), bins[["chrom", "start", "end"]], pixels)
    refused(row_of("cool", tmp_path / "a.cool"), "Gm04 of 11999 bp", "11001")
