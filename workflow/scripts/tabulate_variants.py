"""Write one of the paper's tables 4 to 6, with the paper's own values beside ours."""

from soyfold.evaluation import read_scores
from soyfold.files import read_table, write_table
from soyfold.logs import rule_log
from soyfold.paper_tables import variant_table

with rule_log(snakemake.log[0]):
    table = variant_table(
        read_scores(snakemake.input.scores, scheme=snakemake.params.scheme),
        snakemake.params.variants,
        number=snakemake.params.number,
        paper=read_table(snakemake.input.paper),
    )
    write_table(table, snakemake.output.table)
