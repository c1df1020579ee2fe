"""Which variant of new genotypes is which of a model's: the one at its place, or of its id.

Positions are those of an assembly, ids (soybean's ss numbers) are the same in all. Which of the two
tells is read from the file: positions and ids of other variants fit the model's alleles by chance
alone, about half of them.
"""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.genotypes.places import BEYOND_END, NO_ALIAS, OTHER_HEADER
from soyfold.prediction.alignment import count_fitting, find_places, pair_alleles

POSITION, ID = "position", "id"
MATCHED = "matched by"  # of what the first row of counts is
FITTING = 0.9  # least share of variants found that have the model's alleles
FOREIGN = (OTHER_HEADER, BEYOND_END, NO_ALIAS)  # what tells another assembly


@dataclasses.dataclass(frozen=True)
class Match:
    """Which rows of new genotypes are a model's variants, and what says so.

    Attributes
    ----------
    by : {'position', 'id'}
    rows : ndarray (L,) int64
        Row of the new genotypes; -1 where there is none.
    found, fitting : dict of str to int
        Variants found by position and by id; those of them whose alleles fit.
    elsewhere : Series (L,) of str
        Where the file has a variant's id, if not at its place (Gm01:66448); missing else.
    several : int
        Variants whose ids stand for several, and so tell nothing.
    """

    by: str
    rows: np.ndarray
    found: dict
    fitting: dict
    elsewhere: pd.Series
    several: int

    def rows_of_counts(self):
        """Rows (of, what, count) for alignment.tsv."""
        rows = [(MATCHED, self.by, self.found[self.by])]
        for by in (POSITION, ID):
            rows += [(f"found by {by}", "all", self.found[by])]
            rows += [(f"found by {by}", "alleles fit", self.fitting[by])]
        rows += [("found by id", "at another place", int(self.elsewhere.notna().sum()))]
        return [*rows, ("not found by id", "id of several variants", self.several)]


def find_ids(ids, new_ids):
    """Row of the new genotypes that has an id of each of a model's variants.

    Case is of no matter; `ss1;rs2` are two ids, as VCFs write them.

    Parameters
    ----------
    ids, new_ids : Series of str
        Missing where a variant has none.

    Returns
    -------
    rows : ndarray (L,) int64
        -1 where there is none, or where one of the two has an id of several others.
    several : int
        Variants of the latter kind.
    """
    own, new = (_split(series) for series in (ids, new_ids))
    pairs = own.merge(new, on="id", suffixes=("", "_new"))[["row", "row_new"]].drop_duplicates()
    unclear = pairs["row"].duplicated(keep=False) | pairs["row_new"].duplicated(keep=False)
    rows = np.full(len(ids), -1, dtype=np.int64)
    clear = pairs[~unclear]
    rows[clear["row"]] = clear["row_new"]
    return rows, pairs.loc[unclear, "row"].nunique()


def _split(ids):
    """Rows and their ids, one of each a row."""
    parts = pd.Series(ids.to_numpy(dtype=object)).str.casefold().str.split(";").explode()
    parts = parts[parts.notna() & ~parts.isin(["", "."])]
    return pd.DataFrame({"row": parts.index, "id": parts.to_numpy(dtype=object)})


def match_variants(panel, new, records, *, how, least, file):
    """Find a model's variants among those of new genotypes; say how, and where the two disagree.

    Parameters
    ----------
    panel, new : DataFrame
        As `alignment.align_variants` takes them.
    records : DataFrame
        The import's table: variant, kept, id, elsewhere.
    how : {'auto', 'position', 'id'}
        auto: position where enough of the model's variants are at their places with alleles that
        fit, id where they aren't and enough are by their ids.
    least : float
        Which share of the variants is enough.
    file : path-like
        For messages.

    Returns
    -------
    Match

    Raises
    ------
    UserError
        If the file's places are another assembly's and its ids not the model's.
    """
    kept = records[records["kept"] == "yes"].set_index("variant").reindex(new["variant"])
    by_id, several = find_ids(panel["variant"], kept["id"])
    rows = {POSITION: find_places(panel, new), ID: by_id}
    found = {by: int((own >= 0).sum()) for by, own in rows.items()}
    fitting = {by: count_fitting(pair_alleles(panel, new, own)) for by, own in rows.items()}
    elsewhere = _find_elsewhere(panel, new, by_id)
    foreign = kept.loc[kept["elsewhere"].isin(FOREIGN), "elsewhere"]
    moved = int(elsewhere.notna().sum())
    by = how
    if how == "auto":
        enough = {
            name: fitting[name] >= max(1, least * len(panel), FITTING * found[name])
            for name in rows
        }
        by = _choose(found, fitting, enough, moved, foreign=len(foreign) > 0)
    match = Match(by, rows[by], found, fitting, elsewhere, several)
    if by == POSITION and len(foreign):
        _refuse_foreign(match, new, foreign, len(panel), file)
    _tell(match, panel, foreign, how, file)
    return match


