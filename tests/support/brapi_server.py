"""A BrAPI 2.1 server on loopback: pages in the specification's shape, and wrong ones."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import numpy as np

LOGIN = (200, "text/html", b"<!DOCTYPE html><html><body>Log in</body></html>")


class Brapi:
    """What a server holds, and what it was asked.

    Attributes
    ----------
    rows : dict of str to list of dict
        Of the calls that are lists.
    counts : ndarray (variants, call sets) int
        Copies of ALT, -1 missing.
    most : int
        Rows that a page has at most, whatever is asked.
    tokens : bool
        Whether lists are paged by token.
    wrong : dict
        (call, how many times it was asked before) to an answer (status, type, body), a function of
        the right answer (dict) that changes it, or an exception, which ends the connection.
    asked : list of (str, dict)
        Calls and their parameters.
    headers : list of dict
    """

    def __init__(self, *, variants=7, lines=5, most=3, tokens=False, seed=1):
        random = np.random.default_rng(seed)
        self.most, self.tokens, self.wrong = most, tokens, {}
        self.asked, self.headers = [], []
        self.counts = random.integers(-1, 3, (variants, lines))
        self.rows = {
            "variants": [
                {
                    "variantDbId": f"v{i}", "variantNames": [f"ss{i}", f"rs{i}"],
                    "referenceName": "chrI", "start": 100 * i + 9, "end": 100 * i + 10,
                    "referenceBases": "A", "alternateBases": ["G"], "variantSetDbId": ["set1"],
                    "variantType": "SNV",
                }
                for i in range(variants)
            ],
            "callsets": [
                {"callSetDbId": f"c{k}", "callSetName": f"Line {k}", "sampleDbId": f"s{k}",
                 "variantSetDbIds": ["set1"]}
                for k in range(lines)
            ],
            "observations": [
                {
                    "observationDbId": f"o{k}_{year}_{name}", "germplasmDbId": f"g{k}",
                    "germplasmName": f"Line {k}", "observationUnitDbId": f"u{k}_{year}",
                    "observationUnitName": f"plot {k}", "studyDbId": "study1",
                    "season": {"seasonDbId": None, "year": year, "seasonName": "spring"},
                    "observationTimeStamp": f"{year}-06-01T00:00:00Z",
                    "observationVariableDbId": f"id_{name}", "observationVariableName": name,
                    "value": str(10 * (name == "Oil") + k + year / 1000),
                    "collector": None, "externalReferences": [], "additionalInfo": {},
                }
                for name in ("Oil", "Protein") for year in (2012, 2013) for k in range(lines)
            ],
        }  # fmt: skip

    def answer(self, call, query):
        """The right answer, as the specification has it."""
        if call == "allelematrix":
            return self._matrix(query)
        rows = self.rows[call]
        size = min(self.most, int(query["pageSize"]))
        page = int(query.get("pageToken", query.get("page", 0)))
        pages = -(-len(rows) // size)
        about = {"pageSize": size, "totalCount": len(rows), "totalPages": pages}
        if self.tokens:
            about["currentPageToken"] = str(page)
            if page + 1 < pages or self.most % 2:  # others leave out what is none
                about["nextPageToken"] = str(page + 1) if page + 1 < pages else None
        else:
            about["currentPage"] = page
        data = rows[page * size : (page + 1) * size]
        return {
            "@context": ["https://brapi.org/jsonld/context/metadata.jsonld"],
            "metadata": {"datafiles": [], "status": [], "pagination": about},
            "result": {"data": data},
        }

    def _matrix(self, query):
        places, about, ids = [], [], {}
        for call, short in (("variants", "Variant"), ("callsets", "CallSet")):
            rows, key = self.rows[call], f"{short[0].lower()}{short[1:]}DbId"
            size = min(self.most, int(query[f"dimension{short}PageSize"]))
            page = int(query[f"dimension{short}Page"])
            places.append(slice(page * size, (page + 1) * size))
            ids[f"{key}s"] = [row[key] for row in rows[places[-1]]]
            about.append(
                {
                    "dimension": call.upper(), "page": page, "pageSize": size,
                    "totalCount": len(rows), "totalPages": -(-len(rows) // size),
                }
            )  # fmt: skip
        cells = np.array(["./.", "0/0", "0/1", "1/1"])[self.counts + 1]
        return {
            "metadata": {"datafiles": [], "status": [], "pagination": {}},
            "result": {
                **ids,
                "variantSetDbIds": ["set1"],
                "dataMatrices": [
                    {"dataMatrixAbbreviation": "GT", "dataMatrixName": "Genotype",
                     "dataType": "string",
                     "dataMatrix": cells[tuple(places)].tolist()}
                ],
                "expandHomozygotes": True, "sepPhased": "|", "sepUnphased": "/",
                "unknownString": ".", "pagination": about,
            },
        }  # fmt: skip


def _handler(server):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            call, query = parts.path.rpartition("/")[2], dict(parse_qsl(parts.query))
            before = sum(call == name for name, _ in server.asked)
            server.asked.append((call, query))
            server.headers.append(dict(self.headers))
            wrong = server.wrong.get((call, before), server.wrong.get(call))
            if isinstance(wrong, type) and issubclass(wrong, Exception):
                self.close_connection = True
                self.connection.close()
                return
            if isinstance(wrong, tuple):
                status, kind, body = wrong
            else:
                answer = json.loads(json.dumps(server.answer(call, query)))  # which may be spoilt
                if wrong:
                    answer = wrong(answer) or answer
                status, kind, body = 200, "application/json", json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if status in (301, 302):
                self.send_header("Location", body.decode())
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *words):
            """Say nothing."""

    return Handler


@contextlib.contextmanager
def serve(server):
    """The base URL of a `Brapi` that answers while the block runs."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/brapi/v2"
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
