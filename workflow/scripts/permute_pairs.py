"""Hold what a model learned of pairs of chromosomes against traits in which no pair interacts."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.interpretation.pair_null import permute_pairs
from soyfold.training.cohorts import read_cohort
from soyfold.training.fits import with_tuned

with rule_log(snakemake.log[0]):
    names = ("dosage", "samples", "variants", "phenotypes", "products")
    files = {name: snakemake.input[name] for name in names}
    # What only some models take is a list of none or one file.
    cim, tuned, covariates = (
        next(iter(snakemake.input[name]), None) for name in ("cim", "tuned", "covariates")
    )
    cohort = read_cohort(**files, cim=cim, covariates=covariates)
    table = permute_pairs(
        with_tuned(snakemake.params.block, tuned),
        cohort,
        permutations=snakemake.params.permutations,
        seed=snakemake.params.seed,
    )
    table.insert(0, "trait", snakemake.wildcards.trait)
    table.insert(1, "model", snakemake.wildcards.model)
    write_table(table, snakemake.output.null)
