"""What a journal says: lines of text in, one `Reading` out (docs/protocol.md, section Journal).

Promises: a journal is good up to its last whole, well-formed line; whatever follows a broken line is ignored, because
its order can no longer be trusted. Every number is bounded before it is used.
Never: reads files; decides what counts as reading (that is `reading_session.py`).
Called by: `device/ingest.py`.
"""

from __future__ import annotations

from device import json_text
from device.core.instants import DAY_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.json_text import Json

VERSION = 1
LINE_MAX_BYTES = 65_536
LINES_MAX = 20_000  # page turns between opening and closing one book; what comes after is not read
PAGES_MAX = 10_000_000
CLOCK_MAX_S = 4_102_444_800  # 2100-01-01; a clock that says more is wrong, and counts as this
MONOTONIC_MAX_MS = 2**53
TEXT_MAX_CHARS = 1_000  # titles, names, paths; longer ones are cut
LABEL_MAX_CHARS = 128  # as much as the launcher writes; the servers hold 500
STATUS_MAX_CHARS = 40  # one of KOReader's words
STARS_MOST = 5
DATE_CHARS = 10
LIST_MAX = 50  # authors and identifiers of one book
SERIES_INDEX_MOST = 100_000  # some number the issues of a year by its date

OPEN, PAGE, SUSPEND, RESUME, CLOSE, SNAPSHOT = "open", "page", "suspend", "resume", "close", "snapshot"
MARKS = "marks"


class UnknownVersion(ValueError):
    """The journal was written by a launcher newer than this worker; it must be left alone."""


class Book:
    """What the launcher knows of a book when it is opened."""

    __slots__ = (
        "authors", "file", "fingerprint", "format", "identifiers", "language", "series", "series_index", "size_bytes",
        "title",
    )  # fmt: skip

    def __init__(
        self,
        file: str,
        format: str,
        title: str,
        authors: list[str],
        identifiers: list[str],
        fingerprint: str | None,
        size_bytes: int | None,
    ) -> None:
        self.file = file
        self.format = format
        self.title = title
        self.authors = authors
        self.identifiers = identifiers
        self.fingerprint = fingerprint
        self.size_bytes = size_bytes
        self.series = ""
        self.series_index: float | None = None
        self.language = ""

    def name(self) -> str:
        """How messages call the book: its title, else its file's name."""
        return self.title or self.file.rpartition("/")[2] or "a book without a name"


class Moment:
    """One event of a reading, its clocks (`timeline.py`) and the place then on screen; None is what was not said."""

    __slots__ = (
        "boot_ms",
        "event",
        "fraction",
        "label",
        "monotonic_ms",
        "on_screen_ms",
        "page",
        "pages",
        "wall_s",
        "xpointer",
    )

    def __init__(
        self,
        event: str,
        wall_s: int,
        monotonic_ms: int | None,
        page: int | None,
        pages: int | None,
        boot_ms: int | None = None,
    ) -> None:
        self.event = event
        self.wall_s = wall_s
        self.monotonic_ms = monotonic_ms
        self.boot_ms = boot_ms
        self.page = page
        self.pages = pages
        self.on_screen_ms = 0  # for OPEN: how long the page had been read before, in another file
        self.fraction: float | None = None  # KOReader's own progress, 0..1
        self.label: str | None = None  # the book's own page label
        self.xpointer: str | None = None


class Snapshot:
    """What KOReader saved for the book when it was closed. `wall_s`: when, by a clock that may be wrong."""

    __slots__ = ("changed_on", "last_page", "rating", "status", "wall_s")

    def __init__(
        self, wall_s: int, rating: int | None, status: str | None, last_page: int | None, changed_on: str | None = None
    ) -> None:
        self.wall_s = wall_s
        self.rating = rating  # 1..5 stars
        self.status = status  # KOReader's word
        self.last_page = last_page  # of a book with fixed pages
        self.changed_on = changed_on  # the day on which the status was last changed: YYYY-MM-DD, local


class Marks:
    """What had changed of the book's highlights and bookmarks at `wall_s`, in KOReader's words and not looked at yet.

    `changed`: as they are now; `gone`: the places of those that their reader has deleted; `unplaced`: of those that the
    book turned out to have no place for. `dom`: see `DeviceMark`.
    """

    __slots__ = ("changed", "dom", "gone", "unplaced", "wall_s")

    def __init__(self, wall_s: int, changed: list[Json], gone: list[Json], dom: int | None) -> None:
        self.wall_s = wall_s
        self.changed = changed
        self.gone = gone
        self.unplaced: list[Json] = []
        self.dom = dom


class Reading:
    """One journal: a book, the moments of its reading in order, what changed of its marks, what KOReader saved last."""

    __slots__ = ("book", "boot_id", "final_fraction", "lines", "marks", "moments", "snapshot", "utc_offset_s")

    def __init__(self, book: Book) -> None:
        self.book = book
        self.boot_id: str | None = None
        self.moments: list[Moment] = []
        self.marks: list[Marks] = []
        self.final_fraction: float | None = None
        self.snapshot: Snapshot | None = None
        self.utc_offset_s = 0
        self.lines = 0


