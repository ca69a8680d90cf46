"""What the import of KOReader's history asks of the store: the time that is taken, and how far it came.

Called by: `device/importing/history.py`; `device/ingest.py` notes the time that journals cover.
"""

from __future__ import annotations

from device.store import settings
from device.store.reading_sessions import PLUGIN, STATISTICS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.core.history import BookSpan, Span
    from device.store.database import Store

SPANS_AT_ONCE = 500
MARK = "history_mark"  # what the statistics were like when they were last read, and how far that went
MARK_DONE = "done"


def session_spans(store: Store) -> Iterator[Span]:
    """When something was read, by whomever recorded, in the order of the starts; where several start at once, the
    longest. Sessions may be added while this goes on."""
    start = -1
    while True:
        spans = _next_session_spans(store, start)
        yield from spans
        if len(spans) < SPANS_AT_ONCE:
            return
        start = spans[-1][0]


def _next_session_spans(store: Store, after_start: int) -> list[Span]:
    # The Lua plugin ended a session where its last page began: one second more and that page's record is part of it.
    # Where its pauses were shorter than that page, the session was extended (`device/core/plugin_times.py`).
    return store.execute(
        "SELECT started_at, MAX(MAX(ended_at + (source = ? AND duration_s < ended_at - started_at), started_at + 1))"
        " FROM reading_session WHERE started_at > ? GROUP BY started_at ORDER BY started_at LIMIT ?",
        (PLUGIN, after_start, SPANS_AT_ONCE),
    ).fetchall()


def journal_stretches(store: Store) -> Iterator[BookSpan]:
    """Time that journals cover by their wall clocks, in the order of the starts, and of which book they are."""
    start, book_id = -1, 0
    while True:
        spans = _next_journal_stretches(store, start, book_id)
        yield from spans
        if len(spans) < SPANS_AT_ONCE:
            return
        start, _, book_id = spans[-1]


def _next_journal_stretches(store: Store, after_start: int, after_book: int) -> list[BookSpan]:
    return store.execute(
        "SELECT started_at, ended_at, book_id FROM journal_stretch WHERE (started_at, book_id) > (?, ?)"
        " ORDER BY started_at, book_id LIMIT ?",
        (after_start, after_book, SPANS_AT_ONCE),
    ).fetchall()


def add_journal_stretch(store: Store, book_id: int, started_at: int, ended_at: int) -> None:
    """Notes that a journal covers this time by its wall clock, as KOReader's records of the book do."""
    store.execute(
        "INSERT INTO journal_stretch (started_at, book_id, ended_at) VALUES (?, ?, ?)"
        " ON CONFLICT (started_at, book_id) DO UPDATE SET ended_at = MAX(ended_at, excluded.ended_at)",
        (started_at, book_id, ended_at),
    )


def journals_cover_until(store: Store, book_id: int, before: int) -> int | None:
    """When the last stretch of a book's journals ends that began before this instant; None if there is none."""
    row = store.execute(
        "SELECT MAX(ended_at) FROM journal_stretch WHERE book_id = ? AND started_at < ?", (book_id, before)
    ).fetchone()
    return None if row[0] is None else int(row[0])


def count_imported(store: Store) -> int:
    row = store.execute("SELECT COUNT(*) FROM reading_session WHERE source = ?", (STATISTICS,)).fetchone()
    return int(row[0])


def mark(store: Store) -> tuple[str, str]:
    """(what the statistics were like, how far they were read) at the last import; ("", "") if there was none."""
    kept = settings.get(store, MARK) or ""
    seen, _, position = kept.rpartition("\n")
    return seen, position


def keep_mark(store: Store, seen: str, position: str) -> None:
    settings.put(store, MARK, f"{seen}\n{position}")
