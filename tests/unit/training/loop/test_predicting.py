"""A network's predictions, batch by batch."""

import warnings

import numpy as np
import torch

from soyfold.training.loop.predicting import predict
from soyfold.training.scaling import Scaler


def test_lines_of_a_file_are_predicted_without_a_word(tmp_path):
    """Saved models read dosages from a read-only map of a file, of which torch warns."""
    dosage = np.random.default_rng(0).integers(0, 3, (70, 5)).astype(np.int8)
    np.save(tmp_path / "dosage.npy", dosage)
    mapped = np.load(tmp_path / "dosage.npy", mmap_mode="r")
    scaler = Scaler(np.full(5, 0.5, np.float32), 2.0, mean=40.0, sd=3.0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 1), torch.nn.Flatten(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = predict(network, mapped, scaler=scaler, size=64)
    weight, bias = (one.detach().numpy() for one in network[0].parameters())
    expected = 40 + 3 * (((dosage - 0.5) / 2) @ weight[0] + bias[0])
    np.testing.assert_allclose(told, expected, rtol=1e-5)
