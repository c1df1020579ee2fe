"""`train`: Lightning's loop around a network."""

import dataclasses
import time

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EarlyStopping

from soyfold.common.errors import UserError
from soyfold.training.loop.batches import Batches, Reseed
from soyfold.training.loop.devices import device_name, peak_gpu_memory_mb, stays_on_device
from soyfold.training.loop.record import Record, Stopwatch
from soyfold.training.loop.regression import Regression
from soyfold.training.loop.several import fit_on_several, quiet


@dataclasses.dataclass(frozen=True)
class Trained:
    """What training leaves beside the weights.

    Attributes
    ----------
    history : list of dict
        One row an epoch: epoch, train_loss, val_loss, val_pcc (losses on z-scores).
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


def _trainer(options, epochs, callbacks, resume, devices):
    """Lightning's trainer: no logger, no progress bar, no checkpoints but our own."""
    on_cpu = device_name() == "cpu"
    return pl.Trainer(
        accelerator="cpu" if on_cpu else "gpu",
        devices=devices,
        strategy="ddp_spawn" if devices > 1 else "auto",
        precision=options["precision"],
        max_epochs=epochs,
        gradient_clip_val=options["clip"] or None,
        accumulate_grad_batches=options["accumulate"],
        deterministic=True if on_cpu else "warn",
        callbacks=callbacks,
        plugins=[] if resume is None else [resume.io],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _prepare(network, dosage, z, scaler, train_rows, val_rows, options, seed):
    """Lightning's module, and the batches to learn from and to judge by (None without)."""
    matrix = torch.from_numpy(dosage)
    device_holds = stays_on_device(matrix)
    module = Regression(
        network, matrix if device_holds else None, torch.from_numpy(z), scaler, options
    )
    host = {"host_dosage": None if device_holds else matrix}
    batches = Batches(train_rows, options["batch_size"], seed=seed, **host)
    judged = None if val_rows is None else Batches(val_rows, options["batch_size"], **host)
    return module, batches, judged


def _run(trainer, module, batches, judged, record, stopwatch, resume, devices):
    """Run the loop; returns the peak of GPU memory (MB, None on a CPU)."""
    # Deterministic algorithms also fill every new tensor with NaN, an aid in debugging alone.
    torch.utils.deterministic.fill_uninitialized_memory = False
    arguments = {"ckpt_path": resume.usable() if resume else None}
    if devices == 1:
        trainer.fit(module, batches, judged, **arguments)
        return peak_gpu_memory_mb()
    arguments |= {"record": record, "stopwatch": stopwatch, "resume": resume}
    return fit_on_several(trainer, module, batches, judged, **arguments)


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
):
    """Fit a network's weights (in place) and leave the best ones of the validation loss in it.

    With the option `ema` these are an average over steps (`averaging.WeightAverage`).

    Parameters
    ----------
    network : nn.Module
        One value of a line, or T.
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
    quiet()
    if hasattr(network, "use_scaler"):
        network.use_scaler(torch.from_numpy(scaler.centre), torch.tensor(scaler.scale))
    if resume and (outcome := resume.outcome()):
        network.load_state_dict(outcome.pop("state"))
        return Trained(**outcome)
    module, batches, judged = _prepare(
        network, dosage, z, scaler, train_rows, val_rows, options, seed
    )
    record, stopwatch = Record(on_epoch), Stopwatch()
    callbacks = [Reseed(seed, batches), stopwatch, record]
    if judged is not None:
        patience = options["patience"]
        callbacks.append(EarlyStopping("val_loss", patience=patience, check_finite=False))
    callbacks += [resume] if resume else []
    trainer = _trainer(options, epochs or options["epochs"], callbacks, resume, devices)
    started = time.perf_counter()
    peak = _run(trainer, module, batches, judged, record, stopwatch, resume, devices)
    seconds = time.perf_counter() - started
    if record.best_state is None:
        raise UserError(
            "no epoch with a validation loss that is a number",
            at=f"model {type(network).__module__.rpartition('.')[2]}",
            mend="a lower learning_rate, or more warmup_epochs",
        )
    network.load_state_dict(record.best_state)
    cost = {
        "device": device_name(),
        "train_seconds": seconds,
        **stopwatch.cost(),
        "peak_gpu_memory_mb": peak,
        "resumed": resume.resumed if resume else 0,
    }
    trained = Trained(record.history, record.best_epoch or trainer.max_epochs, cost)
    if resume:
        resume.finish({"state": record.best_state, **dataclasses.asdict(trained)})
    return trained
