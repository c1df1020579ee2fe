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
        files = zip(snakemake.params.attentive, snakemake.input.attention, strict=True)
        fits = [{**fit, "attention": file} for fit, file in files]
        table = attention_table(fits, count_snps(snakemake.input.variants))
        write_table(table, snakemake.output.attention)
