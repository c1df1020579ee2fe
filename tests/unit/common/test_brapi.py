"""soyfold.common.brapi: pages of a server, right ones and wrong ones, interrupted and gone on."""

import pytest
from brapi_server import LOGIN, Brapi, serve

from soyfold.common.brapi import Server, read_token, split_url
from soyfold.common.errors import UserError


@pytest.fixture(autouse=True)
def _loopback(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def read(url, folder, call="observations", **how):
    """All rows of a call."""
    with Server(url, folder=folder, pauses=(0, 0), **how) as server:
        return [row for rows in server.pages(call) for row in rows]


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("most", [1, 3, 5, 100])
def test_all_pages_come_once_in_order(most, tokens, tmp_path):
    brapi = Brapi(most=most, tokens=tokens)
    with serve(brapi) as base:
        rows = read(f"{base}/observations/?studyDbId=study1", tmp_path / "pages")
    assert rows == brapi.rows["observations"]
    assert len(brapi.asked) == -(-20 // most)
    assert all(query["studyDbId"] == "study1" for _, query in brapi.asked)
    assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize("failed", [(503, "text/plain", b""), (429, "text/plain", b""), OSError])
def test_a_busy_server_is_asked_again(failed, tmp_path):
    brapi = Brapi(most=10)
    brapi.wrong = {("observations", 1): failed, ("observations", 2): failed}
    with serve(brapi) as base:
        assert read(base, tmp_path / "pages") == brapi.rows["observations"]
    assert len(brapi.asked) == 4


def test_an_interrupted_run_goes_on_from_the_pages_that_came(tmp_path):
    brapi = Brapi(most=4)
    brapi.wrong = {("observations", n): (503, "text/plain", b"") for n in (2, 3, 4)}
    with serve(brapi) as base:
        with pytest.raises(UserError, match=r"found status 503 .*try again later; what came is"):
            read(base, tmp_path / "pages")
        assert len(list((tmp_path / "pages").iterdir())) == 2
        brapi.wrong, brapi.asked = {}, []
        assert read(base, tmp_path / "pages") == brapi.rows["observations"]
    assert [query["page"] for _, query in brapi.asked] == ["2", "3", "4"]
    assert not (tmp_path / "pages").exists()
    with pytest.raises(UserError, match=r"found no answer \(.*opens from this machine"):
        read(base, tmp_path / "pages")  # the server is gone


def about(**changes):
    """An answer whose pagination says other things; None takes a key out."""

    def change(answer):
        pagination = answer["metadata"]["pagination"]
        for key, value in changes.items():
            pagination[key] = value
            if value is None:
                del pagination[key]

    return change


def without(key):
    def change(answer):
        del answer[key]

    return change


def data(value):
    def change(answer):
        answer["result"]["data"] = value

    return change


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (LOGIN, "a page of HTML, such as of a login.*allowed: JSON"),
        ((200, "application/json", b"<html></html>"), "a page of HTML"),
        ((200, "application/json", b'{"metadata": '), "found no JSON"),
        ((200, "application/json", b"[]"), "no key metadata in the answer"),
        ((401, "application/json", b"{}"), "status 401 .*allowed: status 200.*isn't valid"),
        ((403, "application/json", b"{}"), "status 403"),
        ((404, "text/html", b"<html>"), "status 404 .*ends with /brapi/v2"),
        ((500, "text/plain", b""), "status 500"),
        (without("metadata"), "no key metadata"),
        (without("result"), "no key result"),
        (lambda answer: answer["result"].pop("data") and None, "no key result.data"),
        (
            lambda answer: answer["metadata"].pop("pagination") and None,
            "no key metadata.pagination",
        ),
        (data("none"), "'none' for result.data"),
        (data([1]), "found 1 in result.data"),
        (about(totalPages=None), "no key metadata.pagination.totalPages"),
        (about(totalCount="20"), "'20' for totalCount"),
        (about(currentPage=4), "page 4 of 5 with 20 in all, where page 1 of 5 with 20 was asked"),
        (about(totalPages=6), "page 1 of 6 with 20 in all, where page 1 of 5"),
        (about(totalCount=21), "page 1 of 5 with 21 in all"),
        (data([]), "no row on page 1 of 5"),
        (data([{}]), "17 rows on all pages of observations, where totalCount is 20"),
    ],
)
def test_a_wrong_server_is_refused_in_one_line(wrong, said, tmp_path):
    """Its second page is wrong: nothing of it is kept, and the next run asks for it anew."""
    brapi = Brapi(most=4)
    brapi.wrong = {("observations", n): wrong for n in (1, 2, 3)}
    if said.startswith("17 rows"):
        brapi.wrong = {("observations", 1): wrong}
    with serve(brapi) as base:
        with pytest.raises(UserError, match=said) as error:
            read(base, tmp_path / "pages", token="much-secret")
        assert base in str(error.value) and "\n" not in str(error.value)
        assert "much-secret" not in str(error.value)
        brapi.wrong = {}
        assert read(base, tmp_path / "pages") == brapi.rows["observations"]


def test_a_token_that_comes_again_is_no_endless_run(tmp_path):
    brapi = Brapi(most=4, tokens=True)
    brapi.wrong = {("observations", n): about(nextPageToken="1") for n in range(9)}
    with serve(brapi) as base, pytest.raises(UserError, match="the page token '1' again"):
        read(base, tmp_path / "pages")


def test_the_token_goes_to_the_server_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", " much-secret ")
    one, other = Brapi(most=100), Brapi(most=100)
    with serve(one) as base, serve(other) as elsewhere:
        one.wrong = {
            "observations": (
                302,
                "text/plain",
                f"{elsewhere}/observations?page=0&pageSize=99".encode(),
            )
        }
        rows = read(base, tmp_path / "pages", token=read_token("MY_TOKEN"))
    assert rows == other.rows["observations"]
    assert one.headers[0]["Authorization"] == "Bearer much-secret"
    assert "Authorization" not in other.headers[0]
    with pytest.raises(UserError, match=r"environment variable NO_TOKEN: found no token"):
        read_token("NO_TOKEN")
    assert read_token(None) is None


@pytest.mark.parametrize(
    ("url", "base", "query"),
    [
        ("https://a.b/brapi/v2", "https://a.b/brapi/v2", []),
        ("https://a.b/x/brapi/v2/", "https://a.b/x/brapi/v2", []),
        ("http://a.b:8/brapi/v2/allelematrix?variantSetDbId=1&q=a%20b", "http://a.b:8/brapi/v2",
         [("variantSetDbId", "1"), ("q", "a b")]),
    ],
)  # fmt: skip
def test_urls_of_a_server_or_a_call(url, base, query):
    assert split_url(url) == (base, query)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://a.b/brapi/v2", "begins with http"),
        ("file:///etc/passwd", "begins with http"),
        ("a.b/brapi/v2", "begins with http"),
        ("https://a.b/brapi/v2?access_token=much-secret", r"a secret in the URL \(access_token\)"),
        ("https://me:much-secret@a.b/brapi/v2", "a secret in the URL .*token_env"),
    ],
)
def test_urls_that_are_none_or_that_hold_secrets(url, said):
    with pytest.raises(UserError, match=said) as error:
        split_url(url, file="study.yaml", at="key genotypes.file")
    assert "much-secret" not in str(error.value)