def _find_elsewhere(panel, new, rows):
    """Where the file has the ids of variants that aren't at the model's place."""
    there = new[["chromosome", "position"]].reindex(rows).set_axis(panel.index)
    moved = there["position"].gt(0) & (
        (there["chromosome"] != panel["chromosome"]) | (there["position"] != panel["position"])
    )
    text = there["chromosome"] + ":" + there["position"].astype("Int64").astype(str)
    return text.where(moved)


def _choose(found, fitting, enough, moved, *, foreign):
    """The way that tells which variant is which."""
    more = fitting[ID] > fitting[POSITION]
    if enough[POSITION] and not foreign and not (enough[ID] and more and 2 * moved > found[ID]):
        return POSITION
    # Of too few by either way, those of the better one are then counted and refused.
    fits = fitting[ID] >= max(1, FITTING * found[ID])
    return ID if enough[ID] or (fits and (more or foreign)) else POSITION


def _refuse_foreign(match, new, foreign, size, file):
    first = new.set_index("variant").loc[foreign.index[0]]
    counts = ", ".join(f"{n} with {why}" for why, n in foreign.value_counts().items())
    raise UserError(
        f"places of another assembly: {counts} (first {foreign.index[0]}, {first['chromosome']}"
        f" {first['position']}); {match.found[ID]} of the model's {size} variants by id,"
        f" {match.fitting[ID]} of them with its alleles",
        file=file,
        allowed="places of the study's assembly, or the ids of its SNPs",
        mend="lift the positions over to the study's assembly, or give the SNPs the ids that the"
        " study's file has; if only the header is wrong, take its ##contig lines out",
    )


def _tell(match, panel, foreign, how, file):
    """One line on what was done and why; a warning where ids and places disagree."""
    why = {"auto": "positions agree" if match.by == POSITION else "positions don't agree, ids do"}
    counts = [match.found[POSITION], match.fitting[POSITION], match.found[ID], match.fitting[ID]]
    log.info(
        "SNPs matched by %s (%s): of the model's %d, %d are at the file's positions, %d with"
        " alleles that fit; %d are in the file by id, %d with alleles that fit",
        *(match.by, why.get(how, f"match: {how}"), len(panel), *counts),
    )
    elsewhere = match.elsewhere.dropna()
    if elsewhere.empty and foreign.empty:
        return
    said = f"{len(elsewhere)} of {match.found[ID]} SNPs with an id of the model lie elsewhere"
    if len(elsewhere):
        first = panel.loc[elsewhere.index[0]]
        place = f"{first['chromosome']}:{first['position']}"
        said += f" (first {first['variant']}: {place} in the study, {elsewhere.iloc[0]} here)"
    log.warning(
        "WARNING %s: %s: %s; matched by %s",
        *(file, said, _find_cause(match, len(elsewhere), foreign), match.by),
    )


def _find_cause(match, moved, foreign):
    """The likely cause of ids at other places."""
    if match.fitting[ID] < FITTING * match.found[ID]:
        return (
            f"only {match.fitting[ID]} of the ids have the model's alleles, so that they may name"
            " other SNPs (rows that are numbered, say)"
        )
    words = [f"{n} with {why}" for why, n in foreign.value_counts().items()]
    told = f" ({', '.join(words)})" if words else ""
    if 2 * moved > match.found[ID]:
        return f"the file's positions are another assembly's{told}"
    if words:
        return f"places tell another assembly{told}, ids mostly the same"
    return "SNPs that were mapped anew, as between assemblies"
