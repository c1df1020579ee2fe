"""Attention with priors in O(n): queries, keys, values and what is known beforehand go in, outputs
and statistics come out.

Imports `common` alone, and torch.
"""

from soyfold.common.lazy import hand_on

__getattr__, __all__ = hand_on(
    __name__, biased_attention="biased", attention_statistics="biased", chromosome_context="biased"
)
