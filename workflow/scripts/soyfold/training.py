"""Training a network: Lightning's loop, early stopping on validation, the best weights kept.

The dosage matrix stays int8, on the device, and is standardised batch by batch.
"""

import copy
import dataclasses
import logging
import time
import warnings

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping
from torch.nn import functional

from soyfold.errors import UserError
from soyfold.logs import log
from soyfold.metrics import pearson

# Parameters by the last part of their name that weight decay would draw away from their prior.
NO_DECAY = ("position", "H", "M", "coupling")


@dataclasses.dataclass(frozen=True)
class Trained:
    """What training leaves beside the weights.

    Attributes
    ----------
    history : list of dict
        One row an epoch: epoch, train_loss, val_loss, val_pcc (losses on z-scores).
    cost : dict
        What changes from run to run: seconds, lines a second.
    """

    history: list
    cost: dict


class Batches:
    """Row numbers in batches; shuffled anew, from a seed, each time it is walked.

    Parameters
    ----------
    rows : ndarray (n,) int64
    size : int
    seed : int, optional
        Shuffle; without it the order stays.
    """

    def __init__(self, rows, size, seed=None):
        self.rows = torch.as_tensor(rows)
        self.size = size
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self):
        return -(-len(self.rows) // self.size)

    def __iter__(self):
        rows = self.rows
        if self.generator is not None:
            rows = rows[torch.randperm(len(rows), generator=self.generator)]
        return iter(rows.split(self.size))


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
    """Mean squared error of a network on z-scored targets.

    Parameters
    ----------
    network : nn.Module
        forward(g (batch, L) standardised dosages) -> (batch,); `after_step()` if it has one.
    dosage : tensor (n, L) int8
    z : tensor (n,) float32
        z-scored targets.
    scaler : soyfold.scaling.Scaler
    options : dict
        With the keys of `soyfold.parameters.TRAINING`.
    """

    def __init__(self, network, dosage, z, scaler, options):
        super().__init__()
        self.network = network
        self.options = options
        self.register_buffer("dosage", dosage, persistent=False)
        self.register_buffer("z", z, persistent=False)
        self.register_buffer("centre", torch.from_numpy(scaler.centre), persistent=False)
        self.scale = scaler.scale

    def standardised(self, rows):
        """Standardised dosages (batch, L) of rows."""
        return (self.dosage[rows].float() - self.centre) / self.scale

    def configure_optimizers(self):
        """AdamW; warm-up, then constant or cosine, epoch by epoch in fractions of a step."""
        o = self.options
        groups = decay_groups(self.network, o["weight_decay"])
        optimiser = torch.optim.AdamW(
            groups, lr=o["learning_rate"], betas=tuple(o["betas"]), fused=True
        )
        total = self.trainer.estimated_stepping_batches
        warmup = o["warmup_epochs"] * total // o["epochs"]

        def factor(step):
            if step < warmup:
                return (step + 1) / warmup
            if o["schedule"] == "constant":
                return 1.0
            return 0.5 * (1 + np.cos(np.pi * (step - warmup) / max(1, total - warmup)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return [optimiser], [{"scheduler": schedule, "interval": "step"}]

    def augmented(self, rows):
        """Dosages and targets of a training batch, after mixup and SNP dropout."""
        g, z = self.standardised(rows), self.z[rows]
        if self.options["mixup"] > 0:
            alpha = torch.full((2,), float(self.options["mixup"]))
            share = torch.distributions.Dirichlet(alpha).sample()[0].item()
            other = torch.randperm(len(rows)).to(rows.device)
            g, z = torch.lerp(g[other], g, share), torch.lerp(z[other], z, share)
        return functional.dropout(g, self.options["snp_dropout"]), z

    def training_step(self, rows, step):
        """Loss of a batch; a loss that is no number ends the fit."""
        g, z = self.augmented(rows)
        loss = functional.mse_loss(self.network(g), z)
        if not torch.isfinite(loss):
            raise UserError(
                f"training loss {loss.item()} in epoch {self.current_epoch + 1}, step {step + 1}",
                at=f"model {getattr(self.network, 'name', type(self.network).__name__)}",
                mend="a lower learning_rate or clip, more warmup_epochs, or norm: pre",
            )
        return loss

    def on_train_batch_end(self, *_):
        """Let the network put its parameters back where they must stay."""
        if hasattr(self.network, "after_step"):
            self.network.after_step()

    def validation_step(self, rows, _):
        """Predictions of a validation batch, for the callback."""
        return torch.stack([self.network(self.standardised(rows)), self.z[rows]])


class Record(Callback):
    """History, progress in the log, and a copy of the best weights.

    A copy: `state_dict()` refers to tensors that training goes on changing.
    """

    def __init__(self, on_epoch=None):
        self.on_epoch = on_epoch
        self.history = []
        self.best_loss = np.inf
        self.best_state = None

    def on_train_epoch_start(self, trainer, module):
        """Start the epoch's clock."""
        self.started = time.perf_counter()
        self.train_loss, self.seen = 0.0, 0

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        """Add a batch to the epoch's training loss."""
        self.train_loss = self.train_loss + outputs["loss"].detach() * len(batch)
        self.seen += len(batch)

    def on_validation_epoch_start(self, trainer, module):
        """Forget the last epoch's predictions."""
        self.outputs = []

    def on_validation_batch_end(self, trainer, module, outputs, batch, batch_idx, loader=0):
        """Keep a batch's predictions."""
        self.outputs.append(outputs)

    def on_validation_epoch_end(self, trainer, module):
        """Validation loss and PCC; the monitored value that early stopping reads."""
        predicted, z = torch.cat(self.outputs, 1).double().cpu().numpy()
        loss = float(np.mean((predicted - z) ** 2))
        module.log("val_loss", torch.tensor(loss, dtype=torch.float64))
        row = {
            "epoch": trainer.current_epoch + 1,
            "train_loss": float(self.train_loss / self.seen),
            "val_loss": loss,
            "val_pcc": pearson(z, predicted),
        }
        self.history.append(row)
        if loss < self.best_loss:
            self.best_loss = loss
            self.best_state = copy.deepcopy(module.network.state_dict())
        log.info(
            "epoch %3d  train loss %.4f  val loss %.4f  val PCC %.4f  %.1f s",
            *row.values(),
            time.perf_counter() - self.started,
        )
        if self.on_epoch is not None:
            self.on_epoch(row["epoch"], loss)


def _quiet():
    """Lightning's advice on workers, loggers and sanity checks doesn't concern a fit's user."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")


def device_name():
    """The device that a fit takes: cuda where there is one, else cpu."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def train(network, dosage, z, *, scaler, train_rows, val_rows, options, seed, on_epoch=None):
    """Fit a network's weights (in place) and leave the best ones of the validation loss in it.

    Parameters
    ----------
    network : nn.Module
    dosage : ndarray (n, L) int8
    z : ndarray (n,) float32
        z-scored targets.
    scaler : soyfold.scaling.Scaler
        Fitted on `train_rows`.
    train_rows, val_rows : ndarray of int64
    options : dict
        With the keys of `soyfold.parameters.TRAINING`.
    seed : int
        Of batch order, dropout and mixup; the caller seeds the initialisation.
    on_epoch : callable, optional
        Called as on_epoch(epoch, val_loss) after each validation; what it raises ends the training
        and passes through.

    Returns
    -------
    Trained

    Raises
    ------
    UserError
        If the loss stops being a number.
    """
    _quiet()
    if hasattr(network, "use_scaler"):
        network.use_scaler(torch.from_numpy(scaler.centre), torch.tensor(scaler.scale))
    module = Regression(network, torch.from_numpy(dosage), torch.from_numpy(z), scaler, options)
    record = Record(on_epoch)
    patience = EarlyStopping("val_loss", patience=options["patience"], check_finite=False)
    on_cpu = device_name() == "cpu"
    trainer = pl.Trainer(
        accelerator="cpu" if on_cpu else "gpu",
        devices=1,
        precision=options["precision"],
        max_epochs=options["epochs"],
        gradient_clip_val=options["clip"] or None,
        accumulate_grad_batches=options["accumulate"],
        deterministic=True if on_cpu else "warn",
        callbacks=[record, patience],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    size = options["batch_size"]
    torch.manual_seed(seed)
    started = time.perf_counter()
    trainer.fit(module, Batches(train_rows, size, seed), Batches(val_rows, size))
    seconds = time.perf_counter() - started
    if record.best_state is None:
        raise UserError(
            "no epoch with a validation loss that is a number",
            at=f"model {getattr(network, 'name', type(network).__name__)}",
            mend="a lower learning_rate, or more warmup_epochs",
        )
    network.load_state_dict(record.best_state)
    lines = len(train_rows) * len(record.history)
    cost = {"train_seconds": seconds, "train_lines_per_second": lines / seconds}
    return Trained(record.history, cost)


def standardised_batches(dosage, scaler, *, size, device):
    """Walk over all rows: standardised dosages (batch, L) on `device`."""
    centre = torch.from_numpy(scaler.centre).to(device)
    for start in range(0, len(dosage), size):
        rows = torch.from_numpy(np.ascontiguousarray(dosage[start : start + size])).to(device)
        yield (rows.float() - centre) / scaler.scale


@torch.no_grad()
def predict(network, dosage, *, scaler, size=64):
    """Predictions in trait units.

    Parameters
    ----------
    network : nn.Module
    dosage : ndarray (n, L) int8
    scaler : soyfold.scaling.Scaler
    size : int
        Rows a batch.

    Returns
    -------
    ndarray (n,) float64
    """
    device = device_name()
    network.eval().to(device)
    batches = standardised_batches(dosage, scaler, size=size, device=device)
    z = torch.cat([network(g) for g in batches])
    return scaler.restore(z.float().cpu().numpy())
