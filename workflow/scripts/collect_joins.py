"""Put the join reports of all traits into one table, and count them."""

from soyfold.cohort.traits import collect_reports
from soyfold.common.files import write_table
from soyfold.common.logs import rule_log

with rule_log(snakemake.log[0]):
    report, counts = collect_reports(snakemake.input.joins)
    write_table(report, snakemake.output.report)
    write_table(counts, snakemake.output.counts)
