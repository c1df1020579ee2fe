"""What makes classes of a network's values: the loss of binary and of ordered traits.

A line is of a class c_0 < ... < c_K. With the network's value f of it,

    P(class >= c_k) = sigma(l_k),  l_k = s f - theta_k,  theta_1 < ... < theta_K,

the cumulative link of proportional odds (McCullagh 1980, J R Stat Soc B 42:109-142); with two
classes the logistic link. The loss is the cross-entropy, sum_c w_c (-ln P(c)) with w the line's
share of each class, over that of the classes' shares among training lines: the mean predictor has
1, as it has of squared error on z-scores. The prediction is the expected class, c_0 + sum_k
(c_k - c_k-1) sigma(l_k), of classes 0 and 1 the probability.

theta are learnt beside the weights, from where they predict the shares. s is fixed: at f = 0 the
gradient of -ln P(c) in f has a variance of 1 over training lines, as z-scores have, so that f has
their scale and learning rates mean the same. A value between two classes, as means of several
records and mixed lines have, is of both in parts; one beyond the ends is of the last class.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from soyfold.training.classes import classes_of, shares_of

RATE = 10.0  # of theta, over the learning rate: few numbers that many lines tell
LEAST_GAP = 1e-6  # of neighbouring theta


class Link(nn.Module):
    """From a network's values of one trait to its classes.

    Parameters
    ----------
    count : int
        Classes, 2 or more. What they are is told by `start`, or comes with a checkpoint's weights.
    """

    def __init__(self, count):
        super().__init__()
        self.register_buffer("classes", torch.arange(float(count)))
        self.register_buffer("slope", torch.tensor(1.0))  # s
        self.register_buffer("null", torch.tensor(1.0))  # cross-entropy of the mean predictor
        # theta_1, and logarithms of the gaps between neighbours: so they stay in order.
        self.raw = nn.Parameter(torch.zeros(count - 1))

    @classmethod
    @torch.no_grad()
    def start(cls, y):
        """The link of training values (n,), NaN where unknown: at 0 it predicts their shares."""
        classes = classes_of(y)
        share = np.nanmean(shares_of(y, classes), axis=0)
        reached = share[::-1].cumsum()[::-1][1:]  # shares of class c_k and beyond
        thresholds = np.log1p(-reached) - np.log(reached)
        score = 1 - np.append(1, reached) - np.append(reached, 0)  # d ln P(c) / d l, of each class
        link = cls(len(classes))
        for buffer, value in (
            (link.classes, classes),
            (link.slope, 1 / np.sqrt(share @ score**2)),
            (link.null, -(share @ np.log(share))),
            (link.raw, np.append(thresholds[:1], np.log(np.diff(thresholds)))),
        ):
            buffer.copy_(torch.as_tensor(value))
        return link

    def gaps(self):
        """Differences of neighbouring theta, (K - 1,)."""
        return self.raw[1:].exp().clamp(min=LEAST_GAP)

    def logits(self, f):
        """Values (n,) to l, (n, K)."""
        theta = torch.cat((self.raw[:1], self.gaps())).cumsum(0)
        return self.slope * f[:, None].to(theta) - theta

    def log_probabilities(self, f):
        """Values (n,) to ln P of each class, (n, K + 1).

        Without differences of sigma: sigma(a) - sigma(b) = sigma(a) sigma(-b) (1 - e^(b - a)).
        """
        logits = self.logits(f)
        between = torch.log(-torch.expm1(-self.gaps()))
        return (
            functional.pad(functional.logsigmoid(logits), (1, 0))
            + functional.pad(functional.logsigmoid(-logits), (0, 1))
            + functional.pad(between, (1, 1))
        )

    def loss(self, f, shares):
        """Loss of each line, (n,); 0, without a gradient, where its shares are NaN."""
        entropies = -(self.log_probabilities(f) * shares.nan_to_num()).sum(1)
        return entropies / self.null

    def expected(self, f):
        """The expected class, in trait units: (n,) to (n,)."""
        steps = self.classes.diff()
        return self.classes[0] + (torch.sigmoid(self.logits(f)) * steps).sum(1)


class Links(nn.ModuleDict):
    """Those of a network's traits that have one, by the trait's column.

    A network that has some has them as its `links`: they are trained, averaged and saved with it.
    """

    @classmethod
    def start(cls, y, columns):
        """Links of training values (n,) or (n, T) for some of their columns."""
        y = y.reshape(len(y), -1)
        return cls({str(column): Link.start(y[:, column]) for column in columns})

    @classmethod
    def of_counts(cls, counts):
        """Links of so many classes each, by column, whose weights are to be loaded."""
        return cls({column: Link(count) for column, count in counts.items()})

    @property
    def counts(self):
        """Number of classes, by column."""
        return {column: len(link.classes) for column, link in self.items()}

    def shares(self, y):
        """Shares of the classes of all links, side by side: values as in `start` to (n, S)."""
        y = y.reshape(len(y), -1)
        shares = [
            shares_of(y[:, int(column)], link.classes.double().cpu().numpy())
            for column, link in self.items()
        ]
        return torch.from_numpy(np.concatenate(shares, axis=1).astype(np.float32))

    def losses(self, values, squares, shares):
        """Losses of values and of their shape, (n,) or (n, T).

        Parameters
        ----------
        values, squares : tensor (n,) or (n, T)
            The network's values; squared errors of the traits without a link.
        shares : tensor (n, S)
        """
        parts = iter(shares.split(list(self.counts.values()), 1))
        return self._replaced(values, squares, lambda link, f: link.loss(f, next(parts)))

    def forward(self, values, others):
        """Expected classes in trait units; of traits without a link `others`, of values' shape."""
        return self._replaced(values, others, lambda link, f: link.expected(f))

    def _replaced(self, values, others, compute):
        found = list(others.reshape(len(others), -1).unbind(1))
        own = values.reshape(len(values), -1)
        for column, link in self.items():
            found[int(column)] = compute(link, own[:, int(column)]).to(others.dtype)
        return torch.stack(found, 1).reshape(others.shape)


class Linked(nn.Module):
    """A network with links as one that gives z-scores of all traits, as others do.

    Parameters
    ----------
    network : nn.Module
    scaler : soyfold.training.scaling.Scaler
    """

    def __init__(self, network, scaler):
        super().__init__()
        self.network = network
        for name in ("mean", "sd"):
            value = torch.as_tensor(np.asarray(getattr(scaler, name), np.float32))
            self.register_buffer(name, value)

    def forward(self, g):
        """Standardised dosages (batch, L) to z-scored predictions (batch,) or (batch, T)."""
        values = self.network(g)
        units = self.network.links(values, values * self.sd + self.mean)
        return (units - self.mean) / self.sd
