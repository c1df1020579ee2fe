"""Contacts that chromosome lengths alone lead to expect, for a study without Hi-C."""

from soyfold.chromosomes import read_chromosomes
from soyfold.cim import expected_sums, write_cim
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]) as log:
    log.info("no Hi-C in this study: the CIM is `expected`, from chromosome lengths alone")
    chromosomes = read_chromosomes(snakemake.input.chromosomes)
    write_cim(expected_sums(chromosomes), snakemake.output[0])
