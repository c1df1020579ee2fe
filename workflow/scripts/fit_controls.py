"""Fit a network with attention under each of its control CIMs, for all splits of a scheme.

For fits of seconds: to load torch for each of them takes as long as they do.
"""

from functools import partial
from pathlib import Path

import numpy as np

from soyfold.common.logs import rule_log
from soyfold.training.attention import measure_members
from soyfold.training.fits import files_of, fit
from soyfold.training.network_fits import fit_and_write

with rule_log(snakemake.log[0]):
    blocks, cims = snakemake.params.block.values(), snakemake.input.cim
    folders = [Path(path).parent for path in snakemake.output.predictions]
    own = np.array_split(np.array(folders, dtype=object), len(blocks))
    for block, cim, folders in zip(blocks, cims, own, strict=True):
        fit(
            block,
            partial(
                fit_and_write,
                threads=snakemake.threads,
                measure=measure_members,
                source=snakemake.params.source,
            ),
            seeds=snakemake.params.seeds,
            weights=snakemake.params.weights,
            kind=snakemake.params.kind,
            folders=folders,
            **files_of({**dict(snakemake.input.items()), "cim": [cim]}, snakemake.params.traits),
        )
