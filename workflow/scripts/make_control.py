"""Make a control's CIM."""

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import read_cim
from soyfold.common.logs import rule_log
from soyfold.contacts.cim import make_control, write_cim

with rule_log(snakemake.log[0]):
    chromosomes = read_chromosomes(snakemake.input.chromosomes)
    control = make_control(
        snakemake.wildcards.control,
        read_cim(snakemake.input.cim, chromosomes.names),
        read_cim(snakemake.input.sums, chromosomes.names),
        chromosomes=chromosomes,
        method=snakemake.params.method,
        zero_diagonal=snakemake.params.zero_diagonal,
    )
    write_cim(control, snakemake.output[0])
