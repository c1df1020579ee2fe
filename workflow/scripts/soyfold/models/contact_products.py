"""Products of chromosomes read out as a score: what contact readouts share.

    y = c + x.(b0 / sqrt(L) + b s) + (a / sqrt(R)) sum_r sum_{g != h} M_gh p_gr q_hr,

p_gr = z_g.U_gr / sqrt(L), q with V; z_g are chromosome g's dosages, or what an encoder makes of
them. M_gh = exp(relu(tau) ln H_gh + (t_gh + t_hg) / 2) is 0 on the diagonal and has a root mean
square of 1; H are the pairs' weights that the CIM gives. Since the score is read from the products
themselves, a contact acts on the prediction directly, not through what a softmax leaves of it.

Beside the sum of squares (z-scores) stands 10 lambda |b0|^2 + 0.3 l (|b|^2 + |s|^2) +
rho kappa (a / sqrt(R)) (|U|^2 + |V|^2) + |t|^2. lambda is REML's, l and kappa are what noise
reaches by chance (`noise`): the largest |x_l.e|, and the largest singular value of
sum_i e_i M o z_i z_i' / L. A product of factors with such a penalty is zero until the data pull
harder than noise does: at rho = 1 and the weights that M starts with, noise alone leaves none.
"""

import math

import numpy as np
import torch
from torch import nn

from soyfold.models.kernels.weights import pair_weights
from soyfold.models.noise import SHUFFLES, largest_scores, measure_noise

DECLARATION = {
    "meaning": "Contact readouts",
    "kind": "network",
    "parameters": {
        "contacts": {"default": "fixed", "enum": ["fixed", "learned", "none"],
                     "description": "Weights of chromosome pairs: the CIM's, to a power that is "
                                    "learnt; learnt pair by pair from there; or no products."},
        "weights": {"default": "observed_expected", "enum": ["observed_expected", "cim", "size"],
                    "description": "Where they start: observed / expected contacts computed from "
                                   "the CIM, the CIM itself, or all alike."},
        "rho": {"default": None, "type": ["number", "null"], "exclusiveMinimum": 0,
                "description": "Penalty of the products, over what noise reaches by chance; null "
                               "takes 0.5, 0.7, 0.9 or no products by validation."},
        "rank": {"default": 8, "type": "integer", "minimum": 1,
                 "description": "R, products of a pair of chromosomes."},
        "tau": {"default": 2.0, "type": "number", "minimum": 0,
                "description": "The power of the CIM's weights, at the start."},
        "scale": {"default": 0.6, "type": "number", "exclusiveMinimum": 0,
                  "description": "a, the height of the products' term."},
        "sparse": {"default": 0.3, "type": "number", "exclusiveMinimum": 0,
                   "description": "Penalty of the few large effects, over what noise reaches by "
                                  "chance."},
        "ridge": {"default": 10.0, "type": "number", "exclusiveMinimum": 0,
                  "description": "Penalty of the many small effects, over REML's."},
        "ridge_rate": {"default": 3.0, "type": "number", "exclusiveMinimum": 0,
                       "description": "Learning rate of the small effects, over `learning_rate`."},
        "contact_rate": {"default": 10.0, "type": "number", "exclusiveMinimum": 0,
                         "description": "That of the pairs' weights, likewise."},
    },
}  # fmt: skip
RHOS = (0.5, 0.7, 0.9, math.inf)  # tried where none is given; the last is no products
LEAST_WEIGHT = 1e-3  # of the mean: a pair that never meets keeps a logarithm
POWER_STEPS = 20  # towards the largest singular value
START_PRODUCTS, START_SPARSE = 0.1, 0.15  # sd of U and V; s


def measure_traits(dosage, y, kernels, weights=None):
    """Noise of each trait among training lines, which every member of a fit shares.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
    y : ndarray (n,) or (n, T) float64
        Trait units; NaN where a line has no value of a trait.
    kernels : callable
        `LineKernels` of the lines (n,) bool, or None where they are to be computed.
    weights : ndarray of y's shape, optional
        How much each value counts.

    Returns
    -------
    list of (ndarray (n,) bool, soyfold.models.noise.Noise)
        Of each trait: the lines that have a value, and their noise.
    """
    found = []
    weights = np.broadcast_to(None, y.shape) if weights is None else weights
    for values, own in zip(*(x.reshape(len(y), -1).T for x in (y, weights)), strict=True):
        known = ~np.isnan(values)
        own = {"weights": own[known]} if own[0] is not None and np.ptp(own[known]) > 0 else {}
        own |= {"kernels": kernels(known), "model": "contact_readout"}
        found.append((known, measure_noise(dosage[known], values[known], **own)))
    return found


