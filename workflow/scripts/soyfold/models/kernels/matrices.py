"""Kernels between lines, all from one matrix of products of their dosages.

X X' of all lines of a study is computed once. Every kernel of any of its lines follows exactly: the
additive kernel is its centred part, and squared distances are d_ij^2 = p_ii + p_jj - 2 p_ij.
Products of counts are whole numbers, so that float32 holds them without rounding.
"""

from dataclasses import dataclass

import numpy as np

from soyfold.common.blocks import blocks, line_products
from soyfold.common.errors import UserError
from soyfold.common.files import staged
from soyfold.models.kernels.names import ADDITIVE, GAUSSIAN
from soyfold.models.kernels.tridiagonal import Decomposition, decompose


def write_products(dosage, path):
    """Write X X' of a study's lines as .npy.

    Parameters
    ----------
    dosage : path-like
        .npy of int8 (n, L), counts of ALT.
    path : path-like
        .npy to write: (n, n), exact.
    """
    matrix = np.load(dosage, mmap_mode="r")
    with staged(path) as temporary:
        np.save(temporary, line_products(matrix, matrix))


def _chosen(products, rows):
    """products[rows][:, rows] as float64, without a second copy of it."""
    kernel = np.empty((len(rows), len(rows)))
    for part in blocks(len(rows)):
        kernel[part] = products[rows[part]][:, rows]
    return kernel


def _to_distances(products):
    """Squared distances from products, in place: whole numbers, so exact."""
    squares = np.diag(products).copy()
    products *= -2.0
    products += squares
    products += squares[:, None]
    return products


def median_off_diagonal(distances):
    """Median of the whole numbers beside the diagonal; the lower one of two.

    Counted, which takes no second matrix as sorting would.
    """
    counts = np.zeros(int(distances.max()) + 1, dtype=np.int64)
    for part in blocks(len(distances)):
        counts += np.bincount(distances[part].ravel().astype(np.int64), minlength=len(counts))
    counts[0] -= len(distances)
    return int(np.searchsorted(np.cumsum(counts), max(1, (counts.sum() + 1) // 2)))


def kernel_matrix(products, rows, name):
    """A kernel between some lines, as its name says.

    additive: X X', whose centred part is Z Z' of the centred dosages. gaussian<h>:
    exp(-d^2 / (h median d^2)) with the median over pairs of these lines (Gianola and van Kaam
    2008, doi:10.1534/genetics.107.084285; median as scale: Crossa et al. 2010,
    doi:10.1534/genetics.110.118521).

    Parameters
    ----------
    products : ndarray (N, N)
    rows : ndarray (n,) int
        Of `products`.
    name : str

    Returns
    -------
    kernel : ndarray (n, n) float64
        Not centred.
    width : float
        h median d^2; NaN for the additive kernel.

    Raises
    ------
    UserError
        If half of the pairs of lines don't differ in any SNP.
    """
    kernel = _chosen(products, rows)
    if name == ADDITIVE:
        return kernel, float("nan")
    bandwidth = float(GAUSSIAN.fullmatch(name)[1])
    median = median_off_diagonal(_to_distances(kernel))
    if median == 0:
        raise UserError(
            f"a median distance of 0 among {len(rows)} lines",
            at=f"kernel {name}",
            mend="check the filters: most lines are copies of each other",
        )
    kernel *= -1.0 / (bandwidth * median)
    return np.exp(kernel, out=kernel), bandwidth * median


@dataclass(frozen=True)
class Kernel:
    """A decomposed kernel between some lines.

    Attributes
    ----------
    decomposition : Decomposition
        Of the kernel with both margins taken off.
    means : ndarray (n,)
        Column means of the kernel before that.
    width : float
        Of a Gaussian kernel, else NaN.
    """

    decomposition: Decomposition
    means: np.ndarray
    width: float


def centre(kernel):
    """Take the means off both margins, in place.

    With an intercept in the model this changes neither likelihood nor predictions, and makes the
    intercept an eigenvector.

    Returns
    -------
    ndarray (n,)
        The column means that were taken off.
    """
    means = kernel.mean(0)
    kernel -= means
    kernel -= kernel.mean(1)[:, None]
    return means


def decompose_kernel(products, rows, name):
    """The decomposition of a kernel between the lines `rows`: `Kernel`. See `kernel_matrix`."""
    matrix, width = kernel_matrix(products, rows, name)
    means = centre(matrix)
    return Kernel(decompose(matrix), means, width)
