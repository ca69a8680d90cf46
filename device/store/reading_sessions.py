"""Reading sessions as they were recorded, and the journals they came from."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.reading_session import ReadingSession
    from device.store.database import Store


def journal_is_ingested(store: Store, journal_id: str) -> bool:
    return store.execute("SELECT 1 FROM journal WHERE id = ?", (journal_id,)).fetchone() is not None


def add_journal(store: Store, journal_id: str, now: int, lines: int) -> None:
    store.execute("INSERT INTO journal (id, ingested_at, lines) VALUES (?, ?, ?)", (journal_id, now, lines))


def start_is_taken(store: Store, book_id: int, started_at: int) -> bool:
    row = store.execute("SELECT 1 FROM reading_session WHERE book_id = ? AND started_at = ?", (book_id, started_at))
    return row.fetchone() is not None


def add(store: Store, book_id: int, journal_id: str, session: ReadingSession) -> int:
    """Its id. The start must be free (`start_is_taken`)."""
    cursor = store.execute(
        "INSERT INTO reading_session (book_id, journal_id, started_at, ended_at, duration_s,"
        " start_fraction, end_fraction, start_page, end_page, pages_read, flags)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            book_id,
            journal_id,
            session.started_at,
            session.ended_at,
            session.duration_s,
            session.start_fraction,
            session.end_fraction,
            session.start_page,
            session.end_page,
            session.pages_read,
            " ".join(session.flags),
        ),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid
