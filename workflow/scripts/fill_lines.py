"""Fill what new lines lack on one chromosome from the study's lines."""

from soyfold.common.logs import rule_log
from soyfold.prediction.filling import fill_chromosome
from soyfold.prediction.panel import read_panel

with rule_log(snakemake.log[0]):
    fill_chromosome(
        snakemake.input.bed.removesuffix(".bed"),
        snakemake.wildcards.chromosome,
        panel=read_panel(snakemake.input.panel),
        phased=snakemake.input.get("phased"),
        settings=snakemake.params.settings,
        prefix=snakemake.output.bed.removesuffix(".bed"),
        calls=snakemake.output.calls,
        memory_mb=snakemake.resources.mem_mb,
    )
