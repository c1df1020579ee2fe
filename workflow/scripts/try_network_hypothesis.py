"""Try one arm of a hypothesis in a network whose tokens are its groups."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.training.network_hypotheses import try_arm

with rule_log(snakemake.log[0]):
    optional = ("cim", "covariates", "tuned", "groups", "classes")
    scores = try_arm(
        snakemake.params.block,
        trait=snakemake.wildcards.trait,
        arm=snakemake.wildcards.arm,
        seeds=snakemake.params.seeds,
        kind=snakemake.params.kind,
        threads=snakemake.threads,
        **{name: next(iter(snakemake.input[name]), None) for name in optional},
        **{
            name: snakemake.input[name]
            for name in ("dosage", "samples", "variants", "phenotypes", "splits")
        },
    )
    write_table(scores, snakemake.output.scores)
