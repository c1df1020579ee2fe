"""Transformer that answers Rijal et al. on the same yeast data ([A], Arcadia Science 2025).

The standard parts that [R] leaves out, residual connections, norms, FFN and several heads, in three
pre-norm layers; tokens are averaged, and each trait is an output of its own, learnt together from
the values that there are. What [A] doesn't print (activation, dropout) is as in our encoder.
"""

from soyfold.models import encoder

DECLARATION = {
    "label": "Arcadia transformer",
    "meaning": "A pre-norm encoder of three layers, an output for each trait of a group.",
    "extends": "encoder",
    "joint": True,
    "parameters": {
        "layers": {"default": 3},
        "heads": {"default": 4},
        "norm": {"default": "pre"},
    },
    "citations": [
        {"what": "transformer over traits",
         "citation": "Arcadia Science (2025) Cross-trait learning with a canonical transformer "
                     "tops custom attention in genotype-phenotype mapping. "
                     "arcadia-science.github.io/2025-geno-pheno-attention"},
    ],
}  # fmt: skip


class Network(encoder.Encoder):
    """Plain pre-norm encoder; a CIM serves the attention statistics alone."""
