"""Genotypes of a BrAPI 2 server (/callsets, /variants, /allelematrix) as a VCF."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd

from soyfold.common.brapi import CHANGED, Server, look_up, read_token, refuse, refuse_place
from soyfold.common.errors import UserError
from soyfold.common.files import staged, write_table, zipped
from soyfold.common.logs import log
from soyfold.genotypes.vcf import FIXED

MATRIX = "GT"  # abbreviation of the matrix of calls
SIZES = {"VARIANTS": 1000, "CALLSETS": 500}  # asked for at once
NAMES = {"VARIANTS": "dimensionVariantPage", "CALLSETS": "dimensionCallSetPage"}
_BASES = re.compile("[ACGTN]+")


def fetch_genotypes(url, *, token_env=None, path, call_sets, **how):
    """Write a server's calls as a VCF, and which call set each of its samples is.

    Samples are named by callSetName, blanks in it as `_`. A variant has its variantNames as id.
    What the server doesn't say of a place or of alleles is missing, and dropped and counted at
    import.

    Parameters
    ----------
    url : str
        As `brapi.split_url` takes it, mostly with variantSetDbId.
    token_env : str, optional
        Environment variable of the token.
    path : path-like
        Gzipped VCF.
    call_sets : path-like
        Table: sample, callSetDbId, callSetName, sampleDbId.
    **how
        As `brapi.Server` takes it.

    Raises
    ------
    UserError
        If the server can't be reached or its answers don't go together.
    """
    folder = Path(f"{path}.pages")
    with Server(url, token=read_token(token_env), folder=folder, **how) as server:
        table = _write_vcf(server, path)
        write_table(table, call_sets)


def _write_vcf(server, path):
    """Write the VCF; returns the table of call sets."""
    variants = _by_id(server, "variants", "variantDbId")
    sets = _by_id(server, "callsets", "callSetDbId")
    names = _name_samples(sets, server.base)
    known = {"variantDbId": (variants, "variants"), "callSetDbId": (sets, "callsets")}
    seen = 0
    with staged(path) as temporary, zipped(temporary) as stream:
        order = None
        for own, rows, ids in _blocks(server):
            if order is None:
                order = own
                _refuse_unknown(server.base, order, "callSetDbId", *known["callSetDbId"])
                header = "\t".join([*FIXED, *(names[key] for key in order)])
                stream.write(f"##fileformat=VCFv4.2\n{header}\n".encode())
            elif own != order:
                refuse("call sets that differ between pages", f"{server.base}/allelematrix")
            _refuse_unknown(server.base, ids, "variantDbId", *known["variantDbId"])
            for key, row in zip(ids, rows, strict=True):
                line = "\t".join([*_fields(key, variants[key]), *row])
                stream.write(f"{line}\n".encode())
            seen += len(ids)
    table = [
        (names[key], key, sets[key].get("callSetName"), sets[key].get("sampleDbId"))
        for key in order
    ]
    columns = ["sample", "callSetDbId", "callSetName", "sampleDbId"]
    log.info("%s: %d variants, %d call sets", server.base, seen, len(order))
    if (seen, len(order)) != (len(variants), len(sets)):
        log.warning(
            "WARNING %s: the matrix of calls lacks %d of %d variants and %d of %d call sets that"
            " /variants and /callsets have",
            *(server.base, len(variants) - seen, len(variants)),
            *(len(sets) - len(order), len(sets)),
        )
    return pd.DataFrame(table, columns=columns)


def _by_id(server, call, key):
    """Rows of a call by their id, each once."""
    found = {}
    for rows in server.pages(call):
        for row in rows:
            name = str(look_up(row, key, str | int, f"{server.base}/{call}"))
            if name in found:
                refuse(f"{key} {name!r} twice", f"{server.base}/{call}")
            found[name] = row
    if not found:
        raise UserError(
            f"no row of {call}", file=server.base, allowed="at least one",
            mend="see that variantSetDbId in the URL is one that the server has (/variantsets)",
        )  # fmt: skip
    return found


def _name_samples(sets, base):
    """Names of samples by callSetDbId, one word each; those of one name have their id too."""
    names = {
        key: re.sub(r"\s+", "_", str(row.get("callSetName") or key).strip())
        for key, row in sets.items()
    }
    often = {name for name, count in Counter(names.values()).items() if count > 1}
    if often:
        log.warning(
            "WARNING %s: %d call sets share their callSetName (first %s): they are called by"
            " callSetName and callSetDbId; cohort.id_map can say which one is the line's",
            *(base, sum(name in often for name in names.values()), min(often)),
        )
    return {key: f"{name}_{key}" if name in often else name for key, name in names.items()}


def _refuse_unknown(base, ids, key, known, call):
    unknown = [name for name in ids if name not in known]
    if unknown:
        refuse(
            f"{len(unknown)} {key} that /{call} doesn't have (first {unknown[0]!r})",
            f"{base}/allelematrix",
        )


def _fields(key, variant):
    """CHROM to FORMAT of a variant."""
    start = variant.get("start")
    place = str(int(start) + 1) if str(start).lstrip("-").isdigit() else "0"
    alternates = variant.get("alternateBases", variant.get("alternate_bases")) or []
    names = variant.get("variantNames") or key
    alternates, names = ([one] if isinstance(one, str) else one for one in (alternates, names))
    ref = str(variant.get("referenceBases") or ".").upper()
    return [
        "_".join(str(variant.get("referenceName") or ".").split()),
        place,
        ";".join(re.sub(r"[\s;]+", "_", str(name).strip()) for name in names) or ".",
        ref if _BASES.fullmatch(ref) else ".",
        ",".join(str(base).upper() for base in alternates) or ".",
        ".",
        ".",
        ".",
        "GT",
    ]


def _blocks(server):
    """Call sets, rows of calls and variants of all pages of the matrix: variants go slowest.

    Raises
    ------
    UserError
        For pages whose shapes or counts don't add up, or calls that are no numbers of alleles.
    """
    totals, seen, first = {}, 0, True
    at = pages = 0
    every = set()
    while first or at < pages:
        across, ids, rows, column, columns = [], None, None, 0, 1
        while column < columns:
            matrix = _Matrix(server, {"VARIANTS": at, "CALLSETS": column}, totals)
            ids = matrix.variants if ids is None else ids
            if matrix.variants != ids:
                refuse("variants that differ between pages of call sets", matrix.url)
            across += matrix.sets
            rows = matrix.calls if rows is None else list(map(list.__add__, rows, matrix.calls))
            pages, columns = (totals[name][1] for name in ("VARIANTS", "CALLSETS"))
            column += 1
        _refuse_count(len(across), len(set(across)), totals, "CALLSETS", matrix.url)
        seen, every, first = seen + len(ids), every | set(ids), False
        at += 1
        yield across, rows, ids
    _refuse_count(seen, len(every), totals, "VARIANTS", matrix.url)


def _refuse_count(seen, different, totals, name, url):
    total, pages = totals[name]
    if not seen or seen != total or different != seen:
        refuse(
            f"{seen} {name} ({different} different) on {pages} pages, where totalCount is {total}",
            url,
            mend=CHANGED,
        )


class _Matrix:
    """One page of the matrix of calls.

    Attributes
    ----------
    url : str
    variants, sets : list of str
    calls : list of list of str
        Rows are variants: 0/1, ./.
    """

    def __init__(self, server, at, totals):
        asked = {NAMES[name]: page for name, page in at.items()}
        asked |= {f"{NAMES[name]}Size": size for name, size in SIZES.items()}
        answer, self.url = server.get(
            "allelematrix", **asked, dataMatrixAbbreviations=MATRIX, preview="false"
        )
        result = answer["result"]
        ids = (look_up(result, f"{name}DbIds", list, self.url) for name in ("variant", "callSet"))
        self.variants, self.sets = ([str(name) for name in names] for names in ids)
        self._check_places(result, at, totals)
        rows = self._find_calls(result)
        shape = [len(self.variants), len(self.sets)]
        widths = {len(row) if isinstance(row, list) else -1 for row in rows}
        if len(rows) != shape[0] or (rows and widths != {shape[1]}):
            refuse(
                f"a matrix of {len(rows)} rows of {', '.join(map(str, sorted(widths)))} calls, for"
                f" {shape[0]} variants and {shape[1]} call sets",
                self.url,
                allowed="a row for each variant, a column for each call set",
            )
        read = _Calls(result, self.url)
        try:
            self.calls = [[read[call] for call in row] for row in rows]
        except TypeError:  # a list, which is no key
            refuse("a call that is no text", self.url)

    def _find_calls(self, result):
        matrices = look_up(result, "dataMatrices", list, self.url)
        names = [m.get("dataMatrixAbbreviation") if isinstance(m, dict) else None for m in matrices]
        if MATRIX not in names:
            raise UserError(
                f"data matrices {names}", file=self.url, allowed=f"one of {MATRIX}, the calls"
            )
        return look_up(matrices[names.index(MATRIX)], "dataMatrix", list, self.url)

    def _check_places(self, result, at, totals):
        """Compare what the page says of both dimensions with what was asked for and told before."""
        about = look_up(result, "pagination", list, self.url)
        there = {str(one.get("dimension")).upper(): one for one in about if isinstance(one, dict)}
        for name, page in at.items():
            if name not in there:
                raise UserError(
                    f"no pagination of {name}", file=self.url, allowed="VARIANTS and CALLSETS"
                )
            keys = ("page", "totalCount", "totalPages")
            own, *total = (look_up(there[name], key, int, self.url) for key in keys)
            first = totals.setdefault(name, total)
            if own != page or first != total:
                refuse_place(own, total, page, first, self.url, of=f" of {name}")


class _Calls(dict):
    """Calls of a server as those of a VCF, as asked for."""

    def __init__(self, result, url):
        super().__init__()
        self._url = url
        signs = [result.get("sepPhased") or "|", result.get("sepUnphased") or "/"]
        self._signs = re.compile("|".join(map(re.escape, dict.fromkeys([*signs, "/", "|"]))))
        self._phased = signs[0]
        self._unknown = {"", ".", str(result.get("unknownString") or ".")}

    def __missing__(self, call):
        """Read a call that wasn't read before."""
        text = "" if call is None else str(call).strip()
        alleles = [text] if text in self._unknown else self._signs.split(text)
        alleles = ["." if allele in self._unknown else allele for allele in alleles]
        if not all(allele == "." or allele.isdecimal() for allele in alleles):
            raise UserError(
                f"the call {text!r:.40}", file=self._url,
                allowed="numbers of alleles (0 is REF), as BrAPI's GT has them",
            )  # fmt: skip
        # A server may write a homozygous call as one allele (expandHomozygotes).
        both = alleles * 2 if len(alleles) == 1 else alleles
        phased = self._phased in text and len(alleles) > 1
        self[call] = said = ("|" if phased else "/").join(both)
        return said
