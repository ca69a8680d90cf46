"""The outbox table. Which state follows which is decided in `device/core/outbox.py`; here it is only written down."""

from __future__ import annotations

from device.core import outbox as rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store, Value

_TITLE = "CASE b.title WHEN '' THEN b.file ELSE b.title END"
_STATE_ORDER = (  # of `rules.OF_STATE`
    "CASE o.kind WHEN 'rating' THEN 1 WHEN 'progress' THEN 2 WHEN 'status' THEN 3 WHEN 'finish_date' THEN 4 ELSE 0 END"
)
_OPEN = "state <> 'acknowledged'"  # said in these words it lets SQLite use the index of what is open


class BookToServe:
    """A book with entries to send or to look up, all of one book on the server."""

    __slots__ = ("file", "format", "id", "server_id", "title")

    def __init__(self, id: int, server_id: int, title: str, file: str, format: str) -> None:
        self.id = id
        self.server_id = server_id
        self.title = title
        self.file = file
        self.format = format  # lower-case suffix of the file


class Entry:
    """Something on its way to the server. `begun_*` say since when the server may be at work on it."""

    __slots__ = (
        "attempts",
        "begun_boot",
        "begun_uptime_s",
        "book_id",
        "id",
        "kind",
        "payload",
        "reason",
        "remote_id",
        "session",
        "state",
        "unproven",
    )

    def __init__(
        self,
        id: int,
        kind: str,
        book_id: int,
        state: str,
        unproven: int,
        begun_boot: str | None,
        begun_uptime_s: int | None,
        attempts: int,
        payload: str | None,
        remote_id: int | None,
        reason: str | None,
        session: SessionToSend | None,
    ) -> None:
        self.id = id
        self.kind = kind
        self.book_id = book_id
        self.state = state
        self.unproven = bool(unproven)  # may be on the server although we never sent it
        self.begun_boot = begun_boot  # None: the server is done with it, or never had it from us
        self.begun_uptime_s = begun_uptime_s
        self.attempts = attempts  # requests without a clear answer
        self.payload = payload or ""  # JSON; '' for sessions
        self.remote_id = remote_id
        self.reason = reason or ""  # of what happened last
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
        kind: str = rules.READING_SESSION,
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


class StateEntry:
    """The one entry of a kind of `rules.OF_STATE` that a book has, in whatever state."""

    __slots__ = ("id", "payload", "state", "unproven")

    def __init__(self, id: int, state: str, unproven: int, payload: str) -> None:
        self.id = id
        self.state = state
        self.unproven = bool(unproven)
        self.payload = payload

    def is_open(self) -> bool:
        return self.state != rules.ACKNOWLEDGED


def state_entry(store: Store, kind: str, book_id: int) -> StateEntry | None:
    row = store.execute(
        "SELECT id, state, unproven, payload FROM outbox WHERE kind = ? AND key = ?", (kind, str(book_id))
    ).fetchone()
    return None if row is None else StateEntry(*row)


def revise(store: Store, kind: str, book_id: int, payload: str, now: int) -> None:
    """This value is to be sent, and none before it."""
    entry = state_entry(store, kind, book_id)
    if entry is None:
        add(store, kind, str(book_id), book_id, payload, rules.NEW, False, now)
        return
    if entry.is_open() and entry.payload == payload:
        return
    store.execute(
        "UPDATE outbox SET payload = ?, state = ?, changed_at = ?, created_at = CASE state WHEN 'acknowledged' THEN ?"
        " ELSE created_at END, attempts = 0, reason = NULL WHERE id = ?",
        (payload, rules.after(entry.state, rules.REVISED), now, now, entry.id),
    )


def withdraw(store: Store, kind: str, book_id: int, now: int) -> None:
    """What was to be sent needs not be."""
    entry = state_entry(store, kind, book_id)
    if entry is not None and entry.is_open():
        change(store, entry.id, rules.after(entry.state, rules.WITHDRAWN), False, now, None)


# Entries of marks: one for each thing that is to be created, changed or deleted


