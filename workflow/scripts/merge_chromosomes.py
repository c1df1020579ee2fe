"""Put the imputed chromosomes together again; write the imputation's accuracy."""

from soyfold.common.logs import rule_log
from soyfold.imputation.imputing import merge_chromosomes

with rule_log(snakemake.log[0]):
    merge_chromosomes(
        [path.removesuffix(".bed") for path in snakemake.input.parts],
        snakemake.params.chromosomes,
        source=snakemake.input.bed.removesuffix(".bed"),
        prefix=snakemake.output.bed.removesuffix(".bed"),
        accuracy=snakemake.output.accuracy,
    )
