"""The statements that read the Lua plugin's database, `booklore-sync.sqlite`, of whatever version. Only reads.

Tables are known by their names and columns by theirs, never by `schema_version`: the same number meant different
things in the plugin and its fork, some migrations were never repeated after they failed, and 4.x goes on counting. A
column that is not there reads as NULL, a table that is not there as empty; a view is no table.

Promises: whatever the file is, it is read with bounded memory and time, or Damaged is raised.
Called by: `device/importing/plugin_import.py`. What a row means is `device/core/plugin_rows.py`'s.
"""

from __future__ import annotations

import _sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection

    Cell = None | int | float | str | bytes
    Row = tuple[Cell, ...]  # rowid first, then the columns as they are listed below

TEXT_MAX_CHARS = 2_000  # of a title, path, time, setting
PAYLOAD_MAX_CHARS = 65_536  # of a highlight with its note; the server takes 5,000 of each
ROW_MAX_BYTES = 1_000_000
TABLES_MAX = 200
STEPS_MAX = 50_000_000  # of SQLite's machine for one statement: a piece of a table takes some ten thousand
CACHE_KIB = 512
CAUSE_MAX_CHARS = 120  # of SQLite's error message
_STEPS = 1_000_000  # between two questions whether to go on
_LIMIT_LENGTH = 0  # SQLITE_LIMIT_LENGTH

SETTINGS = "plugin_settings"
BOOKS = "book_cache"
PENDING_SESSIONS = "pending_sessions"
HISTORY = "historical_sessions"
METADATA = "book_metadata"
PENDING_RATINGS = "pending_ratings"
SYNCED_ANNOTATIONS = "synced_annotations"
SYNCED_BOOKMARKS = "synced_bookmarks"
PENDING_ANNOTATIONS = "pending_annotations"
PENDING_BOOKMARKS = "pending_bookmarks"
PENDING_DELETIONS = "pending_deletions"

_SESSION = (
    "book_type",
    "start_time",
    "end_time",
    "duration_seconds",
    "start_progress",
    "end_progress",
    "start_location",
    "end_location",
)
COLUMNS: dict[str, tuple[str, ...]] = {
    SETTINGS: ("key", "value"),
    BOOKS: (
        "file_path",
        "file_hash",
        "book_id",
        "title",
        "author",
        "isbn10",
        "isbn13",
        "hardcover_id",
        "tracking_enabled",
    ),
    PENDING_SESSIONS: ("book_hash", "book_title", "book_id", "koreader_book_id", *_SESSION),
    HISTORY: ("book_hash", "koreader_book_title", "book_id", "koreader_book_id", *_SESSION, "matched", "synced"),
    METADATA: ("rating", "rating_synced"),
    PENDING_RATINGS: ("rating",),
    SYNCED_ANNOTATIONS: ("koreader_datetime", "annotation_type", "server_id"),
    SYNCED_BOOKMARKS: ("datetime", "server_id"),
    PENDING_ANNOTATIONS: ("datetime", "ann_type", "payload"),
    PENDING_BOOKMARKS: ("datetime", "payload"),
    PENDING_DELETIONS: ("file_hash", "stem", "book_id"),
}
# These rows belong to one of `book_cache`, by its id; path and hash of that book follow the rowid.
OF_A_BOOK = (
    METADATA,
    PENDING_RATINGS,
    SYNCED_ANNOTATIONS,
    SYNCED_BOOKMARKS,
    PENDING_ANNOTATIONS,
    PENDING_BOOKMARKS,
)
# What is in these is of no use to us, or a secret that must not be taken along.
IGNORED = ("schema_version", "match_history", "bearer_tokens", "updater_cache", "rating_sync_history")

# SQLite's message itself may be made of the damaged file's bytes.
_FAILURES = (_sqlite3.Error, UnicodeDecodeError)

_PRAGMAS = (
    "PRAGMA locking_mode = EXCLUSIVE",  # of a copy: WAL without shared memory, which vfat and FUSE may not have
    "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    f"PRAGMA cache_size = -{CACHE_KIB}",
)


class Damaged(Exception):
    """Not a database, or one that cannot be read to its end. The text is SQLite's."""


