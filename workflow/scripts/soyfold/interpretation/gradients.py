"""Importance of SNPs to networks: integrated gradients, by Captum.

The prediction of a line is parted among its SNPs: a_i = (x_i - b_i) times the mean of df/dx_i along
the straight way from the baseline b, the mean dosages of the training lines, to the line x
(Sundararajan, Taly and Yan 2017, arXiv:1703.01365, eq. 1). The parts add up to f(x) - f(b), which
is what `completeness_error` checks. For a linear network a_i = w_i (x_i - b_i).
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from captum.attr import IntegratedGradients

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.training import loop
from soyfold.training.checkpoints import batch_size_of, load_network, read_checkpoint

DOUBLINGS = 3  # of the steps, where the parts don't add up closely enough


@dataclass(frozen=True)
class Attribution:
    """What a network's predictions of some lines owe to each SNP.

    Attributes
    ----------
    importance : ndarray (L,) float64
        Mean over lines of |a_i|, trait units.
    effect : ndarray (L,) float64
        Slope of a_i on x_i - b_i over the lines, trait units per copy of ALT: w_i where the network
        is linear. 0 for a SNP that doesn't vary among the lines.
    completeness_error : float
        Largest |sum of a_i - (f(x) - f(b))| over the lines, in units of the root mean square of
        f(x) - f(b).
    steps : int
        Points on the way from b to x.
    """

    importance: np.ndarray
    effect: np.ndarray
    completeness_error: float
    steps: int


def _output(network, target):
    """One output of a network, (batch,); of a network with a single output that."""

    def forward(g):
        told = network(g)
        return told if told.ndim == 1 else told[:, target]

    return forward


def _attribute(forward, dosage, scaler, unit, *, steps, size):
    """One walk over the lines with a fixed number of steps."""
    device = loop.device_name()
    method = IntegratedGradients(forward)
    absolute, slope, spread = torch.zeros(3, dosage.shape[1], dtype=torch.float64, device=device)
    errors, moves = [], []
    for g in loop.standardised_batches(dosage, scaler, size=size, device=device):
        # As many lines as training holds at a time, and so as many points: memory is known to do.
        a, gap = method.attribute(
            g, torch.zeros_like(g), n_steps=steps, internal_batch_size=size,
            return_convergence_delta=True,
        )  # fmt: skip
        a, x = a.detach().double(), g.double() * scaler.scale
        absolute += a.abs().sum(0)
        slope += (a * x).sum(0)
        spread += (x * x).sum(0)
        errors.append(gap.detach().double())
        moves.append(a.sum(1) - gap.detach())
    errors, moves = torch.cat(errors), torch.cat(moves)
    scale = moves.square().mean().sqrt()
    return Attribution(
        importance=(unit * absolute / len(dosage)).cpu().numpy(),
        effect=(unit * slope / spread.clamp(min=1e-300)).cpu().numpy(),
        completeness_error=float(errors.abs().max() / scale) if scale > 0 else 0.0,
        steps=steps,
    )


def attribute(network, dosage, *, scaler, target=0, steps=32, size=64, tolerance=0.05):
    """Integrated gradients of a network's predictions, summed up over lines.

    Parameters
    ----------
    network : nn.Module
        Standardised dosages (batch, L) to (batch,) or (batch, T).
    dosage : ndarray (n, L) int8
        Lines whose predictions are parted.
    scaler : soyfold.training.scaling.Scaler
        Its centre is the baseline.
    target : int
        Which of T traits.
    steps : int
        Gauss-Legendre points on each line's way. Doubled up to three times while the parts don't
        add up within the tolerance.
    size : int
        Lines, and points of theirs, a batch.
    tolerance : float
        Largest completeness error.

    Returns
    -------
    Attribution

    Raises
    ------
    UserError
        If the parts don't add up with eight times the steps either.
    """
    network.eval().to(loop.device_name()).requires_grad_(False)
    unit = float(np.ravel(scaler.sd)[target])
    for doubling in range(DOUBLINGS + 1):
        found = _attribute(
            _output(network, target), dosage, scaler, unit, steps=steps << doubling, size=size
        )
        if found.completeness_error <= tolerance:
            return found
        log.info("%d steps: completeness error %.3g", found.steps, found.completeness_error)
    raise UserError(
        f"integrated gradients that miss the prediction by {found.completeness_error:.3g}"
        f" with {found.steps} steps",
        at="key interpretation.tolerance",
        allowed=f"at most {tolerance:g}",
        mend="raise interpretation.steps, or leave the model out of interpretation.models",
    )


def explain_network(checkpoint, dosage, *, trait, steps, tolerance):
    """Integrated gradients of a fitted network for one trait.

    Parameters
    ----------
    checkpoint : path-like
    dosage : ndarray (n, L) int8
        The lines.
    trait : str
        Which output, where the network has learnt several traits.
    steps, tolerance
        As for `attribute`.

    Returns
    -------
    Attribution

    Raises
    ------
    UserError
        If the network knows other SNPs or not this trait, and as `attribute`.
    """
    network, scaler = load_network(checkpoint)
    facts = read_checkpoint(checkpoint)[1]
    traits = facts["traits"] or [trait]
    if trait not in traits or scaler.n_columns != dosage.shape[1]:
        raise UserError(
            f"a network of {scaler.n_columns} SNPs and {', '.join(traits)}",
            file=checkpoint,
            allowed=f"{dosage.shape[1]} SNPs and {trait}",
            mend="fit the model anew",
        )
    size = batch_size_of(facts)
    with loop.memory_errors(n=dosage.shape[1], batch_size=size, model=facts["module"]):
        found = attribute(
            network, scaler.columns(dosage), scaler=scaler, target=traits.index(trait),
            steps=steps, size=size, tolerance=tolerance,
        )  # fmt: skip
    if scaler.kept is None:
        return found
    parts = {"importance": found.importance, "effect": found.effect}
    return replace(found, **{k: _spread(v, scaler.kept) for k, v in parts.items()})


def _spread(values, kept):
    """Values of the SNPs that a network takes among all of the study: 0 for the others."""
    every = np.zeros(len(kept))
    every[kept] = values
    return every
