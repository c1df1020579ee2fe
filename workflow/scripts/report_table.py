"""Write one page of tables of the report."""

from soyfold.common.logs import rule_log
from soyfold.report.pages.pages import write_page
from soyfold.report.pages.tables import SECTIONS

with rule_log(snakemake.log[0]):
    files = dict(snakemake.input.items())
    sections = SECTIONS[snakemake.params.page](files, snakemake.params.facts)
    write_page(snakemake.output.page, snakemake.params.title, sections, vega=files.get("vega"))
