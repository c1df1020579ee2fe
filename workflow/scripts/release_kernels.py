"""Remove the large part of a split's decompositions, all of whose fits are done."""

from soyfold.common.logs import rule_log
from soyfold.models.kernels.shared import release_kernels

with rule_log(snakemake.log[0]):
    release_kernels(snakemake.output.released)
