"""Filling a new store with what could be read of a damaged one, and with what kept journals say.

What the server may have although the new store does not know it enters the outbox as an unproven intent: it is looked
for on the server before it is sent. That is everything but what was acknowledged or refused, or waits for its book: the
page that says `new` may be an old one. It counts as begun in an earlier boot, unless what was read says when.

Called by: `device/recovery/rebuild.py`, within one transaction of the new store.
"""

from __future__ import annotations

import _sqlite3

from device.core import outbox as rules
from device.store import reading_sessions, salvage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sqlite3 import Connection

    from device.store.database import Store, Value
    from device.store.salvage import Table

    Fields = dict[str, Value]


class Salvage:
    """What was copied: rows of each table, and which tables are not whole."""

    __slots__ = ("_now", "_store", "incomplete", "last_session_id", "rows")

    def __init__(self, store: Store, now: int) -> None:
        self._store = store
        self._now = now
        self.rows: dict[str, int] = {table.name: 0 for table in salvage.TABLES}
        self.incomplete: list[str] = []
        self.last_session_id = 0  # of those that there were: the sessions below it that are not there are lost

    def copy(self, damaged: Connection) -> None:
        """Every table, parents first: a row whose book or session was lost cannot be kept."""
        for table in salvage.TABLES:
            taker = _Taker(self, table)
            reading = salvage.read(damaged, table, taker.take)
            if not reading.is_whole or reading.unusable or taker.refused:
                self.incomplete.append(table.name)

    def has_lost_sessions(self) -> bool:
        """Whether there may have been sessions that were not copied."""
        needed = (salvage.BOOK.name, salvage.JOURNAL.name, salvage.READING_SESSION.name, salvage.OUTBOX.name)
        return any(name in self.incomplete for name in needed)

    def put(self, table: Table, fields: Fields) -> bool:
        """Whether the row has its place in the new store."""
        if table is salvage.READING_SESSION and not self._prepare_session(fields):
            return False
        if table is salvage.OUTBOX and not self._prepare_entry(fields):
            return False
        try:
            is_new = _insert(self._store, table, fields)
        except _sqlite3.IntegrityError:
            return False
        self.rows[table.name] += is_new
        return is_new

    def _prepare_session(self, fields: Fields) -> bool:
        started_at, ended_at, duration_s = fields["started_at"], fields["ended_at"], fields["duration_s"]
        if not isinstance(started_at, int) or not isinstance(ended_at, int) or not isinstance(duration_s, int):
            return False
        self._note_session(fields["id"])
        journal_id = fields["journal_id"]
        if isinstance(journal_id, str) and not reading_sessions.journal_is_ingested(self._store, journal_id):
            reading_sessions.add_journal(self._store, journal_id, self._now, 0)
        return 0 < duration_s <= ended_at - started_at

    def _prepare_entry(self, fields: Fields) -> bool:
        if fields["kind"] == rules.READING_SESSION:
            self._note_session(fields["session_id"])
            fields["key"] = str(fields["session_id"])
            if fields["session_id"] is None:
                return False
        else:
            fields["session_id"] = None
            if not fields["key"] or fields["payload"] is None:
                return False
        if fields["state"] in (rules.NEW, rules.INTENT, rules.WAITING):
            fields["state"] = rules.after(str(fields["state"]), rules.DOUBTED)
            fields["unproven"] = 1
        return True

    def _note_session(self, id: Value) -> None:
        if isinstance(id, int):
            self.last_session_id = max(self.last_session_id, id)


class _Taker:
    """Takes one table's rows. `refused`: those that have no place without another row that was lost."""

    __slots__ = ("_salvage", "_table", "refused")

    def __init__(self, to: Salvage, table: Table) -> None:
        self._salvage = to
        self._table = table
        self.refused = 0

    def take(self, values: tuple[Value, ...]) -> None:
        names = [column.name for column in self._table.columns]
        if not self._salvage.put(self._table, dict(zip(names, values, strict=True))):
            self.refused += 1


def _insert(store: Store, table: Table, fields: Fields) -> bool:
    """Whether it was new. Raises IntegrityError for a row that refers to one that is not there."""
    names = ", ".join(fields)
    places = ", ".join("?" for _ in fields)
    cursor = store.execute(f"INSERT OR IGNORE INTO {table.name} ({names}) VALUES ({places})", tuple(fields.values()))
    return cursor.rowcount == 1


class KnownSession:
    """As much of a session in the store as tells whether it is one that a journal tells of."""

    __slots__ = ("book_id", "id", "journal_id", "key")

    def __init__(
        self, id: int, book_id: int, journal_id: str | None, started_at: int, ended_at: int, duration_s: int
    ) -> None:
        self.id = id
        self.book_id = book_id
        self.journal_id = journal_id
        self.key = (started_at, ended_at, duration_s)


def of_journal(store: Store, journal_id: str) -> list[KnownSession]:
    rows = store.execute(
        "SELECT id, book_id, journal_id, started_at, ended_at, duration_s FROM reading_session"
        " WHERE journal_id = ? ORDER BY id",
        (journal_id,),
    )
    return [KnownSession(*row) for row in rows]


def at(store: Store, book_id: int, started_at: int) -> KnownSession | None:
    """The session of a book that began then."""
    row = store.execute(
        "SELECT id, book_id, journal_id, started_at, ended_at, duration_s FROM reading_session"
        " WHERE book_id = ? AND started_at = ?",
        (book_id, started_at),
    ).fetchone()
    return None if row is None else KnownSession(*row)


def add_missing_entries(store: Store, now: int) -> None:
    """Every session without an outbox entry becomes an unproven intent."""
    store.execute(
        "INSERT INTO outbox (kind, key, book_id, session_id, state, unproven, created_at, changed_at)"
        " SELECT 'reading_session', CAST(s.id AS TEXT), s.book_id, s.id, 'intent', 1, ?, ? FROM reading_session s"
        " WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = s.id)",
        (now, now),
    )


def count_sessions(store: Store) -> int:
    return int(store.execute("SELECT COUNT(*) FROM reading_session").fetchone()[0])
