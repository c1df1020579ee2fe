"""Lines in three parts with traits that are planted on their SNPs."""

import numpy as np


def draw_lines(n=240, markers=60, *, seed=0):
    """Dosages (n, markers) int8 of inbred lines with some heterozygotes left, varied frequency."""
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.2, 0.8, markers)
    inbred = 2 * rng.binomial(1, frequency, (n, markers))
    crossed = rng.binomial(2, frequency, (n, markers))
    return np.where(rng.random((n, markers)) < 0.1, crossed, inbred).astype(np.int8)


def additive_trait(dosage, *, heritability=0.7, causal=8, seed=0):
    """A trait (n,) about 35 with an sd near 2: `causal` SNPs, evenly spaced, add up."""
    rng = np.random.default_rng(seed)
    at = np.linspace(0, dosage.shape[1] - 1, causal).astype(int)
    genetic = dosage[:, at] @ rng.choice([-1.0, 1.0], causal)
    return _with_noise(genetic, heritability, rng), at


def interaction_trait(dosage, *, heritability=0.9, seed=0):
    """A trait (n,) of the product of two centred SNPs: neither has much of an effect alone."""
    rng = np.random.default_rng(seed)
    centred = dosage - dosage.mean(0)
    return _with_noise(centred[:, 3] * centred[:, 11], heritability, rng)


def _with_noise(genetic, heritability, rng):
    genetic = genetic * np.sqrt(heritability) / genetic.std()
    return 35 + 2 * (genetic + np.sqrt(1 - heritability) * rng.standard_normal(len(genetic)))


def parted(dosage, y):
    """((dosage, y) of train, of validation, of test): 6:2:2."""
    edges = [int(0.6 * len(y)), int(0.8 * len(y))]
    return list(zip(np.split(dosage, edges), np.split(y, edges), strict=True))
