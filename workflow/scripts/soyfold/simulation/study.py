"""A whole study from a seed: genotypes, Hi-C, phenotypes and the truth behind them.

The parts are in the modules genotypes, contacts, traits and
accessions. Memory holds one chromosome's genotypes at a time.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import staged, write_table, zipped
from soyfold.common.logs import log
from soyfold.simulation.accessions import (
    draw_accessions,
    draw_strangers,
    write_descriptor,
    write_wide,
)
from soyfold.simulation.contacts import (
    TOUCH_FOLD,
    contact_shares,
    draw_contacts,
    draw_touching,
    write_matrices,
    write_valid_pairs,
)
from soyfold.simulation.files import (
    hypotheses_sheet,
    traits_sheet,
    write_config,
    write_pathways,
)
from soyfold.simulation.genotypes import (
    draw_lines,
    record_ids,
    simulate_records,
    write_header,
    write_records,
)
from soyfold.simulation.options import Seeded
from soyfold.simulation.traits import TRAITS, design, draw_effects, draw_qtl, truth_table

# Contigs that no chromosome table knows, with their lengths and records in the VCF.
OTHERS = {"scaffold_21": 300_000, "scaffold_22": 192_360, "mtDNA": 402_558}
OTHER_RECORDS = {"scaffold_21": 6, "scaffold_22": 3, "mtDNA": 1}
# The library that is kept as matrices alone was sequenced deeper.
MATRIX_DEPTH = 3
TOUCHING_PAIRS = 6
ADDITIVE_QTL = 100
PRODUCTS_PER_TOUCH = 4


@dataclass(frozen=True)
class Options(Seeded):
    """What study to make.

    Attributes
    ----------
    lines, snps : int
        About how many are left after the filters; a few more are written, for the filters.
    pairs : int
        Valid pairs of the first Hi-C library; the second has MATRIX_DEPTH times as many contacts.
    seed : int
    missing : float
        Share of calls lost.
    heritability : float
        Genetic share of the variance of one record.
    epistasis : float
        Share of the genetic variance from products of QTL on touching chromosomes.
    resolution : int
        Bin size of the Hi-C matrices in bp.
    """

    lines: int = 400
    snps: int = 2000
    pairs: int = 16_000
    seed: int = 1
    missing: float = 0.03
    heritability: float = 0.7
    epistasis: float = 0.3
    resolution: int = 5_000_000

    LIMITS: ClassVar = {
        "lines": (30, 500_000),
        "snps": (1, 10**7),
        "pairs": (1, 10**9),
        "seed": (0, 2**32 - 1),
        "missing": (0, 0.08),
        "heritability": (0, 1),
        "epistasis": (0, 1),
        "resolution": (1_000, 10**9),
    }


def name_styles(chromosomes):
    """Names of the chromosomes in three styles: of the VCF, of the pairs, of the matrices."""
    spellings = {name: [] for name in chromosomes.names}
    for alias, name in chromosomes.aliases.items():
        spellings[name].append(alias)
    # The canonical name comes first in `aliases`.
    styles = [[names[min(k, len(names) - 1)] for names in spellings.values()] for k in (1, 2, 0)]
    return dict(zip(("vcf", "pairs", "matrix"), styles, strict=True))


def simulate_study(out, options, chromosomes_file, *, sheets=None):
    """Make a study: raw files, sheets and, unless `sheets` is given, its study.yaml.

    Parameters
    ----------
    out : path-like
        Folder of the raw files; written into the sheets as it is given.
    options : Options
    chromosomes_file : path-like
        Chromosome table of the assembly.
    sheets : path-like, optional
        Folder of traits.tsv, hic.tsv and hypotheses.tsv where a config file stands already.

    Raises
    ------
    UserError
        For an unusable chromosome table.
    """
    out = Path(out)
    chromosomes = read_chromosomes(chromosomes_file)
    names = name_styles(chromosomes)
    touching = draw_touching(len(chromosomes.names), TOUCHING_PAIRS, options.generator(1))
    accessions = write_genotypes_and_traits(out, options, chromosomes, names["vcf"], touching)
    libraries = write_libraries(out, options, chromosomes, names, touching)
    log.info("%d lines, libraries %s", len(accessions), ", ".join(libraries.library))
    folder = Path(sheets) if sheets else out
    write_table(libraries, folder / "hic.tsv")
    write_table(traits_sheet(out), folder / "traits.tsv")
    write_pathways(out / "pathways.gff3", chromosomes, names["vcf"], options.generator(14))
    write_table(hypotheses_sheet(out), folder / "hypotheses.tsv")
    if not sheets:
        write_config(out, chromosomes_file)


def write_genotypes_and_traits(out, options, chromosomes, names, touching):
    """Write genotypes.vcf.gz, phenotypes/ and truth.tsv; return the genotyped accessions."""
    odd = max(2, round(0.02 * options.lines))
    accessions = draw_accessions(options.lines + 2 * odd, options.generator(2))
    lines = draw_lines(
        [accession.sample for accession in accessions],
        outcrossed=odd,
        poor=odd,
        missing=options.missing,
        rng=options.generator(3),
    )
    with staged(out / "genotypes.vcf.gz") as temporary, zipped(temporary) as stream:
        usable = write_genotypes(stream, options, chromosomes, names, lines)
    qtl = draw_qtl(
        [len(dosage) for dosage, _, _ in usable],
        additive=ADDITIVE_QTL,
        touching=touching,
        per_touch=PRODUCTS_PER_TOUCH,
        rng=options.generator(4),
    )
    columns = design(qtl, [dosage for dosage, _, _ in usable], lines.kept)
    effects = draw_effects(
        qtl,
        columns,
        lines.kept,
        heritability=options.heritability,
        epistasis=options.epistasis,
        rng=options.generator(5),
    )
    places = [(ids, position) for _, ids, position in usable]
    truth = truth_table(qtl, effects, places, chromosomes.names, touching, TOUCH_FOLD)
    write_table(truth, out / "truth.tsv")
    write_phenotypes(out / "phenotypes", options, accessions, columns @ effects)
    return accessions


def write_genotypes(stream, options, chromosomes, names, lines):
    """Stream the VCF; return for each chromosome (dosage, ids, positions) of SNPs fit for QTL."""
    write_header(stream, chromosomes, OTHERS, lines.names)
    share = np.cumsum(chromosomes.lengths) / chromosomes.lengths.sum()
    common, rare, triple = (
        np.diff(np.round(share * total).astype(int), prepend=0).tolist()
        for total in (options.snps, max(5, options.snps // 25), 6)
    )
    usable = []
    first_id = 0
    for k, name in enumerate(names):
        records = simulate_records(
            name,
            int(chromosomes.lengths[k]),
            lines,
            common=common[k],
            rare=rare[k],
            multiallelic=triple[k],
            rng=options.generator(6, k),
        )
        write_records(stream, records, lines, first_id, options.generator(7, k))
        chosen = _spread(np.flatnonzero(records.usable))
        ids = record_ids(first_id, len(records.position))
        first_id += len(ids)
        # 0, 1, 2 are the codes of a call and the dosages alike.
        usable.append(
            (records.calls[chosen], [ids[row] for row in chosen], records.position[chosen])
        )
        log.info("%s: %d records", name, len(ids))
    for k, (name, count) in enumerate(OTHER_RECORDS.items()):
        records = simulate_records(
            name,
            OTHERS[name],
            lines,
            common=count,
            rare=0,
            multiallelic=0,
            rng=options.generator(8, k),
        )
        write_records(stream, records, lines, first_id, options.generator(9, k))
        first_id += count
    return usable


def _spread(rows, most=200):
    """At most `most` of the rows, evenly spread: enough to choose QTL from, and little to keep."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)]


