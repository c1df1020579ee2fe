"""The lines that a fit learned from: additive kernels among them, and with others."""

from functools import cached_property

import numpy as np

from soyfold.common.blocks import line_products
from soyfold.models.kernels.certainty import FLOATS
from soyfold.models.kernels.matrices import kernel_matrix
from soyfold.models.kernels.names import ADDITIVE


class TrainingLines:
    """The lines that a fit learned from, and additive kernels between them and others.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
    centre : ndarray (L,)
        Their means.
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines: spares their products where the study has them.
    """

    def __init__(self, dosage, centre, kernels=None):
        self.dosage, self.centre, self.kernels = dosage, centre, kernels

    @cached_property
    def at_centre(self):
        """X c, (n,)."""
        return at_centre(self.dosage, self.centre)

    def within(self):
        """Z Z' (n, n) float64."""
        if self.kernels is None:
            return self._centred(line_products(self.dosage, self.dosage), self.at_centre)
        products, _ = kernel_matrix(self.kernels.products, self.kernels.rows, ADDITIVE)
        return self._centred(products, self.at_centre)

    def blocks(self, dosage, rows=None):
        """Walk over lines (m, L) in blocks.

        Parameters
        ----------
        dosage : ndarray (m, L)
        rows : ndarray (m,) int, optional
            Of the study's products.

        Yields
        ------
        part : slice
        across : ndarray (b, n)
            Z_new Z'.
        own : ndarray (b,)
            Squared lengths of the rows of Z_new.
        """
        step = max(16, FLOATS // max(1, *self.dosage.shape))
        squares = self.centre @ self.centre
        for start in range(0, len(dosage), step):
            part = slice(start, start + step)
            block = dosage[part]
            if rows is None or self.kernels is None:
                products = line_products(block, self.dosage)
            else:
                products = self.kernels.products[rows[part]][:, self.kernels.rows]
            told = at_centre(block, self.centre)
            own = np.square(block, dtype=np.float64).sum(1) - 2 * told + squares
            # Of a line with the mean dosages alone rounding would be left.
            own[own < 1e-9 * max(squares, 1.0)] = 0.0
            yield part, self._centred(products, told), own

    def _centred(self, products, told):
        kernel = np.asarray(products, dtype=np.float64)
        kernel -= told[:, None]
        kernel -= self.at_centre
        kernel += self.centre @ self.centre
        return kernel


def at_centre(dosage, centre):
    """X c (m,) of lines (m, L) int8, a block at a time."""
    step = max(16, FLOATS // max(1, dosage.shape[1]))
    parts = [dosage[start : start + step] @ centre for start in range(0, len(dosage), step)]
    return np.concatenate(parts) if parts else np.zeros(0)
