"""Write one page of tables of the report."""

from soyfold.logs import rule_log
from soyfold.reporting.pages import write_page
from soyfold.reporting.tables import SECTIONS

with rule_log(snakemake.log[0]):
    files = dict(snakemake.input.items())
    sections = SECTIONS[snakemake.params.page](files, snakemake.params.facts)
    write_page(snakemake.output.page, snakemake.params.title, sections, vega=files.get("vega"))
