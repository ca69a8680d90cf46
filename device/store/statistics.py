"""The statements that read KOReader's statistics.sqlite3. Only reads; what a row means is `device/core/history.py`'s.

KOReader has kept its page records in `page_stat_data` since October 2020, and in a table `page_stat` before, with
`period` for the duration and without the number of pages at that time. The index by start time came some days later;
where it is missing the records are read in large pieces, each of which SQLite finds by going through all.

Promises: whatever the file is, it is read with bounded memory, or Foreign or Damaged is raised.
Called by: `device/importing/history.py`, with an address from `device/koreader/snapshot.py`.
"""

from __future__ import annotations

import _sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection

    Number = object  # what a column of KOReader's holds: a whole number, if all is well
    Record = tuple[int, Number, Number, Number, Number, Number]  # rowid, book, page, start, duration, pages

PIECE_RECORDS = 50_000  # 3 MiB of sorting where there is no index
VALUE_MAX_BYTES = 1_000_000  # of one row; the longest title is cut much earlier
TEXT_MAX_CHARS = 1_000  # of a title or the authors
CACHE_KIB = 1_024
_LIMIT_LENGTH = 0  # SQLITE_LIMIT_LENGTH

_NONE_GIVEN = "N/A"  # what KOReader writes for authors that it does not know
_FINGERPRINT_DIGITS = frozenset("0123456789abcdef")

# SQLite words what is wrong with a damaged file in the file's own bytes, which may be no text.
_FAILURES = (_sqlite3.Error, UnicodeDecodeError)
_PRAGMAS = (
    "PRAGMA locking_mode = EXCLUSIVE",  # of a copy: WAL without shared memory, which vfat and FUSE may not have
    "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
    f"PRAGMA cache_size = -{CACHE_KIB}",
)


class Foreign(Exception):
    """A database, but not KOReader's statistics."""


class Damaged(Exception):
    """Not a database, or one that cannot be read to its end. The text is SQLite's."""


class Summary:
    """What changes when anything changes, and the number of records. `latest_at`: the latest start, 0 if none."""

    __slots__ = ("duration_s", "highest_rowid", "latest_at", "records")

    def __init__(self, records: int, highest_rowid: int, latest_at: Number, duration_s: float) -> None:
        self.records = records
        self.highest_rowid = highest_rowid
        self.latest_at = latest_at if isinstance(latest_at, int) else 0
        self.duration_s = duration_s

    def mark(self) -> str:
        return f"{self.records} {self.highest_rowid} {self.latest_at} {self.duration_s:.0f}"


class StatisticsBook:
    """A book as the statistics know it: None or empty where they do not."""

    __slots__ = ("authors", "fingerprint", "language", "title")

    def __init__(self, title: str, authors: list[str], fingerprint: str | None, language: str) -> None:
        self.title = title
        self.authors = authors
        self.fingerprint = fingerprint
        self.language = language


class Statistics:
    """The open statistics."""

    __slots__ = ("_connection", "_counted", "_duration", "_language", "_table")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # From here on only names from this file: nothing of the foreign database gets into a statement.
        if _columns(connection, "page_stat_data") >= {"id_book", "page", "start_time", "duration", "total_pages"}:
            self._table = "page_stat_data"
            self._duration, self._counted = "duration", "r.total_pages"
        elif _is_table(connection, "page_stat"):
            columns = _columns(connection, "page_stat")
            self._table = "page_stat"
            self._duration = "period" if "period" in columns else "duration"
            self._counted = "(SELECT pages FROM book WHERE book.id = r.id_book)"
            if not columns >= {"id_book", "page", "start_time", self._duration}:
                raise Foreign
        else:
            raise Foreign
        of_book = _columns(connection, "book")
        if not of_book >= {"id", "title", "authors", "md5"}:
            raise Foreign
        self._language = "language" if "language" in of_book else "''"

    def close(self) -> None:
        self._connection.close()

    def summary(self) -> Summary:
        try:
            row = self._connection.execute(
                "SELECT COUNT(*), COALESCE(MAX(rowid), 0), MAX(CASE typeof(start_time) WHEN 'integer' THEN start_time"
                f" END), TOTAL({self._duration}) FROM {self._table}"
            ).fetchone()
        except _FAILURES as problem:
            raise Damaged(str(problem)) from problem
        return Summary(*row)

    def records(self, from_start: int, to_start: int) -> Iterator[Record]:
        """The records that began between these two instants, both included, in the order of their starts."""
        start, rowid, more = from_start, -1, True
        while more:
            more = False
            for record in self._piece(start, rowid, to_start):
                rowid, start, more = record[0], record[3], True  # type: ignore[assignment]  # a number, or not found
                yield record

    def _piece(self, start: int, rowid: int, to_start: int) -> Iterator[Record]:
        try:
            yield from self._connection.execute(
                f"SELECT r.rowid, r.id_book, r.page, r.start_time, r.{self._duration}, {self._counted}"
                f" FROM {self._table} r WHERE (r.start_time, r.rowid) > (?, ?) AND r.start_time <= ?"
                " ORDER BY r.start_time, r.rowid LIMIT ?",
                (start, rowid, to_start, PIECE_RECORDS),
            )
        except _FAILURES as problem:
            raise Damaged(str(problem)) from problem

    def outside(self, from_start: int, to_start: int) -> Iterator[Number]:
        """Of each record that began at no time between these two, the book."""
        try:
            for row in self._connection.execute(
                f"SELECT id_book FROM {self._table} WHERE start_time < ? OR start_time > ? OR start_time IS NULL",
                (from_start, to_start),
            ):
                yield row[0]
        except _FAILURES as problem:
            raise Damaged(str(problem)) from problem

    def book(self, id: int) -> StatisticsBook | None:
        try:
            row = self._connection.execute(
                f"SELECT substr(title, 1, ?), substr(authors, 1, ?), md5, substr({self._language}, 1, ?) FROM book"
                " WHERE id = ?",
                (TEXT_MAX_CHARS, TEXT_MAX_CHARS, TEXT_MAX_CHARS, id),
            ).fetchone()
        except _FAILURES as problem:
            raise Damaged(str(problem)) from problem
        if row is None:
            return None
        authors = [line.strip() for line in _text(row[1]).split("\n")]
        named = [name for name in authors if name and name != _NONE_GIVEN]
        language = _text(row[3]).strip()
        return StatisticsBook(
            _text(row[0]).strip(), named, _fingerprint(row[2]), "" if language == _NONE_GIVEN else language
        )


def open_statistics(address: str, is_copy: bool) -> Statistics:
    """Raises Foreign or Damaged."""
    try:
        connection = _sqlite3.connect(address, 0.0, 0, None, True, _sqlite3.Connection, 16, not is_copy)
        try:
            connection.setlimit(_LIMIT_LENGTH, VALUE_MAX_BYTES)
            connection.text_factory = bytes  # what is not UTF-8 must not cost the row
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            return Statistics(connection)
        except BaseException:
            connection.close()
            raise
    except _FAILURES as problem:
        raise Damaged(str(problem)) from problem


def _is_table(connection: Connection, name: str) -> bool:
    """Rather than a view: KOReader's present `page_stat` is one, which splits and rescales its records."""
    row = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ? AND type = 'table'", (name,)).fetchone()
    return row is not None


def _columns(connection: Connection, table: str) -> set[str]:
    return {_text(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _fingerprint(value: object) -> str | None:
    text = _text(value).lower()
    return text if len(text) == 32 and _FINGERPRINT_DIGITS.issuperset(text) else None
