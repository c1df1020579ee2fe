"""Write the text that the report opens with."""

from soyfold.common.files import staged
from soyfold.common.logs import rule_log
from soyfold.report.pages.opening import opening_text, vega_html
from soyfold.report.pages.results import read_comparisons, read_trait_tables

with rule_log(snakemake.log[0]):
    text = opening_text(
        read_trait_tables(snakemake.params.traits, snakemake.input.tables),
        read_comparisons(snakemake.input.get("comparisons")),
        scheme=snakemake.params.scheme,
        title=snakemake.params.title,
        place=snakemake.params.place,
    )
    text += vega_html(snakemake.input.vega)
    with staged(snakemake.output.text) as temporary:
        temporary.write_text(text, encoding="utf-8")
