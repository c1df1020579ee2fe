"""Bundle what draws the report's interactive figures, once a study."""

from soyfold.common.logs import rule_log
from soyfold.report.pages.pages import write_vega

with rule_log(snakemake.log[0]):
    write_vega(snakemake.output.vega)
