"""The kernels that a study's fits share: one decomposition per split, read where it fits.

`cohort/products.npy` has the products of all lines; `<kernel>_<part>.npz` in a split's folder of
`training/kernels` a decomposition over the lines of a part, and the .npy beside it its reflectors:
large, memory-mapped and removed when the split's fits are done. A trait without a value for a few
of these lines takes the same decomposition (see `likelihood`). One that lacks many, or comes when
the reflectors are gone, decomposes its own part of the products, with the same results: the width
of a Gaussian kernel is that of the split's lines, whatever values they have.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.blocks import line_products
from soyfold.common.errors import UserError
from soyfold.common.files import read_table, staged, write_table
from soyfold.common.logs import log
from soyfold.models.kernels.decompositions import from_arrays, small_arrays
from soyfold.models.kernels.matrices import (
    Kernel,
    centre,
    decompose_kernel,
    kernel_matrix,
    select,
)

# Lines for each one without a value, from which on sharing is cheaper: benchmarks/kernels/gaps.py.
SHARED = 20
LINES_OF = {"train": ("train",), "train_val": ("train", "val")}


def write_kernel(kernel, rows, path):
    """Write a decomposed kernel.

    Parameters
    ----------
    kernel : soyfold.models.kernels.matrices.Kernel
    rows : ndarray (n,) int
        Rows of the study's products that its lines have, ascending.
    path : path-like
        .npz; the reflectors go beside it as .npy.
    """
    small = {name: getattr(kernel, name) for name in ("means", "spread", "width")}
    small |= small_arrays(kernel.decomposition)
    with staged(reflectors_of(path)) as temporary:
        np.save(temporary, kernel.decomposition.reflectors)
    with staged(path) as temporary:
        np.savez(temporary, rows=rows, **small)


def reflectors_of(path):
    """The .npy that belongs to the .npz of a decomposition."""
    return Path(path).with_suffix(".npy")


def read_kernel(path):
    """Read what `write_kernel` wrote, the reflectors memory-mapped: (kernel, rows)."""
    with np.load(path) as stored:
        small = {name: stored[name] for name in stored.files}
    rows, means, spread, width = (small.pop(name) for name in ("rows", "means", "spread", "width"))
    # LAPACK's dormqr writes into the reflectors of up to 32 lines, and restores them: read-only
    # pages end the process. Copied on writing, the pages of more lines stay shared.
    found = from_arrays(np.load(reflectors_of(path), mmap_mode="c"), small)
    return Kernel(found, np.arange(len(rows)), means, float(spread), float(width)), rows


def decompose_part(products, samples, split, *, kernel, part, path):
    """Decompose a kernel over the lines of a part and write it.

    Parameters
    ----------
    products : path-like
        X X' of all lines, as `matrices.write_products` writes it.
    samples : path-like
        Table: sample, row.
    split : path-like
        Table: sample, part.
    kernel : str, keyword only
        additive, or gaussian<bandwidth>.
    part : str, keyword only
        train, or train_val.
    path : path-like, keyword only
        Where to (see `write_kernel`).

    Raises
    ------
    UserError
        For fewer than 3 lines, or lines that don't differ.
    """
    rows = read_table(samples, required=("sample", "row"), dtype={"sample": str})
    parts = read_table(split, required=("sample", "part"), dtype=str)
    chosen = parts[parts.part.isin(LINES_OF[part])]
    rows = np.sort(rows.loc[rows["sample"].isin(chosen["sample"]), "row"].to_numpy())
    if len(rows) < 3:
        raise UserError(f"{len(rows)} lines in part {part}", file=split, allowed="at least 3")
    found = decompose_kernel(np.load(products, mmap_mode="r"), rows, kernel)
    log.info("%s kernel of %d lines (%s), decomposed", kernel, len(rows), part)
    write_kernel(found, rows, path)


def release_kernels(table):
    """Remove the reflectors of a split's decompositions and say which.

    Parameters
    ----------
    table : path-like
        TSV to write in the decompositions' folder: file, mb (removed).
    """
    rows = []
    for path in sorted(Path(table).parent.glob("*.npy")):
        rows.append({"file": path.name, "mb": path.stat().st_size / 2**20})
        path.unlink()
    write_table(pd.DataFrame(rows, columns=["file", "mb"]), table)


@dataclasses.dataclass(frozen=True)
class LineKernels:
    """Kernels among some lines, in their order.

    Attributes
    ----------
    products : ndarray (N, N)
    rows : ndarray (n,) int
        The lines' rows of `products`.
    stored : tuple of path-like
        Files of decompositions that may be over these very lines.
    """

    products: np.ndarray
    rows: np.ndarray
    stored: tuple = ()

    def kernel(self, name, *, gaps=True):
        """The decomposed kernel `name`: read if it is stored, else decomposed here.

        Parameters
        ----------
        name : str
        gaps : bool, keyword only
            Whether a decomposition of a few more lines serves, too.

        Returns
        -------
        soyfold.models.kernels.matrices.Kernel
        """
        path, width = self._nearest(name)
        if path and reflectors_of(path).is_file():
            found, rows = read_kernel(path)
            most = len(rows) // SHARED if gaps else 0
            if len(rows) - len(self.rows) <= most:
                return select(found, self.products, rows, self.rows)
        if self.stored:
            log.info("%s kernel: %d lines, decomposed for this fit alone", name, len(self.rows))
        return decompose_kernel(self.products, self.rows, name, width=width)

    def _nearest(self, name):
        """The stored file of the fewest lines that has all these, and its kernel's width."""
        found = []
        for path in self.stored:
            if Path(path).stem.partition("_")[0] == name:
                with np.load(path) as stored:
                    rows, width = stored["rows"], float(stored["width"])
                if np.isin(self.rows, rows).all():
                    found.append((len(rows), path, width))
        # A line that has several values stands in several rows.
        if not found or len(np.unique(self.rows)) < len(self.rows):
            return None, None
        return min(found)[1:]

    def matrix(self, name):
        """The kernel `name` itself (n, n), not centred, and its width, as `kernel` takes it."""
        return kernel_matrix(self.products, self.rows, name, width=self._nearest(name)[1])

    def centred(self, name, weights=None):
        """The kernel `name` itself (n, n), both margins taken off (see `matrices.centre`)."""
        matrix, _ = self.matrix(name)
        centre(matrix, weights)
        return matrix


@dataclasses.dataclass(frozen=True)
class SharedKernels:
    """What a split's fits share.

    Attributes
    ----------
    products : ndarray (N, N)
        X X' of all lines of the study, memory-mapped.
    stored : tuple of path-like
        Files of decompositions (see `write_kernel`).
    """

    products: np.ndarray
    stored: tuple = ()

    def of(self, rows):
        """`LineKernels` of the lines in these rows of the dosage matrix."""
        return LineKernels(self.products, np.asarray(rows), self.stored)


def read_shared(products, stored):
    """`SharedKernels` of the files of products (.npy) and decompositions (.npz)."""
    return SharedKernels(np.load(products, mmap_mode="r"), tuple(stored))


def own_kernels(dosage):
    """`LineKernels` of lines of which only the dosages (n, L) int8 are at hand."""
    return LineKernels(line_products(dosage, dosage), np.arange(len(dosage)))
