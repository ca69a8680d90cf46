"""What the rows of the Lua plugin's database mean: cells in, books, sessions and marks out, or why a row is left out.

Rule 1: every decision on what of the old plugin is believed lies in this file, in `plugin_settings.py` and, where a
session meets what is recorded, in `plugin_times.py`.

What is not believed: a server id beside `koreader_book_id` 0, because the old plugin gave one book's id to the sessions
of all books that it did not know; times that cannot be true; a CFI, because most of them point beside their words
(they are kept, but only to recognise on the server what the old plugin has sent).

Called by: `device/importing/plugin_import.py`. Cells are what SQLite or a Lua table holds: anything.
"""

from __future__ import annotations

from device import json_text
from device.core.instants import DAY_S, EARLIEST_PLAUSIBLE_S, from_iso
from device.core.journal import PAGES_MAX, TEXT_MAX_CHARS
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE
from device.core.reading_session import FLAG_CLOCK_UNSET, ReadingSession

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

    Cells = tuple[object, ...]

WHOLE_MAX = 2**53
LIVE_TOLERANCE_S = 90  # a live session's duration is the difference of its ends
HISTORY_TOLERANCE_S = 7_200  # one from KOReader's statistics ends where its last page began; two hours are the most
SESSION_MAX_S = 7 * DAY_S  # a charger night went to 58 hours; longer is a clock that was set
MADE_AT_MAX_CHARS = 40
MARK_TEXT_MAX_CHARS = 5_000  # what the server takes
CHAPTER_MAX_CHARS = 500
NOTE_TITLE_MAX_CHARS = 255
NOTE_MAX_CHARS = 16_000  # the server's column holds 65,535 bytes, and a character may take four
POSITION_MAX_BYTES = 4_000
RATING_LEAST, RATING_MOST = 1, 10

WITHOUT_FILE = "historical://"  # path of a book that was only known from KOReader's statistics; its hash follows
_HEX_DIGITS = frozenset("0123456789abcdef")
_FORMATS = {"EPUB": "epub", "PDF": "pdf", "CBX": "cbz", "CBZ": "cbz", "CBR": "cbr", "DJVU": "djvu"}

# Kinds of mark, by what the old plugin called their ways to the server.
KINDS = {
    "highlight": (HIGHLIGHT,),
    "in_book_note": (IN_BOOK_NOTE,),
    "booklore_note": (BOOK_NOTE,),
    "both_note": (IN_BOOK_NOTE, BOOK_NOTE),
    "bookmark": (BOOKMARK,),
}

_WORDS_OF_A_MARK = (
    ("text", MARK_TEXT_MAX_CHARS),
    ("note", MARK_TEXT_MAX_CHARS),
    ("notes", MARK_TEXT_MAX_CHARS),  # of a bookmark
    ("chapter", CHAPTER_MAX_CHARS),
    ("color", 40),
    ("style", 40),
    ("cfi", TEXT_MAX_CHARS),
)

# Why a row is left out, as the report names it.
NO_BOOK, BAD_TIMES, BACKWARDS, TOO_LONG = "no book", "bad times", "backwards", "too long"
NO_DURATION, BAD_MARK, NO_RATING = "no duration", "bad mark", "no rating"

SENT, QUEUED = "sent", "queued"


class OldBook:
    """A file that the old plugin knew. `server_id` is only good on the server that it was set up for."""

    __slots__ = (
        "authors",
        "file",
        "fingerprint",
        "format",
        "hardcover_id",
        "identifiers",
        "server_id",
        "title",
        "tracked",
    )

    def __init__(self, file: str, fingerprint: str | None, title: str = "") -> None:
        self.file = file  # '' if only the fingerprint or the title is known
        self.fingerprint = fingerprint
        self.format = ""
        self.title = title
        self.authors: list[str] = []
        self.identifiers: list[str] = []
        self.server_id: int | None = None
        self.hardcover_id: int | None = None
        self.tracked = True


class OldSession:
    """A reading session, and whether the old plugin says that it was SENT."""

    __slots__ = ("book", "session", "state")

    def __init__(self, book: OldBook, session: ReadingSession, state: str) -> None:
        self.book = book
        self.session = session
        self.state = state


