"""Score a direct model on a trait over the number of lines that have a value of it."""

from soyfold.common.files import write_table
from soyfold.common.logs import rule_log
from soyfold.training.direct_fits import fit_direct
from soyfold.training.transfer import inputs_of, transfer_trait

with rule_log(snakemake.log[0]):
    scores = transfer_trait(
        snakemake.params.block,
        fit_direct,
        target=snakemake.wildcards.trait,
        seeds=snakemake.params.seeds,
        points=snakemake.params.points,
        fewest=snakemake.params.fewest,
        weights=snakemake.params.weights,
        kinds=snakemake.params.kinds,
        environments=snakemake.params.environments,
        cells=next(iter(snakemake.input.cells), None),
        **inputs_of(dict(snakemake.input.items()), snakemake.params.traits),
    )
    write_table(scores, snakemake.output.scores)