class PluginDatabase:
    """The open database. `columns` of its tables, as far as they are known here; `strangers` are its other tables."""

    __slots__ = ("_connection", "_patience", "columns", "strangers")

    def __init__(self, connection: Connection, patience: Patience) -> None:
        self._connection = connection
        self._patience = patience
        self.columns: dict[str, frozenset[str]] = {}
        self.strangers: list[str] = []
        for name in _tables(connection):
            if name in COLUMNS:
                self.columns[name] = _columns(connection, name)
            elif name not in IGNORED and not name.startswith("sqlite_"):
                self.strangers.append(name)

    def close(self) -> None:
        self._connection.close()

    def is_the_plugins(self) -> bool:
        """Whether it is this plugin's database at all: every version has had these two."""
        return "file_path" in self.columns.get(BOOKS, ()) or "start_time" in self.columns.get(PENDING_SESSIONS, ())

    def rows(self, table: str, after_rowid: int, most: int) -> Iterator[Row]:
        """The next rows of a table, in the order in which they were made. Raises Damaged."""
        if table not in self.columns or (table in OF_A_BOOK and "book_cache_id" not in self.columns[table]):
            return
        self._patience.begin()
        try:
            yield from self._connection.execute(self._statement(table), (after_rowid, most))
        except _FAILURES as problem:
            raise Damaged(_cause(problem)) from problem

    def _statement(self, table: str) -> str:
        """Made of names that stand in this file only: nothing of the foreign database gets into a statement."""
        there = self.columns[table]
        chosen = []
        for column in COLUMNS[table]:
            limit = PAYLOAD_MAX_CHARS if column == "payload" else TEXT_MAX_CHARS
            # substr makes text of a number, so it is for text alone.
            clipped = f"CASE typeof(t.{column}) WHEN 'text' THEN substr(t.{column}, 1, {limit}) ELSE t.{column} END"
            chosen.append(clipped if column in there else "NULL")
        if table not in OF_A_BOOK:
            return f"SELECT t.rowid, {', '.join(chosen)} FROM {table} t WHERE t.rowid > ? ORDER BY t.rowid LIMIT ?"
        books = self.columns.get(BOOKS, frozenset())
        whose = "b.file_path, b.file_hash" if books >= {"file_path", "file_hash"} else "NULL, NULL"
        join = f" LEFT JOIN {BOOKS} b ON b.rowid = t.book_cache_id" if books else ""
        return (
            f"SELECT t.rowid, {whose}, {', '.join(chosen)} FROM {table} t{join}"
            " WHERE t.rowid > ? ORDER BY t.rowid LIMIT ?"
        )


class Patience:
    """Ends a statement that a hostile or damaged file keeps from ending."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = 0
        self.begin()

    def begin(self) -> None:
        self._left = STEPS_MAX // _STEPS

    def is_over(self) -> bool:
        self._left -= 1
        return self._left < 0


def open_plugin_database(address: str, is_uri: bool) -> PluginDatabase:
    """Raises Damaged."""
    try:
        connection = _sqlite3.connect(address, 0.0, 0, None, True, _sqlite3.Connection, 16, is_uri)
        try:
            patience = Patience()
            connection.setlimit(_LIMIT_LENGTH, ROW_MAX_BYTES)
            connection.set_progress_handler(patience.is_over, _STEPS)
            connection.text_factory = _text  # what is not UTF-8 must not cost the row
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            return PluginDatabase(connection, patience)
        except BaseException:
            connection.close()
            raise
    except _FAILURES as problem:
        raise Damaged(_cause(problem)) from problem


def _cause(problem: Exception) -> str:
    """SQLite's words, which may quote the file."""
    words = "its schema is not text" if isinstance(problem, UnicodeDecodeError) else str(problem)
    return "".join(char if char.isprintable() else "?" for char in words[:CAUSE_MAX_CHARS])


def _tables(connection: Connection) -> list[str]:
    """Real tables only: a view or a virtual table computes what it likes, and has no page of its own."""
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 ORDER BY rowid LIMIT ?", (TABLES_MAX,)
    )
    return [row[0] for row in rows if isinstance(row[0], str)]


def _columns(connection: Connection, table: str) -> frozenset[str]:
    """Without generated ones, which `table_info` leaves out."""
    return frozenset(str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})"))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
