"""Reading coolers of any kind: .cool, .mcool, .scool, or one group of a file.

By h5py alone: converters of other formats leave out attributes that cooler asks for, though all of
them follow from the tables.
"""

import contextlib

import h5py
import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.logs import HDF5_REFUSED, log
from soyfold.contacts.grid import place_bins
from soyfold.contacts.hicpro import detect_layout
from soyfold.contacts.opened import Opened, choose_resolution

CHUNK = 4_000_000  # pixels in memory at a time
KINDS = "a .cool, .mcool or .scool, or one of its groups as file.mcool::/resolutions/N"
TABLES = {"chroms", "bins", "pixels"}
CELLS = "/cells/"


@contextlib.contextmanager
def open_hdf5(file):
    """Open an HDF5 file to read.

    Raises
    ------
    UserError
        If it is none, absent or damaged, or HDF5 can't lock it.
    OSError
        What the system refuses, as `soyfold.common.logs.rule_log` tells it.
    """
    try:
        with h5py.File(str(file), "r") as h5:
            yield h5
    except OSError as error:
        if "unable to lock" in str(error):
            raise UserError(
                f"a file that HDF5 can't lock ({error})",
                file=file,
                allowed="a file system with locks, and no program that writes the file",
                mend="set HDF5_USE_FILE_LOCKING=FALSE in the environment",
            ) from None
        if isinstance(error, PermissionError) or (
            HDF5_REFUSED.search(str(error)) and not isinstance(error, FileNotFoundError)
        ):
            raise
        raise UserError(
            f"no cooler, or a damaged one ({error})",
            file=file,
            allowed=KINDS,
            mend="check the path; a truncated download must be fetched again",
        ) from None


def _find_groups(h5):
    """Groups of a file that hold a cooler, told by their tables."""
    found = []

    def visit(name, item):
        if isinstance(item, h5py.Group) and item.keys() >= TABLES:
            found.append(f"/{name}")

    visit("", h5)
    h5.visititems(visit)
    return found


class Cooler:
    """One cooler of a file.

    Attributes
    ----------
    chrom : Categorical (n_bins,)
        The categories are all contigs in the file's order.
    start, end : ndarray (n_bins,) int64
    weight : ndarray (n_bins,) float64 or None
    integer : bool
        Whether counts are stored as whole numbers.
    square : bool
        Whether both triangles are stored.
    """

    def __init__(self, file, group):
        self.file, self.group = file, group
        with open_hdf5(file) as h5:
            here = h5[group]
            bins, names = here["bins"], here["chroms/name"].asstr()[:]
            codes = bins["chrom"]
            if codes.dtype.kind not in "iu":
                codes = pd.Categorical(codes.asstr()[:], categories=names).codes
            self.chrom = pd.Categorical.from_codes(codes[:], names)
            self.start, self.end = (bins[name][:].astype(np.int64) for name in ("start", "end"))
            self.weight = bins["weight"][:].astype(np.float64) if "weight" in bins else None
            if "count" not in here["pixels"]:
                raise UserError(
                    f"pixels without counts, but {', '.join(here['pixels'])}",
                    file=file,
                    allowed="the columns bin1_id, bin2_id, count",
                )
            self.integer = here["pixels/count"].dtype.kind in "iu"
            self.square = here.attrs.get("storage-mode", "symmetric-upper") == "square"

    def pixels(self, chunk=None):
        """Yield first pixel, bin1, bin2 and count, `chunk` pixels at a time."""
        chunk = chunk or CHUNK
        with open_hdf5(self.file) as h5:
            columns = [h5[self.group]["pixels"][name] for name in ("bin1_id", "bin2_id", "count")]
            for start in range(0, len(columns[0]), chunk):
                yield start, *(column[start : start + chunk] for column in columns)


def _bin_size(group):
    """Bin size of a cooler, bp; None for bins of varying size."""
    size = group.attrs.get("bin-size")
    if isinstance(size, int | np.integer):
        return int(size)
    if size is not None or group.attrs.get("bin-type", "fixed") != "fixed":
        return None
    return int((group["bins/end"][:] - group["bins/start"][:]).max())


def open_cooler(uri):
    """Open a cooler by its URI.

    Raises
    ------
    UserError
        If there is none, or it stores more than an upper triangle.
    """
    file, _, group = str(uri).partition("::")
    group = f"/{group.strip('/')}"
    with open_hdf5(file) as h5:
        groups = _find_groups(h5)
    if group not in groups:
        raise _no_cooler(file, group, groups)
    clr = Cooler(file, group)
    if clr.square:
        raise UserError("a cooler that stores both triangles", file=uri, allowed="symmetric-upper")
    return clr


