"""Faults of genotypes that are no VCF: PLINK's three files, HapMap, marker tables."""

import numpy as np
from genotype_faults import COUNTS, counted, importing
from tiny_road import LINES, sample_names

REFUSED = "the file was refused"
ALIAS = "advice to make 0 an alias"


def plink(bim="Gm01 v{0} 0 {0} G A", fam="{0} {0} 0 0 0 -9", encoding="utf-8"):
    """A fault that gives a bed of 24 variants: lines of its bim by place, of its fam by name."""

    def spoil(study):
        calls = np.random.default_rng(2).choice([0, 3], (24, LINES // 4, 4), p=[0.4, 0.6])
        packed = (calls << np.array([0, 2, 4, 6])).sum(axis=2).astype(np.uint8)
        study.path("lines.bed").write_bytes(bytes([0x6C, 0x1B, 0x01]) + packed.tobytes())
        lines = [bim(k) if callable(bim) else bim.format(k) for k in range(1, 25)]
        study.write("lines.bim", lines)
        people = "".join(fam.format(name) + "\n" for name in sample_names())
        study.path("lines.fam").write_bytes(people.encode(encoding))
        study.config["genotypes"]["file"] = "lines.bed"

    return spoil


def _zeros(place):
    """Every third position is 0, and so is the first variant's ALT."""
    return f"Gm01 v{place} 0 {place * (place % 3 > 0)} {'0' if place == 1 else 'G'} A"


FAULTS = [
    importing(
        "bed: chromosome 0 for all variants",
        plink("0 v{0} 0 {0} G A"),
        "0 is PLINK's word",
        "write each variant's own",
        mended=ALIAS,
    ),
    importing(
        "bed: sample names in GBK",
        plink(fam="中黄{0} 中黄{0} 0 0 0 -9", encoding="gbk"),
        "lines.fam, line 1",
        "no UTF-8",
        "'中黄PI548400' as GBK",
        mended="traceback (UnicodeDecodeError)",
    ),
    importing(
        "bed: blanks in sample names", plink(fam="PI {0} PI {0} 0 0 0 -9"), "at least 8 columns"
    ),
    counted(
        "bed: chromosome 0 for all variants, their places in the ids",
        plink("0 Gm01:{0} 0 {0} G A"),
        COUNTS,
        "raw file\tNA\t0\t48\t0\t24",
        "unplaced\tNA\t0\t48\t0\t24",
        mended=ALIAS,
    ),
    counted(
        "bed: positions and alleles that are 0",
        plink(_zeros),
        COUNTS,
        "unplaced\tNA\t0\t48\t8\t16",
        "no alternate allele\tNA\t0\t48\t1\t15",
        mended=REFUSED,
    ),
    counted(
        "bed: a bim without centimorgans, a fam without phenotypes",
        plink("Gm01 v{0} {0} G A", fam="{0} {0} 0 0 0"),
        COUNTS,
        "raw file\tNA\t0\t48\t0\t24",
        mended=REFUSED,
    ),
]
