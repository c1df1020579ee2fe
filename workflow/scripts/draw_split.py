"""Draw one split into train, val and test, or take it from the user's file."""

from soyfold.files import read_table, write_table
from soyfold.logs import rule_log
from soyfold.samples import read_samples
from soyfold.splits import draw_split

with rule_log(snakemake.log[0]) as log:
    given, values = snakemake.input.get("splits"), snakemake.input.get("values")
    parts, losses = draw_split(
        read_samples(snakemake.input.fam, snakemake.input.samples),
        snakemake.params.settings,
        seed=int(snakemake.wildcards.seed),
        table=read_table(given, dtype=str) if given else None,
        values=read_table(values, required=("sample", "value")) if values else None,
    )
    log.info("%s; left out: %d", parts["part"].value_counts().to_dict(), len(losses))
    write_table(parts, snakemake.output.split)
    write_table(losses, snakemake.output.losses)
