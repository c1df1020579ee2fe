"""The loss of a network on lines, and what stops a fit that goes wrong."""

import contextlib

import torch

from soyfold.common.errors import UserError
from soyfold.training.loop.averaging import WeightAverage
from soyfold.training.loop.batches import Augmentation

DIVERGED = 100.0  # mean loss on z-scores, where the mean predictor has 1


class Regression(torch.nn.Module):
    """Mean squared error of a network on z-scored targets, over the cells that are observed.

    Of traits that the network has `links` for (`links.Links`), the loss of these.

    Parameters
    ----------
    network : nn.Module
        forward(g (batch, L) standardised dosages) -> (batch,) or, of T traits, (batch, T). What
        it may have: `after_step()`; `penalty()`, to be added to the sum of squares over all
        training lines; `whole`, true where each step wants all of these.
    dosage : tensor (n, L) int8 or None
        None if each batch brings its lines.
    z : tensor (n,) or (n, T) float32
        z-scored targets; NaN where a line has no value of a trait.
    scaler : soyfold.training.scaling.Scaler
    options : dict
        With the keys of `soyfold.models.parameters.TRAINING`.
    where : soyfold.training.loop.devices.OneDevice or lightning.fabric.Fabric
    train_rows : ndarray of int64, optional
        What a penalty is measured against.
    weights : tensor of z's shape, optional
        How much each cell counts, with a mean of 1 over the observed cells of `train_rows`.
    """

    def __init__(self, network, dosage, z, scaler, options, where, train_rows=None, weights=None):
        super().__init__()
        self.network = network
        self.augmentation = Augmentation(options["mixup"], options["snp_dropout"])
        # Plain attributes: of a module's buffers several devices would send each other copies.
        self.dosage = None if dosage is None else dosage.to(where.device)
        self.z = z.to(where.device)
        self.weights = None if weights is None else weights.to(where.device)
        self.links, self.shares = getattr(network, "links", None), None
        if self.links is not None:
            self.shares = self.links.shares(scaler.restore(z)).to(where.device)
        self.centre = torch.from_numpy(scaler.centre).to(where.device)
        self.scale = scaler.scale
        self.complete = not bool(torch.isnan(z).any())
        self.average = WeightAverage(network, options["ema"]) if options["ema"] else None
        self.cells = None if train_rows is None else int((~torch.isnan(z[train_rows])).sum())
        # All training lines at once are the same ones in every epoch.
        self.whole = getattr(network, "whole", False)
        self._kept = None
        self.rank, self.ranks = where.global_rank, where.world_size
        # A function, since a compiled module renames the weights.
        self._compiled = torch.compile(lambda g: network(g)) if options["compile"] else None

    def values(self, g):
        """The network's values (batch,) or (batch, T) of standardised dosages (batch, L)."""
        return (self._compiled or self.network)(g)

    def standardised(self, rows, lines=None):
        """Standardised dosages (batch, L) of rows."""
        if self._kept is not None and self.training:
            return self._kept
        lines = self.dosage[rows] if lines is None else lines
        lines = (lines.float() - self.centre) / self.scale
        if self.whole and self.training:
            self._kept = lines
        return lines

    def forward(self, rows, lines=None):
        """Loss of a batch and its observed cells; with several ranks, this rank's share of it.

        Each rank augments the whole batch and takes every world-size-th line. The sum over its
        cells / cells of the batch x world size, averaged over ranks, is the mean over the observed
        cells of the batch.
        """
        g, z, *beside = self.augmentation(self.standardised(rows, lines), *self._cells(rows))
        rank, ranks, count = self.rank, self.ranks, len(rows)
        cells = z.numel() if self.complete else (~torch.isnan(z)).sum()
        # A rank without a line takes the first one with weight 0: all ranks must meet in backward.
        weight = ranks / (cells if self.complete else cells.clamp(min=1)) if rank < count else 0.0
        mine = slice(rank, None, ranks) if rank < count else slice(0, 1)
        weights, shares = self._beside([each[mine] for each in beside])
        losses = self._losses(self.values(g[mine]), z[mine], shares)
        if weights is not None:
            losses = losses * weights
        return weight * losses.sum(), cells

    def _cells(self, rows):
        """Targets of rows and, where they have some, their weights and shares of classes."""
        known = (self.z, self.weights, self.shares)
        return [each[rows] for each in known if each is not None]

    def _beside(self, cells):
        """Weights and shares in what `_cells` gives beside targets; None where there are none."""
        cells = iter(cells)
        known = (self.weights, self.shares)
        return [None if each is None else next(cells) for each in known]

    def penalised(self, loss):
        """What a step makes small: a batch's loss, and the penalty's share of a training cell."""
        penalty = self.network.penalty() if hasattr(self.network, "penalty") else None
        return loss if penalty is None else loss + penalty / self.cells

    def _squares(self, values, z):
        """Squared errors; 0, without a gradient, where z is NaN."""
        errors = values.reshape(z.shape) - z
        return (errors if self.complete else errors.masked_fill(torch.isnan(z), 0.0)) ** 2

    def _losses(self, values, z, shares):
        """Losses of cells, of z's shape; 0, without a gradient, where z is NaN."""
        squares = self._squares(values, z)
        return squares if self.links is None else self.links.losses(values, squares, shares)

    def judged(self, rows, lines=None):
        """Predictions of a validation batch, its targets, and their weights where they have some:
        (2 or 3, batch) or (2 or 3, batch, T). With links weights and losses: (4, ...)."""
        z, *beside = self._cells(rows)
        values = self.values(self.standardised(rows, lines)).float().reshape(z.shape)
        if self.links is None:
            return torch.stack([values, z, *beside])
        weights, shares = self._beside(beside)
        weights = torch.ones_like(z) if weights is None else weights
        losses = self._losses(values, z, shares)
        return torch.stack([self.links(values, values), z, weights, losses])

    def after_step(self):
        """Let the network put its parameters back where they must stay; average them."""
        if hasattr(self.network, "after_step"):
            self.network.after_step()
        if self.average is not None:
            self.average.update()

    @contextlib.contextmanager
    def averaged(self):
        """The average in the weights' place, where there is one."""
        exchange = self.average.exchange if self.average is not None else lambda: None
        exchange()
        yield
        exchange()

    def failure(self, loss, epoch, step, what="training loss"):
        """The error about a loss that a fit can't go on from."""
        return UserError(
            f"{what} {loss:.4g} in epoch {epoch}, step {step}",
            at=f"model {type(self.network).__module__.rpartition('.')[2]}",
            mend="a lower learning_rate or clip, more warmup_epochs, or norm: pre",
        )
