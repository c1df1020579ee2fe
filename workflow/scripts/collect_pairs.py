"""Put what models learned of pairs of chromosomes into one table."""

from soyfold.common.files import read_cim, write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.pairs import pairs_table

with rule_log(snakemake.log[0]):
    files = zip(snakemake.params.fits, snakemake.input.checkpoints, strict=True)
    fits = [{**fit, "checkpoint": file} for fit, file in files]
    write_table(pairs_table(fits, list(read_cim(snakemake.input.cim))), snakemake.output.pairs)
