"""Products of all lines' dosages, from which every kernel between lines follows."""

from soyfold.common.logs import rule_log
from soyfold.models.kernels.matrices import write_products

with rule_log(snakemake.log[0]):
    write_products(snakemake.input.dosage, snakemake.output.products)
