"""Draw one split into train, val and test by its scheme, or take it from the user's file."""

from soyfold.cohort.samples import read_samples
from soyfold.cohort.splits.cells import value_parts
from soyfold.cohort.splits.drawing import draw_split, read_tables
from soyfold.common.files import write_table
from soyfold.common.logs import rule_log

with rule_log(snakemake.log[0]) as log:
    tables = read_tables(dict(snakemake.input.items()))
    parts, lost = draw_split(
        read_samples(snakemake.input.fam, snakemake.input.samples),
        snakemake.params.settings,
        seed=int(snakemake.wildcards.seed),
        **tables,
    )
    log.info("%s; left out: %d", parts["part"].value_counts().to_dict(), len(lost))
    write_table(parts, snakemake.output.split)
    write_table(lost, snakemake.output.lost)
    if "cells" in tables:
        write_table(value_parts(tables["cells"], parts), snakemake.output.cells)
