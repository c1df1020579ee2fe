"""Phase one chromosome of the study's lines, once, for all new lines to come."""

from soyfold.common.logs import rule_log
from soyfold.prediction.filling import phase_chromosome

with rule_log(snakemake.log[0]):
    phase_chromosome(
        snakemake.input.bed.removesuffix(".bed"),
        snakemake.wildcards.chromosome,
        settings=snakemake.params.settings,
        path=snakemake.output.phased,
        memory_mb=snakemake.resources.mem_mb,
    )
