"""Normalise the sums: the chromosome interaction matrix."""

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import read_cim
from soyfold.common.logs import rule_log
from soyfold.contacts.cim import normalise, write_cim

with rule_log(snakemake.log[0]) as log:
    chromosomes = read_chromosomes(snakemake.input.chromosomes)
    cim = normalise(
        read_cim(snakemake.input.sums, chromosomes.names),
        snakemake.params.method,
        chromosomes=chromosomes,
        zero_diagonal=snakemake.params.zero_diagonal,
        file=snakemake.input.sums,
    )
    if snakemake.params.method == "row":
        log.info("normalisation row: the CIM is not symmetric")
    write_cim(cim, snakemake.output[0])
