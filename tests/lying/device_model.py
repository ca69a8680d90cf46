"""The device in the model: the real store, the real rules and the real sender, in a world of their own.

Promises: what is recorded goes through the same functions of the store as on a device; each thing has a name, by which
the tests find it again on the server.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from dataclasses import dataclass
from typing import Any

from device import protocol
from device.core import outbox as rules
from device.core.instants import EARLIEST_PLAUSIBLE_S
from device.core.journal import Book
from device.core.preferences import Preferences
from device.core.reading_session import FLAG_CLOCK_UNSET, ReadingSession
from device.sending.sync import go, may_go, prepare
from device.server.client import Client
from device.store import books, database, outbox, reading_sessions
from tests.lying.lies import Account, LyingConnection
from tests.lying.model_server import ModelServer, mark_name, session_name
from tests.lying.world import Killed, MortalStore, VirtualClock, World

Lies = tuple[list[str], list[str]]  # about what is sent, and to questions
NO_LIES: Lies = ([], [])

OWNER = "anna at http://server"
FIRST_SLOT, SLOT_S = 1_700_000_000, 10_000
WANTED = Preferences({})


def _empty_store() -> bytes:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    database.migrate(connection)
    content = connection.serialize()
    connection.close()
    return content


EMPTY_STORE = _empty_store()


@dataclass
class Thing:
    """Something that was recorded, and what shall have become of it in the end."""

    name: str
    kind: str
    title: str  # of its book
    entry: int  # its id in the outbox
    times: int = 1  # how often it shall be on the server
    poison: str | None = None
    roughly: bool = False  # another program has sent the same reading
    value: Any = None  # for what the server keeps only the last of


def _nothing_is_kept(journal_id: str) -> None:
    """The model has no files: its sessions have no journals."""


class Device:
    def __init__(self, world: World, server: ModelServer) -> None:
        self.world = world
        self.server = server
        self.owner = OWNER
        self.clock = VirtualClock(world)
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.deserialize(EMPTY_STORE)
        connection.execute("PRAGMA foreign_keys = ON")
        self.store = MortalStore(connection, world)
        self.things: list[Thing] = []
        self.requests = 0
        self._book_ids: dict[str, int] = {}
        self._serial = 0

    def close(self) -> None:
        self.store.close()

    def moves_to(self, server: ModelServer, owner: str) -> None:
        """From the next run on it has another account."""
        self.server, self.owner = server, owner

    # What is recorded

    def reads(self, title: str, source: str = reading_sessions.JOURNAL, unset: bool = False) -> Thing:
        """A reading session of a length that no other has, at a time of its own."""
        serial = self._next()
        started_at = 1_000 + serial * SLOT_S if unset else FIRST_SLOT + serial * SLOT_S
        session = ReadingSession(started_at, started_at + serial + 100, serial + 100, 1, 2, 0.1, 0.2, 2, ())
        uptime = self.clock.uptime()
        if unset:
            session.flags = (FLAG_CLOCK_UNSET,)
            session.boot_id, session.boot_ms = uptime.boot_id, uptime.seconds * 1000
        unproven = source != reading_sessions.JOURNAL
        with self.store.transaction():
            book_id = self._book(title)
            id = reading_sessions.add(self.store, book_id, source, None, session)
            outbox.add_session(self.store, id, book_id, self._first_state(book_id, unproven), unproven, self._now())
        return self._remember(rules.READING_SESSION, str(id), session_name({"durationSeconds": serial + 100}), title)

    def reads_now(self, title: str) -> Thing:
        """A session that begins now, or as soon as there is room, by whatever the device's clock says."""
        thing = self.reads(title)
        [session, length_s] = self.store.execute(
            "SELECT s.id, s.duration_s FROM reading_session s JOIN outbox o ON o.session_id = s.id WHERE o.id = ?",
            (thing.entry,),
        ).fetchone()
        started_at = reading_sessions.first_free_after(self.store, self._now(), length_s)
        flags = FLAG_CLOCK_UNSET if started_at < EARLIEST_PLAUSIBLE_S else ""
        uptime = self.clock.uptime()
        with self.store.transaction():
            reading_sessions.place(self.store, session, started_at, flags)
            self.store.execute(
                "UPDATE reading_session SET boot_id = ?, boot_ms = ? WHERE id = ?",
                (uptime.boot_id, uptime.seconds * 1000, session),
            )
        return thing

    def rebuilds(self, title: str) -> Thing:
        """A session of ours in a store that was lost and built anew: nobody knows whether it was sent."""
        thing = self.reads(title, reading_sessions.JOURNAL)
        with self.store.transaction():
            self.store.execute(
                "UPDATE outbox SET unproven = 1, state = CASE WHEN (SELECT server_id FROM book WHERE id = book_id)"
                " IS NULL THEN 'waiting' ELSE 'intent' END WHERE id = ?",
                (thing.entry,),
            )
        return thing

    def marks(self, kind: str, title: str) -> Thing:
        serial = self._next()
        all_fields: dict[str, dict[str, Any]] = {
            rules.HIGHLIGHT: {"cfi": f"epubcfi(/6/4!/4/{serial},/1:0,/1:9)", "text": f"words {serial}"},
            rules.IN_BOOK_NOTE: {"cfi": f"epubcfi(/6/4!/4/{serial})", "noteContent": f"a note {serial}"},
            rules.BOOK_NOTE: {"title": f"about {serial}", "content": "the same words each time"},
            rules.BOOKMARK: {"title": f"bookmark {serial}"},
        }
        fields = all_fields[kind]
        if kind == rules.BOOKMARK:
            fields |= {"pageNumber": serial} if serial % 2 else {"cfi": f"epubcfi(/6/2!/4/{serial})"}
        return self._enqueue(kind, title, fields, mark_name(kind, fields))

    def sets(self, kind: str, title: str) -> Thing:
        """A rating, a status or a position: of these the server keeps the last."""
        serial = self._next()
        value: Any = {rules.RATING: serial, rules.STATUS: f"STATUS {serial}", rules.PROGRESS: serial / 4}[kind]
        fields: dict[str, Any] = {kind: value}
        if kind == rules.PROGRESS:
            fields = {"fileProgress": {"bookFileId": 1, "positionData": None, "progressPercent": value}}
        thing = self._enqueue(kind, title, fields, f"{kind} {serial}")
        thing.value = value
        thing.times = 0  # its name is nowhere on the server
        return thing

    def deletes(self, thing: Thing, by_id: bool) -> None:
        """A mark that the server is known to have."""
        payload, remote_id = self.store.execute(
            "SELECT payload, remote_id FROM outbox WHERE id = ?", (thing.entry,)
        ).fetchone()
        fields = json.loads(payload) | {"of": thing.kind}
        if by_id and remote_id is not None:
            fields["id"] = remote_id
        deletion = self._enqueue(rules.DELETION, thing.title, fields, f"deletion of {thing.name}")
        deletion.times = thing.times = 0

    def _enqueue(self, kind: str, title: str, fields: dict[str, Any], name: str) -> Thing:
        key = f"{kind} {self._next()}"
        with self.store.transaction():
            book_id = self._book(title)
            outbox.add(self.store, kind, key, book_id, json.dumps(fields), rules.NEW, False, self._now())
        return self._remember(kind, key, name, title)

    def _remember(self, kind: str, key: str, name: str, title: str) -> Thing:
        [id] = self.store.execute("SELECT id FROM outbox WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        thing = Thing(name, kind, title, id)
        self.things.append(thing)
        return thing

    def _book(self, title: str) -> int:
        if title not in self._book_ids:
            book = Book(f"/books/{title}.epub", "epub", title, ["Somebody"], [], None, None)
            book.language = "en"
            self._book_ids[title] = books.remember(self.store, book)
        return self._book_ids[title]

    def _first_state(self, book_id: int, unproven: bool) -> str:
        if not unproven:
            return rules.NEW
        [server_id] = self.store.execute("SELECT server_id FROM book WHERE id = ?", (book_id,)).fetchone()
        return rules.WAITING if server_id is None else rules.INTENT

    def _now(self) -> int:
        return self.clock.wall_s()

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    # What is sent

    def syncs(
        self, lies: Lies, asked_for: bool = True, deadline_s: int = 300, steps_to_live: int | None = None
    ) -> protocol.Result:
        """One run, which may be killed in the middle."""
        reason = protocol.TAP if asked_for else "close"
        job = protocol.Job(None, protocol.SYNC, reason, deadline_s)
        result = protocol.Result()
        connection = LyingConnection(self.world, self.server, deque(lies[0]), deque(lies[1]))
        self.world.live(steps_to_live)
        try:
            prepare(self.store, self.owner, asked_for, self._now())
            if may_go(self.store, WANTED, job, result, self._now()):
                client = Client(connection, Account(connection))  # type: ignore[arg-type]
                deadline = self.clock.monotonic_s() + deadline_s
                go(self.store, client, WANTED, job, result, deadline, self.clock, _nothing_is_kept)
        except Killed:
            pass
        finally:
            self.world.live(None)
            self.requests = connection.requests
        return result

    # What became of it

    def state(self, thing: Thing) -> tuple[str, int]:
        """(state, attempts) of its entry."""
        row = self.store.execute("SELECT state, attempts FROM outbox WHERE id = ?", (thing.entry,)).fetchone()
        return str(row[0]), int(row[1])
