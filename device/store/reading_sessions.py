"""Reading sessions as they were recorded, and the journals they came from."""

from __future__ import annotations

from device.core.reading_session import ReadingSession

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store

JOURNAL, STATISTICS, PLUGIN = "journal", "statistics", "plugin"  # who recorded a session


def journal_is_ingested(store: Store, journal_id: str) -> bool:
    return store.execute("SELECT 1 FROM journal WHERE id = ?", (journal_id,)).fetchone() is not None


def add_journal(store: Store, journal_id: str, now: int, lines: int) -> None:
    store.execute("INSERT INTO journal (id, ingested_at, lines) VALUES (?, ?, ?)", (journal_id, now, lines))


def journals_between(store: Store, first: str, last: str) -> set[str]:
    """Journals that were taken, with ids from `first` to `last`."""
    return {str(row[0]) for row in store.execute("SELECT id FROM journal WHERE id BETWEEN ? AND ?", (first, last))}


def unfinished_journals(store: Store, first: str, last: str) -> set[str]:
    """Those of them from which something has not been acknowledged."""
    rows = store.execute(
        "SELECT DISTINCT s.journal_id FROM reading_session s JOIN outbox o ON o.session_id = s.id"
        " WHERE s.journal_id BETWEEN ? AND ? AND o.state <> 'acknowledged'",
        (first, last),
    )
    return {str(row[0]) for row in rows}


def of_journal(store: Store, journal_id: str) -> list[ReadingSession]:
    """The sessions that were recorded from a journal, in order."""
    rows = store.execute(
        "SELECT started_at, ended_at, duration_s, start_page, end_page, start_fraction, end_fraction, pages_read,"
        " flags, start_label, end_label, start_xpointer, end_xpointer, boot_id, boot_ms FROM reading_session"
        " WHERE journal_id = ? ORDER BY started_at",
        (journal_id,),
    )
    return [_session(*row) for row in rows]


def _session(
    started_at: int,
    ended_at: int,
    duration_s: int,
    start_page: int | None,
    end_page: int | None,
    start_fraction: float | None,
    end_fraction: float | None,
    pages_read: int,
    flags: str,
    start_label: str | None,
    end_label: str | None,
    start_xpointer: str | None,
    end_xpointer: str | None,
    boot_id: str | None,
    boot_ms: int | None,
) -> ReadingSession:
    session = ReadingSession(
        started_at,
        ended_at,
        duration_s,
        start_page,
        end_page,
        start_fraction,
        end_fraction,
        pages_read,
        tuple(flags.split()),
    )
    session.start_label, session.end_label = start_label, end_label
    session.start_xpointer, session.end_xpointer = start_xpointer, end_xpointer
    session.boot_id, session.boot_ms = boot_id, boot_ms
    return session


