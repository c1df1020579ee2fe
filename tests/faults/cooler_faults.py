"""Faults of coolers and .hic files."""

import gzip

import cooler
import h5py
import numpy as np
import pandas as pd
from contact_faults import loading, one_library
from fault import Fault
from genotype_faults import content
from tiny_road import BIN, LENGTHS


def cool(*, counts=None, weights=None, name="a.cool", **options):
    """A fault of a cooler of these counts (of its pixels) and weights (of its bins)."""

    def spoil(study):
        bins = cooler.binnify(pd.Series(LENGTHS), BIN)
        one, two = np.triu_indices(len(bins))
        value = np.arange(1, len(one) + 1) if counts is None else counts(len(one))
        pixels = pd.DataFrame({"bin1_id": one, "bin2_id": two, "count": value}).iloc[: len(value)]
        cooler.create_cooler(
            str(study.path(name)),
            bins,
            pixels,
            dtypes={"count": np.asarray(value).dtype},
            **options,
        )
        if weights is not None:
            with h5py.File(study.path(name), "r+") as h5:
                h5["bins"].create_dataset("weight", data=weights(len(bins)))
        one_library(f"a\tcool\t{name}\tNA\tNA")(study)

    return spoil


def empty_cool(study):
    cool()(study)
    bins = cooler.binnify(pd.Series(LENGTHS), BIN)
    pixels = pd.DataFrame({"bin1_id": [], "bin2_id": [], "count": []}, dtype=np.int64)
    cooler.create_cooler(str(study.path("a.cool")), bins, pixels)


def cut_cool(study):
    cool()(study)
    data = study.path("a.cool").read_bytes()
    study.path("a.cool").write_bytes(data[: len(data) // 2])


def without_attributes(study):
    cool()(study)
    with h5py.File(study.path("a.cool"), "r+") as h5:
        del h5.attrs["nnz"], h5.attrs["sum"]


def hdf5_of_something(study):
    with h5py.File(study.path("a.cool"), "w") as h5:
        h5["x"] = np.arange(3)
    one_library("a\tcool\ta.cool\tNA\tNA")(study)


def _weights(**at):
    def weights(bins):
        values = np.ones(bins)
        values[at["rows"]] = at["value"]
        return values

    return weights


def _with(value, at=5):
    def counts(pixels):
        values = np.arange(1.0, pixels + 1)
        values[at] = value
        return values

    return counts


FAULTS = [
    loading("cool: empty (no pixel)", empty_cool, "no contacts"),
    loading("cool: cut off", cut_cool, "no cooler", "fetched again"),
    loading("cool: another HDF5 file", hdf5_of_something, "no cooler"),
    loading(
        "cool: text under the name .cool",
        lambda s: [
            content("a.cool", b"no cooler\n" * 9)(s),
            one_library("a\tcool\ta.cool\tNA\tNA")(s),
        ],
        "no cooler",
    ),
    loading(
        "cool: a negative count",
        cool(counts=_with(-3.0)),
        "-3",
        "from 0 on",
        mended="taken silently",
    ),
    loading(
        "cool: a NaN count",
        cool(counts=_with(np.nan)),
        "nan",
        "from 0 on",
        mended="a misleading line: no contacts of Gm01",
    ),
    loading(
        "cool: an infinite count",
        cool(counts=_with(np.inf)),
        "inf",
        "from 0 on",
        mended="told two jobs later, of a temporary file",
    ),
    Fault(
        "cool: all biases NaN",
        "contacts",
        "",
        cool(weights=lambda n: np.full(n, np.nan)),
        ("a\tcool\t100000\tcounts\tnone",),
        table="contacts/libraries.tsv",
        mended="told two jobs later",
    ),
    Fault(
        "cool: without the attributes nnz and sum",
        "contacts",
        "",
        without_attributes,
        ("a\tcool\t100000\tcounts\tnone\t45150",),
        table="contacts/libraries.tsv",
        mended="a traceback: KeyError",
    ),
    Fault(
        "cool: both triangles stored",
        "contacts",
        "",
        cool(symmetric_upper=False),
        ("a\tcool\t100000\tcounts\tnone\t45150",),
        table="contacts/libraries.tsv",
        mended="refused",
    ),
    Fault(
        "cool: balanced values",
        "contacts",
        "",
        cool(counts=lambda n: np.arange(1, n + 1) / 7),
        ("a\tcool\t100000\ticed\tnone",),
        table="contacts/libraries.tsv",
        mended="balanced again without a word",
    ),
    Fault(
        "cool: a .hic under its name, or the other way round",
        "contacts",
        "",
        lambda s: [cool()(s), one_library("a\thic\ta.cool\tNA\tNA")(s)],
        ("a\tcool\t100000\tcounts",),
        table="contacts/libraries.tsv",
        mended="`no .hic file`",
    ),
    loading(
        "cool: gzipped",
        lambda s: [
            cool()(s),
            s.path("a.cool").write_bytes(gzip.compress(s.path("a.cool").read_bytes())),
        ],
        "gzipped",
        "gunzip",
        mended="`no cooler`",
    ),
    Fault(
        "cool: all biases of a chromosome NaN",
        "contacts",
        "normalise_cim",
        cool(weights=_weights(rows=slice(18, 24), value=np.nan)),
        ("no contacts of chromosome Gm03", "coarser bins"),
    ),
    Fault(
        "cool: some biases NaN",
        "contacts",
        "",
        cool(weights=_weights(rows=[2, 20], value=np.nan)),
        ("a\tcool\t100000\tcounts\tcarried",),
        table="contacts/libraries.tsv",
    ),
    loading(
        "cool: an infinite bias",
        cool(weights=_weights(rows=[3], value=np.inf)),
        "inf",
        "weight",
        mended="told two jobs later",
    ),
    loading(
        "cool: a negative bias",
        cool(weights=_weights(rows=[3], value=-1.0)),
        "-1",
        "weight",
        mended="taken silently",
    ),
    loading(
        "hic: text under the name .hic",
        lambda s: [content("a.hic", b"no hic\n" * 99)(s), one_library("a\thic\ta.hic\tNA\tNA")(s)],
        "no .hic file",
        mended="a misleading line: no contacts of Gm01",
    ),
    loading(
        "mcool: a plain .cool",
        lambda s: [cool()(s), one_library("a\tmcool\ta.cool\tNA\t5000")(s)],
        "100000",
    ),
    loading(
        "mcool: a group that it lacks",
        lambda s: [
            cool(name="a.mcool::/resolutions/100000")(s),
            one_library("a\tmcool\ta.mcool::/resolutions/5000\tNA\tNA")(s),
        ],
        "no cooler at /resolutions/5000",
        "a.mcool::/resolutions/100000",
        mended="`no such file`",
    ),
]
