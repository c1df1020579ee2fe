"""Sum the merged contacts by pairs of chromosomes."""

from soyfold.chromosomes import read_chromosomes
from soyfold.cim import write_cim
from soyfold.contacts import sum_by_chromosome
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    names = read_chromosomes(snakemake.input.chromosomes).names
    sums = sum_by_chromosome(snakemake.input.cool, names, balanced=snakemake.params.balanced)
    write_cim(sums, snakemake.output[0])
