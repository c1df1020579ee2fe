"""Put the imputed chromosomes together again; write the imputation's accuracy."""

from soyfold.imputation import merge_chromosomes
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    merge_chromosomes(
        [path.removesuffix(".bed") for path in snakemake.input.parts],
        snakemake.params.chromosomes,
        source=snakemake.input.bed.removesuffix(".bed"),
        prefix=snakemake.output.bed.removesuffix(".bed"),
        accuracy=snakemake.output.accuracy,
    )
