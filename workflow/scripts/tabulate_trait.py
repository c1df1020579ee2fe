"""Write the paper's table of one trait, with the paper's own values beside ours."""

from soyfold.common.files import read_table, write_table
from soyfold.common.logs import rule_log
from soyfold.evaluation.scores import read_scores, trait_table

with rule_log(snakemake.log[0]):
    scores = read_scores(snakemake.input.scores, scheme=snakemake.params.scheme)
    paper = read_table(snakemake.input.paper)
    table = trait_table(
        scores, snakemake.params.trait, paper, heritability=snakemake.params.heritability
    )
    write_table(table, snakemake.output.table)
