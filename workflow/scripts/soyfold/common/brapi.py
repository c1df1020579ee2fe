"""A BrAPI 2 server read page by page: asked again where it is busy, refused where it is wrong.

Pages that came stay in a folder until all are there, so that an interrupted run goes on.
"""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from soyfold.common.errors import UserError
from soyfold.common.files import staged
from soyfold.common.logs import log

FORMAT = "brapi"  # what a study calls such a source
PAGE_SIZE = 1000  # rows that are asked for at once; servers may give fewer
TIMEOUT = 120  # seconds
PAUSES = (1, 2, 4, 8, 16)  # seconds before each further try
LONGEST = 60  # seconds that a server's Retry-After is heeded
BUSY = (429, 500, 502, 503, 504)
CALLS = ("allelematrix", "callsets", "observations", "variants")  # that a URL may end with
SECRETS = ("token", "access_token", "apikey", "api_key", "password", "authtoken")
CHANGED = "start the run again: the data may have changed meanwhile"
_SPECIFICATION = "an answer as BrAPI 2.1 has it"


def digest(url):
    """A short name for a URL, for files."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def split_url(url, *, file=None, at=None):
    """Base URL and query of what a study asks of a server.

    Parameters
    ----------
    url : str
        Base URL, or that of a call, with a query: https://SERVER/brapi/v2/observations?studyDbId=1.
    file, at : str
        Where it stands, for messages.

    Returns
    -------
    base : str
        Without the call and without a slash.
    query : list of (str, str)

    Raises
    ------
    UserError
        If it is no http or https URL, or holds a token or password, which files would show.
    """
    parts = urlsplit(url)
    where = {"file": file, "at": at}
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{url!r}", allowed="a URL that begins with http:// or https://", **where)
    query = parse_qsl(parts.query, keep_blank_values=True)
    shown = [name for name, _ in query if name.lower() in SECRETS]
    if shown or "@" in parts.netloc:
        raise UserError(
            f"a secret in the URL ({shown[0] if shown else 'before @'})",
            allowed="a URL without: it stands in files and logs",
            mend="put the token into an environment variable and name that as token_env",
            **where,
        )
    path = parts.path.rstrip("/")
    head, _, last = path.rpartition("/")
    path = head if last in CALLS else path
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), query


def read_token(name):
    """The token in an environment variable; None where no variable is named."""
    if not name:
        return None
    token = os.environ.get(name, "").strip()
    if not token:
        raise UserError(
            "no token", at=f"environment variable {name}", allowed="the server's token",
            mend=f"export {name}=... before the run, or drop token_env",
        )  # fmt: skip
    return token


class Server:
    """Answers of a BrAPI 2 server.

    Parameters
    ----------
    url : str
        As `split_url` takes it; its query goes with every call.
    token : str, optional
        Sent to this server alone, and to no other that it names.
    folder : path-like
        Of the pages that came. As a context manager it is removed when all is done, or when the
        answers are wrong; it stays where the server was away or the run was interrupted.
    pauses : sequence of float
        Seconds before each further try.
    """

    def __init__(self, url, *, token=None, folder, pauses=PAUSES):
        self.base, self.query = split_url(url)
        self._token, self._pauses = token, pauses
        self.folder = Path(folder)
        self._away = False

    def __enter__(self):
        """The server itself."""
        return self

    def __exit__(self, kind, error, trace):
        """Remove the pages, unless the run can go on from them."""
        if error is None or (isinstance(error, UserError) and not self._away):
            shutil.rmtree(self.folder, ignore_errors=True)

    def get(self, call, **asked):
        """The answer to a call, from the folder if it came before.

        Parameters
        ----------
        call : str
            variants, observations, ...
        **asked
            Parameters beside those of the URL.

        Returns
        -------
        answer : dict
            With `metadata` and `result`.
        url : str
            For messages.

        Raises
        ------
        UserError
            For a status that isn't 200, after several tries where the server is busy or away; for
            what is no JSON, or no answer of BrAPI.
        """
        mine = [(name, value) for name, value in self.query if name not in asked]
        url = f"{self.base}/{call}?{urlencode([*mine, *asked.items()])}"
        page = self.folder / f"{call}_{digest(url)}.json"
        if page.is_file():
            return json.loads(page.read_text(encoding="utf-8")), url
        try:
            answer = _parse(*self._ask(url), url)
        except UserError:
            self._away = True
            raise
        with staged(page) as temporary:
            temporary.write_text(json.dumps(answer), encoding="utf-8")
        return answer, url

    def _ask(self, url):
        """Body and content type of a URL."""
        # Loaded here alone: a run that fetches nothing begins without them.
        import http.client
        import urllib.error
        import urllib.request

        request = urllib.request.Request(url, headers={"Accept": "application/json"})
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        for pause in (*self._pauses, None):
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                    return answer.read(), answer.headers.get_content_type()
            except urllib.error.HTTPError as error:
                if error.code not in BUSY or pause is None:
                    raise _of_status(error, url, bool(self._token)) from None
                said, pause = f"status {error.code}", _pause(error, pause)
            except (OSError, http.client.HTTPException) as error:
                said = str(getattr(error, "reason", error)) or type(error).__name__
                if pause is None:
                    raise UserError(
                        f"no answer ({said})", file=url, allowed="a server that can be reached",
                        mend="see whether the URL opens from this machine; what came is kept, and"
                        " the same command goes on",
                    ) from None  # fmt: skip
            log.info("%s: %s; asked again in %g s", url, said, pause)
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def pages(self, call, **asked):
        """Rows (result.data) of a call, page by page, by number or by token as the server does it.

        Yields
        ------
        list of dict

        Raises
        ------
        UserError
            As `get`; for pages whose numbers or counts don't add up.
        """
        place, seen, first, tokens = {"page": 0}, 0, None, set()
        while place:
            answer, url = self.get(call, **asked, **place, pageSize=PAGE_SIZE)
            about = look_up(answer, "metadata.pagination", dict, url)
            rows = look_up(answer, "result.data", list, url)
            if odd := [row for row in rows if not isinstance(row, dict)]:
                refuse(f"{odd[0]!r:.40} in result.data", url)
            seen += len(rows)
            yield rows
            if after := about.get("nextPageToken"):
                if after in tokens:
                    refuse(f"the page token {after!r} again", url)
                tokens.add(after)
                place = {"pageToken": after}
            elif tokens or ("currentPage" not in about and "currentPageToken" in about):
                place = None  # the last page, which may be the only one
            else:
                first = _check_page(about, place["page"], first, url)
                place = {"page": place["page"] + 1} if place["page"] + 1 < first[1] else None
                if place and not rows:
                    refuse(f"no row on page {place['page'] - 1} of {first[1]}", url)
        total = about.get("totalCount")
        if total is not None and seen != total:
            refuse(f"{seen} rows on all pages of {call}, where totalCount is {total}", url,
                   mend=CHANGED)  # fmt: skip


def _check_page(about, number, first, url):
    """Totals (rows, pages) that a page tells, which are those of the first one."""
    own, *total = (
        look_up(about, name, int, url, whole="metadata.pagination")
        for name in ("currentPage", "totalCount", "totalPages")
    )
    first = first or total
    if own != number or total != first:
        refuse_place(own, total, number, first, url)
    return first


def refuse_place(own, total, asked, first, url, *, of=""):
    """Raise that a page is another than was asked for, or tells other totals (rows, pages)."""
    refuse(
        f"page {own} of {total[1]}{of} with {total[0]} in all, where page {asked} of {first[1]}"
        f" with {first[0]} was asked for",
        url,
        mend=CHANGED,
    )


def refuse(found, url, **words):
    """Raise what is wrong with an answer."""
    raise UserError(found, file=url, **{"allowed": _SPECIFICATION, **words})


def look_up(answer, path, kind, url, *, whole=""):
    """What stands under keys (`result.data`) of an answer, of a type that must be."""
    found = answer
    for key in path.split("."):
        if not isinstance(found, dict) or key not in found:
            place = f"{whole}.{path}" if whole else path
            raise UserError(f"no key {place} in the answer", file=url, allowed=_SPECIFICATION)
        found = found[key]
    if not isinstance(found, kind) or isinstance(found, bool):
        raise UserError(
            f"{found!r:.40} for {path} in the answer", file=url,
            allowed=f"{getattr(kind, '__name__', kind)}, as BrAPI 2.1 has it",
        )  # fmt: skip
    return found


def _pause(error, pause):
    """Seconds to wait, as the server asks where it does."""
    after = error.headers.get("Retry-After", "")
    return min(max(int(after), pause), LONGEST) if after.isdigit() else pause


def _of_status(error, url, token):
    mend = {
        401: "the token isn't valid there" if token else "name its variable as token_env",
        403: "the token gives no right to it" if token else "name its variable as token_env",
        404: "see that the URL is that of BrAPI 2 (it ends with /brapi/v2) and that the server has"
        " the call",
    }.get(error.code)
    if error.code in BUSY:
        mend = "try again later; what came is kept, and the same command goes on"
    return UserError(
        f"status {error.code} ({error.reason})", file=url, allowed="status 200", mend=mend
    )


def _parse(body, kind, url):
    """An answer, JSON with `metadata` and `result`."""
    start = body[:200].lstrip().lower()
    if kind == "text/html" or start.startswith((b"<!doctype", b"<html")):
        raise UserError(
            "a page of HTML, such as of a login", file=url, allowed="JSON",
            mend="name the token's variable as token_env, and see that the URL is that of BrAPI 2",
        )  # fmt: skip
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise UserError(f"no JSON ({error})", file=url, allowed=_SPECIFICATION) from None
    for key in ("metadata", "result"):
        look_up(answer, key, dict, url)
    return answer
