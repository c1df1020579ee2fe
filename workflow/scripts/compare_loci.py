"""Top loci of the models beside those of the association scans."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.overlap import compare_loci

with rule_log(snakemake.log[0]):
    files = zip(snakemake.params.asked, snakemake.input.snps, snakemake.input.scans, strict=True)
    table = compare_loci(
        [{**item, "snps": snps, "scan": scan} for item, snps, scan in files],
        top=snakemake.params.top,
        reach=1000 * snakemake.params.window_kb,
    )
    write_table(table, snakemake.output.table)