class MarkEntry:
    """What is on its way to the server of a highlight, note or bookmark; `key` is unique within its kind."""

    __slots__ = ("id", "key", "kind", "payload", "state", "unproven")

    def __init__(self, id: int, kind: str, key: str, state: str, unproven: int, payload: str | None) -> None:
        self.id = id
        self.kind = kind
        self.key = key
        self.state = state
        self.unproven = bool(unproven)
        self.payload = payload or ""

    def may_be_there(self) -> bool:
        """Whether only the server knows what became of it."""
        return self.state == rules.INTENT or self.unproven


_MARK_ENTRY = "SELECT id, kind, key, state, unproven, payload FROM outbox WHERE"


def open_of_marks(store: Store, book_id: int) -> list[MarkEntry]:
    """Those of a book that are not acknowledged."""
    rows = store.execute(
        f"{_MARK_ENTRY} book_id = ? AND {_OPEN}"
        " AND kind IN ('highlight', 'in_book_note', 'book_note', 'bookmark', 'edit', 'deletion') ORDER BY id",
        (book_id,),
    )
    return [MarkEntry(*row) for row in rows]


def mark_entry(store: Store, kind: str, key: str) -> MarkEntry | None:
    row = store.execute(f"{_MARK_ENTRY} kind = ? AND key = ?", (kind, key)).fetchone()
    return None if row is None else MarkEntry(*row)


def is_under_way(store: Store, kind: str, key: str) -> bool:
    """Whether only the server knows what has become of it, and is still to be asked."""
    entry = mark_entry(store, kind, key)
    return entry is not None and entry.state != rules.ACKNOWLEDGED and entry.may_be_there()


def forget(store: Store, id: int) -> None:
    """What was settled makes room for what is to be sent under the same key."""
    store.execute("DELETE FROM outbox WHERE id = ?", (id,))


def reword(store: Store, id: int, payload: str, state: str, now: int) -> None:
    """Something else is to be sent in its place, as if nothing had been tried."""
    store.execute(
        "UPDATE outbox SET payload = ?, state = ?, changed_at = ?, attempts = 0, reason = NULL WHERE id = ?",
        (payload, state, now, id),
    )


def withdraw_changes_of_marks(store: Store) -> None:
    """Another account: what was to be changed or deleted there is decided again when that account comes back."""
    store.execute(
        f"DELETE FROM outbox WHERE kind IN ('edit', 'deletion') AND {_OPEN} AND instr(payload, '\"mark\":') > 0"
    )


_OWN_STATE = (
    "state IN ('new', 'intent') AND state <> 'acknowledged'"
    " AND kind IN ('rating', 'status', 'progress', 'finish_date') AND key = CAST(book_id AS TEXT)"
)


def has_state(store: Store, book_id: int) -> bool:
    """Whether a rating, a status or a progress of a book waits for nothing but a run."""
    row = store.execute(f"SELECT 1 FROM outbox WHERE book_id = ? AND {_OWN_STATE} LIMIT 1", (book_id,)).fetchone()
    return row is not None


def books_with_state(store: Store, most: int) -> list[int]:
    """The server's numbers of the books of which one does."""
    rows = store.execute(
        "SELECT b.server_id FROM book b WHERE b.tracked = 1 AND b.server_id IS NOT NULL AND b.id IN"
        f" (SELECT book_id FROM outbox WHERE {_OWN_STATE}) ORDER BY b.id LIMIT ?",
        (most,),
    )
    return [int(row[0]) for row in rows]


def books_to_serve(store: Store, after_id: int) -> list[BookToServe]:
    """Tracked and matched books with something new or unclear, those behind `after_id` first, then around to it."""
    rows = store.execute(
        f"SELECT b.id, b.server_id, {_TITLE}, b.file, b.format FROM book b WHERE b.tracked = 1"
        " AND b.server_id IS NOT NULL AND b.id IN"
        f" (SELECT book_id FROM outbox WHERE state IN ('new', 'intent') AND {_OPEN})"
        " ORDER BY b.id <= ?, b.id",
        (after_id,),
    )
    return [BookToServe(*row) for row in rows]


