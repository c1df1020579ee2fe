"""Encoders that know contacts, and may read their tokens out by them.

With `readout: contact` the tokens that leave the last layer, summed by chromosome, take the place
of the dosages in `contact_products`: features of a chromosome are its sums' d numbers, centred and
scaled by what the untrained encoder makes of the training lines. By what noise reaches in these
the penalties are set.
"""

import torch
from torch import nn

from soyfold.models.encoder import Encoder
from soyfold.models.parameters import require

DECLARATION = {
    "meaning": "Encoders that know contacts",
    "extends": "encoder",
    "needs": ["cim"],
    "parameters": {
        "readout": {"enum": ["mean", "flatten", "sum_mlp", "contact"],
                    "description": "Mean over tokens; all numbers; sum over tokens / sqrt(n), then "
                                   "one hidden layer of 64; or sums by chromosome, then what a "
                                   "contact readout makes of dosages."},
        "contacts": {"default": "fixed", "enum": ["fixed", "learned"],
                     "description": "Of readout: contact; as the contact readout's own."},
        "rho": {"default": 0.7, "type": ["number", "null"], "exclusiveMinimum": 0,
                "description": "Likewise; null takes 0.5, 0.7, 0.9 or no products by validation, "
                               "which trains four times."},
        "readout_rate": {"default": 10.0, "type": "number", "exclusiveMinimum": 0,
                         "description": "Learning rate of readout: contact, over "
                                        "`learning_rate`."},
    },
}  # fmt: skip
LINES = 64  # that go through the untrained encoder at a time


class TokenContacts(nn.Module):
    """Token vectors (batch, n, d), summed by chromosome, to (batch,) or (batch, outputs).

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        The encoder's.
    cim : Tensor (G, G)
    """

    def __init__(self, layout, parameters, cim):
        super().__init__()
        # Here, as it loads SciPy, which no other readout wants.
        from soyfold.models.contact_products import ContactHead
        from soyfold.models.declarations import declaration

        own = declaration("contact_products").defaults
        own |= {name: parameters[name] for name in ("contacts", "rho")}
        present, place = torch.from_numpy(layout.chromosome).unique_consecutive(return_inverse=True)
        members = nn.functional.one_hot(place).T.float()
        self.register_buffer("members", members, persistent=False)  # (chromosomes with tokens, n)
        d, self.rate = parameters["d_model"], parameters["readout_rate"]
        features = len(present) * d
        chromosome = present.repeat_interleave(d).numpy()
        self.head = ContactHead(features, chromosome, cim.numpy(), own, layout.outputs)
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("spread", torch.ones(()))

    def features(self, x):
        """x (batch, n, d) to standardised sums (batch, F)."""
        sums = (self.members.to(x.dtype) @ x).flatten(1)
        return (sums - self.centre) / self.spread

    def forward(self, x):
        """x (batch, n, d) to (batch,) or (batch, outputs)."""
        features = self.features(x)
        return self.head(features, features)

    def rate_groups(self):
        """Learning rates, over the options', and their parameters."""
        return [(self.rate * rate, group) for rate, group in self.head.rate_groups()]

    def calibrate(self, tokens, noise, seed):
        """Standardise the sums of the training lines' tokens, walked in batches; set penalties."""
        self.centre.zero_()
        self.spread.fill_(1.0)
        sums = torch.cat([self.features(x) for x in tokens])
        self.centre.copy_(sums.mean(0))
        self.spread.copy_(sums.var(0, correction=0).mean().sqrt())
        features = (sums - self.centre) / self.spread
        self.head.calibrate(features, features, noise, seed)


class ContactEncoder(Encoder):
    """An encoder that may have `readout: contact`, and then what such a readout wants of training.

    See `training.loop` and `training.network_fits` for what they ask of a network.
    """

    def make_readout(self, parameters, layout):
        """That of all encoders, or of contacts."""
        if parameters["readout"] != "contact":
            return super().make_readout(parameters, layout)
        module = self.__module__.rpartition(".")[2]
        require(self.cim is not None, "no CIM", model=module, mend="set cim: real in its block")
        on_one = layout.groups is None
        require(
            on_one, "readout: contact with tokens: group", model=module, mend="take one of both"
        )
        return TokenContacts(layout, parameters, self.cim)

    @property
    def by_contacts(self):
        """Whether tokens are read out by contacts."""
        return isinstance(self.readout, TokenContacts)

    @property
    def head(self):
        """The part of `readout: contact` that has penalties."""
        return self.readout.head

    @property
    def measure(self):
        """What measures the training lines for `calibrate`, or None."""
        return self.head.measure if self.by_contacts else None

    @property
    def choices(self):
        """Values of rho among which validation decides, or None."""
        return self.head.choices if self.by_contacts else None

    @property
    def choice(self):
        """The one that was taken, or None."""
        return self.head.choice if self.by_contacts else None

    def choose(self, choice):
        """Take a value of rho."""
        self.head.choose(choice)

    def penalty(self):
        """The readout's penalty, or None."""
        return self.head.penalty() if self.by_contacts else None

    def rate_groups(self):
        """The readout's learning rates."""
        return self.readout.rate_groups() if self.by_contacts else []

    def figures(self):
        """What the metrics of a fit say of the readout."""
        return self.head.figures() if self.by_contacts else {}

    @torch.no_grad()
    def calibrate(self, g, noise, seed):
        """Set the readout's penalties on the training lines' standardised dosages g (n, L)."""
        training = self.training
        self.eval()
        tokens = (self.final_norm(self.tokens(lines)) for lines in g.split(LINES))
        self.readout.calibrate(tokens, noise, seed)
        self.train(training)
