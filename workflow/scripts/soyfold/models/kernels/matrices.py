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
from soyfold.models.kernels.decompositions import decompose
from soyfold.models.kernels.names import ADDITIVE, GAUSSIAN


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


def _to_distances(products, left, right):
    """Squared distances from products and squares, in place: whole numbers, so exact."""
    products *= -2.0
    products += right
    products += left[:, None]
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


def kernel_matrix(products, rows, name, *, width=None):
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
    width : float, keyword only, optional
        h median d^2, of other lines.

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
    squares = np.diag(kernel).copy()
    _to_distances(kernel, squares, squares)
    if width is None:
        median = median_off_diagonal(kernel)
        if median == 0:
            raise UserError(
                f"a median distance of 0 among {len(rows)} lines",
                at=f"kernel {name}",
                mend="check the filters: most lines are copies of each other",
            )
        width = float(GAUSSIAN.fullmatch(name)[1]) * median
    kernel /= -width
    return np.exp(kernel, out=kernel), width


def _kernel_rows(products, rows, columns, width):
    """The same kernel between the lines `rows` and `columns`, (k, n)."""
    kernel = products[rows][:, columns].astype(np.float64)
    if not np.isnan(width):
        _to_distances(kernel, *(products[x, x].astype(np.float64) for x in (rows, columns)))
        kernel /= -width
        np.exp(kernel, out=kernel)
    return kernel


@dataclass(frozen=True)
class Kernel:
    """A kernel between n lines, decomposed together with k others.

    Attributes
    ----------
    decomposition : tridiagonal.Decomposition or band.BandDecomposition
        Of the kernel between all n + k lines with both margins taken off.
    places : ndarray (n,) int
        Which of those lines they are.
    means : ndarray (n,)
        Column means of the kernel between the n lines.
    spread : float
        Trace over n - 1 of the kernel between the n lines with its own margins taken off.
    width : float
        Of a Gaussian kernel, else NaN.
    """

    decomposition: object
    places: np.ndarray
    means: np.ndarray
    spread: float
    width: float = float("nan")

    @property
    def decomposed(self):
        """n + k."""
        return len(self.decomposition.diagonal)

    @property
    def missing(self):
        """The other lines, (k,) int."""
        return np.delete(np.arange(self.decomposed), self.places)

    def leading(self, count):
        """The largest eigenvalues of the kernel between the n + k lines; their vectors' n rows."""
        values, vectors = self.decomposition.leading(count)
        return values, vectors[self.places]


def centre(kernel, weights=None):
    """Take the means, weighted ones of lines that weigh differently, off both margins, in place.

    With an intercept in the model this changes neither likelihood nor predictions, and makes the
    intercept an eigenvector; with weights W that is so of W^1/2 1 and W^1/2 K W^1/2.

    Returns
    -------
    ndarray (n,)
        The column means that were taken off.
    """
    if weights is not None:
        means = kernel @ weights / weights.sum()
        kernel += weights @ means / weights.sum() - means - means[:, None]
        return means
    means = kernel.mean(0)
    kernel -= means
    kernel -= kernel.mean(1)[:, None]
    return means


def whole(matrix, means=None, width=float("nan")):
    """`Kernel` of all the lines of a centred matrix (n, n), which is overwritten."""
    n = len(matrix)
    spread = np.trace(matrix) / (n - 1)
    means = np.zeros(n) if means is None else means
    return Kernel(decompose(matrix), np.arange(n), means, spread, width)


def decompose_kernel(products, rows, name, *, width=None):
    """The decomposition of a kernel between the lines `rows`: `Kernel`. See `kernel_matrix`."""
    matrix, width = kernel_matrix(products, rows, name, width=width)
    means = centre(matrix)
    return whole(matrix, means, width)


def select(kernel, products, decomposed, rows):
    """The kernel between some of the lines that were decomposed.

    Parameters
    ----------
    kernel : Kernel
        Of all of them.
    products : ndarray (N, N)
    decomposed, rows : ndarray (n + k,), (n,) int
        Rows of `products`: the lines of `kernel`, in ascending order, and those wanted, in any.

    Returns
    -------
    Kernel
    """
    places, n = np.searchsorted(decomposed, rows), len(rows)
    others = np.delete(np.arange(len(decomposed)), places)
    across = _kernel_rows(products, decomposed[others], decomposed, kernel.width)
    means = (len(decomposed) * kernel.means - across.sum(0))[places] / n
    # What the others take off the trace, and off the mean, of the kernel that is centred by all.
    inner = across[:, others] - kernel.means[others] - kernel.means[others, None]
    inner += kernel.means.mean()
    trace = kernel.spread * (len(decomposed) - 1) - np.trace(inner) - inner.sum() / n
    return Kernel(kernel.decomposition, places, means, trace / (n - 1), kernel.width)