def in_order(store: Store, book_id: int, gave_way: int, most: int) -> list[Entry]:
    """What is new or unclear of a book, as it goes out: sessions as they were read, marks as they were recorded, and
    then what has an order of its own (`rules.OF_STATE`).

    A session changes nothing else on the server, so between these two there is no order to keep. Sessions with
    `gave_way` attempts or more are left out.
    """
    return _entries(
        store,
        f"o.book_id = ? AND o.state IN ('new', 'intent') AND o.{_OPEN}"
        " AND NOT (o.session_id IS NOT NULL AND o.attempts >= ?)"
        f" ORDER BY o.session_id IS NULL, s.started_at, {_STATE_ORDER}, o.id LIMIT ?",
        (book_id, gave_way, most),
    )


def sessions_that_gave_way(store: Store, book_id: int, gave_way: int, most: int) -> list[Entry]:
    return _entries(
        store,
        f"o.book_id = ? AND o.state = 'new' AND o.{_OPEN} AND o.session_id IS NOT NULL AND o.attempts >= ?"
        " ORDER BY o.attempts, s.started_at LIMIT ?",
        (book_id, gave_way, most),
    )


def intents(store: Store, book_id: int, after_id: int, most: int) -> list[Entry]:
    """In the order of their ids, those behind `after_id`."""
    return _entries(
        store,
        f"o.book_id = ? AND o.state = 'intent' AND o.{_OPEN} AND o.id > ? ORDER BY o.id LIMIT ?",
        (book_id, after_id, most),
    )


def _entries(store: Store, condition: str, values: tuple[Value, ...]) -> list[Entry]:
    rows = store.execute(
        "SELECT o.id, o.kind, o.book_id, o.state, o.unproven, o.begun_boot, o.begun_uptime_s, o.attempts, o.payload,"
        " o.remote_id, o.reason, s.id, s.source, s.started_at, s.ended_at, s.duration_s, s.start_fraction,"
        " s.end_fraction, s.start_page, s.end_page, s.start_label, s.end_label, s.flags"
        f" FROM outbox o LEFT JOIN reading_session s ON s.id = o.session_id WHERE {condition}",
        values,
    )
    return [_entry(row) for row in rows]


def _entry(row: tuple[object, ...]) -> Entry:
    session = None if row[11] is None else SessionToSend(*row[11:])  # type: ignore[arg-type]
    return Entry(*row[:11], session)  # type: ignore[arg-type, call-arg]


def begun(store: Store, gave_way: int) -> list[tuple[str, int]]:
    """(boot, uptime) of every request that the server may still be at work on, if it is worth to wait for."""
    rows = store.execute(
        "SELECT DISTINCT o.begun_boot, o.begun_uptime_s FROM outbox o JOIN book b ON b.id = o.book_id"
        f" WHERE o.state = 'intent' AND o.{_OPEN} AND o.begun_boot IS NOT NULL AND o.attempts < ?"
        " AND b.tracked = 1 AND b.server_id IS NOT NULL",
        (gave_way,),
    )
    return [(str(boot), int(uptime_s)) for boot, uptime_s in rows]


def waits_for_nothing_but_a_run(store: Store) -> bool:
    """Whether a run has something to do: of books that are tracked, anything that is not settled."""
    row = store.execute(
        "SELECT 1 FROM outbox o JOIN book b ON b.id = o.book_id"
        f" WHERE o.state IN ('new', 'intent', 'waiting') AND o.{_OPEN} AND b.tracked = 1 LIMIT 1"
    ).fetchone()
    return row is not None


def change(store: Store, id: int, state: str, unproven: bool, now: int, reason: str | None) -> None:
    store.execute(
        "UPDATE outbox SET state = ?, unproven = ?, changed_at = ?, reason = ? WHERE id = ?",
        (state, int(unproven), now, reason, id),
    )


def move(store: Store, id: int, state: str, unproven: bool, now: int) -> None:
    """A change that leaves the reason of the last failure standing."""
    store.execute(
        "UPDATE outbox SET state = ?, unproven = ?, changed_at = ? WHERE id = ?", (state, int(unproven), now, id)
    )


