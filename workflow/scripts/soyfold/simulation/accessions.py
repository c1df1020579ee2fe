"""Accessions of a simulated study: their ids in the VCF and, spelt anew, in NPGS downloads."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from soyfold.common.files import staged

# Four that soybean breeders know by heart, one of each spelling.
KNOWN = (("PI", 548402, ""), ("PI", 54613, ""), ("FC", 1547, ""), ("PI", 594433, "A"))
SUFFIXES = ("A", "B", "-1", "-2")
# Evaluations of protein, with what each adds to every line grown there (in %).
EVALUATIONS = {
    "SOYBEAN.PROTEIN.IL.2001": 0.8,
    "SOYBEAN.PROTEIN.MS.2003": -0.5,
    "SOYBEAN.PROTEIN.MN.2004": -0.3,
}
COUNTRIES = ("China", "Japan", "South Korea", "Russian Federation", "United States")


@dataclass(frozen=True)
class Accession:
    """One accession; two that differ by the suffix alone are two accessions."""

    prefix: str
    number: int
    suffix: str

    @property
    def sample(self):
        """Id as the VCF writes it: PI054613, FC001547, PI594433A, PI407999-1."""
        return f"{self.prefix}{self.number:06d}{self.suffix}"

    @property
    def plant_id(self):
        """Id as an NPGS wide export writes it: PI 54613, PI 417479 B, PI 407999-1."""
        gap = " " if self.suffix.isalpha() else ""
        return f"{self.prefix} {self.number}{gap}{self.suffix}"


def draw_accessions(count, rng):
    """Draw `count` different accessions, some of which share a number with another.

    Parameters
    ----------
    count : int
    rng : numpy.random.Generator

    Returns
    -------
    list of Accession
        In random order: about 2 % FC, 15 % with a suffix, two thirds of these in pairs.
    """
    drawn = [Accession(*known) for known in KNOWN]
    numbers = rng.choice(np.arange(20_000, 680_000), size=count, replace=False)
    for number, kind in zip(numbers.tolist(), rng.random(count).tolist(), strict=True):
        suffixes = [""]
        if kind < 0.06:
            suffixes = SUFFIXES[:2] if kind < 0.03 else SUFFIXES[2:]
        elif kind < 0.11:
            suffixes = [SUFFIXES[number % len(SUFFIXES)]]
        prefix = "FC" if kind > 0.98 else "PI"
        drawn += [Accession(prefix, number, suffix) for suffix in suffixes]
    drawn = list(dict.fromkeys(drawn))[:count]
    return [drawn[row] for row in rng.permutation(count)]


def draw_strangers(accessions, count, rng):
    """Accessions that are not among `accessions`; the first few differ by the suffix alone."""
    known = set(accessions)
    twins = [
        Accession(other.prefix, other.number, suffix)
        for other in accessions
        if other.suffix in SUFFIXES
        for suffix in SUFFIXES
    ]
    strangers = [twin for twin in twins if twin not in known][: count // 2]
    strangers += [other for other in draw_accessions(4 * count + 20, rng) if other not in known]
    return list(dict.fromkeys(strangers))[:count]


def write_descriptor(path, accessions, genetic, noise, rng):
    """Write a descriptor download of GRIN-Global: one row an observation.

    Byte order mark, a title line, a line with a comma, then the header. About a quarter of the
    accessions were observed in two evaluations, a few of them in all.

    Parameters
    ----------
    path : path-like
    accessions : list of Accession
    genetic : ndarray (n,) float64
        Value of each accession without environment and noise.
    noise : float
        Standard deviation of an observation.
    rng : numpy.random.Generator
    """
    n = len(accessions)
    times = rng.choice([1, 2, len(EVALUATIONS)], size=n, p=[0.7, 0.25, 0.05])
    row = np.repeat(np.arange(n), times)
    turn = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    evaluation = (rng.integers(0, len(EVALUATIONS), size=n)[row] + turn) % len(EVALUATIONS)
    value = genetic[row] + np.array(list(EVALUATIONS.values()))[evaluation]
    value += noise * rng.standard_normal(len(row))
    table = pd.DataFrame(
        {
            "accession_prefix": [accessions[k].prefix for k in row],
            "accession_number": [accessions[k].number for k in row],
            "accession_suffix": [accessions[k].suffix for k in row],
            "observation_value": _one_decimal(value),
            "descriptor_name": "PROTEIN",
            "method_name": np.array(list(EVALUATIONS))[evaluation],
            "taxon": "Glycine max",
            "origin": np.array(COUNTRIES)[rng.integers(0, len(COUNTRIES), size=n)[row]],
        }
    )
    title = "\ufeffObservations of the descriptor PROTEIN (simulated)\n,\n"
    _write_text(path, title + table.to_csv(index=False, lineterminator="\n"))


def write_wide(path, accessions, genetic, noise, rng):
    """Write a wide export of NPGS: one row an accession, several readings in a cell with `;`.

    Parameters
    ----------
    path, accessions, genetic, noise, rng
        As for `write_descriptor`. About 1 % of the cells are empty.
    """
    n = len(accessions)
    readings = genetic + noise * rng.standard_normal((3, n))
    first, second, third = (_one_decimal(reading) for reading in readings)
    kind = rng.random(n)
    cell = np.where(kind < 0.15, np.char.add(np.char.add(first, "; "), second), first)
    cell = np.where(kind < 0.03, np.char.add(np.char.add(cell, "; "), third), cell)
    table = pd.DataFrame(
        {
            "Plant ID": [accession.plant_id for accession in accessions],
            "Taxonomy": "Glycine max",
            "Country of Origin": np.array(COUNTRIES)[rng.integers(0, len(COUNTRIES), size=n)],
            "OIL": np.where(kind > 0.99, "", cell),
        }
    )
    _write_text(path, table.to_csv(index=False, lineterminator="\n"))


def _one_decimal(values):
    return np.char.mod("%.1f", values)


def _write_text(path, text):
    with staged(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))
