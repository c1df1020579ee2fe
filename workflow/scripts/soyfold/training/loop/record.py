"""What a fit remembers: its history, its best weights, and what its time went on."""

import time

import numpy as np
import torch

from soyfold.common.logs import log
from soyfold.metrics import pearson
from soyfold.training.tasks import HISTORY


def judge(predicted, z, weights=None, losses=None):
    """Mean loss and PCC over the observed cells of each trait, averaged over traits.

    Parameters
    ----------
    predicted, z : ndarray (m,) or (m, T) float64
        NaN in z where a line has no value of a trait; a column without any value is passed over.
    weights : ndarray of z's shape, optional
        How much each cell counts in the loss.
    losses : ndarray of z's shape, optional
        Of each cell; squared errors where they aren't given.

    Returns
    -------
    loss, correlation : float
    """
    weights = np.ones_like(z) if weights is None else weights
    losses = (predicted - z) ** 2 if losses is None else losses
    columns = (predicted, z, weights, losses)
    by_trait = zip(*(np.atleast_2d(each.T) for each in columns), strict=True)
    cells = [[each[~np.isnan(own[1])] for each in own] for own in by_trait]
    cells = [own for own in cells if len(own[1])]
    losses = [np.average(own, weights=counted) for *_, counted, own in cells]
    finite = np.isfinite(predicted).all()
    correlations = [pearson(theirs, ours) if finite else np.nan for ours, theirs, *_ in cells]
    return float(np.mean(losses)), float(np.mean(correlations))


class Record:
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

    def keep(self, network):
        """Copy the weights that are to be kept."""
        state = network.state_dict()
        self.best_state = {name: tensor.detach().clone() for name, tensor in state.items()}

    def add(self, epoch, train_loss, outputs, network, started):
        """Judge an epoch by its predictions and targets, as `Regression.judged` gives them."""
        loss, correlation = judge(*torch.cat(outputs, 1).double().cpu().numpy())
        row = dict(zip(HISTORY, (epoch, train_loss, loss, correlation), strict=True))
        self.history.append(row)
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, epoch
            self.keep(network)
        log.info(
            "epoch %3d  train loss %.4f  val loss %.4f  val PCC %.4f  %.1f s",
            *row.values(),
            time.perf_counter() - started,
        )
        if self.on_epoch is not None:
            self.on_epoch(epoch, loss)


class Stopwatch:
    """Seconds of the training parts of the epochs, and how many of them went by waiting for data.

    Waiting is what passes between a step's end and the next one's start: making the batch, and
    handing it to the device.
    """

    def __init__(self):
        self.training = self.waiting = 0.0
        self.lines = 0

    def over(self, batches):
        """Hand on an epoch's batches."""
        started = mark = time.perf_counter()
        for batch in batches:
            self.waiting += time.perf_counter() - mark
            self.lines += len(batch[0])
            yield batch
            mark = time.perf_counter()
        self.training += mark - started

    def cost(self):
        """Lines a second and the share of waiting, both of the training without validation."""
        return {
            "train_lines_per_second": self.lines / self.training,
            "data_wait_share": self.waiting / self.training,
        }
