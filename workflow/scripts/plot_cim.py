"""Draw the CIM as a heat map."""

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import read_cim
from soyfold.common.logs import rule_log
from soyfold.contacts.figure import plot_cim

with rule_log(snakemake.log[0]):
    names = read_chromosomes(snakemake.input.chromosomes).names
    plot_cim(
        read_cim(snakemake.input.cim, names),
        method=snakemake.params.method,
        title=snakemake.params.title,
        source=snakemake.params.source_of_contacts,
        files=[snakemake.output.png, snakemake.output.svg],
    )