class OldMark:
    """A highlight, note or bookmark that the old plugin had still to send."""

    __slots__ = ("at_position", "book_note", "made_at", "place_of_note")

    def __init__(self, made_at: str) -> None:
        self.made_at = made_at
        self.at_position: list[tuple[str, str]] = []  # kind and JSON of what needs a position in the text
        self.book_note: str | None = None  # JSON of the request's fields
        self.place_of_note: str | None = None  # and the same as in `at_position` of what it is about, if that was kept


def book(cells: Cells) -> OldBook | str:
    path, hash, server_id, title, author, isbn10, isbn13, hardcover_id, tracking = cells
    found = _book(path, hash)
    if not found.file and found.fingerprint is None:
        return NO_BOOK
    found.title = text(title)
    found.authors = [name for name in (line.strip() for line in text(author).split("\n")) if name]
    found.identifiers = [f"ISBN:{isbn}" for isbn in (text(isbn13), text(isbn10)) if isbn]
    found.server_id = whole(server_id, 1, WHOLE_MAX)
    found.hardcover_id = whole(hardcover_id, 1, WHOLE_MAX)
    found.tracked = whole(tracking, 0, 0) is None  # missing or NULL, as in a database that was never migrated: tracked
    return found


def book_of_a_row(path: object, hash: object) -> OldBook | None:
    """The book that a row belongs to, by path and hash; None if the old plugin has lost it."""
    found = _book(path, hash)
    return found if found.file or found.fingerprint is not None else None


def _book(path: object, hash: object) -> OldBook:
    file = text(path)
    known = fingerprint(hash)
    if file.startswith(WITHOUT_FILE):
        known = known or fingerprint(file.removeprefix(WITHOUT_FILE))
        file = ""
    found = OldBook(file, known)
    suffix = file.rpartition("/")[2].rpartition(".")
    found.format = suffix[2].lower() if suffix[0] else ""
    return found


def pending_session(cells: Cells) -> OldSession | str:
    return _session(cells, LIVE_TOLERANCE_S, QUEUED)


def history_session(cells: Cells) -> OldSession | str:
    unmatched, synced = whole(cells[-2], 0, 0) is not None, whole(cells[-1], 1, 1) is not None
    found = _session(cells[:-2], HISTORY_TOLERANCE_S, SENT if synced else QUEUED)
    if isinstance(found, OldSession) and unmatched:
        found.book.server_id = None
    return found


def _session(cells: Cells, tolerance_s: int, state: str) -> OldSession | str:
    hash, title, server_id, koreader_id, kind, start, end, duration, first, last, first_page, last_page = cells
    found = OldBook("", fingerprint(hash), text(title))
    if found.fingerprint is None and not found.title:
        return NO_BOOK
    found.format = _FORMATS.get(text(kind).upper(), "")
    if whole(koreader_id, 0, 0) is None:
        found.server_id = whole(server_id, 1, WHOLE_MAX)
    started_at, ended_at, duration_s = _instant(start), _instant(end), whole(duration, 0, WHOLE_MAX)
    if started_at is None or ended_at is None or duration_s is None:
        return BAD_TIMES
    if ended_at < started_at:
        return BACKWARDS
    if ended_at - started_at > SESSION_MAX_S or duration_s > ended_at - started_at + tolerance_s:
        return TOO_LONG
    if duration_s == 0 and state == QUEUED:
        return NO_DURATION
    start_page, end_page = whole(first_page, 1, PAGES_MAX), whole(last_page, 1, PAGES_MAX)
    session = ReadingSession(
        started_at=started_at,
        ended_at=ended_at,
        duration_s=duration_s,
        start_page=start_page,
        end_page=end_page,
        start_fraction=_fraction(first),
        end_fraction=_fraction(last),
        pages_read=0 if start_page is None or end_page is None else abs(end_page - start_page),
        flags=(FLAG_CLOCK_UNSET,) if started_at < EARLIEST_PLAUSIBLE_S else (),
    )
    return OldSession(found, session, state)


def rating(cell: object) -> int | None:
    return whole(cell, RATING_LEAST, RATING_MOST)


def kinds(annotation_type: object) -> tuple[str, ...]:
    """What an annotation became on the server; nothing if the type is unknown."""
    return KINDS.get(text(annotation_type), ())


