"""The outbox table. Which state follows which is decided in `device/core/outbox.py`; here it is only written down."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store

READING_SESSION = "reading_session"


class SessionEntry:
    """A reading session on its way to the server. Instants in UTC epoch seconds, fractions 0..1."""

    __slots__ = (
        "begun_boot",
        "begun_uptime_s",
        "book_id",
        "duration_s",
        "end_fraction",
        "end_page",
        "ended_at",
        "format",
        "id",
        "server_id",
        "start_fraction",
        "start_page",
        "started_at",
        "state",
        "title",
    )

    def __init__(
        self,
        id: int,
        state: str,
        begun_boot: str | None,
        begun_uptime_s: int | None,
        book_id: int,
        server_id: int | None,
        title: str,
        format: str,
        started_at: int,
        ended_at: int,
        duration_s: int,
        start_fraction: float | None,
        end_fraction: float | None,
        start_page: int | None,
        end_page: int | None,
    ) -> None:
        self.id = id
        self.state = state
        self.begun_boot = begun_boot or ""
        self.begun_uptime_s = begun_uptime_s or 0
        self.book_id = book_id
        self.server_id = server_id
        self.title = title
        self.format = format
        self.started_at = started_at
        self.ended_at = ended_at
        self.duration_s = duration_s
        self.start_fraction = start_fraction
        self.end_fraction = end_fraction
        self.start_page = start_page
        self.end_page = end_page


class OpenEntry:
    """What `status` says about one book's entries in one state."""

    __slots__ = ("count", "reason", "since", "state", "title")

    def __init__(self, state: str, title: str, count: int, since: int, reason: str | None) -> None:
        self.state = state
        self.title = title
        self.count = count
        self.since = since
        self.reason = reason


def add(store: Store, kind: str, subject_id: int, book_id: int, now: int) -> None:
    store.execute(
        "INSERT INTO outbox (kind, subject_id, book_id, state, created_at, changed_at) VALUES (?, ?, ?, 'new', ?, ?)",
        (kind, subject_id, book_id, now, now),
    )


def sessions_in_state(store: Store, state: str) -> list[SessionEntry]:
    """The least tried first, then in the order of reading, book by book."""
    rows = store.execute(
        "SELECT o.id, o.state, o.begun_boot, o.begun_uptime_s, b.id, b.server_id,"
        " CASE b.title WHEN '' THEN b.file ELSE b.title END, b.format,"
        " s.started_at, s.ended_at, s.duration_s, s.start_fraction, s.end_fraction, s.start_page, s.end_page"
        " FROM outbox o JOIN reading_session s ON s.id = o.subject_id JOIN book b ON b.id = o.book_id"
        " WHERE o.kind = 'reading_session' AND o.state = ? ORDER BY o.attempts, o.book_id, s.started_at",
        (state,),
    )
    return [SessionEntry(*row) for row in rows]


def change(store: Store, id: int, state: str, now: int, reason: str | None) -> None:
    store.execute("UPDATE outbox SET state = ?, changed_at = ?, reason = ? WHERE id = ?", (state, now, reason, id))


def begin(store: Store, id: int, boot: str, uptime_s: int) -> None:
    """Notes when sending began, on the clock that only a reboot sets back."""
    store.execute("UPDATE outbox SET begun_boot = ?, begun_uptime_s = ? WHERE id = ?", (boot, uptime_s, id))


def change_all(store: Store, old_state: str, new_state: str, now: int) -> None:
    store.execute(
        "UPDATE outbox SET state = ?, changed_at = ?, reason = NULL WHERE state = ?", (new_state, now, old_state)
    )


def count_attempt(store: Store, id: int) -> None:
    store.execute("UPDATE outbox SET attempts = attempts + 1 WHERE id = ?", (id,))


def change_book(store: Store, book_id: int, old_state: str, new_state: str, now: int, reason: str | None) -> None:
    """Moves all entries of a book from one state to another: when it is matched, or found to have no match."""
    store.execute(
        "UPDATE outbox SET state = ?, changed_at = ?, reason = ? WHERE book_id = ? AND state = ?",
        (new_state, now, reason, book_id, old_state),
    )


def counts(store: Store) -> dict[str, int]:
    """Entries by state."""
    return dict(store.execute("SELECT state, COUNT(*) FROM outbox GROUP BY state").fetchall())


def open_entries(store: Store) -> list[OpenEntry]:
    """Everything that has not been acknowledged, by book and state, the longest waiting first."""
    rows = store.execute(
        "SELECT o.state, CASE b.title WHEN '' THEN b.file ELSE b.title END, COUNT(*), MIN(o.created_at),"
        " COALESCE(o.reason, b.unmatched_reason)"
        " FROM outbox o JOIN book b ON b.id = o.book_id WHERE o.state <> 'acknowledged'"
        " GROUP BY o.state, o.book_id, 5 ORDER BY 4, 2"
    )
    return [OpenEntry(*row) for row in rows]
