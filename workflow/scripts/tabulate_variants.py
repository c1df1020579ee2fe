"""Write one of the paper's tables 4 to 6, with the paper's own values beside ours."""

from soyfold.common.files import read_table, write_table
from soyfold.common.logs import rule_log
from soyfold.evaluation.paper_tables import variant_table
from soyfold.evaluation.scores import read_scores

with rule_log(snakemake.log[0]):
    table = variant_table(
        read_scores(snakemake.input.scores, scheme=snakemake.params.scheme),
        snakemake.params.variants,
        number=snakemake.params.number,
        paper=read_table(snakemake.input.paper),
    )
    write_table(table, snakemake.output.table)