def made_at(cell: object) -> str:
    """KOReader's date and time of a mark, by which it is known."""
    return text(cell)[:MADE_AT_MAX_CHARS]


def mark(made: object, annotation_type: object, payload: object) -> OldMark | str:
    found = OldMark(made_at(made))
    fields = _object(payload)
    ways = kinds(annotation_type)
    if not found.made_at or fields is None or not ways:
        return BAD_MARK
    for kind in ways:
        if kind == BOOK_NOTE:
            found.book_note = _book_note(fields)
            found.place_of_note = _positioned(fields) if fields.get("pos0") else None
        else:
            found.at_position.append((kind, _positioned(fields)))
    if not found.at_position and found.book_note is None:
        return BAD_MARK
    return found


def _book_note(fields: dict[str, Json]) -> str | None:
    content = _clean(fields.get("note"), NOTE_MAX_CHARS)
    if not content.strip():
        return None
    title = _clean(fields.get("chapter"), NOTE_TITLE_MAX_CHARS)
    note: dict[str, Json] = {"title": title, "content": content} if title else {"content": content}
    return json_text.encode(note).decode("utf-8")


def _positioned(fields: dict[str, Json]) -> str:
    """What is needed to find the place anew and to make the request; `cfi` is only what was sent or would have been."""
    kept: dict[str, Json] = {}
    for name in ("pos0", "pos1", "page"):
        if fields.get(name) is not None and _size_bytes(fields[name]) <= POSITION_MAX_BYTES:
            kept[name] = fields[name]
    for name, limit in _WORDS_OF_A_MARK:
        words = _clean(fields.get(name), limit)
        if words:
            kept[name] = words
    return json_text.encode(kept).decode("utf-8")


def _size_bytes(value: Json) -> int:
    """Of a value in JSON; more than anything if it has no JSON form."""
    try:
        return len(json_text.encode(value))
    except (ValueError, RecursionError):
        return WHOLE_MAX


def deletion(cells: Cells) -> tuple[str, str] | None:
    """(hash, JSON of what is known) of a book whose removal from the shelf was still to be told to the server."""
    hash, stem, server_id = cells
    known = fingerprint(hash)
    if known is None:
        return None
    fields: dict[str, Json] = {"name": text(stem), "book_id": whole(server_id, 1, WHOLE_MAX)}
    return known, json_text.encode(fields).decode("utf-8")


def text(cell: object) -> str:
    """A text cell, bounded, without white space around it; of a number its digits."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        number = whole(cell, -WHOLE_MAX, WHOLE_MAX)
        return str(number if number is not None else cell)
    return _clean(cell, TEXT_MAX_CHARS).strip()


def _clean(cell: object, limit: int) -> str:
    # Half a surrogate pair, which JSON can spell, fits into no UTF-8 file or database.
    return cell[:limit].encode("utf-8", "replace").decode("utf-8") if isinstance(cell, str) else ""


def fingerprint(cell: object) -> str | None:
    """KOReader's partial MD5; the old plugin left it empty where it had none."""
    digits = text(cell).lower()
    return digits if len(digits) == 32 and _HEX_DIGITS.issuperset(digits) else None


def whole(cell: object, least: int, most: int) -> int | None:
    """The whole number in a cell, also where it was kept as 12.0 or `12`, if it lies within the bounds."""
    if isinstance(cell, str):
        digits = cell.strip()
        if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
            return None
        cell = int(digits)
    if isinstance(cell, float) and abs(cell) <= WHOLE_MAX and cell == int(cell):
        cell = int(cell)
    if isinstance(cell, bool) or not isinstance(cell, int) or not least <= cell <= most:
        return None
    return cell


def _instant(cell: object) -> int | None:
    try:
        return from_iso(cell) if isinstance(cell, str) else None
    except ValueError:
        return None


def _fraction(cell: object) -> float | None:
    """Of the book, from a percentage; a last page may have been counted to a little more than all."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float)) or not 0 <= cell <= 101:
        return None
    return min(cell / 100, 1.0)


def _object(cell: object) -> dict[str, Json] | None:
    if not isinstance(cell, str):
        return None
    try:
        fields = json_text.decode(cell)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None
