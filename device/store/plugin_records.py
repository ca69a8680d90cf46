"""What the import from the Lua plugin asks of the store, besides what others ask: books by hash, path or title; which
sessions there are; what an earlier import of KOReader's statistics has put there too early.

Called by: `device/importing/plugin_records.py`, `device/importing/plugin_import.py`.
"""

from __future__ import annotations

from device.store import books, history, reading_sessions, settings
from device.store.reading_sessions import STATISTICS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store

DONE, DECLINED = "done", "declined"  # values of IMPORT
MARK = "plugin_import_mark"  # how far an interrupted import came
REST_IN = "plugin_import_rest_in"  # the statistics that hold the rest of withdrawn sessions; '': the usual ones
KEPT = "plugin."  # before the keys of what is kept for features to come


class FoundBook:
    """A book of ours. `server_id` is None until it is matched."""

    __slots__ = ("id", "server_id", "tracked")

    def __init__(self, id: int, server_id: int | None, tracked: int) -> None:
        self.id = id
        self.server_id = server_id
        self.tracked = bool(tracked)


def book_with_fingerprint(store: Store, fingerprint: str) -> FoundBook | None:
    row = store.execute(
        "SELECT b.id, b.server_id, b.tracked FROM book_fingerprint f JOIN book b ON b.id = f.book_id"
        " WHERE f.fingerprint = ? ORDER BY b.server_id IS NULL, b.id LIMIT 1",
        (fingerprint,),
    ).fetchone()
    return None if row is None else FoundBook(*row)


def book_with_file(store: Store, file: str, fingerprint: str | None) -> FoundBook | None:
    """Where both have a fingerprint, another one means another book under the same name."""
    row = store.execute(
        "SELECT id, server_id, tracked FROM book WHERE file = ? AND (fingerprint IS NULL OR ? IS NULL)"
        " ORDER BY id DESC LIMIT 1",
        (file, fingerprint),
    ).fetchone()
    return None if row is None else FoundBook(*row)


def books_with_title(store: Store, title: str) -> list[FoundBook]:
    """Two are enough to know that it is not the only one; one that has nothing but this title comes first."""
    rows = store.execute(
        "SELECT id, server_id, tracked FROM book WHERE title = ?"
        " ORDER BY NOT (file = '' AND fingerprint IS NULL), id LIMIT 2",
        (title,),
    )
    return [FoundBook(*row) for row in rows]


def is_only_a_title(store: Store, id: int) -> bool:
    row = store.execute("SELECT 1 FROM book WHERE id = ? AND file = '' AND fingerprint IS NULL", (id,)).fetchone()
    return row is not None


def fill_gaps(
    store: Store,
    id: int,
    fingerprint: str | None,
    format: str,
    title: str,
    authors: list[str],
    identifiers: list[str],
    hardcover_id: int | None,
) -> None:
    """Adds what is not known of a book yet."""
    store.execute(
        "UPDATE book SET fingerprint = COALESCE(fingerprint, ?1), format = CASE format WHEN '' THEN ?2 ELSE format END,"
        " title = CASE title WHEN '' THEN ?3 ELSE title END, authors = CASE authors WHEN '' THEN ?4 ELSE authors END,"
        " identifiers = CASE identifiers WHEN '' THEN ?5 ELSE identifiers END,"
        " hardcover_id = COALESCE(hardcover_id, ?6) WHERE id = ?7",
        (fingerprint, format, title, "\n".join(authors), "\n".join(identifiers), hardcover_id, id),
    )
    books.note_fingerprint(store, id, fingerprint, None)


def is_recorded(store: Store, started_at: int, ended_at: int, latest_end: int) -> bool:
    """Whether there is a session with these ends, or one that was extended to at most `latest_end`, of whatever book:
    then it is the same one."""
    row = store.execute(
        "SELECT 1 FROM reading_session WHERE started_at = ? AND +ended_at BETWEEN ? AND ? LIMIT 1",
        (started_at, ended_at, latest_end),
    ).fetchone()
    return row is not None


def spans_around(store: Store, started_at: int, ended_at: int, longest_s: int) -> list[tuple[int, int]]:
    """(started_at, ended_at) of the sessions that touch this time, in order; none lasts over `longest_s`."""
    rows = store.execute(
        "SELECT started_at, ended_at FROM reading_session WHERE started_at BETWEEN ? AND ? AND +ended_at >= ?"
        " ORDER BY started_at",
        (started_at - longest_s, ended_at, started_at),
    )
    return [(int(start), int(end)) for start, end in rows]


# What was imported from KOReader's statistics, is of one book, and was never sent.
_MAY_BE_WITHDRAWN = (
    "s.book_id = ? AND s.source = ? AND EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = s.id"
    " AND o.state IN ('new', 'intent', 'waiting') AND o.begun_boot IS NULL AND o.attempts = 0)"
)


def spans_that_stay(
    store: Store, book_id: int, started_at: int, ended_at: int, longest_s: int
) -> list[tuple[int, int]]:
    """As `spans_around`, without what `withdraw_statistics` takes away."""
    rows = store.execute(
        "SELECT s.started_at, s.ended_at FROM reading_session s WHERE s.started_at BETWEEN ? AND ?"
        f" AND +s.ended_at >= ? AND NOT ({_MAY_BE_WITHDRAWN}) ORDER BY s.started_at",
        (started_at - longest_s, ended_at, started_at, book_id, STATISTICS),
    )
    return [(int(start), int(end)) for start, end in rows]


def withdraw_statistics(store: Store, book_id: int, started_at: int, ended_at: int, longest_s: int) -> int:
    """Takes back what was imported from KOReader's statistics, was never sent, and lies in this time.

    The next import of the statistics brings back what of it lies outside; that it is owed is noted. How many sessions
    it was.
    """
    rows = store.execute(
        "SELECT s.id FROM reading_session s WHERE s.started_at BETWEEN ? AND ? AND +s.ended_at > ?"
        f" AND {_MAY_BE_WITHDRAWN}",
        (started_at - longest_s, ended_at - 1, started_at, book_id, STATISTICS),
    ).fetchall()
    for row in rows:
        reading_sessions.remove(store, int(row[0]))
    if rows:
        path = history.mark(store)[0].partition("\n")[0]
        settings.put(store, REST_IN, path or settings.get(store, REST_IN) or "")
        settings.remove(store, history.MARK)
    return len(rows)
