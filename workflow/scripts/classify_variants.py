"""Class variants by the motif in their flank, or by substitution."""

from soyfold.cohort.variant_classes import classify_variants
from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.genotypes.bed import read_bim

with rule_log(snakemake.log[0]):
    classes, counts = classify_variants(
        read_bim(snakemake.input.bim),
        read_chromosomes(snakemake.input.chromosomes),
        reference=snakemake.params.reference,
    )
    write_table(classes, snakemake.output.classes)
    write_table(counts, snakemake.output.counts)
