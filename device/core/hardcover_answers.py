"""Hardcover's GraphQL: the operations that are used, and what their answers say.

Promises: whatever an answer holds, reading it ends and raises nothing.
Never: sends.
Called by: `device/server/hardcover.py`, `device/sending/hardcover.py`.
Source: docs.hardcover.app (error codes; limits: at most one `search` in a request, 60 requests a minute and ten at
once) and the published GraphQL schema of August 2026.
"""

from __future__ import annotations

from device.core.hardcover import Edition, Entry, Hit, cut
from device.core.isbn import isbn13

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

HITS_MOST = 8  # of a search; a reader looks through no more
ID_MOST = 2**31 - 1  # Int in GraphQL

# Everything hangs on `me`, so that a request counts once, and tells whose token it is.
LIBRARY = (
    "query Library($books: [Int!]!) { me { id account_privacy_setting_id"
    " user_books(where: {book_id: {_in: $books}}, order_by: {id: asc}) { id book_id status_id rating } } }"
)
EDITIONS = (
    "query Editions($isbn13: [String!]!, $isbn10: [String!]!, $most: Int!)"
    " { editions(where: {_or: [{isbn_13: {_in: $isbn13}}, {isbn_10: {_in: $isbn10}}]}, limit: $most)"
    " { isbn_13 isbn_10 title book_id book { canonical_id } } }"
)
SEARCH = (
    "query Search($query: String!, $most: Int!)"
    ' { search(query: $query, query_type: "Book", per_page: $most, page: 1) { error results } }'
)
INSERT = (
    "mutation Insert($object: UserBookCreateInput!)"
    " { insert_user_book(object: $object) { error user_book { id book_id status_id rating } } }"
)
UPDATE = (
    "mutation Update($id: Int!, $object: UserBookUpdateInput!)"
    " { update_user_book(id: $id, object: $object) { error user_book { id book_id status_id rating } } }"
)


class Library:
    """The reader at Hardcover, and what she has of the books that were asked for."""

    __slots__ = ("entries", "privacy_id", "user_id")

    def __init__(self, user_id: int, privacy_id: int | None, entries: dict[int, Entry]) -> None:
        self.user_id = user_id
        self.privacy_id = privacy_id  # who may see what she adds, by her own setting
        self.entries = entries  # by Hardcover's number of the book


def read_library(data: Json) -> Library | None:
    """None if it is none."""
    people = _list(data, "me")
    me = people[0] if people else None
    user_id = _id(me, "id")
    if user_id is None:
        return None
    entries: dict[int, Entry] = {}
    for row in _list(me, "user_books"):
        entry = _entry(row)
        if entry is not None:
            entries.setdefault(entry.book_id, entry)
    return Library(user_id, _id(me, "account_privacy_setting_id"), entries)


def read_editions(data: Json) -> list[Edition]:
    found = []
    for row in _list(data, "editions"):
        book_id = _id(_field(row, "book"), "canonical_id") or _id(row, "book_id")
        if book_id is not None:
            found.append(Edition(book_id, _isbns(row), _text(row, "title")))
    return found


def _isbns(row: Json) -> list[str]:
    return [isbn for isbn in (isbn13(_text(row, "isbn_13")), isbn13(_text(row, "isbn_10"))) if isbn is not None]


def read_hits(data: Json) -> list[Hit] | str:
    """What was found, the best first; or why Hardcover could not search."""
    search = _field(data, "search")
    problem = _text(search, "error")
    if problem:
        return cut(problem)
    hits = []
    for row in _list(_field(search, "results"), "hits")[:HITS_MOST]:
        document = _field(row, "document")
        id, title = _id(document, "id"), cut(_text(document, "title"))
        if id is not None and title:
            authors = [name for name in _list(document, "author_names") if isinstance(name, str)]
            hits.append(Hit(id, title, _text(document, "subtitle"), authors, _id(document, "release_year")))
    return hits


def read_saved(data: Json, name: str) -> Entry | str:
    """What was saved, or why not."""
    saved = _field(data, name)
    problem = _text(saved, "error")
    if problem:
        return cut(problem)
    entry = _entry(_field(saved, "user_book"))
    return "it was not confirmed" if entry is None else entry


def _entry(row: Json) -> Entry | None:
    id, book_id = _id(row, "id"), _id(row, "book_id")
    if id is None or book_id is None:
        return None
    return Entry(id, book_id, _id(row, "status_id"), _stars(_field(row, "rating")))


def _stars(value: Json) -> float | None:
    """Hardcover's `numeric` comes as a number, or as text; none at all is also written as 0."""
    if isinstance(value, str):
        try:
            value = float(value) if len(value) < 10 else 0.0
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 5:
        return None
    return float(value)


def _field(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def _list(value: Json, name: str) -> list[Json]:
    found = _field(value, name)
    return found if isinstance(found, list) else []


def _text(value: Json, name: str) -> str:
    found = _field(value, name)
    return found if isinstance(found, str) else ""


def _id(value: Json, name: str) -> int | None:
    """A whole number from 1; the search gives its numbers as text."""
    found = _field(value, name)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= 10:
        found = int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found <= ID_MOST else None


# What is wrong with an answer

TOKEN, SCOPE, LATER, FAILED, REFUSED, STRANGE = "token", "scope", "later", "failed", "refused", "strange"
_TOKEN_WORDS = ("invalid_token", "invalid-jwt", "jwt", "unable to verify token", "token expired", "invalid-headers")
RETRY_AFTER_S, RETRY_AFTER_MOST_S = 60, 86_400  # the window of its limit; a day's quota begins anew at midnight


class Fault:
    """`kind`: whom to tell and what to do; `detail`: in Hardcover's words, may be empty."""

    __slots__ = ("detail", "kind")

    def __init__(self, kind: str, detail: str) -> None:
        self.kind = kind
        self.detail = detail


def fault(status: int, reply: Json, is_json: bool) -> Fault | None:
    """What is wrong with an answer; None if it carries data. An error may come with HTTP 200."""
    detail, code = _complaint(reply)
    words = f"{code} {detail}".lower()
    if status == 401 or any(word in words for word in _TOKEN_WORDS):
        return Fault(TOKEN, detail)
    if status == 429 or "throttled" in words:
        return Fault(LATER, detail)
    if "insufficient_scope" in words:
        return Fault(SCOPE, cut(_text(reply, "scope")) or detail)
    if status >= 500 or status == 408:
        return Fault(FAILED, detail or f"HTTP {status}")
    if not is_json or not isinstance(reply, dict) or 300 <= status < 400:
        return Fault(STRANGE, f"HTTP {status}")
    if status != 200 or detail or not isinstance(reply.get("data"), dict):
        return Fault(REFUSED, detail or f"HTTP {status}")
    return None


def _complaint(reply: Json) -> tuple[str, str]:
    """An answer's error in words, and its code."""
    errors = _list(reply, "errors")
    if errors:
        first = errors[0]
        if isinstance(first, str):
            return cut(first), ""
        code = _text(_field(first, "extensions"), "code")
        return cut(_text(first, "message") or code or "no reason given"), code
    code = _text(reply, "error")
    return cut(_text(reply, "error_description") or _text(reply, "message") or code), code


def retry_after_s(text: str) -> int:
    """How long to leave it alone after too many requests."""
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else RETRY_AFTER_S
    return min(max(seconds, RETRY_AFTER_S), RETRY_AFTER_MOST_S)
