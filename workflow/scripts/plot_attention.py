"""Draw one trait's attention between chromosomes beside the CIM."""

from soyfold.common.files import read_cim
from soyfold.common.logs import rule_log
from soyfold.interpretation.attention import count_snps
from soyfold.report.figures.attention import plot_attention, read_attention

with rule_log(snakemake.log[0]):
    fits = [
        {**fit, "attention": file}
        for fit, file in zip(snakemake.params.fits, snakemake.input.attention, strict=True)
    ]
    plot_attention(
        read_attention(fits),
        read_cim(snakemake.input.cim),
        count_snps(snakemake.input.variants),
        trait=snakemake.wildcards.trait,
        paths=snakemake.output,
    )
