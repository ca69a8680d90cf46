"""Reading what can still be read of a damaged store, table by table and row by row.

What a value may be is said here for every column of the schema (`TABLES`): a damaged page can hold anything. A value
that is none becomes what the column says, or costs its row. A table is read forwards until an error, then backwards
until an error, then what lies between, row by row.

Promises: writes nothing, not even SQLite's journal; ends, whatever the pages say; calls `take` for usable rows only.
Older stores are read too: a column that they do not have is one without a value.
Called by: `device/store/rebuild.py`; `device/recovery/soundness.py` asks whether a store has rows that are not usable.
"""

from __future__ import annotations

import _sqlite3

from device.core import outbox
from device.core.instants import LAST_INSTANT_S
from device.store import database, reading_sessions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection, Cursor

    from device.store.database import Value

    Raw = None | int | float | bytes
    Take = Callable[[tuple[Value, ...]], None]

ROWS_MOST = 200_000  # of one table; pages that point at each other would never end
GAP_MOST = 20_000  # rows that are looked for one by one, between the last from the front and the first from the back
VALUE_MAX_BYTES = 1_048_576  # a broken length would ask for more memory than there is

# Generous: what was written by this program must never count as broken.
ID_MOST = 2**53
COUNT_MOST = 2**31
TEXT_MOST = 100_000
PAYLOAD_MOST = 1_000_000  # a highlighted chapter

_SOURCES = (reading_sessions.JOURNAL, reading_sessions.STATISTICS, reading_sessions.PLUGIN)


# The module itself trips over broken names in SQLite's messages.
FAILURES = (_sqlite3.Error, UnicodeDecodeError, MemoryError)


class Unusable(ValueError):
    """A value that its row cannot do without is none."""


class Column:
    """A whole number (`int`), a number (`float`) or a text (`str`), from `least` to `most` (of a text: characters).

    `fallback` stands for a value that is none; where `is_needed`, the row is lost instead. `choices`, if there are any,
    are the only values. `older`: the column's name in version 1.
    """

    __slots__ = ("choices", "fallback", "is_needed", "kind", "least", "most", "name", "older")

    def __init__(self, name: str, kind: type, least: float, most: float, fallback: Value = None) -> None:
        self.name = name
        self.kind = kind
        self.least = least
        self.most = most
        self.fallback = fallback
        self.is_needed = False
        self.choices: tuple[str, ...] = ()
        self.older = name

    def clean(self, value: Raw) -> Value:
        """Raises Unusable."""
        if isinstance(value, bytes):
            text = _decoded(value)
            if self.kind is str and text is not None and len(text) <= self.most and self._is_chosen(text):
                return text
        elif value is not None and self.kind is not str and self.least <= value <= self.most:
            if self.kind is float:
                return float(value)
            if isinstance(value, int):
                return value
        if self.is_needed:
            raise Unusable(self.name)
        return self.fallback

    def _is_chosen(self, text: str) -> bool:
        return not self.choices or text in self.choices


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


class Table:
    """`key`: the first so many columns are its primary key, by which its rows lie in the file."""

    __slots__ = ("columns", "key", "name")

    def __init__(self, name: str, key: int, columns: tuple[Column, ...]) -> None:
        self.name = name
        self.key = key
        self.columns = columns

    def has_row_ids(self) -> bool:
        """Whether its key is one number, so that a row can be asked for by it."""
        return self.columns[0].name == "id" and self.columns[0].kind is int

    def order(self, direction: str) -> str:
        return ", ".join(f"{column.name} {direction}" for column in self.columns[: self.key])


def _needed(column: Column, choices: tuple[str, ...] = ()) -> Column:
    column.is_needed = True
    column.choices = choices
    return column


def _one_of(column: Column, choices: tuple[str, ...]) -> Column:
    column.choices = choices
    return column


def _formerly(column: Column, older: str) -> Column:
    column.older = older
    return column


def _id(name: str) -> Column:
    return Column(name, int, 1, ID_MOST)


def _count(name: str, fallback: int | None = None) -> Column:
    return Column(name, int, 0, COUNT_MOST, fallback)


def _instant(name: str) -> Column:
    return Column(name, int, 0, LAST_INSTANT_S, 0)


def _fraction(name: str) -> Column:
    return Column(name, float, 0, 1)


def _text(name: str, fallback: str | None = None) -> Column:
    return Column(name, str, 0, TEXT_MOST, fallback)


def _document(name: str) -> Column:
    """JSON, which may hold as much as a highlighted chapter."""
    return Column(name, str, 0, PAYLOAD_MOST)


def _payload() -> Column:
    return _document("payload")


