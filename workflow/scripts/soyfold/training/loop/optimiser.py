"""AdamW and its learning rates, step by step."""

import math

import torch
from torch.optim.adamw import adamw

from soyfold.training.loop.links import RATE

# Parameters by the last part of their name that weight decay would draw away from their prior.
NO_DECAY = ("position", "H", "M", "coupling", "motif_pairs")
EPSILON = 1e-8


def decay_groups(network, weight_decay):
    """Pairs (decay, parameters): none on biases, norms, positions and the models' CIMs.

    Those of a network's own groups are left out.
    """
    decayed, free = [], []
    own = {id(parameter) for _, group in own_groups(network) for parameter in group}
    for name, parameter in network.named_parameters():
        if id(parameter) in own:
            continue
        spared = parameter.ndim < 2 or name.rsplit(".", 1)[-1] in NO_DECAY
        (free if spared else decayed).append(parameter)
    return [(weight_decay, decayed), (0.0, free)]


def own_groups(network):
    """Pairs (rate, parameters) of a network's `rate_groups` and `links`, if it has such; they don't
    decay."""
    groups = network.rate_groups() if hasattr(network, "rate_groups") else []
    linked = list(network.links.parameters()) if hasattr(network, "links") else []
    return [*groups, (RATE, linked)] if linked else groups


class Optimiser:
    """AdamW on clipped gradients; warm-up, then a constant or cosine learning rate.

    In PyTorch's functional form: its classes load the compiler, which takes as long as PyTorch.

    Parameters
    ----------
    network : nn.Module
        On the device where it stays. `rate_groups()`, if it has one, lists pairs (learning rate,
        in units of the options', parameters) that have a rate of their own and no decay.
    options : dict
        With the keys of `soyfold.models.parameters.TRAINING`. The schedule is that of their epochs:
        a refit stops early on the very one of the fit that chose its last epoch.
    steps : int
        Steps an epoch.
    """

    def __init__(self, network, options, steps):
        self.options = options
        self.total = steps * options["epochs"]
        self.warmup = steps * options["warmup_epochs"]
        # Rate in units of the learning rate, decay, parameters.
        decay = decay_groups(network, options["weight_decay"])
        self.groups = [(1.0, share, group) for share, group in decay]
        self.groups += [(rate, 0.0, group) for rate, group in own_groups(network)]
        self.parameters = [parameter for *_, group in self.groups for parameter in group]
        # Of each parameter: both moments of its gradient, and a count of steps, as AdamW takes it.
        self.moments = [
            (torch.zeros_like(p), torch.zeros_like(p), torch.zeros((), device=p.device))
            for p in self.parameters
        ]
        self.steps = 0

    def rate(self):
        """Learning rate of the next step; warm-up and cosine go on from step to step."""
        base = self.options["learning_rate"]
        if self.steps < self.warmup:
            return base * ((self.steps + 1) / self.warmup)
        if self.options["schedule"] == "constant":
            return base
        done = (self.steps - self.warmup) / max(1, self.total - self.warmup)
        return base * (0.5 * (1 + math.cos(math.pi * done)))

    @torch.no_grad()
    def step(self):
        """Move the parameters by their gradients, and forget these."""
        if self.options["clip"]:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.options["clip"])
        moments, rate = iter(self.moments), self.rate()
        beta1, beta2 = self.options["betas"]
        for factor, decay, group in self.groups:
            pairs = zip(group, moments)  # noqa: B905 - the next group goes on in the moments
            rows = [(p, p.grad, *kept) for p, kept in pairs if p.grad is not None]
            if not rows:
                continue
            weights, gradients, means, squares, counts = map(list, zip(*rows, strict=True))
            adamw(
                weights, gradients, means, squares, [], counts, fused=True, amsgrad=False,
                beta1=beta1, beta2=beta2, lr=factor * rate, weight_decay=decay, eps=EPSILON,
                maximize=False,
            )  # fmt: skip
        for parameter in self.parameters:
            parameter.grad = None
        self.steps += 1

    def state_dict(self):
        """What a resumed fit goes on from."""
        return {"steps": self.steps, "moments": self.moments}

    def load_state_dict(self, state):
        """Take what `state_dict` gave."""
        self.steps = state["steps"]
        for ours, stored in zip(self.moments, state["moments"], strict=True):
            for tensor, known in zip(ours, stored, strict=True):
                tensor.copy_(known)
