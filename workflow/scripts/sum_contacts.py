"""Sum the merged contacts by pairs of chromosomes; without Hi-C, expect them from the lengths."""

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.logs import rule_log
from soyfold.contacts import sum_by_chromosome
from soyfold.contacts.cim import expected_sums, write_cim

with rule_log(snakemake.log[0]) as log:
    log.info("contacts: %s", snakemake.params.source_of_contacts)
    chromosomes = read_chromosomes(snakemake.input.chromosomes)
    if snakemake.input.cool:
        sums = sum_by_chromosome(
            snakemake.input.cool, chromosomes.names, balanced=snakemake.params.balanced
        )
    else:
        sums = expected_sums(chromosomes)
    write_cim(sums, snakemake.output[0])
