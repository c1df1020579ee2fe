"""`stacked.KernelStack` in a GPU's memory: the same sums over the same blocks, by PyTorch.

V, its factor and its inverse stay there (8 n^2 bytes each, beside the stack's 2 G n^2); vectors of
lines and G x G sums come back.
"""

import numpy as np
import torch

from soyfold.models.kernels.stacked import stack_kernels

FLOATS = 2**23  # numbers of the stack in a block: kernels of a GPU take longer to start than to run


def stack_on_gpu(*lines):
    """The stack that `stack_kernels` makes of `lines`; in a GPU's memory where there is one."""
    if not torch.cuda.is_available():
        return stack_kernels(*lines)
    return GpuStack(stack_kernels(*lines, floats=FLOATS))


class GpuStack:
    """A stack, moved.

    Parameters
    ----------
    stack : soyfold.models.kernels.stacked.KernelStack
    device : str, keyword only
    """

    def __init__(self, stack, *, device="cuda"):
        self.lines, self._variances = stack.lines, stack.variances()
        self.blocks = [
            (rows, torch.from_numpy(kernels).to(device)) for rows, kernels in stack.blocks
        ]

    def variances(self):
        """`KernelStack.variances`."""
        return self._variances

    def placed(self, numbers, like=torch.float64):
        """An array beside the kernels."""
        return torch.as_tensor(numbers, dtype=like, device=self.blocks[0][1].device)

    def factor(self, chromosomes, pairs, noise):
        """V's `GpuFactor`; all as of `KernelStack.covariance`."""
        total = self.placed(np.zeros((self.lines, self.lines)))
        for rows, kernels in self.blocks:
            flat = kernels.flatten(1)
            met = self.placed(pairs / 2, flat.dtype) @ flat
            met += self.placed(chromosomes, flat.dtype)[:, None]
            total[rows, : rows.stop] = met.mul_(flat).sum(0).view(kernels.shape[1:])
        total.diagonal().add_(self.placed(noise))
        return GpuFactor(self, total)


class GpuFactor:
    """`stacked.Factor`, of the lower triangle of V (n, n).

    Raises
    ------
    numpy.linalg.LinAlgError
        Where V has no factor in float64.
    """

    def __init__(self, stack, covariance):
        self.stack = stack
        self.lower, failed = torch.linalg.cholesky_ex(covariance)
        if failed.item():
            raise np.linalg.LinAlgError("V isn't positive definite")
        self.logs = 2 * self.lower.diagonal().log().sum().item()

    def solve(self, sides):
        """V^-1 times (n, k)."""
        return torch.cholesky_solve(self.stack.placed(sides), self.lower).cpu().numpy()

    def sums(self, vectors):
        """`stacked.Factor.sums`."""
        inverse, vectors = torch.cholesky_inverse(self.lower), self.stack.placed(vectors)
        first, second = 0.0, 0.0
        for rows, kernels in self.stack.blocks:
            weights = vectors[rows] @ vectors[: rows.stop].T - inverse[rows, : rows.stop]
            weights *= 2.0  # for the upper triangle
            within = weights[:, rows].tril()
            within.diagonal().div_(2)
            weights[:, rows] = within
            flat = kernels.flatten(1)
            weighted = flat * weights.to(flat.dtype).flatten()
            first = first + weighted.sum(1, dtype=torch.float64)
            second = second + (weighted @ flat.T).double()
        return first.cpu().numpy(), second.cpu().numpy(), inverse.diagonal().cpu().numpy()
