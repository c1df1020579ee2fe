"""Draw one trait's association scan, its QQ plot, and the models' importance beneath."""

from soyfold.common.logs import rule_log
from soyfold.report.figures.manhattan import plot_manhattan, read_scanned, read_tracks

with rule_log(snakemake.log[0]):
    labels = snakemake.params.labels
    plot_manhattan(
        read_scanned(snakemake.input.scan, snakemake.input.summary),
        read_tracks(dict(zip(labels, snakemake.input.snps, strict=True))),
        trait=snakemake.wildcards.trait,
        unit=snakemake.params.unit,
        paths=snakemake.output,
    )
