"""Libraries' coolers -> one, at the coarsest bin size that they share, ICE-balanced."""

import contextlib
import shutil
import warnings
from pathlib import Path

import cooler
import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, scratch, staged, write_table
from soyfold.common.logs import log
from soyfold.contacts.library import coarsen
from soyfold.contacts.pixels import store_weights

CHUNK = 5_000_000  # pixels in memory at a time
ITERATIONS = 500


@contextlib.contextmanager
def _on_one_grid(coolers, merged):
    """Paths of the coolers, finer ones coarsened to the coarsest in a folder beside `merged`."""
    sizes = [int(cooler.Cooler(str(path)).binsize) for path in coolers]
    size = max(sizes)
    with scratch(merged.with_suffix(".coarsened")) as folder:
        paths = []
        for number, (path, own) in enumerate(zip(coolers, sizes, strict=True)):
            if own != size:
                log.info("%s: coarsened from %d to %d bp", path, own, size)
                finer, path = path, folder / f"{number}.cool"
                coarsen(finer, path, size)
            paths.append(str(path))
        yield paths, len(set(sizes)) > 1


def merge_libraries(coolers, tables, *, balance, cool, table):
    """Merge the libraries and give the merged cooler its balancing weights.

    Parameters
    ----------
    coolers, tables : list of path-like
        What `load_library` wrote, library by library.
    balance : bool, keyword only
        ICE-balance; a single library that carries weights keeps them, and iced values stay as
        they are (weight 1).
    cool : path-like
        The merged cooler.
    table : path-like
        libraries.tsv: the libraries' rows and the bin size that they were merged at.

    Raises
    ------
    UserError
        If bin sizes have no common multiple among them.
    """
    libraries = pd.concat([read_table(path) for path in tables], ignore_index=True)
    with staged(cool) as merged:
        with _on_one_grid(coolers, Path(cool)) as (paths, coarsened):
            if len(paths) == 1:
                shutil.copyfile(paths[0], merged)
            else:
                cooler.merge_coolers(str(merged), paths, mergebuf=CHUNK)
        carried = len(libraries) == 1 and (libraries["weights"] == "carried").all()
        if balance and not (carried and not coarsened):
            weigh(merged, iced=libraries["values"] == "iced", file=cool)
        elif balance:
            log.info("the library's own balancing weights are kept")
        clr = cooler.Cooler(str(merged))
        log.info("%d libraries, %s contacts at %d bp", len(paths), clr.info["sum"], clr.binsize)
        libraries["resolution_merged"] = clr.binsize
        write_table(libraries, table)


def weigh(path, *, iced, file=None):
    """Give a merged cooler weights: by ICE, or 1 where all libraries are iced already.

    Parameters
    ----------
    path : path-like
        Cooler, changed in place.
    iced : array of bool, keyword only
        For each library whether its values are balanced already.
    file : path-like, optional, keyword only
        What the cooler will be called, for messages.
    """
    clr = cooler.Cooler(str(path))
    if np.all(iced):
        log.warning(
            "WARNING Hi-C values with fractions, and without weights, are taken for balanced: they"
            " are not balanced again (weights are 1)"
        )
        return store_weights(path, np.ones(len(clr.bins())))
    if np.any(iced):
        log.warning("WARNING raw and iced libraries are merged: the iced ones are balanced twice")
    return store_weights(path, balance_cooler(clr, file=file))


def balance_cooler(clr, *, file=None):
    """ICE weights of a cooler, with masks that leave a small one alive.

    cooler's own filters suit genomes of many thousand bins: a bin needs 10 filled pixels, and a
    log-marginal within 5 median absolute deviations. With fewer than 200 bins the first is scaled
    down, and with fewer than 50 the second, a statistic over bins, is left out.

    Parameters
    ----------
    clr : cooler.Cooler
    file : path-like, optional, keyword only
        What the cooler will be called, for messages.

    Returns
    -------
    weights : ndarray (n_bins,) float64
        NaN for masked bins.
    """
    n_bins = len(clr.bins())
    settings = {
        "ignore_diags": 2,
        "min_nnz": min(10, n_bins // 20),
        "mad_max": 5 if n_bins >= 50 else 0,
        "tol": 1e-5,
        "max_iters": ITERATIONS,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # non-convergence is logged below
        weights, stats = cooler.balance_cooler(clr, chunksize=CHUNK, store=False, **settings)
    if not np.isfinite(weights).any():
        raise UserError(
            "too few contacts to balance",
            file=file or clr.filename,
            allowed="bins that ICE can keep",
            mend="take coarser bins (contacts.resolution), or set contacts.balance: false",
        )
    level = log.info if stats["converged"] else log.warning
    level(
        "ICE %s (variance %.3g); %d of %d bins masked",
        "converged" if stats["converged"] else f"did NOT converge in {ITERATIONS} iterations",
        stats["var"],
        int(np.isnan(weights).sum()),
        n_bins,
    )
    return weights
