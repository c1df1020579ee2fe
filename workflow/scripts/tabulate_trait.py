"""Write the paper's table of one trait, with the paper's own values beside ours."""

from soyfold.evaluation import read_scores, trait_table
from soyfold.files import read_table, write_table
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    scores = read_scores(snakemake.input.scores, scheme=snakemake.params.scheme)
    paper = read_table(snakemake.input.paper)
    table = trait_table(
        scores, snakemake.params.trait, paper, heritability=snakemake.params.heritability
    )
    write_table(table, snakemake.output.table)
