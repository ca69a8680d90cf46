"""How each kind of outbox entry is sent, and how the server is asked whether it is there: one table.

Rule 1: what differs between kinds is a column here; nothing else in the worker asks what kind an entry is of.

`payload` of an entry, the fields of the request without the book (a reading session has none; its row is the payload):

    rating        rating: 1..10, or null to take it back
    status        status: UNREAD READING RE_READING READ PARTIALLY_READ PAUSED WONT_READ ABANDONED UNSET
    progress      one of  fileProgress {bookFileId?, positionData?, positionHref?, progressPercent}
                          epubProgress {cfi?, href?, percentage}    pdfProgress, cbxProgress {page?, percentage}
                  percentages 0..100, not yet rounded
    finish_date   dateFinished: an instant
    highlight     cfi, text, color?, style?, note?, chapterTitle?
    in_book_note  cfi, noteContent, selectedText?, color?, chapterTitle?
    book_note     content, title?
    bookmark      cfi or pageNumber (which only Grimmory keeps), title?
    edit          of: one of the four kinds above; id: the server's; and the fields that change, those that do not being
                  left out (of a book_note both are needed)
    deletion      of: one of the four kinds above; id? (the server's); and what identifies it there, as in its own
                  payload. Without an id it is looked for by that. Only what matches both is deleted.

    Any of the last six may have a field `mark`, which is not sent: whose it is, and what is agreed on when the server
    has taken it (`device/sending/agreeing.py`).

Traps of the servers that the columns stand for:
  - A 204 or 202 without a body is success where the column says so, and nowhere else.
  - An unknown book is 404 for most, but 500 for highlights, in-book notes and bookmarks, and 400 for a rating: then the
    book itself is asked for (`ask_for_book`).
  - Deleting what is not there is a 500 (or a 404, `gone_is_done`): like every 500 it is looked up, and what is not
    listed is deleted.
  - 409 means “there is one already at this place” for what has a place, and the second one is not stored.
  - An unknown status is answered with 200 and stored as none: the answer's own status must say the same (`echo`).
  - An edit of what is not there is a 500 as well: before each edit the list is read (`outbox.AFTER_A_LOOK`), and what
    is not in it is not edited any more.
  - A book note is edited by a POST with its id; all others by a PUT.
  - A bookmark's page is ignored by BookLore: then it is known by its title among those that have no place.

Called by: `device/sending/sender.py`, `device/sending/reading_back.py`. Never: decides what follows; sends.
Source: the controllers of BookLore 2.3.0 and Grimmory 3.2.4. `tests/sandbox/` answers as they do.
"""

from __future__ import annotations

from device import json_text
from device.core.outbox import (
    BOOK_NOTE,
    BOOKMARK,
    DELETION,
    EDIT,
    FINISH_DATE,
    HIGHLIGHT,
    IN_BOOK_NOTE,
    PROGRESS,
    RATING,
    READING_SESSION,
    STATUS,
)
from device.server.session_body import book_type, half_up, session_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.store.outbox import BookToServe, Entry

    Fields = dict[str, Json]

SESSIONS = "/api/v1/reading-sessions"
BATCH = SESSIONS + "/batch"
BATCH_MOST = 100  # sessions of one request; the servers that have a limit take 1,000

ONE, LIST = "one", "list"  # the book's id as a number, or as the only one of a list
TEXT_COLUMN_MAX_BYTES = 65_535  # MariaDB's TEXT


