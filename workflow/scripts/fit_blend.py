"""Weigh the members of a blend for one trait, on all splits of a scheme."""

from pathlib import Path

from soyfold.common.logs import rule_log
from soyfold.training.blend_fits import fit_blend

with rule_log(snakemake.log[0]):
    block, files = snakemake.params.block, snakemake.input.members
    count = len(block["members"])
    fit_blend(
        block,
        trait=snakemake.wildcards.trait,
        folders=[Path(path).parent for path in snakemake.output.predictions],
        predictions=[files[start : start + count] for start in range(0, len(files), count)],
    )
