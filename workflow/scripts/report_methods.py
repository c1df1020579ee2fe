"""Write the report's page of methods and versions."""

from soyfold.common.logs import rule_log
from soyfold.report.pages.methods import method_sections
from soyfold.report.pages.pages import write_page

with rule_log(snakemake.log[0]):
    sections = method_sections(
        **snakemake.params.study,
        used=set(snakemake.params.used),
        citations=snakemake.input.citations,
        costs=list(snakemake.input.costs),
        environments=list(snakemake.input.environments),
        results=snakemake.params.results,
        snakemake_version=snakemake.params.snakemake_version,
        conda=snakemake.params.conda,
    )
    write_page(snakemake.output.page, "Methods and versions", sections)
