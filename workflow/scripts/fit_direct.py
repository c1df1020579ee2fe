"""Fit one direct model to one trait, for one split or for all of a scheme."""

from pathlib import Path

from soyfold.common.logs import rule_log
from soyfold.training.direct_fits import fit_and_write
from soyfold.training.fits import files_of, fit

with rule_log(snakemake.log[0]):
    fit(
        snakemake.params.block,
        fit_and_write,
        seeds=snakemake.params.seeds,
        weights=snakemake.params.weights,
        kind=snakemake.params.kind,
        folders=[Path(path).parent for path in snakemake.output.predictions],
        **files_of(dict(snakemake.input.items()), snakemake.params.traits),
    )
