"""One row of hic.tsv -> one cooler on the assembly's grid, with its losses counted."""

from pathlib import Path

import cooler
import h5py
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import staged, write_table
from soyfold.common.logs import log
from soyfold.common.textfiles import BAD_GZIP, GZIP, open_binary
from soyfold.contacts.coolers import read_cooler
from soyfold.contacts.grid import refuse_lacking
from soyfold.contacts.hicpro import read_hicpro_matrix
from soyfold.contacts.juicer import read_hic
from soyfold.contacts.pairs import read_pairs
from soyfold.contacts.pixels import Tally, write_cooler

READERS = {
    "hicpro_matrix": read_hicpro_matrix,
    "hicpro_pairs": read_pairs,
    "pairs": read_pairs,
    "cool": read_cooler,
    "mcool": read_cooler,
    "hic": read_hic,
}
HDF5, HIC = b"\x89HDF\r\n\x1a\n", b"HIC\0"
BINARY = {"cool": "cooler", "mcool": "cooler", "hic": ".hic file"}
CHUNK = 4_000_000  # pixels in memory while coarsening


def known_by_content(row):
    """The row of hic.tsv with the format that its file has, whatever its name and the sheet say.

    Raises
    ------
    UserError
        If there is no file, or one of text, or gzipped, where a cooler or .hic is to be read.
    """
    file, form = row["file"], row["format"]
    if not Path(file).is_file():
        raise UserError("no such file", file=file, mend="check the path in hic.tsv")
    with Path(file).open("rb") as stream:
        head = stream.read(64)
    found = "hic" if head.startswith(HIC) else "cool" if h5py.is_hdf5(file) else None
    if found is None and head.startswith(GZIP):
        head = _unpacked(file)
        if head.startswith((HIC, HDF5)):
            raise UserError(
                "a cooler or .hic file that is gzipped", file=file, allowed="the file unpacked",
                mend="unpack it with gunzip",
            )  # fmt: skip
    if found is None and form in BINARY and b"\0" not in head:
        raise UserError(
            f"no {BINARY[form]}, but text that begins with {head[:40].decode(errors='replace')!r}",
            file=file,
            allowed=f"a file of the format {form}",
            mend="write the format that it has into hic.tsv; what a failed download left must be"
            " fetched again",
        )
    if found is None or BINARY[found] == BINARY.get(form):
        return row
    log.warning("WARNING %s: hic.tsv says %s, but it is a %s: read so", file, form, BINARY[found])
    return {**row, "format": found}


def _unpacked(file):
    try:
        with open_binary(file) as stream:
            return stream.read(64)
    except BAD_GZIP:  # told where the file is read
        return b"\0"


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
                "values": "iced" if not tally.whole and opened.weights is None else "counts",
                "weights": "carried" if weighted else "none",
                "contacts": tally.cis + tally.trans,
                "contacts_cis": tally.cis,
                "contacts_trans": tally.trans,
                "contacts_dropped": "NA" if row["format"] == "hic" else tally.dropped,
                "contigs_dropped": len(opened.dropped),
            }
        ]
    )


def _refuse_partial(tally, opened, chromosomes, *, file):
    """Raise `UserError` if a chromosome has no contacts, or none meets another."""
    ends = zip(chromosomes.names, tally.by_chromosome, strict=True)
    present = [name for name, number in ends if number > 0]
    refuse_lacking(chromosomes, present, opened.dropped, file=file)
    if not tally.trans and len(present) > 1:
        raise UserError(
            f"no contacts between chromosomes, but {tally.cis:g} within",
            file=file,
            allowed="Hi-C of the whole genome",
            mend="take the library's pairs, or a matrix that wasn't made chromosome by chromosome;"
            " or write contacts: expected",
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
        One row: library, format, resolution (bp), values (counts; or iced: fractions without
        weights, taken for balanced), weights (carried or none), contacts, contacts_cis,
        contacts_trans, contacts_dropped (with an end on another contig; NA for .hic),
        contigs_dropped.

    Raises
    ------
    UserError
        For a file that can't be read, lacks a chromosome or all contacts between chromosomes, or
        doesn't fit the assembly.
    """
    log.info("library %s: %s of format %s", row["library"], row["file"], row["format"])
    row = known_by_content(row)
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
                others=opened.dropped,
            )
            _refuse_partial(tally, opened, chromosomes, file=row["file"])
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
