"""Name the family of each sample that passed QC, by its name or the user's table."""

import pandas as pd

from soyfold.cohort.families import name_families
from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.genotypes.bed import read_fam

with rule_log(snakemake.log[0]):
    samples = read_fam(snakemake.input.fam)
    family = name_families(samples, **snakemake.params.families)
    write_table(pd.DataFrame({"sample": samples, "family": family}), snakemake.output.families)
