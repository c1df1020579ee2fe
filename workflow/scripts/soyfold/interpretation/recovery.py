"""Does a model's importance, learnt without them, find published QTL again? And chance?"""

import numpy as np
import pandas as pd

from soyfold.common.files import read_table
from soyfold.interpretation.loci import (
    chance,
    drawn_finds,
    line_up,
    reach_around,
    rotated_finds,
    top_loci,
)

ALL, SHARED = "all", "shared"
COLUMNS = [
    "trait", "model", "traits", "qtl", "unreachable", "found", "share",
    "shifted", "shifted_low", "shifted_high", "shifted_p",
    "uniform", "uniform_low", "uniform_high", "uniform_p",
]  # fmt: skip


def read_importance(path):
    """A table of importance, or a scan with its -log10 p in that place: place and importance."""
    text = dict.fromkeys(("variant", "chromosome"), str)
    table = read_table(path, required=("variant", "chromosome", "position"), dtype=text)
    column = "importance" if "importance" in table else "minus_log10_p"
    return table.rename(columns={column: "importance"})[["chromosome", "position", "importance"]]


def recover(snps, qtl, *, top, reach, draws, rng):
    """QTL of one trait with a top locus near them, and how many chance finds.

    Parameters
    ----------
    snps : DataFrame
        chromosome, position, importance; in genome order.
    qtl : DataFrame
        chromosome, position.
    top, reach, draws : float, float, int, keyword only
        Share of SNPs that are top loci; bp; uniform draws.
    rng : numpy.random.Generator, keyword only

    Returns
    -------
    dict
        qtl, unreachable (those without a SNP near them), found, shifted (L - 1,) and uniform
        (draws,): found by chance.
    """
    codes, names = pd.factorize(snps["chromosome"])
    places = line_up(codes, snps["position"])
    known = qtl[qtl["chromosome"].isin(names)]
    points = line_up(pd.Index(names).get_indexer(known["chromosome"]), known["position"])
    first, past = reach_around(places, points, reach)
    loci = top_loci(snps["importance"], top)
    finds = rotated_finds(loci, first, past)
    return {
        "qtl": len(qtl),
        "unreachable": len(qtl) - int((past > first).sum()),
        "found": int(finds[0]),
        "shifted": finds[1:],
        "uniform": drawn_finds(loci, first, past, draws=draws, rng=rng),
    }


def recovery_row(trait, model, found):
    """One row of the table from one trait's findings, or from several together.

    The same shift is given to all traits, so that QTL that traits share count as one chance.
    """
    qtl = sum(item["qtl"] for item in found)
    row = {
        "trait": trait, "model": model, "traits": len(found), "qtl": qtl,
        "unreachable": sum(item["unreachable"] for item in found),
        "found": sum(item["found"] for item in found),
    }  # fmt: skip
    row["share"] = row["found"] / qtl
    for name in ("shifted", "uniform"):
        drawn = np.sum([item[name] for item in found], axis=0)
        mean, low, high, p = chance(row["found"], drawn)
        row |= {
            name: mean / qtl, f"{name}_low": low / qtl, f"{name}_high": high / qtl, f"{name}_p": p
        }  # fmt: skip
    return row


def recovery_table(asked, qtl, *, top, reach, draws, seed):
    """Recovery of the QTL by trait and model, then of all traits of a model together.

    Parameters
    ----------
    asked : iterable of dict
        trait, model (or `gwas`) and snps, the path of its table.
    qtl : DataFrame
        Of `read_qtl`.
    top, reach, draws
        As for `recover`.
    seed : int, keyword only

    Returns
    -------
    DataFrame
        `COLUMNS`; trait `all`: those of the model together, `shared`: those that every model has.
    """
    found, rng = {}, np.random.default_rng(seed)
    for item in asked:
        own = qtl[qtl["trait"] == item["trait"]]
        if len(own):
            found[item["trait"], item["model"]] = recover(
                read_importance(item["snps"]), own, top=top, reach=reach, draws=draws, rng=rng
            )
    rows = [recovery_row(trait, model, [own]) for (trait, model), own in found.items()]
    models = list(dict.fromkeys(model for _, model in found))
    of_model = {m: [trait for trait, model in found if model == m] for m in models}
    common = set.intersection(*map(set, of_model.values())) if models else set()
    for scope in (ALL, SHARED):
        for model, traits in of_model.items():
            kept = [trait for trait in traits if scope == ALL or trait in common]
            if kept:
                rows.append(recovery_row(scope, model, [found[t, model] for t in kept]))
    return pd.DataFrame(rows, columns=COLUMNS)
