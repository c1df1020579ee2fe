"""An exponential moving average of a network's weights, judged in place of the last ones."""

import torch


class WeightAverage:
    """After t steps: sum of (1 - d) d^(t - i) w_i over i = 1..t, divided by 1 - d^t.

    The divisor takes out the start, as Adam's correction does, so that a short fit isn't held back
    by its initialisation.

    Parameters
    ----------
    network : nn.Module
    decay : float
        d, from 0 (the last weights) to below 1.
    """

    def __init__(self, network, decay):
        self.weights = list(network.parameters())
        self.decay = decay
        self.steps, self.shadow = 0, None

    @torch.no_grad()
    def update(self):
        """Take in the weights that a step has left."""
        self.steps += 1
        if self.shadow is None:
            self.shadow = [weight.detach().clone() for weight in self.weights]
            return
        self._follow()
        share = (1 - self.decay) / (1 - self.decay**self.steps)
        torch._foreach_lerp_(self.shadow, self.weights, share)

    @torch.no_grad()
    def exchange(self):
        """Swap the average and the weights in place; once more swaps them back."""
        if self.shadow is None:
            return
        self._follow()
        for weight, average in zip(self.weights, self.shadow, strict=True):
            kept = weight.detach().clone()
            weight.copy_(average)
            average.copy_(kept)

    def _follow(self):
        # A resumed average comes from a file, on the CPU.
        pairs = zip(self.shadow, self.weights, strict=True)
        self.shadow = [average.to(weight.device) for average, weight in pairs]

    def state_dict(self):
        """What a resumed fit goes on from."""
        return {"steps": self.steps, "shadow": self.shadow}

    def load_state_dict(self, state):
        """Take what `state_dict` gave."""
        vars(self).update(state)
