"""Put the models' small tables, and attention between chromosomes, under each other."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.attention import attention_table, count_snps
from soyfold.interpretation.importance import stack_tables

with rule_log(snakemake.log[0]):
    write_table(stack_tables(snakemake.input.fits), snakemake.output.fits)
    write_table(
        stack_tables(snakemake.input.chromosomes, facts=snakemake.params.asked),
        snakemake.output.chromosomes,
    )
    if snakemake.params.attentive:
        given = (snakemake.params.attentive, snakemake.input.attention, snakemake.input.estimates)
        fits = [
            {**fit, "attention": attention, "estimates": estimates}
            for fit, attention, estimates in zip(*given, strict=True)
        ]
        table = attention_table(fits, count_snps(snakemake.input.variants))
        write_table(table, snakemake.output.attention)
