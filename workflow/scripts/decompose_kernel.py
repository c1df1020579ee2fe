"""Decompose a kernel over the lines of a part of a split, for the fits of all traits."""

from soyfold.common.logs import rule_log
from soyfold.models.kernels.shared import decompose_part

with rule_log(snakemake.log[0]):
    decompose_part(
        snakemake.input.products,
        snakemake.input.samples,
        snakemake.input.split,
        kernel=snakemake.wildcards.kernel,
        part=snakemake.wildcards.part,
        path=snakemake.output.small,
    )