SETTING = Table("setting", 1, (_needed(_text("key")), _needed(_text("value"))))
BOOK = Table(
    "book",
    1,
    (
        _needed(_id("id")),
        _text("file", ""),
        _text("fingerprint"),
        Column("size_bytes", int, 0, ID_MOST),
        _text("format", ""),
        _text("title", ""),
        _text("authors", ""),
        _text("identifiers", ""),
        _id("server_id"),
        _text("matched_by"),
        _text("unmatched_reason"),
        Column("tracked", int, 0, 1, 1),
        _id("hardcover_id"),
        _text("series", ""),
        Column("series_index", float, -ID_MOST, ID_MOST),
        _text("language", ""),
        _text("file_identifiers", ""),
        _text("package_stamp"),
        Column("hand_id", int, 0, ID_MOST),
        _id("refused_id"),
        _text("server_title"),
        Column("finished_at", int, 0, LAST_INSTANT_S),
        Column("rating_question", int, 0, 1, 0),
        _text("hardcover_looked_for"),
    ),
)
BOOK_FINGERPRINT = Table(
    "book_fingerprint",
    2,
    (_needed(_text("fingerprint")), _needed(_id("book_id")), Column("size_bytes", int, 0, ID_MOST)),
)
JOURNAL = Table("journal", 1, (_needed(_text("id")), _instant("ingested_at"), _count("lines", 0)))
READING_SESSION = Table(
    "reading_session",
    1,
    (
        _needed(_id("id")),
        _needed(_id("book_id")),
        _one_of(_text("source", reading_sessions.JOURNAL), _SOURCES),
        _text("journal_id"),
        _needed(_instant("started_at")),
        _needed(_instant("ended_at")),
        _needed(_count("duration_s")),
        _fraction("start_fraction"),
        _fraction("end_fraction"),
        _count("start_page"),
        _count("end_page"),
        _text("start_label"),
        _text("end_label"),
        _text("start_xpointer"),
        _text("end_xpointer"),
        _count("pages_read", 0),
        _text("flags", ""),
        _text("boot_id"),
        Column("boot_ms", int, 0, ID_MOST),
    ),
)
OUTBOX = Table(
    "outbox",
    1,
    (
        _needed(_id("id")),
        _needed(_text("kind")),
        _text("key", ""),
        _needed(_id("book_id")),
        _formerly(_id("session_id"), "subject_id"),
        _payload(),
        _needed(_text("state"), outbox.STATES),
        Column("unproven", int, 0, 1, 1),
        _instant("created_at"),
        _instant("changed_at"),
        _text("begun_boot"),
        _count("begun_uptime_s"),
        _count("attempts", 0),
        _text("reason"),
        _id("remote_id"),
    ),
)
MARK_LEDGER = Table(
    "mark_ledger",
    3,
    (
        _needed(_id("book_id")),
        _needed(_text("kind")),
        _needed(_text("made_at")),
        _id("remote_id"),
        Column("taken", int, 0, 1, 0),
    ),
)
PENDING_MARK = Table(
    "pending_mark",
    1,
    (
        _needed(_id("id")),
        _needed(_id("book_id")),
        _needed(_text("kind")),
        _needed(_text("made_at")),
        _needed(_payload()),
    ),
)
MARK = Table(
    "mark",
    1,
    (
        _needed(_id("id")),
        _needed(_id("book_id")),
        _needed(_text("kind"), (outbox.HIGHLIGHT, outbox.BOOKMARK)),
        _text("made_at", ""),
        _document("device"),
        _instant("device_at"),
        Column("gone", int, 0, 2, 0),
        _text("cfi"),
        _text("position"),
        _text("position_reason"),
        _count("converter"),
        _document("offered"),
        _instant("offered_at"),
    ),
)
MARK_LINK = Table(
    "mark_link",
    1,
    (
        _needed(_id("id")),
        _needed(_id("mark_id")),
        _needed(_text("account")),
        _needed(_id("server_book")),
        _needed(_text("role")),
        _needed(_text("kind")),
        _id("remote_id"),
        _document("agreed_device"),
        _document("agreed_server"),
        _document("sent_device"),
        _document("sent_server"),
        _document("server"),
        _instant("server_at"),
        Column("closed", int, 0, 1, 0),
        _instant("tombstone_at"),
    ),
)
JOURNAL_STRETCH = Table(
    "journal_stretch", 2, (_needed(_instant("started_at")), _needed(_id("book_id")), _needed(_instant("ended_at")))
)
SHARED_VALUE = Table(
    "shared_value",
    2,
    (
        _needed(_id("book_id")),
        _needed(_text("field")),
        _text("agreed"),
        Column("is_agreed", int, 0, 1, 0),
        _text("device"),
        _instant("device_at"),
        _text("server"),
        _instant("server_at"),
        _text("offered"),
        _instant("offered_at"),
    ),
)
HARDCOVER_VALUE = Table(
    "hardcover_value",
    2,
    (
        _needed(_id("book_id")),
        _needed(_text("field")),
        _text("wanted"),
        _text("sent"),
        Column("is_sent", int, 0, 1, 0),
        _instant("changed_at"),
        _count("attempts", 0),
        _text("reason"),
    ),
)
# Parents first. What is asked again is not kept: what the server said of its library (server_book, candidate), and
# which of KOReader's records and of the server's lists have been read (mark_source, mark_pull).
TABLES = (
    SETTING,
    BOOK,
    BOOK_FINGERPRINT,
    JOURNAL,
    READING_SESSION,
    OUTBOX,
    MARK_LEDGER,
    PENDING_MARK,
    MARK,
    MARK_LINK,
    JOURNAL_STRETCH,
    SHARED_VALUE,
    HARDCOVER_VALUE,
)
OF_VERSION_1 = (SETTING, BOOK, JOURNAL, READING_SESSION, OUTBOX)