def _no_cooler(file, group, groups):
    some = ", ".join(f"{file}::{name}" for name in groups[:8]) + (", ..." if groups[8:] else "")
    return UserError(
        "an HDF5 file, but no cooler in it" if group in (None, "/") else f"no cooler at {group}",
        file=file,
        allowed=some or KINDS,
        mend="name one of them in the column file of hic.tsv" if some else "check the path",
    )


def _place_weights(clr, target, grid, file):
    if clr.weight is None:
        return None
    weights = np.full(grid.size, np.nan)
    weights[target[target >= 0]] = clr.weight[target >= 0]
    known = weights[~np.isnan(weights)]
    if not len(known):
        log.warning("WARNING %s: its column weight is NaN alone: balanced anew", file)
        return None
    wrong = known[~((known > 0) & np.isfinite(known))]
    if len(wrong):
        raise UserError(
            f"the balancing weight {wrong[0]:g}",
            file=file,
            allowed="weights above 0, and NaN for masked bins",
            mend="balance it anew (cooler balance --force), or delete its column weight",
        )
    return weights


def _checked(clr):
    """Yield bins and counts of the pixels, each contact once."""
    once = clr.square and detect_layout(_counts(clr), len(clr.chrom))[0] == "complete"
    for one, two, count in _counts(clr):
        below = one > two
        if below.any() and not clr.square:
            raise UserError(
                "pixels below the diagonal, in a cooler of the upper triangle",
                file=clr.file,
                at=f"group {clr.group}",
                allowed="bin1_id <= bin2_id (storage-mode symmetric-upper), or both triangles"
                " (square)",
                mend="write the file again with cooler load",
            )
        yield (one[~below], two[~below], count[~below]) if once else (one, two, count)


def _counts(clr):
    """Yield bins and counts; negative, NaN and infinite ones count nothing and are refused."""
    for start, one, two, count in clr.pixels():
        wrong = ~((count >= 0) & np.isfinite(count))
        if wrong.any():
            raise UserError(
                f"the count {count[wrong][0]:g}",
                file=clr.file,
                at=f"pixel {start + int(np.argmax(wrong)) + 1}",
                allowed="finite counts from 0 on",
                mend="make the cooler of raw counts, or of balanced ones, not of log ratios",
            )
        yield one.astype(np.int64), two.astype(np.int64), count


def _choose_groups(row, target):
    """Groups of the file to read together: one, or all cells of a .scool."""
    file, group = row["file"], row.get("group")
    group = group and f"/{group.strip('/')}"
    with open_hdf5(file) as h5:
        groups = _find_groups(h5)
        chosen = [name for name in groups if group in (None, name)]
        if not chosen:
            raise _no_cooler(file, group, groups)
        sizes = {name: _bin_size(h5[name]) for name in chosen}
    fixed = {size for size in sizes.values() if size}
    if not fixed:
        raise UserError("bins of varying size", file=file, allowed="a fixed bin size")
    size = choose_resolution(fixed, row=row["resolution"], target=target, file=file)
    chosen = [name for name in chosen if sizes[name] == size]
    if len(chosen) > 1 and not all(name.startswith(CELLS) for name in chosen):
        raise UserError(
            f"{len(chosen)} coolers of {size} bp",
            file=file,
            allowed="one",
            mend=f"name one in the column file: {', '.join(f'{file}::{g}' for g in chosen[:8])}",
        )
    if len(chosen) > 1:
        log.info("%s: the contacts of %d cells are added up", file, len(chosen))
    elif len(groups) > 1:
        log.info("%s: %s of its %d coolers", file, chosen[0], len(groups))
    return chosen


def read_cooler(row, chromosomes, target):
    """Open a cooler; of several resolutions the one that `choose_resolution` takes.

    The cells of a .scool are added up.

    Parameters
    ----------
    row : dict
        Row of hic.tsv; a `group` in it names one cooler of the file.
    chromosomes : Chromosomes
    target : int or None
        Bin size of the study, bp; the file's must divide it.

    Returns
    -------
    Opened

    Raises
    ------
    UserError
        If there is no cooler, no such bin size, or bins or counts that can't be used.
    """
    file = row["file"]
    coolers = [Cooler(file, group) for group in _choose_groups(row, target)]
    first = coolers[0]
    grid, placed, dropped = place_bins(first.chrom, first.start, first.end, chromosomes, file=file)

    def chunks():
        for clr in coolers:
            for one, two, count in _checked(clr):
                yield placed[one], placed[two], count

    return Opened(
        grid,
        chunks(),
        set(dropped),
        integer=all(clr.integer for clr in coolers),
        weights=_place_weights(first, placed, grid, file) if len(coolers) == 1 else None,
    )
