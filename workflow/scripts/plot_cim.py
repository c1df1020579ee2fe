"""Draw the CIM as a heat map."""

from soyfold.chromosomes import read_chromosomes
from soyfold.cim import read_cim
from soyfold.logs import rule_log
from soyfold.plotting_contacts import plot_cim

with rule_log(snakemake.log[0]):
    names = read_chromosomes(snakemake.input.chromosomes).names
    plot_cim(
        read_cim(snakemake.input.cim, names),
        method=snakemake.params.method,
        title=snakemake.params.title,
        source=snakemake.params.source_of_contacts,
        files=[snakemake.output.png, snakemake.output.svg],
    )
