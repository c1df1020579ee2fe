"""Scores as evaluation tabulates them, with known differences between models."""

import numpy as np
import pandas as pd


def make_scores(gains, *, traits=("oil", "protein"), seeds=6, scheme="random", role=None):
    """scores.tsv of models that add `gains[model]` to a shared noise of each split."""
    rows = []
    for number, trait in enumerate(traits):
        for seed in range(seeds):
            rng = np.random.default_rng([number, seed])
            shared = 0.5 + 0.05 * rng.normal()
            for model, gain in gains.items():
                value = shared + gain + 0.01 * rng.normal()
                values = {"PCC": value, "MAE": 2 - value, "selection_overlap": value / 2,
                          "train_lines": 70, "test_lines": 10}  # fmt: skip
                rows += [
                    {"trait": trait, "model": model, "scheme": scheme, "seed": seed,
                     "metric": name, "value": x, "label": model.upper(),
                     "role": (role or {}).get(model, "model")}
                    for name, x in values.items()
                ]  # fmt: skip
    return pd.DataFrame(rows)
