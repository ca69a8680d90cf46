"""A small model of the three servers: what the outbox can tell apart, and nothing else.

Promises: every reading session and every book note that is posted is inserted, as on the real servers; what has a place
is refused there a second time; an unknown book is 404, or 500 for what has a place, or 400 for a rating; what is to be
deleted and is not there is a 500. Lists of sessions come in pages, the newest first, and those of one second in an
order that is another one each time.
Never: lies by itself; `lies.py` does. Is never the stand-in of `tests/sandbox`, so that the two check each other.
Law: the API map §5.2, §7, §8.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

BOOKLORE, GRIMMORY, WORLDTEACHER = "booklore", "grimmory", "worldteacher"
DIALECTS = (BOOKLORE, GRIMMORY, WORLDTEACHER)

MARK_PATHS = {
    "/api/v1/annotations": "highlight",
    "/api/v2/book-notes": "in_book_note",
    "/api/v1/book-notes": "book_note",
    "/api/v1/bookmarks": "bookmark",
}
REFUSE, FAIL, HANG = "refuse", "fail", "hang"
Row = dict[str, Any]


class Hangs(Exception):
    """The server never answers this, and does nothing."""


@dataclass
class Reply:
    status: int
    value: Any = None  # as JSON; None: no body
    html: bool = False


def own_error(status: int, message: str) -> Reply:
    return Reply(status, {"status": status, "message": message, "timestamp": "2026-11-22T22:13:59"})


@dataclass
class ModelServer:
    dialect: str
    seed: int = 0
    books: dict[int, str] = field(default_factory=dict)  # id → title
    hidden: dict[int, str] = field(default_factory=dict)
    sessions: list[Row] = field(default_factory=list)
    marks: dict[str, list[Row]] = field(default_factory=lambda: {kind: [] for kind in MARK_PATHS.values()})
    values: dict[tuple[str, str], Any] = field(default_factory=dict)  # (title, what) → value
    poison: dict[str, str] = field(default_factory=dict)  # name of a thing → what the server does when it meets it
    now_s: int = 0
    shuffles: bool = True
    silent_lists: set[str] = field(default_factory=set)  # titles of which no list of sessions is ever given
    silent_library: bool = False
    _last_id: int = 0

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    # What the tests do to it

    def add_book(self, title: str) -> int:
        id = self._next_id()
        self.books[id] = title
        return id

    def hide_book(self, title: str) -> None:
        """Its file is gone, or the reader may not see it: it is as if it were not there, until it is back."""
        [id] = [id for id, name in self.books.items() if name == title]
        self.hidden[id] = self.books.pop(id)

    def show_books(self) -> None:
        self.books |= self.hidden
        self.hidden = {}

    def remove_book(self, title: str) -> None:
        """With everything that hangs on it, as the servers' databases do."""
        self.books = {id: name for id, name in self.books.items() if name != title}
        self.sessions = [row for row in self.sessions if row["title"] != title]
        self.values = {key: value for key, value in self.values.items() if key[0] != title}
        for kind, rows in self.marks.items():
            self.marks[kind] = [row for row in rows if row["title of book"] != title]

    def add_session(self, title: str, start: str, end: str, duration_s: int) -> None:
        """As another program would."""
        [book] = [id for id, name in self.books.items() if name == title]
        self._insert_session(book, {"startTime": start, "endTime": end, "durationSeconds": duration_s})

    # Requests

    def handle(self, method: str, target: str, body: bytes | None) -> Reply:
        """Raises Hangs."""
        path, _, query = target.partition("?")
        fields = {} if body is None else json.loads(body)
        if path == "/api/v1/healthcheck":
            return Reply(200, {"data": {"version": "development"}})
        if path == "/api/v1/books" and method == "GET":
            if self.silent_library:
                raise Hangs
            return Reply(200, [_book_record(id, title) for id, title in self.books.items()])
        if path == "/api/v1/users/me":
            return Reply(200, {"id": 1, "permissions": {"admin": True}, "assignedLibraries": [{"id": 1}]})
        if path == "/api/v1/books/batch" and method == "GET":
            sought = [int(id) for id in query.partition("=")[2].replace("%2C", ",").split(",")]
            return Reply(200, [_book_record(id, self.books[id]) for id in sought if id in self.books])
        if path == "/api/v1/books/page":
            return self._newest(query) if self.dialect == GRIMMORY else own_error(500, "An unexpected error occurred.")
        if path.startswith("/api/v1/books/by-hash/"):
            return own_error(404, "no such book") if self.dialect == WORLDTEACHER else Reply(200, html=True)
        if path.startswith("/api/v1/reading-sessions"):
            return self._reading_sessions(method, path, query, fields)
        for base, kind in MARK_PATHS.items():
            if path == base or path.startswith(base + "/"):
                return self._marks(kind, method, path.removeprefix(base).strip("/"), fields)
        return self._books(method, path, fields)

    def _newest(self, query: str) -> Reply:
        """The books that were added last come first; ids grow."""
        asked = dict(part.split("=") for part in query.split("&"))
        start, size = int(asked["page"]) * int(asked["size"]), int(asked["size"])
        found = sorted(self.books.items(), reverse=True)[start : start + size]
        content = [_book_record(id, title) for id, title in found]
        return Reply(200, {"content": content, "page": {"totalElements": len(self.books)}})

    def _reading_sessions(self, method: str, path: str, query: str, fields: Row) -> Reply:
        rest = path.removeprefix("/api/v1/reading-sessions").strip("/")
        if method == "GET":
            return self._page(int(rest.removeprefix("book/")), dict(part.split("=") for part in query.split("&")))
        if rest == "batch" and self.dialect != WORLDTEACHER:
            return own_error(500, "An unexpected error occurred.")
        sessions = fields["sessions"] if rest == "batch" else [fields]
        if fields["bookId"] not in self.books:
            return own_error(404, "Book not found")
        for session in sessions:
            if (met := self._met(session_name(session))) is not None:
                return met
        results = [self._insert_session(fields["bookId"], session) for session in sessions]
        if rest != "batch":
            return Reply(202)
        return Reply(200, {"totalRequested": len(sessions), "successCount": len(sessions), "results": results})

    def _insert_session(self, book: int, session: Row) -> Row:
        row = {name: session[name] for name in ("startTime", "endTime", "durationSeconds")}
        row |= {"id": self._next_id(), "bookId": book, "title": self.books[book], "created": self.now_s}
        self.sessions.append(row)
        return {"sessionId": row["id"], "startTime": row["startTime"], "endTime": row["endTime"]}

    def _page(self, book: int, query: dict[str, str]) -> Reply:
        if book not in self.books:
            return own_error(404, "Book not found")
        if self.books[book] in self.silent_lists:
            raise Hangs
        number, size = int(query["page"]), int(query["size"])
        assert size <= 100
        rows = [row for row in self.sessions if row["bookId"] == book]
        if self.shuffles:
            self._random.shuffle(rows)
        rows.sort(key=lambda row: -row["created"])
        content = rows[number * size : (number + 1) * size]
        counts = {"size": size, "number": number, "totalElements": len(rows), "totalPages": -(-len(rows) // size)}
        return Reply(200, {"content": content, "page": counts})

    def _marks(self, kind: str, method: str, rest: str, fields: Row) -> Reply:
        if method == "GET":
            book = int(rest.removeprefix("book/"))
            return Reply(200, [row for row in self.marks[kind] if row["bookId"] == book][::-1])
        if method == "DELETE":
            kept = [row for row in self.marks[kind] if row["id"] != int(rest)]
            if len(kept) == len(self.marks[kind]):
                return own_error(500, "An unexpected error occurred.")
            self.marks[kind] = kept
            return Reply(204)
        if fields["bookId"] not in self.books:
            return own_error(404 if kind == "book_note" else 500, "An unexpected error occurred.")
        if (met := self._met(mark_name(kind, fields))) is not None:
            return met
        if kind == "bookmark" and self.dialect != GRIMMORY:
            fields = {name: value for name, value in fields.items() if name != "pageNumber"}
        places = [place for place in ("cfi", "pageNumber") if kind != "book_note" and fields.get(place) is not None]
        for row in self.marks[kind]:
            if places and row["bookId"] == fields["bookId"] and row.get(places[0]) == fields[places[0]]:
                return own_error(409, "already exists at this location")
        row = fields | {"id": self._next_id(), "title of book": self.books[fields["bookId"]]}
        self.marks[kind].append(row)
        return Reply(200, {name: value for name, value in row.items() if name != "title of book"})

    def _books(self, method: str, path: str, fields: Row) -> Reply:
        rest = path.removeprefix("/api/v1/books/")
        if method == "GET":
            known = int(rest) in self.books
            return Reply(200, _book_record(int(rest), self.books[int(rest)])) if known else own_error(404, "no book")
        [book] = fields.get("ids") or fields.get("bookIds") or [fields.get("bookId")]
        if book not in self.books:
            return own_error(400 if rest == "personal-rating" else 404, "d != java.lang.String")
        title = self.books[book]
        if rest == "personal-rating":
            self.values[title, "rating"] = fields["rating"]
            return Reply(200, [{"bookId": book, "personalRating": fields["rating"]}])
        if rest == "status":
            self.values[title, "status"] = fields["status"]
            return Reply(200, [{"bookId": book, "readStatus": fields["status"]}])
        assert rest == "progress"
        self.values[title, "progress"] = fields["fileProgress"]["progressPercent"]
        return Reply(204)

    def _met(self, name: str) -> Reply | None:
        """What a poisonous thing does to the server."""
        effect = self.poison.get(name)
        if effect == HANG:
            raise Hangs
        if effect == REFUSE:
            return own_error(400, "A data conflict occurred. The operation could not be completed.")
        return own_error(500, "An unexpected error occurred.") if effect == FAIL else None

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    # What the tests look at

    def stored(self) -> list[str]:
        """The names of all things that are there, each as often as it is there."""
        marks = [mark_name(kind, row) for kind, rows in self.marks.items() for row in rows]
        return [session_name(row) for row in self.sessions] + marks


def session_name(session: Row) -> str:
    """The tests give every session a length of its own."""
    return f"session of {session['durationSeconds']} s"


def mark_name(kind: str, fields: Row) -> str:
    """And every mark a title or text of its own."""
    return f"{kind} {fields.get('title') or fields.get('text') or fields.get('noteContent')}"


def _book_record(id: int, title: str) -> Row:
    return {"id": id, "title": title, "metadata": {"title": title, "authors": ["Somebody"], "language": "en"}}
