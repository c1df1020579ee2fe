"""One row of hic.tsv -> one cooler on the assembly's grid, with its losses counted."""

import cooler
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import staged, write_table
from soyfold.common.logs import log
from soyfold.contacts.coolers import read_cool, read_mcool
from soyfold.contacts.grid import refuse_lacking
from soyfold.contacts.hicpro import read_hicpro_matrix
from soyfold.contacts.juicer import read_hic
from soyfold.contacts.pairs import read_hicpro_pairs, read_pairs
from soyfold.contacts.pixels import Tally, write_cooler

READERS = {
    "hicpro_matrix": read_hicpro_matrix,
    "hicpro_pairs": read_hicpro_pairs,
    "pairs": read_pairs,
    "cool": read_cool,
    "mcool": read_mcool,
    "hic": read_hic,
}
CHUNK = 4_000_000  # pixels in memory while coarsening


def coarsen(source, path, resolution):
    """Write the cooler `source` at a coarser `resolution` (bp), a multiple of its own.

    Raises
    ------
    UserError
        If it is no multiple.
    """
    size = int(cooler.Cooler(str(source)).binsize)
    if resolution % size:
        raise UserError(
            f"bins of {size} bp",
            file=source,
            allowed=f"bins that divide {resolution} bp",
            mend="set contacts.resolution to a common multiple of all libraries' bin sizes",
        )
    cooler.coarsen_cooler(str(source), str(path), resolution // size, chunksize=CHUNK, nproc=1)


def _summary(row, opened, tally, resolution, weighted):
    return pd.DataFrame(
        [
            {
                "library": row["library"],
                "format": row["format"],
                "resolution": resolution,
                "values": "iced" if opened.iced else "counts",
                "weights": "carried" if weighted else "none",
                "contacts": tally.cis + tally.trans,
                "contacts_cis": tally.cis,
                "contacts_trans": tally.trans,
                "contacts_dropped": "NA" if row["format"] == "hic" else tally.dropped,
                "contigs_dropped": len(opened.dropped),
            }
        ]
    )


def load_library(row, chromosomes, *, resolution, cool, table):
    """Read a Hi-C library of any format into a cooler over the canonical chromosomes.

    Parameters
    ----------
    row : dict
        Row of hic.tsv: library, format, file, bins, resolution.
    chromosomes : Chromosomes
    resolution : int or None, keyword only
        Bin size of the study, bp; None leaves the library at its own until libraries are merged.
    cool : path-like
        The cooler to write; balancing weights that a .cool carries come along.
    table : path-like
        One row: library, format, resolution (bp), values (counts or iced), weights (carried or
        none), contacts, contacts_cis, contacts_trans, contacts_dropped (with an end on another
        contig; NA for .hic), contigs_dropped.

    Raises
    ------
    UserError
        For a file that can't be read, lacks a chromosome or doesn't fit the assembly.
    """
    log.info("library %s: %s of format %s", row["library"], row["file"], row["format"])
    opened = READERS[row["format"]](row, chromosomes, resolution)
    tally = Tally(opened.grid)
    coarser = resolution if resolution not in (None, opened.grid.resolution) else None
    with staged(cool) as final:
        fine = final.with_name(f"{final.name}.fine.cool") if coarser else final
        try:
            chunks = tally.watch(opened.chunks)
            write_cooler(
                fine,
                opened.grid,
                chunks,
                integer=opened.integer,
                weights=opened.weights,
                file=row["file"],
            )
            ends = zip(chromosomes.names, tally.by_chromosome, strict=True)
            present = [name for name, number in ends if number > 0]
            refuse_lacking(chromosomes, present, present, file=row["file"])
            if coarser:
                coarsen(fine, final, coarser)
        finally:
            if coarser:
                fine.unlink(missing_ok=True)
    weighted = opened.weights is not None and not coarser
    size = coarser or opened.grid.resolution
    write_table(_summary(row, opened, tally, size, weighted), table)
    log.info(
        "%s contacts at %d bp: %s within chromosomes, %s between; %s dropped on %d other contigs%s",
        tally.cis + tally.trans,
        size,
        tally.cis,
        tally.trans,
        tally.dropped,
        len(opened.dropped),
        f" ({', '.join(sorted(opened.dropped)[:20])})" if opened.dropped else "",
    )
