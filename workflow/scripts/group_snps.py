"""Find the SNPs of a hypothesis' groups."""

from soyfold.cohort.hypotheses import group_snps, read_hypothesis
from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import read_table, write_table
from soyfold.common.groups import write_groups
from soyfold.common.logs import rule_log

with rule_log(snakemake.log[0]):
    chromosomes = read_chromosomes(snakemake.input.chromosomes)
    weights = next(iter(snakemake.input.weights), None)
    regions, weights = read_hypothesis(
        {"file": snakemake.input.regions, "weights": weights}, chromosomes
    )
    variants = read_table(snakemake.input.variants, dtype={"chromosome": str})
    groups, counts = group_snps(
        regions,
        weights,
        variants.sort_values("column"),
        flank=snakemake.params.flank,
        chromosomes=chromosomes,
    )
    write_groups(groups, snakemake.output.groups)
    write_table(counts, snakemake.output.counts)