class PairWeights(nn.Module):
    """M (G, G), from the CIM's weights.

    Parameters
    ----------
    weights : ndarray (G, G)
        Symmetric, from 0 on.
    tau : float
        The power that it starts with.
    learned : bool
        Whether t is.
    """

    def __init__(self, weights, tau, *, learned):
        super().__init__()
        between = 1.0 - np.eye(len(weights))
        logs = np.log(np.maximum(weights, LEAST_WEIGHT)) * between
        self.register_buffer("logs", torch.tensor(logs, dtype=torch.float32), persistent=False)
        self.register_buffer(
            "between", torch.tensor(between, dtype=torch.float32), persistent=False
        )
        self.tau = nn.Parameter(torch.tensor(float(tau)))
        self.t = nn.Parameter(torch.zeros(logs.shape)) if learned else None

    def forward(self):
        """M, symmetric with a diagonal of 0 and a root mean square of 1 beside it."""
        logs = torch.relu(self.tau) * self.logs
        if self.t is not None:
            logs = logs + (self.t + self.t.T) / 2
        raw = torch.exp(logs) * self.between
        return raw / torch.sqrt(raw.square().sum() / self.between.sum())

    def penalty(self):
        """|t|^2."""
        return 0.0 if self.t is None else self.t.square().sum()


