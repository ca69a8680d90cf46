"""The outbox table. Which state follows which is decided in `device/core/outbox.py`; here it is only written down."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store

READING_SESSION = "reading_session"

_TITLE = "CASE b.title WHEN '' THEN b.file ELSE b.title END"


class Entry:
    """Something on its way to the server. `begun_*` say when its sending began; `payload` is JSON, '' for sessions."""

    __slots__ = (
        "attempts",
        "begun_boot",
        "begun_uptime_s",
        "book_id",
        "format",
        "id",
        "kind",
        "payload",
        "remote_id",
        "server_id",
        "session",
        "state",
        "title",
        "unproven",
    )

    def __init__(
        self,
        id: int,
        kind: str,
        state: str,
        unproven: int,
        begun_boot: str | None,
        begun_uptime_s: int | None,
        attempts: int,
        payload: str | None,
        remote_id: int | None,
        book_id: int,
        server_id: int | None,
        title: str,
        format: str,
        session: SessionToSend | None,
    ) -> None:
        self.id = id
        self.kind = kind
        self.state = state
        self.unproven = bool(unproven)  # may be on the server although we never sent it
        self.begun_boot = begun_boot or ""
        self.begun_uptime_s = begun_uptime_s or 0
        self.attempts = attempts
        self.payload = payload or ""
        self.remote_id = remote_id
        self.book_id = book_id
        self.server_id = server_id  # the book's id there; None until matched
        self.title = title
        self.format = format
        self.session = session


class SessionToSend:
    """A reading session as the server is told. Instants in UTC epoch seconds, fractions 0..1."""

    __slots__ = (
        "duration_s",
        "end_fraction",
        "end_label",
        "end_page",
        "ended_at",
        "flags",
        "id",
        "source",
        "start_fraction",
        "start_label",
        "start_page",
        "started_at",
    )

    def __init__(
        self,
        id: int,
        source: str,
        started_at: int,
        ended_at: int,
        duration_s: int,
        start_fraction: float | None,
        end_fraction: float | None,
        start_page: int | None,
        end_page: int | None,
        start_label: str | None,
        end_label: str | None,
        flags: str,
    ) -> None:
        self.id = id
        self.source = source
        self.started_at = started_at
        self.ended_at = ended_at
        self.duration_s = duration_s
        self.start_fraction = start_fraction
        self.end_fraction = end_fraction
        self.start_page = start_page
        self.end_page = end_page
        self.start_label = start_label
        self.end_label = end_label
        self.flags = flags


class OpenEntry:
    """What `status` says about one book's entries of one kind in one state."""

    __slots__ = ("count", "kind", "reason", "since", "state", "title", "tracked")

    def __init__(
        self,
        state: str,
        title: str,
        count: int,
        since: int,
        reason: str | None,
        kind: str = READING_SESSION,
        tracked: int = 1,
    ) -> None:
        self.state = state
        self.title = title
        self.count = count
        self.since = since
        self.reason = reason
        self.kind = kind
        self.tracked = bool(tracked)


def add_session(store: Store, session_id: int, book_id: int, state: str, unproven: bool, now: int) -> None:
    """An unproven one that begins as an intent counts as begun in an earlier boot."""
    store.execute(
        "INSERT INTO outbox (kind, key, book_id, session_id, state, unproven, created_at, changed_at)"
        " VALUES ('reading_session', ?, ?, ?, ?, ?, ?, ?)",
        (str(session_id), book_id, session_id, state, int(unproven), now, now),
    )


def add(store: Store, kind: str, key: str, book_id: int, payload: str, state: str, unproven: bool, now: int) -> bool:
    """Whether it was new: an entry of this kind and key that is there already stays as it is."""
    cursor = store.execute(
        "INSERT INTO outbox (kind, key, book_id, payload, state, unproven, created_at, changed_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, key) DO NOTHING",
        (kind, key, book_id, payload, state, int(unproven), now, now),
    )
    return cursor.rowcount == 1


def entries_in_state(store: Store, state: str) -> list[Entry]:
    """Of books that are tracked: the least tried first, then book by book in the order in which they happened."""
    rows = store.execute(
        "SELECT o.id, o.kind, o.state, o.unproven, o.begun_boot, o.begun_uptime_s, o.attempts, o.payload,"
        f" o.remote_id, b.id, b.server_id, {_TITLE}, b.format,"
        " s.id, s.source, s.started_at, s.ended_at, s.duration_s, s.start_fraction, s.end_fraction,"
        " s.start_page, s.end_page, s.start_label, s.end_label, s.flags"
        " FROM outbox o JOIN book b ON b.id = o.book_id LEFT JOIN reading_session s ON s.id = o.session_id"
        " WHERE o.state = ? AND b.tracked = 1 ORDER BY o.attempts, o.book_id, s.started_at, o.id",
        (state,),
    )
    return [_entry(row) for row in rows]


def _entry(row: tuple[object, ...]) -> Entry:
    session = None if row[13] is None else SessionToSend(*row[13:])  # type: ignore[arg-type]
    return Entry(*row[:13], session)  # type: ignore[arg-type, call-arg]


def change(store: Store, id: int, state: str, now: int, reason: str | None) -> None:
    store.execute("UPDATE outbox SET state = ?, changed_at = ?, reason = ? WHERE id = ?", (state, now, reason, id))


def begin(store: Store, id: int, boot: str, uptime_s: int) -> None:
    """Notes when sending began, on the clock that only a reboot sets back."""
    store.execute("UPDATE outbox SET begun_boot = ?, begun_uptime_s = ? WHERE id = ?", (boot, uptime_s, id))


def prove(store: Store, id: int) -> None:
    """The server was asked, and does not have it: from now on it is like what we recorded ourselves."""
    store.execute("UPDATE outbox SET unproven = 0 WHERE id = ?", (id,))


def keep_remote_id(store: Store, id: int, remote_id: int) -> None:
    store.execute("UPDATE outbox SET remote_id = ? WHERE id = ?", (remote_id, id))


def change_all(store: Store, old_state: str, new_state: str, now: int) -> None:
    store.execute(
        "UPDATE outbox SET state = ?, changed_at = ?, reason = NULL WHERE state = ?", (new_state, now, old_state)
    )


def count_attempt(store: Store, id: int) -> None:
    store.execute("UPDATE outbox SET attempts = attempts + 1 WHERE id = ?", (id,))


def change_book(
    store: Store, book_id: int, old_state: str, unproven: bool, new_state: str, now: int, reason: str | None
) -> None:
    """Moves a book's entries from one state to another: when it is matched, or found to have no match."""
    store.execute(
        "UPDATE outbox SET state = ?, changed_at = ?, reason = ? WHERE book_id = ? AND state = ? AND unproven = ?",
        (new_state, now, reason, book_id, old_state, int(unproven)),
    )


def counts(store: Store) -> dict[str, int]:
    """Entries by state."""
    return dict(store.execute("SELECT state, COUNT(*) FROM outbox GROUP BY state").fetchall())


def open_entries(store: Store) -> list[OpenEntry]:
    """Everything that has not been acknowledged, by book, kind and state, the longest waiting first."""
    rows = store.execute(
        f"SELECT o.state, {_TITLE}, COUNT(*), MIN(o.created_at), COALESCE(o.reason, b.unmatched_reason),"
        " o.kind, b.tracked FROM outbox o JOIN book b ON b.id = o.book_id WHERE o.state <> 'acknowledged'"
        " GROUP BY o.state, o.kind, o.book_id, 5 ORDER BY 4, 2"
    )
    return [OpenEntry(*row) for row in rows]
