"""Faults of genotypes that are no VCF: PLINK's three files, HapMap, marker tables."""

import numpy as np
from fault import Fault
from genotype_faults import COUNTS, counted, importing
from tiny_road import LINES, VCF, sample_names

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


LEADING = "rs# alleles chrom pos strand assembly# center protLSID assayLSID panelLSID QCcode"
PAIRS = {"0/0": "AA", "0/1": "AG", "1/1": "GG", "./.": "NN"}


def hapmap(name="lines.hmp.txt", *, header=LEADING, mark="\t", change=None, encoding="utf-8"):
    """A fault that gives the study's VCF as HapMap; `change` is done to the table of cells."""

    def spoil(study):
        lines = [line.split("\t") for line in study.lines(VCF)[1:]]
        table = [[*header.split(), *lines[0][9:]]]
        width = len(table[0]) - LINES - 5
        for contig, position, rs, ref, alt, *_, in_part in ([*x[:5], x[9:]] for x in lines[1:]):
            leading = [rs, f"{ref}/{alt}", contig, position, "+", *["NA"] * width]
            table.append([*leading, *(PAIRS[call] for call in in_part)])
        table = change(table) if change else table
        text = "".join(mark.join(row) + "\n" for row in table)
        study.path(name).write_bytes(text.encode(encoding))
        study.config["genotypes"]["file"] = name

    return spoil


def _r(table):
    """As R writes it: changed names, quotes, row names whose column has none."""
    head = [name.replace("#", ".") for name in table[0]]
    rows = [[str(k), *row] for k, row in enumerate(table[1:], start=1)]
    return [[f'"{cell}"' for cell in row] for row in [head, *rows]]


def _odd_snps(table):
    """A third allele in one call; an indel; alleles, a strand and a position that aren't any."""
    table[1][11] = "T/T"
    table[2][1] = "AT/A"
    table[2][11:] = [{"AA": "AT/AT", "GG": "A/A"}.get(cell, "??") for cell in table[2][11:]]
    table[3][1], table[4][4], table[5][3] = "A=G", "TOP", "unknown?"
    return table


def _other_strand(table):
    turned = str.maketrans("AG", "TC")
    return [table[0], *([*row[:11], *(c.translate(turned) for c in row[11:])] for row in table[1:])]


def _gbk(table):
    table[0] = [name.replace("PI54840", "中黄") for name in table[0]]
    return table


def markers(text, **settings):
    """A fault that gives a marker table with columns for places."""

    def spoil(study):
        study.path("markers.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        file = {"file": "markers.csv", "format": "marker_table"}
        study.config["genotypes"] = file | settings

    return spoil


def plink_text(study):
    study.write("lines.ped", [f"{name} {name} 0 0 0 -9 A A" for name in sample_names()])
    study.config["genotypes"]["file"] = "lines.ped"


EVERY = "raw file\tNA\t0\t48\t0\t30"
FAULTS = [
    Fault(
        "genotypes: .ped and .map",
        "config",
        "config",
        plink_text,
        ("'lines.ped'", "plink --file NAME --make-bed"),
        mended="advice to set genotypes.format",
    ),
    importing(
        "HapMap: sample names in GBK",
        hapmap(change=_gbk, encoding="gbk"),
        "line 1",
        "no UTF-8",
        "'中黄0' as GBK",
        mended="names of U+FFFD",
    ),
    importing(
        "HapMap: calls of the other strand in every SNP",
        hapmap(change=_other_strand),
        "line 2",
        "other alleles than the marker's, first 'CC'",
        "30 of 30 records",
    ),
    importing(
        "HapMap: no column of alleles",
        hapmap(change=lambda table: [[row[0], *row[2:]] for row in table]),
        "without alleles",
        "rs# alleles chrom pos",
    ),
    importing(
        "marker table: a row a sample",
        markers("taxa,m1,m2\nPI548400,0,2\n", codes={"0": 0, "2": 2}),
        "no column chromosome or position",
        "transposed first",
    ),
    importing(
        "marker table: sample names in Latin-1",
        markers("marker,chrom,pos,Größe\nm1,Gm01,5,0\n".encode("latin-1"), codes={"0": 0}),
        "markers.csv, line 1",
        "'Größe' as Windows-1252",
        mended="names of U+FFFD",
    ),
    counted(
        "HapMap: without QCcode",
        hapmap(header=LEADING.removesuffix(" QCcode")),
        "cohort/join_counts.tsv",
        "oil\tmatched\tby the same id\t48",
        mended="the first sample was lost without a word",
    ),
    counted(
        "HapMap: quotes, names and row names of R",
        hapmap(change=_r),
        COUNTS,
        EVERY,
        mended="`cut off or damaged`",
    ),
    counted("HapMap: semicolons", hapmap(mark=";"), COUNTS, EVERY, mended=REFUSED),
    counted("HapMap: under the name of a VCF", hapmap("lines.vcf"), COUNTS, EVERY, mended=REFUSED),
    counted(
        "HapMap: a third allele, an indel; alleles, a strand, a position that are none",
        hapmap(change=_odd_snps),
        COUNTS,
        "unreadable\tNA\t0\t48\t3\t27",
        mended=REFUSED,
    ),
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
