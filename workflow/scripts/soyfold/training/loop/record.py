"""What a fit remembers: its history, its best weights, and what its time went on."""

import copy
import time

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from soyfold.common.logs import log
from soyfold.metrics import pearson
from soyfold.training.loop.regression import DIVERGED


def judge(predicted, z):
    """Mean squared error and PCC over the observed cells of each trait, averaged over traits.

    Parameters
    ----------
    predicted, z : ndarray (m,) or (m, T) float64
        NaN in z where a line has no value of a trait; every trait has some.

    Returns
    -------
    loss, correlation : float
    """
    pairs = [
        (ours[known], theirs[known])
        for ours, theirs in zip(np.atleast_2d(predicted.T), np.atleast_2d(z.T), strict=True)
        for known in [~np.isnan(theirs)]
    ]
    losses = [np.mean((ours - theirs) ** 2) for ours, theirs in pairs]
    finite = np.isfinite(predicted).all()
    correlations = [pearson(theirs, ours) if finite else np.nan for ours, theirs in pairs]
    return float(np.mean(losses)), float(np.mean(correlations))


class Record(Callback):
    """History, progress in the log, and a copy of the best weights.

    A copy: `state_dict()` refers to tensors that training goes on changing.

    Parameters
    ----------
    on_epoch : callable, optional
        Called as on_epoch(epoch, val_loss) after each validation.
    """

    def __init__(self, on_epoch=None):
        self.on_epoch = on_epoch
        self.history = []
        self.best_loss = float("inf")
        self.best_epoch = 0
        self.best_state = None

    def state_dict(self):
        """What a resumed fit goes on from."""
        names = ("history", "best_loss", "best_epoch", "best_state")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state):
        """Take what `state_dict` gave."""
        vars(self).update(state)

    def on_train_epoch_start(self, trainer, module):
        """Start the epoch's training loss."""
        self.started = time.perf_counter()
        self.train_loss, self.seen = 0.0, 0

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        """Add a batch to the epoch's training loss; several ranks add their shares."""
        self.train_loss = self.train_loss + outputs["loss"].detach() * outputs["cells"]
        self.seen = self.seen + outputs["cells"]

    def on_validation_epoch_start(self, trainer, module):
        """Forget the last epoch's predictions; stop a fit that diverges."""
        self.outputs = []
        self._close_training(trainer, module)

    def on_train_epoch_end(self, trainer, module):
        """Without validation lines, the epoch ends here."""
        if trainer.val_dataloaders is None:
            self._close_training(trainer, module)
            seconds = time.perf_counter() - self.started
            log.info(
                "epoch %3d  train loss %.4f  %.1f s",
                trainer.current_epoch + 1,
                self.train_loss,
                seconds,
            )

    def on_train_end(self, trainer, module):
        """Without validation lines, the last weights are those to keep."""
        if trainer.val_dataloaders is None:
            with module.averaged():
                self.best_state = copy.deepcopy(module.network.state_dict())

    def _close_training(self, trainer, module):
        # Each rank's loss is its share times the number of ranks.
        self.train_loss = float(trainer.strategy.reduce(self.train_loss, reduce_op="mean"))
        self.train_loss /= float(self.seen)
        epoch = trainer.current_epoch + 1
        if epoch > 1 and not self.train_loss <= DIVERGED:
            what = "mean training loss (the mean predictor has 1)"
            raise module.failure(self.train_loss, epoch, trainer.num_training_batches, what)

    def on_validation_batch_end(self, trainer, module, outputs, batch, batch_idx, loader=0):
        """Keep a batch's predictions."""
        self.outputs.append(outputs)

    def on_validation_epoch_end(self, trainer, module):
        """Validation loss and PCC, means over traits; early stopping reads the loss."""
        predicted, z = torch.cat(self.outputs, 1).double().cpu().numpy()
        loss, correlation = judge(predicted, z)
        module.log("val_loss", torch.tensor(loss, dtype=torch.float64))
        row = {
            "epoch": trainer.current_epoch + 1,
            "train_loss": self.train_loss,
            "val_loss": loss,
            "val_pcc": correlation,
        }
        self.history.append(row)
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, row["epoch"]
            self.best_state = copy.deepcopy(module.network.state_dict())
        log.info(
            "epoch %3d  train loss %.4f  val loss %.4f  val PCC %.4f  %.1f s",
            *row.values(),
            time.perf_counter() - self.started,
        )
        if self.on_epoch is not None:
            self.on_epoch(row["epoch"], loss)


class Stopwatch(Callback):
    """Seconds of the training parts of the epochs, and how many of them went by waiting for data.

    Waiting is what passes between a step's end and the next one's start: making the batch, and
    handing it to the device.
    """

    def __init__(self):
        self.training = self.waiting = 0.0
        self.lines = 0

    def on_train_epoch_start(self, trainer, module):
        """Start the epoch's clock."""
        self.epoch_start = self.mark = time.perf_counter()

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        """A batch has come."""
        self.waiting += time.perf_counter() - self.mark
        self.lines += len(batch[0])

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        """The next batch is waited for."""
        self.mark = time.perf_counter()

    def on_validation_epoch_start(self, trainer, module):
        """Stop the epoch's clock."""
        self.training += time.perf_counter() - self.epoch_start

    def on_train_epoch_end(self, trainer, module):
        """Stop it here where no validation follows."""
        if trainer.val_dataloaders is None:
            self.on_validation_epoch_start(trainer, module)

    def figures(self):
        """What another process's stopwatch goes on from."""
        return {name: getattr(self, name) for name in ("training", "waiting", "lines")}

    def cost(self):
        """Lines a second and the share of waiting, both of the training without validation."""
        return {
            "train_lines_per_second": self.lines / self.training,
            "data_wait_share": self.waiting / self.training,
        }