class Products(nn.Module):
    """Products of chromosomes, weighted by M: features (n, F) to (n, T).

    Parameters
    ----------
    sizes : list of int
        Features of each chromosome, which stand together.
    M : PairWeights
    rank, outputs : int
        R, and T traits.
    height : float
        a / sqrt(R).
    """

    def __init__(self, sizes, M, *, rank, outputs, height):
        super().__init__()
        self.sizes, self.M, self.height = sizes, M, height
        shape = (sum(sizes), outputs, rank)
        self.U = nn.Parameter(START_PRODUCTS * torch.randn(shape))
        self.V = nn.Parameter(START_PRODUCTS * torch.randn(shape))

    def _sums(self, z, factors):
        """Of each chromosome, its features times its factors (F, k): (G, n, k)."""
        # Slices of a matrix cost no copy; padded to (G, n, longest) they take 2.4 to 3.4 x as long.
        pairs = zip(z.split(self.sizes, 1), factors.split(self.sizes), strict=True)
        return torch.stack([own @ factor for own, factor in pairs]) / math.sqrt(len(factors))

    def forward(self, z):
        """Features z (n, F) to the products' term (n, T)."""
        sums = self._sums(z, torch.cat((self.U, self.V), 1).flatten(1))
        p, q = sums.unflatten(2, (2, *self.U.shape[1:])).unbind(2)  # (G, n, T, R)
        met = (self.M() @ q.flatten(1)).view_as(q)
        return self.height * (p * met).sum((0, 3))

    @torch.no_grad()
    def largest(self, z, noise, seed):
        """The largest singular value of sum_i e_i M o z_i z_i' / F, by power iteration.

        Parameters
        ----------
        z : Tensor (n, F)
        noise : Tensor (..., k, n)
        seed : int
            Of where it starts, for each k alike.

        Returns
        -------
        Tensor (..., k)
        """
        start, shape = torch.Generator().manual_seed(seed), noise.shape[:-1]
        noise = noise.flatten(0, -2)
        vectors = torch.randn(z.shape[1], shape[-1], generator=start)
        vectors = vectors.repeat(1, len(noise) // shape[-1])
        M = self.M()
        for _ in range(POWER_STEPS):
            q = self._sums(z, vectors / vectors.norm(dim=0))
            met = (M @ q.flatten(1)).view_as(q) * noise.T
            pairs = zip(z.split(self.sizes, 1), met, strict=True)
            vectors = torch.cat([own.T @ part for own, part in pairs]) / math.sqrt(z.shape[1])
        return vectors.norm(dim=0).view(shape)


class ContactHead(nn.Module):
    """Effects of features, and products of chromosomes' features: (n,) or (n, T).

    Parameters
    ----------
    features : int
        Those whose effects add up, L.
    chromosome : ndarray (F,) int
        Of the features whose products count, those of a chromosome together.
    cim : ndarray (G, G)
    parameters : dict
        Those declared above.
    outputs : int
        T.
    """

    def __init__(self, features, chromosome, cim, parameters, outputs):
        super().__init__()
        p, shape = parameters, (outputs, features)
        self.own = p
        self.c = nn.Parameter(torch.zeros(outputs))
        self.b0, self.b = nn.Parameter(torch.zeros(shape)), nn.Parameter(torch.zeros(shape))
        self.s = nn.Parameter(torch.full(shape, START_SPARSE))
        starts = np.flatnonzero(np.diff(chromosome, prepend=-1))
        present, sizes = chromosome[starts], np.diff(starts, append=len(chromosome)).tolist()
        weights = pair_weights(np.asarray(cim, float), contacts=p["weights"], power=1.0)
        weights = weights[np.ix_(present, present)]
        # Where no chromosomes meet, products stay, as in the twins of this network, and do nothing.
        self.products, self.meet = None, bool(weights.any())
        if p["contacts"] != "none":
            M = PairWeights(weights, p["tau"], learned=p["contacts"] == "learned")
            height = p["scale"] / math.sqrt(p["rank"])
            self.products = Products(sizes, M, rank=p["rank"], outputs=outputs, height=height)
        for name in ("ratio", "single", "pair"):  # lambda, l, kappa of each trait
            self.register_buffer(name, torch.zeros(outputs))
        self.register_buffer("rho", torch.tensor(math.inf))
        self.choose(self.choices[0])

    measure = staticmethod(measure_traits)

    @property
    def choices(self):
        """Values of rho among which validation decides."""
        if self.products is None or not self.meet:
            return (math.inf,)
        return RHOS if self.own["rho"] is None else (self.own["rho"],)

    def choose(self, rho):
        """Take a value of rho; with that of no products, U and V are 0 and stay so."""
        self.choice, without = rho, math.isinf(rho)
        self.rho.fill_(rho)
        if self.products is not None:
            self.products.requires_grad_(not without)
            if without:
                with torch.no_grad():
                    self.products.U.zero_()
                    self.products.V.zero_()

    def forward(self, x, z):
        """Effects of x (n, L), products of z (n, F): (n,) or (n, T)."""
        effects = self.b0 / math.sqrt(x.shape[1]) + self.b * self.s
        values = x @ effects.T + self.c
        if self.products is not None and not math.isinf(self.choice):
            values = values + self.products(z)
        return values.squeeze(-1)

    def penalty(self):
        """What is added to the sum of squared errors (z-scores) over all training lines."""
        small = self.own["ridge"] * self.ratio @ self.b0.square().sum(1)
        large = self.b.square().sum(1) + self.s.square().sum(1)
        total = small + self.own["sparse"] * self.single @ large
        if math.isinf(self.choice):
            return total
        products = self.products
        size = products.U.square().sum((0, 2)) + products.V.square().sum((0, 2))
        return total + self.rho * products.height * self.pair @ size + products.M.penalty()

    def rate_groups(self):
        """Learning rates, over the options', and their parameters."""
        groups = [(1.0, [self.b, self.s]), (self.own["ridge_rate"], [self.b0, self.c])]
        if self.products is not None:
            products = self.products
            groups.append((1.0, [products.U, products.V]))
            groups.append((self.own["contact_rate"], list(products.M.parameters())))
        return [(rate, [p for p in group if p.requires_grad]) for rate, group in groups]

    @torch.no_grad()
    def calibrate(self, x, z, noise, seed):
        """Set the penalties by what noise reaches among the training lines.

        Parameters
        ----------
        x, z : Tensor (n, L), (n, F)
            As in `forward`, with means of 0 and a mean variance of 1.
        noise : list
            As `measure_traits` gives it.
        seed : int
            Of the orders that noise is shuffled into.
        """
        shuffled = np.zeros((len(noise), SHUFFLES, len(x)), np.float32)
        for own, (known, trait) in zip(shuffled, noise, strict=True):
            own[:, known] = trait.scores(seed)
        self.ratio.copy_(torch.tensor([trait.ratio for _, trait in noise]))
        # All traits' at once: one walk over the lines takes a fraction of one for each trait.
        self.single.copy_(torch.from_numpy(largest_scores(x.numpy(), shuffled)))
        if self.products is not None:
            heights = self.products.largest(z, torch.from_numpy(shuffled), seed)
            self.pair.copy_(heights.median(-1).values)

    def figures(self):
        """What a fit's metrics say of it; a power of 0 makes all pairs alike."""
        if self.products is None:
            return {}
        if math.isinf(self.rho):
            return {"with_products": 0.0}
        tau = max(0.0, self.products.M.tau.item())
        return {"with_products": 1.0, "rho": self.rho.item(), "tau": tau}
