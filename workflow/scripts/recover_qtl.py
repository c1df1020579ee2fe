"""Do the models find published QTL again?"""

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import write_table
from soyfold.common.logs import log, rule_log
from soyfold.interpretation.qtl import read_qtl
from soyfold.interpretation.recovery import recovery_table

with rule_log(snakemake.log[0]):
    settings = snakemake.params.qtl
    qtl, names = read_qtl(
        {**settings, "file": snakemake.input.qtl},
        read_chromosomes(snakemake.input.assembly),
        snakemake.params.traits,
    )
    log.info("%d of %d QTL are of the study's traits", qtl["trait"].notna().sum(), len(qtl))
    asked = zip(snakemake.params.asked, snakemake.input.snps, strict=True)
    table = recovery_table(
        [{**item, "snps": path} for item, path in asked],
        qtl,
        top=snakemake.params.top,
        reach=1000 * settings["distance_kb"],
        draws=settings["draws"],
        seed=settings["seed"],
    )
    write_table(names, snakemake.output.names)
    write_table(table, snakemake.output.table)
