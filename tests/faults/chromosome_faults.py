"""Faults of the chromosome table."""

from fault import Fault
from genotype_faults import importing
from tiny_road import CHROMOSOMES


def swap_chromosomes(study):
    study.edit(CHROMOSOMES, "Gm01\t1000000", "Gm01\t10000")


FAULTS = [
    importing(
        "chromosomes: of another assembly (too short)",
        swap_chromosomes,
        "on Gm01",
        "1 to 10000",
        "assembly",
    ),
    Fault(
        "chromosomes: an alias twice",
        "config",
        "config",
        lambda s: s.edit(CHROMOSOMES, "chr2,2", "chr2,1"),
        ("'1'", "for Gm01"),
    ),
    Fault(
        "chromosomes: 0 as an alias",
        "config",
        "config",
        lambda s: s.edit(CHROMOSOMES, "chr2,2", "chr2,0"),
        ("0 as an alias of Gm02", "line 3"),
        mended="all unplaced variants on one chromosome",
    ),
    Fault(
        "chromosomes: a length that is no number",
        "config",
        "config",
        lambda s: s.edit(CHROMOSOMES, "800000", "0.8 Mb"),
        ("length '0.8 Mb'", "line 3"),
    ),
    Fault(
        "chromosomes: header without rows",
        "config",
        "config",
        lambda s: s.write(CHROMOSOMES, ["chromosome\tlength\taliases"]),
        ("no chromosome", CHROMOSOMES),
        mended="traceback (IndexError)",
    ),
    Fault(
        "chromosomes: a name that is no file name",
        "config",
        "config",
        lambda s: s.edit(CHROMOSOMES, "Gm03\t", "../Gm03\t"),
        ("'../Gm03'",),
        mended="Snakemake's own error of missing files",
    ),
]