def open_damaged(path: str) -> Connection:
    connection = database.open_read_only(path)
    connection.text_factory = bytes  # a text that is not UTF-8 would be an error, and end the table
    connection.setlimit(_sqlite3.SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES)
    return connection


def read(connection: Connection, table: Table, take: Take) -> Reading:
    """Calls `take` with the values of every usable row; what came of it."""
    reading = Reading(connection, table, take)
    try:
        present = [name.decode("utf-8", "replace") for name in _column_names(connection, table)]
    except FAILURES:
        return reading
    if present:
        reading.run(present)
    else:
        reading.is_whole = table not in OF_VERSION_1
    return reading


class Reading:
    """One table's reading. `unusable`: rows that could be read and not be used, or not all of it.

    `is_whole`: it was read to its end, so that nothing but the unusable is missing.
    """

    __slots__ = ("_connection", "_highest", "_lowest", "_names", "_seen", "_table", "_take", "is_whole", "unusable")

    def __init__(self, connection: Connection, table: Table, take: Take) -> None:
        self._connection = connection
        self._table = table
        self._take = take
        self._names = ""
        self._seen: set[tuple[Raw, ...]] = set()
        self._highest = 0  # row id of the last row from the front
        self._lowest = ID_MOST  # and of the last from the back
        self.unusable = 0
        self.is_whole = False

    def run(self, present: list[str]) -> None:
        known = [
            next((name for name in (column.name, column.older) if name in present), "NULL")
            for column in self._table.columns
        ]
        self._names = ", ".join(known)
        self.is_whole = self._scan("ASC")
        if self.is_whole:
            return
        self._scan("DESC")
        if self._table.has_row_ids():
            for id in range(self._highest + 1, min(self._lowest, self._highest + 1 + GAP_MOST)):
                self._look_for(id)

    def _scan(self, direction: str) -> bool:
        """Whether it came to the table's end: not to an error, nor to a row that was there already."""
        try:
            for row in _rows(self._connection, self._table, self._names, direction):
                key = row[: self._table.key]
                if key in self._seen:
                    return False
                self._seen.add(key)
                self._use(row)
                if self._table.has_row_ids() and isinstance(row[0], int) and 0 < row[0] <= ID_MOST:
                    if direction == "ASC":
                        self._highest = row[0]
                    else:
                        self._lowest = row[0]
        except FAILURES:
            return False
        return len(self._seen) < ROWS_MOST

    def _look_for(self, id: int) -> None:
        try:
            for row in _row(self._connection, self._table, self._names, id):
                self._use(row)
        except FAILURES:
            return

    def _use(self, row: tuple[Raw, ...]) -> None:
        try:
            values = [column.clean(value) for column, value in zip(self._table.columns, row, strict=True)]
        except Unusable:
            self.unusable += 1
            return
        self._take(tuple(values))


def _column_names(connection: Connection, table: Table) -> list[bytes]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")]


def _rows(connection: Connection, table: Table, names: str, direction: str) -> Cursor:
    return connection.execute(
        f"SELECT {names} FROM {table.name} ORDER BY {table.order(direction)} LIMIT ?", (ROWS_MOST,)
    )


def _row(connection: Connection, table: Table, names: str, id: int) -> Cursor:
    return connection.execute(f"SELECT {names} FROM {table.name} WHERE id = ?", (id,))


def has_unusable_rows(path: str) -> bool:
    """Whether a sound file holds a value that this program cannot have written.

    One that can be done without counts too: the program's own statements trip over it.
    """
    connection = open_damaged(path)
    try:
        return any(_has_unusable_row(connection, table) for table in TABLES)
    finally:
        connection.close()


def _has_unusable_row(connection: Connection, table: Table) -> bool:
    names = ", ".join(column.name for column in table.columns)
    for row in _rows(connection, table, names, "ASC"):
        for column, value in zip(table.columns, row, strict=True):
            meant = _decoded(value) if isinstance(value, bytes) else value
            try:
                if column.clean(value) != meant or (meant is None and value is not None):
                    return True
            except Unusable:
                return True
    return False
