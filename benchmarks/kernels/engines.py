"""GBLUP of one fold by one engine, in this process: `python engines.py ENGINE FOLDER FOLD`.

FOLDER is what `compare_gblup.py` prepared; the last line printed is JSON.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import numpy as np

from soyfold.metrics import pearson
from soyfold.models.kernels.matrices import write_products


class Fold:
    """Dosages and values of a fold's lines, as every engine gets them."""

    def __init__(self, folder, number):
        self.folder = Path(folder)
        self.dosage = np.load(self.folder / "dosage.npy")
        self.values = np.load(self.folder / "values.npy")
        with np.load(self.folder / f"fold{number}.npz") as rows:
            self.fit, self.test = rows["fit"], rows["test"]
        self.y = self.values[self.fit]
        self.lambda_file = self.folder / f"lambda{number}.txt"

    @property
    def products(self):
        return np.load(self.folder / "products.npy", mmap_mode="r")

    def report(self, predicted, seconds, **figures):
        return {"seconds": seconds, "pcc": pearson(self.values[self.test], predicted), **figures}


def seconds_since(started):
    return time.perf_counter() - started


def products(fold):
    """What soyfold computes once for a study."""
    started = time.perf_counter()
    write_products(fold.folder / "dosage.npy", fold.folder / "products.npy")
    return {"seconds": seconds_since(started)}


def soyfold_reml(fold):
    """As a study's fits do: the split's decomposition, then the trait; then one more trait."""
    from soyfold.models import gblup
    from soyfold.models.kernels.shared import LineKernels

    started = time.perf_counter()
    dosage, kernels = fold.dosage[fold.fit], LineKernels(fold.products, fold.fit)
    shared = kernels.kernel("additive")
    decomposed = seconds_since(started)

    class Decomposed:
        def kernel(self, name):
            return shared

    model = gblup.fit(dosage, fold.y, parameters={}, seed=0, kernels=Decomposed())
    predicted = model.predict(fold.dosage[fold.test])
    seconds = seconds_since(started)
    fold.lambda_file.write_text(repr(model.summary()["lambda"]))
    return fold.report(
        predicted,
        seconds,
        next_trait_seconds=seconds - decomposed,
        heritability=model.summary()["heritability"],
    )


def soyfold_given(fold):
    """At the lambda that REML found: no decomposition."""
    from soyfold.models import gblup
    from soyfold.models.kernels.shared import LineKernels

    started = time.perf_counter()
    model = gblup.fit(
        fold.dosage[fold.fit],
        fold.y,
        parameters={"ridge_lambda": float(fold.lambda_file.read_text())},
        seed=0,
        kernels=LineKernels(fold.products, fold.fit),
    )
    predicted = model.predict(fold.dosage[fold.test])
    return fold.report(predicted, seconds_since(started))


def sklearn_linear(fold):
    """scikit-learn from the dosages, at the lambda that REML found."""
    from sklearn.kernel_ridge import KernelRidge

    alpha = float(fold.lambda_file.read_text())
    started = time.perf_counter()
    train = fold.dosage[fold.fit].astype(np.float64)
    centre = train.mean(0)
    train -= centre
    model = KernelRidge(alpha=alpha, kernel="linear").fit(train, fold.y - fold.y.mean())
    predicted = model.predict(fold.dosage[fold.test] - centre)
    return fold.report(predicted, seconds_since(started))


def sklearn_precomputed(fold):
    """scikit-learn from the same products that soyfold has."""
    from sklearn.kernel_ridge import KernelRidge

    alpha = float(fold.lambda_file.read_text())
    started = time.perf_counter()
    kernel = fold.products[fold.fit][:, fold.fit].astype(np.float64)
    across = fold.products[fold.test][:, fold.fit].astype(np.float64)
    means = kernel.mean(0)
    across -= means + across.mean(1)[:, None] - means.mean()
    kernel -= means
    kernel -= kernel.mean(1)[:, None]
    model = KernelRidge(alpha=alpha, kernel="precomputed").fit(kernel, fold.y - fold.y.mean())
    return fold.report(model.predict(across), seconds_since(started))


ENGINES = {
    "products": products,
    "soyfold": soyfold_reml,
    "soyfold, lambda given": soyfold_given,
    "KernelRidge linear, lambda given": sklearn_linear,
    "KernelRidge precomputed, lambda given": sklearn_precomputed,
}


if __name__ == "__main__":
    print(json.dumps(ENGINES[sys.argv[1]](Fold(sys.argv[2], sys.argv[3]))))
