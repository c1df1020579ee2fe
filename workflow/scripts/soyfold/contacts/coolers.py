"""Reading .cool and .mcool."""

import cooler
import numpy as np

from soyfold.common.errors import UserError
from soyfold.contacts.grid import place_bins
from soyfold.contacts.opened import Opened, choose_resolution

CHUNK = 4_000_000  # pixels in memory at a time


def open_cooler(uri):
    """Open a cooler URI.

    Raises
    ------
    UserError
        If there is none, or it stores more than an upper triangle.
    """
    uri = str(uri)
    try:
        clr = cooler.Cooler(uri)
    except (OSError, KeyError) as error:
        raise UserError(
            f"no cooler ({error})",
            file=uri,
            allowed="a .cool file or file.mcool::/resolutions/N",
            mend="check the path; a truncated download must be fetched again",
        ) from None
    if clr.storage_mode != "symmetric-upper":
        raise UserError(
            f"a cooler of storage mode {clr.storage_mode!r}", file=uri, allowed="symmetric-upper"
        )
    return clr


def _place_weights(clr, target, grid, file):
    if "weight" not in clr.bins().columns:
        return None
    weights = np.full(grid.size, np.nan)
    weights[target[target >= 0]] = clr.bins()["weight"][:].to_numpy()[target >= 0]
    known = weights[~np.isnan(weights)]
    wrong = known[~((known > 0) & np.isfinite(known))]
    if len(wrong) or not len(known):
        raise UserError(
            f"the balancing weight {wrong[0]:g}" if len(wrong) else "no balancing weight but NaN",
            file=file,
            allowed="weights above 0, and NaN for masked bins",
            mend="balance it anew (cooler balance --force), or delete its column weight",
        )
    return weights


def _refuse_counts(chunk, file):
    """Raise for a pixel that counts nothing: negative, NaN or infinite."""
    count = chunk["count"].to_numpy()
    wrong = ~((count >= 0) & np.isfinite(count))
    if wrong.any():
        raise UserError(
            f"the count {count[wrong][0]:g}",
            file=file,
            at=f"pixel {chunk.index[wrong][0] + 1}",
            allowed="finite counts from 0 on",
            mend="make the cooler of raw counts, or of balanced ones, not of log ratios",
        )


def _pixels(clr, target, file):
    pixels = clr.pixels()
    for start in range(0, clr.info["nnz"], CHUNK):
        chunk = pixels[start : start + CHUNK]
        _refuse_counts(chunk, file)
        one, two = target[chunk["bin1_id"].to_numpy()], target[chunk["bin2_id"].to_numpy()]
        yield one, two, chunk["count"].to_numpy()


def _opened(uri, chromosomes, *, file):
    clr = open_cooler(uri)
    bins = clr.bins()[["chrom", "start", "end"]][:]
    start, end = (bins[name].to_numpy(dtype=np.int64) for name in ("start", "end"))
    grid, target, dropped = place_bins(bins["chrom"], start, end, chromosomes, file=file)
    return Opened(
        grid,
        _pixels(clr, target, file),
        set(dropped),
        integer=np.issubdtype(clr.pixels().dtypes["count"], np.integer),
        weights=_place_weights(clr, target, grid, file),
    )


def read_cool(row, chromosomes, target):
    """Open a .cool library; a `resolution` in its row must be the file's.

    Parameters
    ----------
    row : dict
        Row of hic.tsv.
    chromosomes : Chromosomes
    target : int or None
        Bin size of the study, bp; the file's must divide it.

    Returns
    -------
    Opened
    """
    clr = open_cooler(row["file"])
    if clr.binsize is None:
        raise UserError("bins of varying size", file=row["file"], allowed="a fixed bin size")
    choose_resolution([clr.binsize], row=row["resolution"], target=target, file=row["file"])
    return _opened(row["file"], chromosomes, file=row["file"])


def read_mcool(row, chromosomes, target):
    """Open one resolution of a .mcool (see `choose_resolution`); arguments as `read_cool`."""
    file = row["file"]
    try:
        groups = cooler.fileops.list_coolers(file)
    except OSError as error:
        raise UserError(
            f"no .mcool ({error})", file=file, allowed="a multi-resolution cooler"
        ) from None
    available = {}
    for group in groups:
        uri = f"{file}::{group}"
        size = cooler.Cooler(uri).binsize
        if size is not None:
            available[int(size)] = uri
    if not available:
        raise UserError("no resolutions", file=file, allowed="a multi-resolution cooler")
    size = choose_resolution(available, row=row["resolution"], target=target, file=file)
    return _opened(available[size], chromosomes, file=file)
