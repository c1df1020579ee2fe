"""Write one trait's association scan as an interactive page."""

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.logs import rule_log
from soyfold.report.pages.manhattan import manhattan_chart
from soyfold.report.pages.pages import write_page

with rule_log(snakemake.log[0]):
    table = read_chromosomes(snakemake.input.chromosomes)
    chart = manhattan_chart(
        snakemake.input.scan,
        snakemake.input.summary,
        chromosomes=dict(zip(table.names, map(int, table.lengths), strict=True)),
    )
    title = f"{snakemake.wildcards.trait}: association scan"
    write_page(snakemake.output.page, title, [chart], vega=snakemake.input.vega)
