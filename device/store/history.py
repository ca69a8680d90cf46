"""What the import of KOReader's history asks of the store: the time that is taken, and how far it came.

Called by: `device/history.py`; `device/ingest.py` notes the time that a wrong clock showed.
"""

from __future__ import annotations

from device.store import settings
from device.store.reading_sessions import PLUGIN, STATISTICS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.store.database import Store

    Span = tuple[int, int]

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
    return store.execute(
        "SELECT started_at, MAX(MAX(ended_at + (source = ?), started_at + 1)) FROM reading_session WHERE started_at > ?"
        " GROUP BY started_at ORDER BY started_at LIMIT ?",
        (PLUGIN, after_start, SPANS_AT_ONCE),
    ).fetchall()


def journal_stretches(store: Store) -> Iterator[Span]:
    """Time that journals cover by their wall clocks, in the order of the starts."""
    start = -1
    while True:
        spans = _next_journal_stretches(store, start)
        yield from spans
        if len(spans) < SPANS_AT_ONCE:
            return
        start = spans[-1][0]


def _next_journal_stretches(store: Store, after_start: int) -> list[Span]:
    return store.execute(
        "SELECT started_at, ended_at FROM journal_stretch WHERE started_at > ? ORDER BY started_at LIMIT ?",
        (after_start, SPANS_AT_ONCE),
    ).fetchall()


def add_journal_stretch(store: Store, started_at: int, ended_at: int) -> None:
    """Notes that a journal covers this time by its wall clock, as KOReader's records of it do."""
    store.execute(
        "INSERT INTO journal_stretch (started_at, ended_at) VALUES (?, ?)"
        " ON CONFLICT (started_at) DO UPDATE SET ended_at = MAX(ended_at, excluded.ended_at)",
        (started_at, ended_at),
    )


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
