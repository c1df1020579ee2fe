"""`train`: one loop around a network, on one device or on each of several."""

import dataclasses
import time

import numpy as np
import torch

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.training.loop.batches import Batches, epoch_seed
from soyfold.training.loop.devices import (
    OneDevice,
    be_deterministic,
    device_name,
    peak_gpu_memory_mb,
    stays_on_device,
)
from soyfold.training.loop.optimiser import Optimiser
from soyfold.training.loop.record import Record, Stopwatch
from soyfold.training.loop.regression import DIVERGED, Regression


@dataclasses.dataclass(frozen=True)
class Trained:
    """What training leaves beside the weights.

    Attributes
    ----------
    history : list of dict
        One row an epoch: epoch, train_loss, val_loss, val_pcc; losses of the mean predictor are 1.
        Empty without validation lines.
    best_epoch : int
        The epoch whose weights are kept, from 1.
    cost : dict
        What changes from run to run: device, train_seconds, train_lines_per_second,
        data_wait_share, peak_gpu_memory_mb, resumed.
    """

    history: list
    best_epoch: int
    cost: dict


def _check(regression, loss, epoch, step):
    """Refuse a step's loss that is no number."""
    if loss is not None and not torch.isfinite(loss):
        raise regression.failure(loss.item(), epoch, step)


def _learn(where, step, regression, batches, optimiser, *, count, accumulate, epoch):
    """Walk over an epoch's `count` training batches; their mean loss over observed cells."""
    regression.train()
    total, seen, loss = 0.0, 0, None
    for number, batch in enumerate(batches, 1):
        stepping = number % accumulate == 0 or number == count
        with where.no_backward_sync(step, enabled=not stepping):
            before, (loss, cells) = loss, step(*batch)
            # A step late: asking for a loss just begun would make the GPU wait for Python.
            _check(regression, before, epoch, number - 1)
            where.backward(regression.penalised(loss) / accumulate)
        loss = loss.detach()
        total, seen = total + loss * cells, seen + cells
        if stepping:
            optimiser.step()
            regression.after_step()
    _check(regression, loss, epoch, count)
    # Each rank's loss is its share times the number of ranks.
    mean = float(where.all_reduce(total, reduce_op="mean")) / float(seen)
    if epoch > 1 and not mean <= DIVERGED:
        what = "mean training loss (the mean predictor has 1)"
        raise regression.failure(mean, epoch, count, what)
    return mean


@torch.no_grad()
def _judge(where, regression, batches):
    """Predictions and targets of the validation batches; every rank sees all of them."""
    regression.eval()
    with where.autocast():
        return [regression.judged(*batch) for batch in batches]


def _run(
    where, network, *, dosage, z, weights, scaler, train_rows, val_rows, options, seed, epochs,
    on_epoch, resume,
):  # fmt: skip
    """All epochs; what they leave. `where` is a `OneDevice`, or Fabric in each of its processes."""
    be_deterministic(compiled=options["compile"])
    held = stays_on_device(dosage)
    lines = dosage if held else None
    regression = Regression(network, lines, z, scaler, options, where, train_rows, weights)
    lines = {"host_dosage": None if held else dosage, "device": where.device}
    if regression.whole:
        batches = Batches(train_rows, len(train_rows), **lines)
    else:
        batches = Batches(train_rows, options["batch_size"], seed=seed, **lines)
    judged = None if val_rows is None else Batches(val_rows, options["batch_size"], **lines)
    step, count, accumulate = where.setup_module(regression), len(batches), options["accumulate"]
    optimiser = Optimiser(network, options, -(-count // accumulate))
    record, stopwatch = Record(on_epoch), Stopwatch()
    parts = {"network": network, "optimiser": optimiser, "record": record}
    if regression.average is not None:
        parts["average"] = regression.average
    for epoch in range(resume.restore(parts) if resume else 0, epochs):
        started = time.perf_counter()
        batches.epoch = epoch
        regression.augmentation.seed(epoch_seed(seed, epoch, 1))
        # Each rank has its own lines of a batch, and so needs a dropout of its own.
        torch.manual_seed(epoch_seed(seed, epoch, 2 + where.global_rank))
        loss = _learn(
            where, step, regression, stopwatch.over(batches), optimiser,
            count=count, accumulate=accumulate, epoch=epoch + 1,
        )  # fmt: skip
        if judged is None:
            seconds = time.perf_counter() - started
            log.info("epoch %3d  train loss %.4f  %.1f s", epoch + 1, loss, seconds)
        else:
            with regression.averaged():
                outputs = _judge(where, regression, judged)
                record.add(epoch + 1, loss, outputs, network, started)
            if where.broadcast(epoch + 1 - record.best_epoch >= options["patience"]):
                break
        if resume and where.global_rank == 0 and epoch + 1 < epochs:
            resume.offer(epoch + 1, parts)
    if judged is None:
        with regression.averaged():
            record.keep(network)
    resumed = resume.resumed if resume else 0
    cost = {**stopwatch.cost(), "peak_gpu_memory_mb": peak_gpu_memory_mb(), "resumed": resumed}
    return {**record.state_dict(), "cost": cost}


def train(
    network,
    dosage,
    z,
    *,
    scaler,
    train_rows,
    val_rows,
    options,
    seed,
    epochs=None,
    on_epoch=None,
    resume=None,
    devices=1,
    weights=None,
):
    """Fit a network's weights (in place) and leave the best ones of the validation loss in it.

    With the option `ema` these are an average over steps (`averaging.WeightAverage`).

    Parameters
    ----------
    network : nn.Module
        One value of a line, or T; see `Regression` and `Optimiser` for what it may bring along.
    dosage : ndarray (n, L) int8
    z : ndarray (n,) or (n, T) float32
        z-scored targets; NaN where a line has no value of a trait. The loss is the mean over the
        observed cells of a batch, the validation loss the mean over traits of theirs.
    scaler : soyfold.training.scaling.Scaler
        Fitted on `train_rows`.
    train_rows : ndarray of int64
    val_rows : ndarray of int64, or None
        None for a fit without early stopping, which leaves the last weights.
    options : dict
        With the keys of `soyfold.models.parameters.TRAINING`.
    seed : int
        Of batch order, dropout and mixup; the caller seeds the initialisation.
    epochs : int, optional
        Stop here, on the learning-rate schedule of all of the options' epochs.
    on_epoch : callable, optional
        Called as on_epoch(epoch, val_loss) after each validation; what it raises ends the training
        and passes through.
    resume : soyfold.training.loop.Resume, optional
        The file that a killed fit goes on from, or finds its outcome in; without it nothing is
        written.
    devices : int
        GPUs, or on a CPU processes, that share each batch; more than one can't hear `on_epoch`.
    weights : ndarray of z's shape, optional
        How much each value counts in both losses, with a mean of 1 over those of `train_rows`.

    Returns
    -------
    Trained

    Raises
    ------
    UserError
        If the loss stops being a number, or diverges.
    """
    if devices > 1 and on_epoch is not None:
        raise ValueError("on_epoch lives in this process, several devices don't")
    if hasattr(network, "use_scaler"):
        network.use_scaler(torch.from_numpy(scaler.centre), torch.tensor(scaler.scale))
    if resume and (outcome := resume.outcome()):
        network.load_state_dict(outcome.pop("state"))
        return Trained(**outcome)
    epochs = epochs or options["epochs"]
    arguments = {
        "dosage": torch.from_numpy(dosage), "z": torch.from_numpy(z), "scaler": scaler,
        "train_rows": train_rows, "val_rows": val_rows, "options": options, "seed": seed,
        "epochs": epochs, "on_epoch": on_epoch, "resume": resume,
        "weights": None if weights is None else torch.from_numpy(weights.astype(np.float32)),
    }  # fmt: skip
    started = time.perf_counter()
    if devices == 1 and options["precision"] == "32-true":
        left = _run(OneDevice(), network, **arguments)
    else:
        from soyfold.training.loop import several  # loads Lightning, four seconds

        precision = options["precision"]
        left = several.run(_run, network, arguments, devices=devices, precision=precision)
    seconds = time.perf_counter() - started
    if left["best_state"] is None:
        raise UserError(
            "no epoch with a validation loss that is a number",
            at=f"model {type(network).__module__.rpartition('.')[2]}",
            mend="a lower learning_rate, or more warmup_epochs",
        )
    network.load_state_dict(left["best_state"])
    cost = {"device": device_name(), "train_seconds": seconds, **left["cost"]}
    trained = Trained(left["history"], left["best_epoch"] or epochs, cost)
    if resume:
        resume.finish({"state": left["best_state"], **dataclasses.asdict(trained)})
    return trained
