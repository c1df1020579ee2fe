"""Products of all lines' dosages, from which every kernel between lines follows."""

from soyfold.kernel_matrices import write_products
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    write_products(snakemake.input.dosage, snakemake.output.products)