def write_phenotypes(folder, options, accessions, genetic):
    """Write oil as a wide export and protein as a descriptor download.

    Each lacks 4 % of the lines and has 2 % (at least 8) that were never genotyped.

    Parameters
    ----------
    folder : pathlib.Path
    options : Options
    accessions : list of Accession
    genetic : ndarray (n, traits) float64
        Genetic deviation of each accession, in the order of TRAITS.
    """
    strangers = draw_strangers(accessions, max(8, len(accessions) // 50), options.generator(10))
    for k, (trait, write) in enumerate(zip(TRAITS, (write_wide, write_descriptor), strict=True)):
        rng = options.generator(11, k)
        spread = trait.sd * np.sqrt(options.heritability)
        value = np.concatenate([genetic[:, k], spread * rng.standard_normal(len(strangers))])
        everyone = [*accessions, *strangers]
        there = rng.permutation(len(everyone))
        lost = there[there < len(accessions)][: len(accessions) // 25]
        there = there[~np.isin(there, lost)]
        noise = trait.sd * np.sqrt(1 - options.heritability)
        write(
            folder / f"{trait.name}.csv",
            [everyone[row] for row in there],
            trait.mean + value[there],
            noise,
            rng,
        )


def write_libraries(out, options, chromosomes, names, touching):
    """Write the two Hi-C libraries as HiC-Pro's output; return the rows of hic.tsv."""
    scaffold = "scaffold_21"
    lengths = np.append(chromosomes.lengths, OTHERS[scaffold])
    shares = contact_shares(lengths, touching)
    results = out / "hic" / "hic_results"
    pairs = results / "data" / "leaf_pairs" / "leaf_pairs.allValidPairs.gz"
    write_valid_pairs(
        pairs, [*names["pairs"], scaffold], lengths, shares, options.pairs, options.generator(12)
    )
    contacts = draw_contacts(lengths, shares, MATRIX_DEPTH * options.pairs, options.generator(13))
    matrices = write_matrices(
        results, "root_matrix", [*names["matrix"], scaffold], lengths, options.resolution, contacts
    )
    rows = [
        ("leaf_pairs", "hicpro_pairs", pairs, None, options.resolution),
        ("root_matrix", "hicpro_matrix", matrices["raw"], matrices["bins"], None),
    ]
    table = pd.DataFrame(rows, columns=["library", "format", "file", "bins", "resolution"])
    return table.astype({"resolution": "Int64"})
