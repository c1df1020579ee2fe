"""Batches and their augmentation: all that is random follows from the seed and the epoch alone.

A fit that goes on at an epoch's start therefore needs no state of any random generator.
"""

import numpy as np
import torch


def epoch_seed(seed, epoch, *more):
    """A seed below 2^63 of (seed, epoch): neighbouring epochs and seeds share no stream."""
    return int(np.random.SeedSequence([seed, epoch, *more]).generate_state(1, np.uint64)[0]) >> 1


class Batches:
    """Row numbers in batches, with their dosages where these stay in the host's memory.

    Parameters
    ----------
    rows : ndarray (n,) int64
    size : int
    seed : int, optional
        Shuffle, anew each epoch; without it the order stays.
    host_dosage : tensor (all, L) int8, optional
        The matrix, if it doesn't fit on the device: each batch brings its lines, pinned, so that
        they are sent without waiting.
    device : torch.device

    Yields
    ------
    tuple
        On the device: rows (batch,) int64, and lines (batch, L) int8 or None.
    """

    def __init__(self, rows, size, *, seed=None, host_dosage=None, device="cpu"):
        self.rows = torch.as_tensor(rows)
        self.size, self.seed, self.host_dosage, self.device = size, seed, host_dosage, device
        self.epoch = 0

    def __len__(self):
        return -(-len(self.rows) // self.size)

    def __iter__(self):
        rows = self.rows
        if self.seed is not None:
            generator = torch.Generator().manual_seed(epoch_seed(self.seed, self.epoch))
            rows = rows[torch.randperm(len(rows), generator=generator)]
        for part in rows.split(self.size):
            yield part.to(self.device), self._lines(part)

    def _lines(self, rows):
        if self.host_dosage is None:
            return None
        shape = (len(rows), self.host_dosage.shape[1])
        pinned = torch.empty(shape, dtype=torch.int8, pin_memory=torch.cuda.is_available())
        lines = torch.index_select(self.host_dosage, 0, rows, out=pinned)
        return lines.to(self.device, non_blocking=True)


class Augmentation:
    """Mixup and SNP dropout, from generators of their own: every rank draws the same.

    Parameters
    ----------
    mixup : float
        Of Beta(mixup, mixup); 0 for none.
    snp_dropout : float
        Share of dosages set to their mean.
    """

    def __init__(self, mixup, snp_dropout):
        self.mixup, self.snp_dropout = mixup, snp_dropout
        self.seed(0)

    def seed(self, seed):
        """Start both generators anew."""
        self.numbers = np.random.default_rng(seed)
        self.bits = None
        self.start = seed

    def __call__(self, g, *cells):
        """Dosages (batch, L) and targets (batch,) or (batch, T) of a training batch, augmented.

        Weights of the targets, where they have some, come after these, and are mixed likewise. A
        cell that either of two mixed lines lacks is NaN: the value of a mixed line is known only
        where both are.
        """
        if self.mixup > 0:
            share = float(self.numbers.beta(self.mixup, self.mixup))
            other = torch.from_numpy(self.numbers.permutation(len(g))).to(g.device)
            g, *cells = (torch.lerp(each[other], each, share) for each in (g, *cells))
        return (self._drop(g) if self.snp_dropout > 0 else g), *cells

    def _drop(self, g):
        # 16 bits decide on a dosage, four of them from each draw: 5 times as fast on a CPU as
        # functional.dropout, whose 2.5 ms were a tenth of a step of the cpu preset.
        if self.bits is None:
            self.bits = torch.Generator(g.device).manual_seed(self.start)
        steps = round(self.snp_dropout * 2**16)
        draws = torch.empty(-(-g.numel() // 4), dtype=torch.int64, device=g.device)
        draws.random_(-(2**63), None, generator=self.bits)
        kept = draws.view(torch.int16)[: g.numel()].view(g.shape) >= steps - 2**15
        return (g * kept).mul_(2**16 / (2**16 - steps))
