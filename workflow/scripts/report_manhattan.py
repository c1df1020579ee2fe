"""Write one trait's association scan as an interactive page."""

from soyfold.chromosomes import read_chromosomes
from soyfold.logs import rule_log
from soyfold.reporting.manhattan import manhattan_chart
from soyfold.reporting.pages import write_page

with rule_log(snakemake.log[0]):
    table = read_chromosomes(snakemake.input.chromosomes)
    chart = manhattan_chart(
        snakemake.input.scan,
        snakemake.input.summary,
        chromosomes=dict(zip(table.names, map(int, table.lengths), strict=True)),
    )
    title = f"{snakemake.wildcards.trait}: association scan"
    write_page(snakemake.output.page, title, [chart], vega=snakemake.input.vega)
