"""Contact readout: effects of SNPs, and products of chromosomes that contacts weigh.

No softmax stands between the CIM and the prediction, no layer that could go round it, and no
penalty is left to search for: `contact_products` has the model and how noise sets its penalties.
"""

import torch

from soyfold.models.contact_products import ContactHead
from soyfold.models.parameters import require, resolve

DECLARATION = {
    "label": "Contact readout",
    "meaning": "Products of chromosomes that contacts weigh, read out as a score beside SNP "
               "effects.",
    "extends": "contact_products",
    "needs": ["cim"],
    "kernels": ["additive"],
    "seeds_per_job": "all",
    "parameters": {
        "tokens": {"default": "snp", "enum": ["snp", "window"],
                   "description": "Products of SNPs, or of sums over `window` neighbouring ones; "
                                  "effects are SNPs' in any case."},
        "window": {"default": None, "type": ["integer", "null"], "minimum": 2,
                   "description": "SNPs a window; null with tokens: snp."},
        "learning_rate": {"default": 0.01},
        "betas": {"default": [0.9, 0.98]},
        "weight_decay": {"default": 0.0},
        "clip": {"default": 0.0},
        "batch_size": {"default": 256},
        "epochs": {"default": 200},
        "warmup_epochs": {"default": 10},
        "schedule": {"default": "cosine"},
        "patience": {"default": 200},
        "refit": {"default": True},
    },
    "citations": [
        {"what": "penalties of products of factors",
         "citation": "Srebro N, Rennie JDM, Jaakkola TS (2004) Maximum-margin matrix "
                     "factorization. NeurIPS 17"},
    ],
}  # fmt: skip


class Network(ContactHead):
    """The readout of SNPs themselves.

    Every step takes all training lines, as its penalties stand beside the sum over all of them:
    an epoch is a step.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        Laid over those declared.
    cim : Tensor (G, G)
    """

    whole = True

    def __init__(self, layout, parameters, cim):
        p = resolve(parameters, self.__module__)
        require(cim is not None, "no CIM", model="contact_readout", mend="set cim: real")
        super().__init__(layout.n_snps, layout.chromosome, cim.numpy(), p, layout.outputs)
        self.parameters_used, self.tokens = p, layout.n_tokens
        self.register_buffer("cim", cim, persistent=False)
        self.register_buffer("token", torch.from_numpy(layout.token), persistent=False)
        self.register_buffer("spread", torch.ones(()))  # of a token: 1 where it is a SNP

    def token_sums(self, g):
        """Standardised dosages (n, L) to features (n, F) of a mean variance of 1."""
        if self.tokens == g.shape[1]:
            return g
        sums = g.new_zeros(len(g), self.tokens).index_add(1, self.token, g)
        return sums / self.spread

    def forward(self, g):
        """Standardised dosages (n, L) to z-scored predictions (n,) or (n, outputs)."""
        return super().forward(g, self.token_sums(g))

    def calibrate(self, g, noise, seed):
        """Set the penalties on the training lines' standardised dosages g (n, L)."""
        self.spread.fill_(1.0)
        self.spread.copy_(self.token_sums(g).var(0, correction=0).mean().sqrt())
        super().calibrate(g, self.token_sums(g), noise, seed)
