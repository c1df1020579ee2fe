"""Training a network: one loop, early stopping on validation, the best weights kept.

- `batches`: order, standardisation and augmentation, decided by seed and epoch alone
- `regression`: the loss, and what stops a fit that goes wrong
- `links`: from values to classes, for binary and ordered traits
- `optimiser`: AdamW and its learning rate
- `record`: history, best weights, cost
- `resume`: the file from which a killed fit goes on
- `devices`: where a fit runs, what fits into memory
- `several`: several devices or mixed precision, by Lightning's Fabric
- `loop`: `train`
- `predicting`: a fitted network's predictions
"""

from soyfold.training.loop.devices import OneDevice, device_name, memory_errors
from soyfold.training.loop.loop import Trained, train
from soyfold.training.loop.optimiser import Optimiser, decay_groups
from soyfold.training.loop.predicting import predict, standardised_batches
from soyfold.training.loop.regression import Regression
from soyfold.training.loop.resume import CHECKPOINT_SECONDS, Resume, fingerprint

__all__ = [
    "CHECKPOINT_SECONDS",
    "OneDevice",
    "Optimiser",
    "Regression",
    "Resume",
    "Trained",
    "decay_groups",
    "device_name",
    "fingerprint",
    "memory_errors",
    "predict",
    "standardised_batches",
    "train",
]