def latest_end_within(store: Store, started_at: int, ended_at: int) -> int | None:
    """When the last of the sessions ends, of any book, that share time with this span; None if none does.

    One person reads on a device: two sessions at the same time are a wrong clock. One that another program recorded
    without a length takes the second in which it began.
    """
    row = store.execute(
        "SELECT MAX(MAX(ended_at, started_at + 1)) FROM reading_session"
        " WHERE (ended_at > ? AND started_at < ?) OR started_at = ?",
        (started_at, ended_at, started_at),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def first_free_after(store: Store, started_at: int, length_s: int) -> int:
    """The first moment from `started_at` on at which a session of this length shares time with no other."""
    taken_until = latest_end_within(store, started_at, started_at + max(length_s, 1))
    while taken_until is not None:  # each step is over at least one session
        started_at = taken_until
        taken_until = latest_end_within(store, started_at, started_at + max(length_s, 1))
    return started_at


class Unsent:
    """A session that was recorded live and that no server can know yet. `boot_ms`: when it began, by the clock of its
    boot; 0 if that is not known."""

    __slots__ = ("boot_ms", "ended_at", "flags", "id", "journal_id", "started_at")

    def __init__(
        self, id: int, journal_id: str | None, started_at: int, ended_at: int, flags: str, boot_ms: int | None
    ) -> None:
        self.id = id
        self.journal_id = journal_id
        self.started_at = started_at
        self.ended_at = ended_at
        self.flags = flags.split()
        self.boot_ms = boot_ms or 0


_UNSENT = (
    " FROM reading_session s JOIN outbox o ON o.session_id = s.id WHERE s.source = 'journal'"
    " AND o.state IN ('new', 'waiting') AND o.state <> 'acknowledged' AND o.unproven = 0 AND o.begun_uptime_s IS NULL"
)
_UNSENT_COLUMNS = "SELECT s.id, s.journal_id, s.started_at, s.ended_at, s.flags, s.boot_ms"


def has_unsent(store: Store) -> bool:
    return store.execute(f"SELECT 1{_UNSENT} LIMIT 1").fetchone() is not None


def unsent_of_boot(store: Store, boot_id: str, most: int) -> list[Unsent]:
    """Those that the clock of one boot can place, from the earliest on."""
    rows = store.execute(
        f"{_UNSENT_COLUMNS}{_UNSENT} AND s.boot_id = ? AND s.boot_ms IS NOT NULL ORDER BY s.boot_ms LIMIT ?",
        (boot_id, most),
    )
    return [Unsent(*row) for row in rows]


def unsent_beyond(store: Store, boot_id: str, ends_after: int, taken_after: int, most: int) -> list[Unsent]:
    """Those that this boot's clock cannot place, and that end, or whose journal was taken, after an instant; without
    those that are flagged already."""
    rows = store.execute(
        f"{_UNSENT_COLUMNS}{_UNSENT} AND (s.boot_ms IS NULL OR s.boot_id IS NOT ?)"
        " AND (s.ended_at > ? OR EXISTS (SELECT 1 FROM journal j WHERE j.id = s.journal_id AND j.ingested_at > ?))"
        " AND ' ' || s.flags || ' ' NOT LIKE '% clock-unset %'"
        " AND ' ' || s.flags || ' ' NOT LIKE '% clock-doubtful %' ORDER BY s.id LIMIT ?",
        (boot_id, ends_after, taken_after, most),
    )
    return [Unsent(*row) for row in rows]


def place(store: Store, id: int, started_at: int, flags: str) -> None:
    """Moves a session as a whole."""
    store.execute(
        "UPDATE reading_session SET ended_at = ended_at - started_at + ?1, started_at = ?1, flags = ?2 WHERE id = ?3",
        (started_at, flags, id),
    )


def flag(store: Store, id: int, flags: str) -> None:
    store.execute("UPDATE reading_session SET flags = ? WHERE id = ?", (flags, id))


def add(store: Store, book_id: int, source: str, journal_id: str | None, session: ReadingSession) -> int:
    """Its id. Its time must be free (`latest_end_within`)."""
    cursor = store.execute(
        "INSERT INTO reading_session (book_id, source, journal_id, started_at, ended_at, duration_s, start_fraction,"
        " end_fraction, start_page, end_page, start_label, end_label, start_xpointer, end_xpointer, pages_read, flags,"
        " boot_id, boot_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            book_id,
            source,
            journal_id,
            session.started_at,
            session.ended_at,
            session.duration_s,
            session.start_fraction,
            session.end_fraction,
            session.start_page,
            session.end_page,
            session.start_label,
            session.end_label,
            session.start_xpointer,
            session.end_xpointer,
            session.pages_read,
            " ".join(session.flags),
            session.boot_id,
            session.boot_ms,
        ),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def remove(store: Store, id: int) -> None:
    """A session and its outbox entry."""
    _remove_entry(store, id)
    _remove_session(store, id)


def _remove_entry(store: Store, session_id: int) -> None:
    store.execute("DELETE FROM outbox WHERE session_id = ?", (session_id,))


def _remove_session(store: Store, id: int) -> None:
    store.execute("DELETE FROM reading_session WHERE id = ?", (id,))


def count_acknowledged(store: Store) -> int:
    """Sessions that are on the server, by whomever they were sent."""
    row = store.execute(
        "SELECT COUNT(*) FROM outbox WHERE kind = 'reading_session' AND state = 'acknowledged'"
    ).fetchone()
    return int(row[0])


def last_place(store: Store, book_id: int) -> tuple[str, float] | None:
    """(xpointer, fraction) of where the last reading of a book ended, if both are known."""
    row = store.execute(
        "SELECT end_xpointer, end_fraction FROM reading_session WHERE book_id = ? ORDER BY ended_at DESC LIMIT 1",
        (book_id,),
    ).fetchone()
    return None if row is None or row[0] is None or row[1] is None else (str(row[0]), float(row[1]))