def read(lines: Iterable[bytes]) -> Reading | None:
    """The reading in a journal's whole lines, or None if not even its first line is good.

    Raises UnknownVersion.
    """
    reading: Reading | None = None
    for number, line in enumerate(lines):
        if number >= LINES_MAX or len(line) > LINE_MAX_BYTES:
            break
        try:
            fields = json_text.decode(line)
        except ValueError:
            break
        if not isinstance(fields, dict):
            break
        version = fields.get("v")
        if isinstance(version, int) and version > VERSION:
            raise UnknownVersion(f"journal version {version}")
        if version != VERSION or fields.get("n") != number:
            break
        if reading is None:
            book = _book(fields.get("book"))
            if fields.get("ev") != OPEN or book is None:
                break
            reading = Reading(book)
            reading.boot_id = _text(fields.get("boot")) or None
            reading.utc_offset_s = bounded(fields.get("utc_offset_s"), -DAY_S, DAY_S) or 0
        add_moment(reading, fields)
        reading.lines = number + 1
    return reading


def add_moment(reading: Reading, fields: dict[str, Json]) -> None:
    """Adds what one line says; a line of an unknown event, or without a time, adds nothing."""
    event = fields.get("ev")
    if event == SNAPSHOT:
        reading.final_fraction = _fraction(fields.get("fraction"))
        reading.snapshot = Snapshot(
            min(bounded(fields.get("t"), 0, MONOTONIC_MAX_MS) or 0, CLOCK_MAX_S),
            bounded(fields.get("rating"), 1, STARS_MOST),
            _text(fields.get("status"))[:STATUS_MAX_CHARS] or None,
            bounded(fields.get("last_page"), 1, PAGES_MAX),
            _text(fields.get("changed_on"))[:DATE_CHARS] or None,
        )
        return
    if event == MARKS:
        _add_marks(reading, fields)
    if event not in (OPEN, PAGE, SUSPEND, RESUME, CLOSE):
        return
    wall_s = bounded(fields.get("t"), 0, MONOTONIC_MAX_MS)
    if wall_s is None:
        return
    moment = Moment(
        str(event),
        min(wall_s, CLOCK_MAX_S),
        bounded(fields.get("m"), 0, MONOTONIC_MAX_MS),
        bounded(fields.get("page"), 1, PAGES_MAX),
        bounded(fields.get("pages"), 1, PAGES_MAX),
        bounded(fields.get("b"), 0, MONOTONIC_MAX_MS),
    )
    moment.on_screen_ms = bounded(fields.get("on_screen_ms"), 0, MONOTONIC_MAX_MS) or 0
    moment.fraction = _fraction(fields.get("fraction"))
    moment.label = _text(fields.get("label"))[:LABEL_MAX_CHARS] or None
    moment.xpointer = _xpointer(fields.get("xpointer"))
    reading.moments.append(moment)


def _add_marks(reading: Reading, fields: dict[str, Json]) -> None:
    """How many there can be is bounded by the size of a line and of a journal."""
    wall_s = min(bounded(fields.get("t"), 0, MONOTONIC_MAX_MS) or 0, CLOCK_MAX_S)
    dom = bounded(fields.get("dom"), 0, MONOTONIC_MAX_MS)
    marks = Marks(wall_s, _list(fields.get("changed")), _list(fields.get("gone")), dom)
    marks.unplaced = _list(fields.get("unplaced"))
    reading.marks.append(marks)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _book(value: Json) -> Book | None:
    if not isinstance(value, dict):
        return None
    file = _text(value.get("file"))
    if not file:
        return None
    fingerprint = _text(value.get("fingerprint"))
    book = Book(
        file=file,
        format=_text(value.get("format")).lower(),
        title=_text(value.get("title")),
        authors=_texts(value.get("authors")),
        identifiers=_texts(value.get("identifiers")),
        fingerprint=fingerprint if len(fingerprint) == 32 else None,
        size_bytes=bounded(value.get("size_bytes"), 0, 2**53),
    )
    book.series = _text(value.get("series"))
    book.language = _text(value.get("language"))
    index = value.get("series_index")
    if isinstance(index, (int, float)) and not isinstance(index, bool) and abs(index) <= SERIES_INDEX_MOST:
        book.series_index = float(index)
    return book


def bounded(value: Json, least: int, most: int) -> int | None:
    """`value` if it is a whole number within the bounds, else None. JSON numbers such as 5.0 count as whole."""
    if isinstance(value, float) and value == value and abs(value) <= MONOTONIC_MAX_MS and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        return None
    return value


def _fraction(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        return None
    return float(value)


def _xpointer(value: Json) -> str | None:
    """Whole or not at all: half a position is another position."""
    return _text(value) if isinstance(value, str) and 0 < len(value) <= TEXT_MAX_CHARS else None


def _text(value: Json) -> str:
    if not isinstance(value, str):
        return ""
    # JSON escapes can spell half a surrogate pair, which no UTF-8 file or database can hold.
    return value[:TEXT_MAX_CHARS].strip().encode("utf-8", "replace").decode("utf-8")


def _texts(value: Json) -> list[str]:
    if not isinstance(value, list):
        return []
    return [text for text in (_text(item) for item in value[:LIST_MAX]) if text]
