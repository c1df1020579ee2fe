"""soyfold.genotypes.brapi: a server's matrix of calls as the VCF that a study reads."""

import gzip

import numpy as np
import pandas as pd
import pytest
from brapi_server import Brapi, serve
from genotype_files import CHROMOSOMES, PLINK

from soyfold.common.errors import UserError
from soyfold.genotypes import bed
from soyfold.genotypes.brapi import fetch_genotypes
from soyfold.genotypes.importing import import_genotypes


@pytest.fixture(autouse=True)
def _loopback(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def fetch(brapi, folder, query="?variantSetDbId=set1"):
    """Rows of the VCF's table by column, and the table of call sets."""
    with serve(brapi) as base:
        fetch_genotypes(
            f"{base}/allelematrix{query}", pauses=(0, 0), path=folder / "brapi.vcf.gz",
            call_sets=folder / "sets.tsv",
        )  # fmt: skip
    lines = gzip.decompress((folder / "brapi.vcf.gz").read_bytes()).decode().splitlines()
    assert lines[0] == "##fileformat=VCFv4.2" and not list(folder.glob("*.pages"))
    header, *rows = (line.split("\t") for line in lines[1:])
    return pd.DataFrame(rows, columns=header), pd.read_csv(folder / "sets.tsv", sep="\t")


@pytest.mark.parametrize("most", [1, 2, 4, 100])
def test_the_vcf_holds_the_matrix_whatever_its_pages(most, tmp_path):
    """Through import too: places are counted from 1, ids are all names."""
    brapi = Brapi(most=most)
    vcf, sets = fetch(brapi, tmp_path)
    assert list(vcf.columns[9:]) == [f"Line_{k}" for k in range(5)] == sets["sample"].tolist()
    assert sets["callSetDbId"].tolist() == [f"c{k}" for k in range(5)]
    assert vcf.loc[2, ["#CHROM", "POS", "ID", "REF", "ALT"]].tolist() == [
        "chrI", "210", "ss2;rs2", "A", "G",
    ]  # fmt: skip
    import_genotypes(
        tmp_path / "brapi.vcf.gz", settings={"format": "vcf"}, chromosomes=CHROMOSOMES,
        prefix=tmp_path / "raw", variants=tmp_path / "records.tsv", **PLINK,
    )  # fmt: skip
    rows = bed.open_bed(tmp_path / "raw.bed", variants=7, samples=5)
    np.testing.assert_array_equal(bed.unpack(rows, 5), brapi.counts)
    assert all(query["variantSetDbId"] == "set1" for _, query in brapi.asked)
    matrices = sum(call == "allelematrix" for call, _ in brapi.asked)
    assert matrices == -(-7 // most) * -(-5 // most)


def result(**changes):
    """A change of an answer's result."""
    return lambda answer: answer["result"].update(changes)


def test_calls_as_servers_write_them(tmp_path):
    brapi = Brapi(variants=1, lines=8, most=10)
    calls = ["0", "1", "NA", None, "0:1", "1;0", "NA:1", ""]
    matrix = [{"dataMatrixAbbreviation": "DP", "dataMatrix": [[9] * 8]},
              {"dataMatrixAbbreviation": "GT", "dataMatrix": [calls]}]  # fmt: skip
    brapi.wrong["allelematrix"] = result(
        dataMatrices=matrix, unknownString="NA", sepUnphased=":", sepPhased=";"
    )
    vcf, _ = fetch(brapi, tmp_path)
    assert vcf.iloc[0, 9:].tolist() == ["0/0", "1/1", "./.", "./.", "0/1", "1|0", "./1", "./."]


def test_what_a_server_does_not_say_is_missing(tmp_path, caplog):
    brapi = Brapi(variants=4, lines=3)
    first, second, third, _ = brapi.rows["variants"]
    first |= {"start": None, "referenceName": None, "variantNames": []}
    second |= {"alternateBases": [], "referenceBases": ""}
    third |= {"alternateBases": ["G", "T"], "variantNames": "a b;c", "start": "5"}
    for row in brapi.rows["callsets"][:2]:
        row["callSetName"] = "the same"
    brapi.rows["callsets"][2]["callSetName"] = None
    vcf, sets = fetch(brapi, tmp_path)
    assert vcf.iloc[:3, :5].to_numpy().tolist() == [
        [".", "0", "v0", "A", "G"], ["chrI", "110", "ss1;rs1", ".", "."],
        ["chrI", "6", "a_b_c", "A", "G,T"],
    ]  # fmt: skip
    assert sets["sample"].tolist() == ["the_same_c0", "the_same_c1", "c2"]
    assert "2 call sets share their callSetName (first the_same)" in caplog.text


def change_page(dimension, **changes):
    """A change of what a matrix's page says of a dimension."""

    def change(answer):
        [one] = [p for p in answer["result"]["pagination"] if p["dimension"] == dimension]
        one.update(changes)

    return change


def first_call(value):
    def change(answer):
        answer["result"]["dataMatrices"][0]["dataMatrix"][0][0] = value

    return change


@pytest.mark.parametrize(
    ("number", "wrong", "said"),
    [
        (0, result(dataMatrices=[]), r"data matrices \[\].*one of GT"),
        (0, lambda a: a["result"].pop("variantDbIds") and None, "no key variantDbIds"),
        (0, lambda a: a["result"].pop("pagination") and None, "no key pagination"),
        (0, result(pagination=[]), "no pagination of VARIANTS"),
        (0, result(callSetDbIds=["c0"]), "a matrix of 3 rows of 3 calls, for 3 variants and 1"),
        (0, first_call(["0", "1"]), "a call that is no text"),
        (0, first_call("A/G"), "the call 'A/G'.*numbers of alleles"),
        (1, change_page("CALLSETS", totalPages=3), "page 1 of 3 of CALLSETS"),
        (1, change_page("VARIANTS", totalCount=8), "page 0 of 3 of VARIANTS with 8 in all"),
        (1, change_page("CALLSETS", page=0), "page 0 of 2 of CALLSETS.*where page 1"),
        (1, result(variantDbIds=["v0", "v1", "v6"]), "variants that differ between pages"),
        (1, result(callSetDbIds=["c0", "c4"]), r"5 CALLSETS \(4 different\).*totalCount is 5"),
        (2, result(variantDbIds=["v3", "v4", "x"]), "variants that differ"),
    ],
)
def test_a_wrong_matrix_is_refused_in_one_line(number, wrong, said, tmp_path):
    brapi = Brapi()
    brapi.wrong[("allelematrix", number)] = wrong
    with pytest.raises(UserError, match=said):
        fetch(brapi, tmp_path)
    assert not list(tmp_path.iterdir())
    fetch(brapi, tmp_path)


def test_lists_and_matrix_must_be_of_the_same_variants(tmp_path, caplog):
    brapi = Brapi()
    del brapi.rows["variants"][5:]
    brapi.counts = brapi.counts[:5]
    brapi.wrong["variants"] = lambda answer: answer["result"]["data"].__delitem__(slice(2, None))
    with pytest.raises(UserError, match="where totalCount is 5"):
        fetch(brapi, tmp_path)
    brapi = Brapi(most=9)
    more = {**brapi.rows["callsets"][0], "callSetDbId": "c9", "callSetName": "Line 9"}
    brapi.wrong["callsets"] = lambda a: (
        a["result"]["data"].append(more), a["metadata"]["pagination"].update(totalCount=6), None
    )[-1]  # fmt: skip
    fetch(brapi, tmp_path)
    assert "lacks 0 of 7 variants and 1 of 6 call sets" in caplog.text
    brapi = Brapi(most=9)
    brapi.wrong["variants"] = lambda a: a["result"]["data"][0].update(variantDbId="v1")
    with pytest.raises(UserError, match="variantDbId 'v1' twice"):
        fetch(brapi, tmp_path)
    brapi.wrong["variants"] = lambda a: a["result"]["data"][0].update(variantDbId="v99")
    with pytest.raises(UserError, match=r"1 variantDbId that /variants doesn't have .first 'v0'"):
        fetch(brapi, tmp_path)
    brapi.wrong["variants"] = lambda a: a["result"]["data"][0].update(variantDbId=None)
    with pytest.raises(UserError, match="None for variantDbId"):
        fetch(brapi, tmp_path)
    brapi = Brapi(variants=0)
    with pytest.raises(UserError, match=r"no row of variants.*see that variantSetDbId"):
        fetch(brapi, tmp_path)


def test_a_matrix_goes_on_where_it_was_interrupted(tmp_path):
    brapi = Brapi()
    busy = (503, "text/plain", b"")
    brapi.wrong = {("allelematrix", n): busy for n in (3, 4, 5)}
    with serve(brapi) as base:
        how = {"pauses": (0, 0), "path": tmp_path / "a.vcf.gz", "call_sets": tmp_path / "s.tsv"}
        with pytest.raises(UserError, match="status 503"):
            fetch_genotypes(base, **how)
        assert not (tmp_path / "a.vcf.gz").exists()
        before = len(brapi.asked)
        fetch_genotypes(base, **how)
    assert [call for call, _ in brapi.asked[before:]] == ["allelematrix"] * 3
    whole = tmp_path / "whole"
    whole.mkdir()
    fetch(Brapi(), whole, "")
    assert (whole / "brapi.vcf.gz").read_bytes() == (tmp_path / "a.vcf.gz").read_bytes()
