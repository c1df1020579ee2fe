"""Fit one network to one trait, or to several together, for one split or all of a scheme."""

from functools import partial
from pathlib import Path

from soyfold.common.logs import rule_log
from soyfold.training.fits import files_of, fit
from soyfold.training.network_fits import fit_and_write

with rule_log(snakemake.log[0]):
    fit(
        snakemake.params.block,
        partial(fit_and_write, threads=snakemake.threads, source=snakemake.params.source),
        seeds=snakemake.params.seeds,
        weights=snakemake.params.weights,
        kind=snakemake.params.kind,
        folders=[Path(path).parent for path in snakemake.output.predictions],
        **files_of(dict(snakemake.input.items()), snakemake.params.traits),
    )
