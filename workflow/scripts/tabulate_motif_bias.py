"""Put what attention learned of pairs of classes of variants into one table."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.motif_bias import tabulate_motif_bias

with rule_log(snakemake.log[0]):
    files = zip(snakemake.params.fits, snakemake.input.checkpoints, strict=True)
    fits = [{**fit, "checkpoint": file} for fit, file in files]
    write_table(tabulate_motif_bias(fits), snakemake.output.table)
