"""Put what models learned of pairs of chromosomes into one table."""

from soyfold.common.files import read_cim, read_table, write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.pairs import PAIR, pairs_table

with rule_log(snakemake.log[0]):
    files = zip(snakemake.params.fits, snakemake.input.checkpoints, strict=True)
    fits = [{**fit, "checkpoint": file} for fit, file in files]
    text = dict.fromkeys(PAIR, str)
    nulls = [read_table(path, dtype=text) for path in snakemake.input.nulls]
    names = list(read_cim(snakemake.input.cim))
    write_table(pairs_table(fits, names, nulls), snakemake.output.pairs)
