"""Do models look where the association scan looks? Top loci beside top loci, and chance."""

import numpy as np
import pandas as pd

from soyfold.common.files import read_table
from soyfold.interpretation.gwas import read_scan
from soyfold.interpretation.loci import chance, line_up, near, rotated_hits, top_loci

COLUMNS = [
    "trait", "model", "loci", "scan_loci", "near", "share", "expected", "low", "high", "p",
    "rank_correlation",
]  # fmt: skip


def overlap_row(places, importance, strength, *, top, reach):
    """Share of a model's top loci that lie near a top locus of the scan.

    Parameters
    ----------
    places : ndarray (L,) int64
        Of `loci.line_up`.
    importance, strength : ndarray (L,)
        Of the model; -log10 p of the scan, NaN where there is none.
    top : float, keyword only
        Share of SNPs that are top loci, of either.
    reach : float, keyword only
        bp.

    Returns
    -------
    dict
        loci, scan_loci, near (how many), share, what circular shifts of the model's loci along the
        genome give (expected, low, high: mean and 95 % range) and p, by all L - 1 of them;
        rank_correlation of importance and -log10 p over all SNPs with both.
    """
    own, scanned = top_loci(importance, top), top_loci(strength, top)
    hits = rotated_hits(own, near(places, scanned, reach))
    count = max(1, int(own.sum()))
    mean, low, high, p = chance(hits[0], hits[1:]) if len(hits) > 1 else (np.nan,) * 4
    both = pd.DataFrame({"importance": importance, "strength": strength})
    return {
        "loci": int(own.sum()), "scan_loci": int(scanned.sum()), "near": int(hits[0]),
        "share": hits[0] / count, "expected": mean / count, "low": low / count,
        "high": high / count, "p": p,
        "rank_correlation": both["importance"].corr(both["strength"], method="spearman"),
    }  # fmt: skip


def compare_loci(asked, *, top, reach):
    """Overlap of each model's top loci with its trait's scan.

    Parameters
    ----------
    asked : iterable of dict
        trait, model, snps (the model's table of importance) and scan, paths.
    top, reach
        As for `overlap_row`.

    Returns
    -------
    DataFrame
        `COLUMNS`.
    """
    rows, scans = [], {}
    for item in asked:
        if item["scan"] not in scans:
            scans = {item["scan"]: read_scan(item["scan"])}  # one at a time: they are large
        scan = scans[item["scan"]]
        snps = read_table(item["snps"], required=("variant", "importance"), dtype={"variant": str})
        importance = snps.set_index("variant")["importance"].reindex(scan["variant"]).to_numpy()
        places = line_up(pd.factorize(scan["chromosome"])[0], scan["position"])
        found = overlap_row(
            places, importance, scan["minus_log10_p"].to_numpy(), top=top, reach=reach
        )
        rows.append({"trait": item["trait"], "model": item["model"], **found})
    return pd.DataFrame(rows, columns=COLUMNS)
