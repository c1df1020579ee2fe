"""Remove the large part of a split's decompositions, all of whose fits are done."""

from soyfold.logs import rule_log
from soyfold.shared_kernels import release_kernels

with rule_log(snakemake.log[0]):
    release_kernels(snakemake.output.released)