class Kind:
    """One row of the table."""

    __slots__ = (
        "ask_for_book",
        "book_field",
        "book_form",
        "conflict_means_there",
        "contents",
        "echo",
        "empty_success",
        "gone_is_done",
        "harmless",
        "limits",
        "list_path",
        "method",
        "name",
        "path",
        "places",
    )

    def __init__(
        self,
        name: str,
        method: str,
        path: str,
        book_field: str = "bookId",
        book_form: str = ONE,
        harmless: bool = False,
        empty_success: int | None = None,
        conflict_means_there: bool = False,
        gone_is_done: bool = False,
        ask_for_book: tuple[int, ...] = (),
        echo: tuple[str, str] | None = None,
        places: tuple[str, ...] = (),
        contents: tuple[str, ...] = (),
        limits: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.name = name
        self.method = method
        self.path = path
        self.book_field = book_field
        self.book_form = book_form
        self.harmless = harmless  # to send it again changes nothing, so the server need not be asked
        self.empty_success = empty_success  # the status of success without a body
        self.conflict_means_there = conflict_means_there
        self.gone_is_done = gone_is_done  # 404 is as good as success
        self.ask_for_book = ask_for_book  # statuses that may mean that the book is not there
        self.echo = echo  # (field sent, field of the answer) that must say the same
        self.list_path = path + "/book/"  # followed by the book's id
        self.places = places  # the first of these that it has identifies it in the list;
        self.contents = contents  # without a place, these together
        self.limits = limits  # UTF-16 units that the server takes of a field; what is longer is cut off


TABLE = (
    Kind(READING_SESSION, "POST", SESSIONS, empty_success=202),
    Kind(
        RATING, "PUT", "/api/v1/books/personal-rating", book_field="ids", book_form=LIST, harmless=True,
        ask_for_book=(400,),
    ),
    Kind(
        STATUS, "POST", "/api/v1/books/status", book_field="bookIds", book_form=LIST, harmless=True,
        echo=("status", "readStatus"),
    ),
    Kind(PROGRESS, "POST", "/api/v1/books/progress", harmless=True, empty_success=204, ask_for_book=(404,)),
    Kind(FINISH_DATE, "POST", "/api/v1/books/progress", harmless=True, empty_success=204, ask_for_book=(404,)),
    Kind(
        HIGHLIGHT, "POST", "/api/v1/annotations", conflict_means_there=True, ask_for_book=(500,), places=("cfi",),
        limits=(("text", 5_000), ("note", 5_000), ("chapterTitle", 500)),
    ),
    Kind(
        IN_BOOK_NOTE, "POST", "/api/v2/book-notes", conflict_means_there=True, ask_for_book=(500,), places=("cfi",),
        limits=(("selectedText", 5_000), ("chapterTitle", 500)),
    ),
    Kind(BOOK_NOTE, "POST", "/api/v1/book-notes", contents=("title", "content"), limits=(("title", 255),)),
    Kind(
        BOOKMARK, "POST", "/api/v1/bookmarks", conflict_means_there=True, ask_for_book=(500,),
        places=("cfi", "pageNumber"), contents=("title",), limits=(("title", 255), ("notes", 2_000)),
    ),
    Kind(EDIT, "PUT", "", harmless=True),
    Kind(DELETION, "DELETE", "", empty_success=204, gone_is_done=True),
)  # fmt: skip
KINDS = {kind.name: kind for kind in TABLE}
MARKS = (HIGHLIGHT, IN_BOOK_NOTE, BOOK_NOTE, BOOKMARK)

AGREED_FIELD = "mark"
_OF_ANOTHER = (EDIT, DELETION)  # which say in `of` what kind of thing they are about

_TEXT_COLUMNS = ("noteContent", "content")
_PERCENTAGES = ("progressPercent", "percentage")


class NotKnown(ValueError):
    """What is to be deleted has an id on the server that has to be looked up first."""


class Request:
    """What goes over the wire; `fields` is the body before it became bytes."""

    __slots__ = ("body", "empty_success", "fields", "method", "path")

    def __init__(self, method: str, path: str, fields: Fields | None, empty_success: int | None = None) -> None:
        self.method = method
        self.path = path
        self.empty_success = empty_success
        self.fields = fields or {}
        self.body = None if fields is None else json_text.encode(fields)


def request(book: BookToServe, entry: Entry, decimals: int) -> Request:
    """Raises NotKnown, or ValueError if the entry cannot be put into a request."""
    kind = KINDS[entry.kind]
    if entry.kind == DELETION:
        id = remote_id(entry)
        if id is None:
            raise NotKnown("its id on the server is not known yet")
        return Request(kind.method, f"{KINDS[listed_kind(entry)].path}/{id}", None, kind.empty_success)
    if entry.kind == EDIT:
        return _edit(book, entry)
    if entry.session is not None:
        fields = session_fields(entry.session, decimals)
        fields["bookType"] = book_type(book.file, book.format)
    else:
        fields = fields_of(entry)
    rounded = {name: _rounded(value, decimals) for name, value in fields.items()}
    rounded[kind.book_field] = book.server_id if kind.book_form == ONE else [book.server_id]
    return Request(kind.method, kind.path, rounded, kind.empty_success)


def _edit(book: BookToServe, entry: Entry) -> Request:
    of, id = listed_kind(entry), remote_id(entry)
    if id is None:
        raise ValueError("nobody knows its id on the server")
    fields = {name: value for name, value in fields_of(entry).items() if name not in ("of", "id")}
    if of == BOOK_NOTE:
        return Request("POST", KINDS[of].path, {"id": id, KINDS[of].book_field: book.server_id, **fields})
    return Request("PUT", f"{KINDS[of].path}/{id}", fields)


def is_believed_empty(request: Request) -> bool:
    """Whether its success has no body and a status that some networks' login pages give to everything."""
    return request.empty_success == 204


def batch_request(book: BookToServe, entries: list[Entry], decimals: int) -> Request:
    """Up to `BATCH_MOST` sessions of one book. Raises ValueError if one of them cannot be put into a request."""
    sessions: list[Json] = [session_fields(entry.session, decimals) for entry in entries if entry.session is not None]
    fields: Fields = {
        "bookId": book.server_id,
        "bookType": book_type(book.file, book.format),
        "sessions": sessions,
    }
    return Request("POST", BATCH, fields)


def fields_of(entry: Entry) -> Fields:
    """The payload as it is sent, cut to what the server takes. Raises ValueError if it is none."""
    fields = json_text.decode(entry.payload)
    if not isinstance(fields, dict):
        raise ValueError("its payload is no JSON object")
    limits = dict(KINDS[listed_kind(entry)].limits)
    return {name: _cut(name, value, limits.get(name)) for name, value in fields.items() if name != AGREED_FIELD}


def listed_kind(entry: Entry) -> str:
    """In which kind's list an entry is looked up. Raises ValueError."""
    if entry.kind not in _OF_ANOTHER:
        return entry.kind
    fields = json_text.decode(entry.payload)
    of = fields.get("of") if isinstance(fields, dict) else None
    if of not in MARKS:
        raise ValueError(f"{'an edit' if entry.kind == EDIT else 'a deletion'} of {of!r}")
    return str(of)


def remote_id(entry: Entry) -> int | None:
    """The server's id of what is to be changed or deleted, if it is known. Raises ValueError."""
    if entry.remote_id is not None:
        return entry.remote_id
    id = fields_of(entry).get("id")
    return id if isinstance(id, int) and not isinstance(id, bool) else None


def keys_of_entry(entry: Entry, kind: Kind, fields: Fields) -> list[str]:
    """Under which keys of the server's rows an entry may be found; `is_it` has the last word."""
    id = remote_id(entry) if entry.kind == DELETION else None
    if id is not None:
        return [f"id {id}"]
    for place in kind.places:
        if fields.get(place) is not None:
            return [f"{place} {fields[place]}", f"contents {_contents(kind, fields)}"]
    return [f"contents {_contents(kind, fields)}"]


def keys_of_row(kind: Kind, listed: Json) -> list[str]:
    if not isinstance(listed, dict):
        return []
    places = [f"{place} {listed[place]}" for place in kind.places if listed.get(place) is not None]
    return [f"id {listed.get('id')}", f"contents {_contents(kind, listed)}", *places]


def is_it(entry: Entry, kind: Kind, fields: Fields, listed: Json) -> bool:
    """Whether a row of the server's list is what `entry` (with `fields`, its payload) created or is to delete."""
    if not isinstance(listed, dict):
        return False
    if entry.kind == DELETION:
        id = remote_id(entry)
        if id is not None and listed.get("id") != id:
            return False
        if id is not None and not any(fields.get(name) for name in (*kind.places, *kind.contents)):
            return True
    return _is_same(kind, fields, listed)


def _is_same(kind: Kind, fields: Fields, listed: Fields) -> bool:
    placeless = all(listed.get(place) is None for place in kind.places)
    for place in kind.places:
        if fields.get(place) is not None:
            if listed.get(place) == fields[place]:
                return True
            return place == "pageNumber" and placeless and _contents(kind, fields) == _contents(kind, listed)
    return placeless and _contents(kind, fields) == _contents(kind, listed)


def _contents(kind: Kind, fields: Fields) -> list[Json]:
    return [fields.get(name) or "" for name in kind.contents]


def contradicts(kind: Kind, sent: Fields, reply: Json) -> bool:
    """Whether an answer of success says that something else was stored."""
    if kind.echo is None or not isinstance(reply, list) or len(reply) != 1 or not isinstance(reply[0], dict):
        return False
    ours, theirs = kind.echo
    return str(sent.get(ours)).upper() != str(reply[0].get(theirs)).upper()


def created_id(reply: Json) -> int | None:
    """The server's id of what it has created."""
    id = reply.get("id") if isinstance(reply, dict) else None
    return id if isinstance(id, int) and not isinstance(id, bool) else None


def _rounded(value: Json, decimals: int) -> Json:
    """The percentages of a progress, half up."""
    if not isinstance(value, dict):
        return value
    return {
        name: half_up(member, decimals) if name in _PERCENTAGES and isinstance(member, (int, float)) else member
        for name, member in value.items()
    }


def _cut(name: str, value: Json, most_units: int | None) -> Json:
    if not isinstance(value, str):
        return value
    if name in _TEXT_COLUMNS and len(value) * 4 > TEXT_COLUMN_MAX_BYTES:
        return value.encode("utf-8")[:TEXT_COLUMN_MAX_BYTES].decode("utf-8", "ignore")
    if most_units is None or len(value) * 2 <= most_units:
        return value
    units = 0
    for at, character in enumerate(value):
        units += 2 if ord(character) > 0xFFFF else 1  # as Java counts
        if units > most_units:
            return value[:at]
    return value
