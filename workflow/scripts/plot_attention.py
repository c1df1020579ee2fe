"""Draw one trait's attention between chromosomes beside the CIM."""

from soyfold.common.files import read_cim
from soyfold.common.logs import rule_log
from soyfold.interpretation.attention import count_snps
from soyfold.report.figures.attention import plot_attention, read_attention, uniform_models

with rule_log(snakemake.log[0]):
    fits = [
        {**fit, "attention": attention, "estimates": estimates}
        for fit, attention, estimates in zip(
            snakemake.params.fits,
            snakemake.input.attention,
            snakemake.input.estimates,
            strict=True,
        )
    ]
    plot_attention(
        read_attention(fits),
        read_cim(snakemake.input.cim),
        count_snps(snakemake.input.variants),
        trait=snakemake.wildcards.trait,
        uniform=uniform_models(fits),
        paths=snakemake.output,
    )
