"""A stand-in of Hardcover's GraphQL API on loopback, as far as this project asks it.

Promises: an operation is known by its name, and answers with those fields only that the query's text asks for, so that
a field that was forgotten in a query is missing in its answer; mutations keep the rules of the real one (half steps,
one entry of a book for each reader, an existing book). Every request is recorded. Traps are set one by one.
Never: parses GraphQL.
Called by: `tests/contract/test_hardcover.py`.
Source: docs.hardcover.app and the published schema of August 2026; errors as the documentation lists them.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

TOKEN = "eyJhbGciOiJIUzI1NiJ9.hardcover.stand-in"
HANG_S = 60.0
PATH = "/v1/graphql"
_OPERATION = re.compile(r"^(query|mutation) (\w+)\s*[({]")
_WORD = re.compile(r"\w+")
ROOTS = {
    "Library": ("query", "me"),
    "Editions": ("query", "editions"),
    "Search": ("query", "search"),
    "Insert": ("mutation", "insert_user_book"),
    "Update": ("mutation", "update_user_book"),
}

# Traps, by name: status, headers and body of an answer that is given without doing anything.
JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html"}
TRAPS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "bad token": (401, JSON, b'{"error":"invalid_token","error_description":"The access token is invalid"}'),
    "bad token, of old": (401, JSON, b'{"error":"Unable to verify token"}'),
    "bad token in 200": (
        200, JSON, b'{"errors":[{"message":"Could not verify JWT: JWTExpired","extensions":{"code":"invalid-jwt"}}]}'
    ),
    "scope": (
        403, JSON, b'{"error":"insufficient_scope","error_description":"no","scope":"write:library"}'
    ),
    "too many": (429, {**JSON, "Retry-After": "120"}, b'{"error":"Too Many Requests","message":"later"}'),
    "errors in 200": (200, JSON, b'{"errors":[{"message":"field not found in type","extensions":{"code":"x"}}]}'),
    "no data": (200, JSON, b"{}"),
    "html": (200, HTML, b"<html><body>Welcome to the hotel</body></html>"),
    "broken": (500, JSON, b'{"error":"An unknown error occurred"}'),
    "gateway": (502, HTML, b"<html>Bad gateway</html>"),
    "slow query": (408, JSON, b'{"error":"Request timeout"}'),
    "not json": (200, JSON, b'{"data":'),
}  # fmt: skip
REPEATS_TOKEN = "repeats token"
TRAPS[REPEATS_TOKEN] = (200, JSON, json.dumps({"errors": [{"message": f"could not use {TOKEN}"}]}).encode())
LOST = "lost"  # it is done, and the connection breaks before the answer
HANGS = "hangs"
REFUSES = "refuses"  # the mutation answers with an `error` of its own
KEEPS_OTHER = "keeps other"  # it says that it saved, and what it saved is something else
SEARCH_FAILS = "search fails"


@dataclass
class Book:
    id: int
    title: str
    authors: list[str]
    isbns: list[str] = field(default_factory=list)
    subtitle: str = ""
    year: int | None = None
    canonical_id: int | None = None


@dataclass
class Asked:
    operation: str
    variables: dict[str, Any]
    authorization: str


@dataclass
class Trap:
    name: str
    operation: str | None
    times: int


class HardcoverStandIn:
    def __init__(self) -> None:
        self.token = TOKEN
        self.user_id = 77
        self.books: dict[int, Book] = {}
        self.library: dict[int, dict[str, Any]] = {}  # by number of the book
        self.requests: list[Asked] = []
        self.connections = 0
        self._traps: list[Trap] = []
        self._next_entry = 9001
        self._stopping = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> HardcoverStandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def add_book(self, id: int, title: str, *authors: str, **more: Any) -> None:
        self.books[id] = Book(id, title, list(authors), **more)

    def has(self, book_id: int, status_id: int, rating: float | None = None) -> None:
        """The reader has this book in her library there."""
        self._insert({"book_id": book_id, "status_id": status_id, "rating": rating})

    def trap(self, name: str, operation: str | None = None, times: int = 1) -> None:
        assert name in TRAPS or name in (LOST, HANGS, REFUSES, KEEPS_OTHER, SEARCH_FAILS)
        self._traps.append(Trap(name, operation, times))

    def spring_all(self) -> None:
        """No trap is left."""
        self._traps.clear()

    def operations(self) -> list[str]:
        return [asked.operation for asked in self.requests]

    def last(self, operation: str) -> dict[str, Any]:
        """The variables of the last request of this kind."""
        return next(asked.variables for asked in reversed(self.requests) if asked.operation == operation)

    # Answers

    def answer(self, path: str, authorization: str, content: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """None: the connection breaks."""
        if path != PATH:
            return 404, HTML, b"<html>not found</html>"
        try:
            body = json.loads(content)
            query, variables = body["query"], body.get("variables") or {}
        except (ValueError, KeyError, TypeError):
            return 400, JSON, b'{"error":"Malformed request body"}'
        found = _OPERATION.match(query)
        operation = found.group(2) if found else ""
        self.requests.append(Asked(operation, variables, authorization))
        trap = self._sprung(operation)
        if trap in TRAPS:
            return TRAPS[trap]
        if authorization != f"Bearer {self.token}":
            return TRAPS["bad token"]
        if trap == HANGS:
            self._stopping.wait(HANG_S)
            return None
        data = self._data(query, operation, variables, trap)
        if trap == LOST:
            return None
        return 200, JSON, json.dumps(data).encode()

    def _sprung(self, operation: str) -> str:
        for trap in self._traps:
            if trap.operation in (None, operation) and trap.times > 0:
                trap.times -= 1
                return trap.name
        return ""

    def _data(self, query: str, operation: str, variables: dict[str, Any], trap: str) -> dict[str, Any]:
        kind, root = ROOTS.get(operation, ("", ""))
        found = _OPERATION.match(query)
        if not found or found.group(1) != kind or query.count("{") != query.count("}"):
            return {"errors": [{"message": f"unknown operation {operation}"}]}
        words = set(_WORD.findall(query))
        unused = [name for name in variables if f"${name}" not in query]
        if root not in words or unused:
            return {"errors": [{"message": f"the text does not fit: {root}, {unused}"}]}
        if trap == REFUSES:
            return {"data": {root: {"error": "You can not do that", "user_book": None}}}
        answers = {
            "Library": self._library, "Editions": self._editions, "Search": self._search,
            "Insert": self._insert_mutation, "Update": self._update_mutation,
        }  # fmt: skip
        if trap == SEARCH_FAILS:
            return {"data": {"search": {"error": "Search timed out", "results": None}}}
        if trap == KEEPS_OTHER:
            variables = {**variables, "object": {**variables["object"], "rating": 1.0}}
        return {"data": _pruned({root: answers[operation](variables)}, words)}

    def _library(self, variables: dict[str, Any]) -> object:
        mine = [entry for id, entry in self.library.items() if id in variables["books"]]
        return [{"id": self.user_id, "account_privacy_setting_id": 3, "user_books": mine}]

    def _editions(self, variables: dict[str, Any]) -> object:
        wanted = set(variables["isbn13"]) | set(variables["isbn10"])
        return [
            {
                "isbn_13": isbn if len(isbn) == 13 else None,
                "isbn_10": isbn if len(isbn) == 10 else None,
                "title": book.title,
                "book_id": book.id,
                "book": {"canonical_id": book.canonical_id},
            }
            for book in self.books.values()
            for isbn in book.isbns
            if isbn in wanted
        ][: variables["most"]]

    def _search(self, variables: dict[str, Any]) -> object:
        """Typesense is generous: whatever shares a word with the text is found, the more words the earlier."""
        words = set(_WORD.findall(variables["query"].casefold()))
        found = []
        for book in self.books.values():
            common = words & set(_WORD.findall(f"{book.title} {' '.join(book.authors)}".casefold()))
            if common:
                found.append((-len(common), book.id, book))
        hits = [{"document": _document(book), "highlight": {}} for _, _, book in sorted(found)][: variables["most"]]
        return {"error": None, "results": {"found": len(found), "hits": hits, "page": 1}}

    def _insert_mutation(self, variables: dict[str, Any]) -> object:
        wanted = variables["object"]
        if wanted.get("book_id") not in self.books:
            return {"error": "Couldn't find Book", "user_book": None}
        if wanted["book_id"] in self.library:
            return {"error": "Uniqueness violation", "user_book": None}
        return self._fault(wanted) or {"error": None, "user_book": self._insert(wanted)}

    def _update_mutation(self, variables: dict[str, Any]) -> object:
        wanted = variables["object"]
        entry = next((one for one in self.library.values() if one["id"] == variables["id"]), None)
        if entry is None:
            return {"error": "Couldn't find UserBook", "user_book": None}
        fault = self._fault(wanted)
        if fault is None:
            entry.update(wanted)
        return fault or {"error": None, "user_book": dict(entry)}

    def _fault(self, wanted: dict[str, Any]) -> dict[str, Any] | None:
        rating = wanted.get("rating")
        if rating is not None and (not 0 <= rating <= 5 or rating * 2 != int(rating * 2)):
            return {"error": "Rating must be in half steps from 0 to 5", "user_book": None}
        if wanted.get("status_id", 1) not in range(1, 7):
            return {"error": "Status is invalid", "user_book": None}
        return None

    def _insert(self, wanted: dict[str, Any]) -> dict[str, Any]:
        entry = {"id": self._next_entry, "status_id": 1, "rating": None, "privacy_setting_id": 1, **wanted}
        self._next_entry += 1
        self.library[wanted["book_id"]] = entry
        return dict(entry)


def _document(book: Book) -> dict[str, Any]:
    return {
        "id": str(book.id),
        "title": book.title,
        "subtitle": book.subtitle or None,
        "author_names": book.authors,
        "release_year": book.year,
        "users_count": 100,
        "genres": ["Fiction"],
    }


def _pruned(value: Any, words: set[str]) -> Any:
    """Without the fields that the query does not name. What the search found is one value, whatever is in it."""
    if isinstance(value, list):
        return [_pruned(item, words) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: item if name == "results" else _pruned(item, words) for name, item in value.items() if name in words}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, stand_in: HardcoverStandIn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stand_in = stand_in


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.stand_in.connections += 1

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.stand_in.answer(self.path, self.headers.get("authorization", ""), content)
        if answer is None:
            self.close_connection = True
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Tests look at `requests` instead."""
