"""Write the kernels of products of a hypothesis and its copies."""

import numpy as np

from soyfold.common.logs import rule_log
from soyfold.training.hypotheses import multiply_groups

with rule_log(snakemake.log[0]):
    multiply_groups(
        snakemake.output.products,
        np.load(snakemake.input.dosage, mmap_mode="r"),
        snakemake.input.groups,
        permuted=snakemake.params.permuted,
    )