def begin(store: Store, id: int, boot: str, uptime_s: int) -> None:
    """Notes since when the server may be at work on it, on the clock that only a reboot sets back."""
    store.execute("UPDATE outbox SET begun_boot = ?, begun_uptime_s = ? WHERE id = ?", (boot, uptime_s, id))


def end(store: Store, id: int) -> None:
    """The server is done with it, whatever it has done. That it knows of it stays: `begun_uptime_s` is not NULL."""
    store.execute(
        "UPDATE outbox SET begun_boot = NULL, begun_uptime_s = COALESCE(begun_uptime_s, 0) WHERE id = ?", (id,)
    )


def keep_remote_id(store: Store, id: int, remote_id: int) -> None:
    store.execute("UPDATE outbox SET remote_id = ? WHERE id = ?", (remote_id, id))


def count_attempt(store: Store, id: int) -> None:
    store.execute("UPDATE outbox SET attempts = attempts + 1 WHERE id = ?", (id,))


def change_all(store: Store, old_state: str, new: tuple[str, bool], now: int) -> None:
    """Moves everything that is in a state to another (state, unproven), as if it had never been tried."""
    store.execute(
        "UPDATE outbox SET state = ?, unproven = ?, changed_at = ?, attempts = 0, reason = NULL"
        f" WHERE state = ? AND {_OPEN}",
        (new[0], int(new[1]), now, old_state),
    )


def forget_remote_ids(store: Store) -> None:
    store.execute("UPDATE outbox SET remote_id = NULL WHERE remote_id IS NOT NULL")


def change_tried_sessions(store: Store, old_state: str, least_attempts: int, new_state: str, now: int) -> None:
    """Moves sessions that have had so many requests without a clear answer."""
    store.execute(
        "UPDATE outbox SET state = ?, changed_at = ?"
        f" WHERE state = ? AND {_OPEN} AND session_id IS NOT NULL AND attempts >= ?",
        (new_state, now, old_state, least_attempts),
    )


def change_waiting_of_matched(store: Store, old: tuple[str, bool], new: tuple[str, bool], now: int) -> None:
    """Moves what waits for a book that has its id already."""
    store.execute(
        "UPDATE outbox SET state = ?, unproven = ?, changed_at = ?, reason = NULL"
        f" WHERE state = ? AND {_OPEN} AND unproven = ?"
        " AND book_id IN (SELECT id FROM book WHERE server_id IS NOT NULL)",
        (new[0], int(new[1]), now, old[0], int(old[1])),
    )


def change_book(
    store: Store, book_id: int, old: tuple[str, bool], new: tuple[str, bool], now: int, reason: str | None
) -> None:
    """Moves a book's entries from one (state, unproven) to another: when it is matched, or found to have no match."""
    store.execute(
        "UPDATE outbox SET state = ?, unproven = ?, changed_at = ?, reason = ?"
        f" WHERE book_id = ? AND state = ? AND {_OPEN} AND unproven = ?",
        (new[0], int(new[1]), now, reason, book_id, old[0], int(old[1])),
    )


def counts(store: Store) -> dict[str, int]:
    """Entries by state."""
    return dict(store.execute("SELECT state, COUNT(*) FROM outbox GROUP BY state").fetchall())


def open_entries(store: Store) -> list[OpenEntry]:
    """Everything that has not been acknowledged, by book, kind and state, the longest waiting first."""
    # Counted first, in the order of the index, and named then: an import may have left tens of thousands to sort.
    rows = store.execute(
        f"SELECT o.state, {_TITLE}, o.entries, o.since, COALESCE(o.reason, b.unmatched_reason), o.kind, b.tracked"
        " FROM (SELECT state, book_id, kind, reason, COUNT(*) AS entries, MIN(created_at) AS since FROM outbox"
        " WHERE state <> 'acknowledged' GROUP BY state, book_id, kind, reason) o"
        " JOIN book b ON b.id = o.book_id ORDER BY 4, 2"
    )
    return [OpenEntry(*row) for row in rows]
