"""Fit one network with attention, and measure it: one trait or several, a split or all of them.

A script of its own, so that what measures attention reruns no network without.
"""

from functools import partial
from pathlib import Path

from soyfold.common.logs import rule_log
from soyfold.training.attention import measure_members
from soyfold.training.fits import files_of, fit
from soyfold.training.network_fits import fit_and_write

with rule_log(snakemake.log[0]):
    fit(
        snakemake.params.block,
        partial(
            fit_and_write,
            threads=snakemake.threads,
            measure=measure_members,
            source=snakemake.params.source,
        ),
        seeds=snakemake.params.seeds,
        weights=snakemake.params.weights,
        kind=snakemake.params.kind,
        folders=[Path(path).parent for path in snakemake.output.predictions],
        **files_of(dict(snakemake.input.items()), snakemake.params.traits),
    )
