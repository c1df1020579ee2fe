"""The loss of a network, its optimiser, and what stops a fit that goes wrong."""

import contextlib
import math

import lightning.pytorch as pl
import torch

from soyfold.common.errors import UserError
from soyfold.training.loop.averaging import WeightAverage
from soyfold.training.loop.batches import Augmentation

# Parameters by the last part of their name that weight decay would draw away from their prior.
NO_DECAY = ("position", "H", "M", "coupling")
DIVERGED = 100.0  # mean loss on z-scores, where the mean predictor has 1


def decay_groups(network, weight_decay):
    """Optimiser groups: no decay on biases, norms, positions and the models' CIMs."""
    decayed, free = [], []
    for name, parameter in network.named_parameters():
        spared = parameter.ndim < 2 or name.rsplit(".", 1)[-1] in NO_DECAY
        (free if spared else decayed).append(parameter)
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]


class Regression(pl.LightningModule):
    """Mean squared error of a network on z-scored targets, over the cells that are observed.

    Parameters
    ----------
    network : nn.Module
        forward(g (batch, L) standardised dosages) -> (batch,) or, of T traits, (batch, T);
        `after_step()` if it has one.
    dosage : tensor (n, L) int8 or None
        None if each batch brings its lines.
    z : tensor (n,) or (n, T) float32
        z-scored targets; NaN where a line has no value of a trait.
    scaler : soyfold.training.scaling.Scaler
    options : dict
        With the keys of `soyfold.models.parameters.TRAINING`.
    """

    def __init__(self, network, dosage, z, scaler, options):
        super().__init__()
        self.network = network
        self.options = options
        self.augmentation = Augmentation(options["mixup"], options["snp_dropout"])
        self.register_buffer("dosage", dosage, persistent=False)
        self.register_buffer("z", z, persistent=False)
        self.register_buffer("centre", torch.from_numpy(scaler.centre), persistent=False)
        self.scale = scaler.scale
        self.complete = not bool(torch.isnan(z).any())
        self.average = WeightAverage(network, options["ema"]) if options["ema"] else None
        self._compiled = self._pending = None

    def on_fit_start(self):
        """Compile, if asked to: a function, since a compiled module renames the weights."""
        if self.options["compile"]:
            network = self.network
            self._compiled = torch.compile(lambda g: network(g))

    def values(self, g):
        """The network's values (batch,) or (batch, T) of standardised dosages (batch, L)."""
        return (self._compiled or self.network)(g)

    def standardised(self, rows, lines=None):
        """Standardised dosages (batch, L) of rows."""
        lines = self.dosage[rows] if lines is None else lines
        return (lines.float() - self.centre) / self.scale

    def configure_optimizers(self):
        """AdamW; warm-up, then constant or cosine, epoch by epoch in fractions of a step."""
        o = self.options
        groups = decay_groups(self.network, o["weight_decay"])
        # Lightning clips no gradient of a fused optimiser in mixed precision.
        fused = o["precision"] == "32-true"
        optimiser = torch.optim.AdamW(
            groups, lr=o["learning_rate"], betas=tuple(o["betas"]), fused=fused
        )
        # A refit stops early on the very schedule of the fit that chose its last epoch.
        total = self.trainer.estimated_stepping_batches * o["epochs"] // self.trainer.max_epochs
        warmup = o["warmup_epochs"] * total // o["epochs"]

        def factor(step):
            if step < warmup:
                return (step + 1) / warmup
            if o["schedule"] == "constant":
                return 1.0
            return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return [optimiser], [{"scheduler": schedule, "interval": "step"}]

    def training_step(self, batch, step):
        """Loss of a batch and its observed cells; with several ranks, this rank's share of it.

        Each rank augments the whole batch and takes every world-size-th line. The sum over its
        cells / cells of the batch x world size, averaged over ranks by DDP, is the mean over the
        observed cells of the batch.
        """
        rows, lines = batch
        g, z = self.augmentation(self.standardised(rows, lines), self.z[rows])
        rank, ranks = self.trainer.global_rank, self.trainer.world_size
        count = len(rows)
        cells = z.numel() if self.complete else (~torch.isnan(z)).sum()
        # A rank without a line takes the first one with weight 0: all ranks must meet in backward.
        weight = ranks / (cells if self.complete else cells.clamp(min=1)) if rank < count else 0.0
        mine = slice(rank, None, ranks) if rank < count else slice(0, 1)
        loss = weight * self._squares(self.values(g[mine]), z[mine]).sum()
        self._check_previous()
        self._pending = (self.current_epoch + 1, step + 1, loss.detach())
        return {"loss": loss, "cells": cells}

    def _squares(self, values, z):
        """Squared errors; 0, without a gradient, where z is NaN."""
        errors = values.reshape(z.shape) - z
        return (errors if self.complete else errors.masked_fill(torch.isnan(z), 0.0)) ** 2

    def _check_previous(self):
        # A step late: asking for a loss just begun would make the GPU wait for Python each step.
        if self._pending is not None:
            epoch, step, loss = self._pending
            self._pending = None
            if not torch.isfinite(loss):
                raise self.failure(loss.item(), epoch, step)

    def failure(self, loss, epoch, step, what="training loss"):
        """The error about a loss that a fit can't go on from."""
        return UserError(
            f"{what} {loss:.4g} in epoch {epoch}, step {step}",
            at=f"model {type(self.network).__module__.rpartition('.')[2]}",
            mend="a lower learning_rate or clip, more warmup_epochs, or norm: pre",
        )

    def on_train_batch_end(self, *_):
        """Let the network put its parameters back where they must stay; average them."""
        if hasattr(self.network, "after_step"):
            self.network.after_step()
        if self.average is not None:
            self.average.update(self.trainer.global_step)

    def on_train_epoch_end(self):
        """Check the epoch's last loss where no validation has done so."""
        self._check_previous()

    def on_validation_start(self):
        """Check the epoch's last loss before its weights, or their average, are judged."""
        self._check_previous()
        self.exchange_average()

    def on_validation_end(self):
        """Go on with the weights themselves."""
        self.exchange_average()

    def exchange_average(self):
        """Swap the weights and their average, where there is one."""
        if self.average is not None:
            self.average.exchange()

    @contextlib.contextmanager
    def averaged(self):
        """The average in the weights' place, where there is one."""
        self.exchange_average()
        yield
        self.exchange_average()

    def on_save_checkpoint(self, checkpoint):
        """The average travels in the resume file."""
        if self.average is not None:
            checkpoint["average"] = self.average.state_dict()

    def on_load_checkpoint(self, checkpoint):
        """Take the average from the resume file."""
        if self.average is not None:
            self.average.load_state_dict(checkpoint["average"])

    def validation_step(self, batch, _):
        """Predictions of a validation batch, for the callback; every rank sees all of them."""
        rows, lines = batch
        z = self.z[rows]
        values = self.values(self.standardised(rows, lines)).float()
        return torch.stack([values.reshape(z.shape), z])
