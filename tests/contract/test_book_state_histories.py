"""Random histories of one book on two devices and the web: in the end all three have the same, and nothing was undone.

The devices are real stores with the real comparison; the server is a model of BookLore's rules for one book, because a
process and a socket for each of thousands of steps would take hours.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device import book_state_ingest, protocol
from device.core import outbox as rules
from device.core import shared_values
from device.core.instants import to_iso
from device.core.journal import Book, Moment, Reading, Snapshot
from device.core.outbox import Uptime
from device.core.preferences import Preferences
from device.core.shared_values import PROGRESS, RATING, STATUS
from device.disk import Disk
from device.protocol import Job, Result
from device.sending.book_states import BookStates
from device.sending.changes import Change, commit
from device.server.http import Answer
from device.store import books, database, outbox
from device.store import shared_values as stored

SERVER_ID = 7
FIRST_AT = 1_795_000_000
EXAMPLES = 4_000 if os.environ.get("BOOKLORESYNC_SOAK") else 40
STATUSES = ["UNREAD", "READING", "READ", "PAUSED", "ABANDONED"]


class Server:
    """One book as BookLore keeps it."""

    def __init__(self) -> None:
        self.rating: int | None = None
        self.status = "UNSET"
        self.percent: float | None = None
        self.read_at = 0

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = {"id": SERVER_ID, "readStatus": self.status, "primaryFile": {"id": 1}}
        if self.rating is not None:
            record["personalRating"] = self.rating
        if self.percent is not None:
            record["epubProgress"] = {"percentage": round(self.percent, 1)}
            record["lastReadTime"] = to_iso(self.read_at)
        return record

    def take(self, kind: str, fields: dict[str, Any], now: int) -> None:
        if kind == rules.RATING:
            self.rating = fields["rating"]
        elif kind == rules.STATUS:
            self.status = fields["status"]
        elif kind == rules.PROGRESS:
            self.reads(fields["fileProgress"]["progressPercent"], now)

    def reads(self, percent: float, now: int) -> None:
        self.percent, self.read_at = percent, now
        if percent >= shared_values.FINISHED_PERCENT:
            self.status = "READ"
        elif percent > shared_values.BEGUN_PERCENT:
            self.status = "READING"
        elif self.status == "UNSET":
            self.status = "UNREAD"


class Clock:
    def __init__(self) -> None:
        self.now = FIRST_AT

    def wall_s(self) -> int:
        return self.now


class Client:
    """What the comparison asks of the server's client."""

    def __init__(self, server: Server, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    def answer(self, path: str) -> Answer:
        body = json.dumps(self._server.record()).encode()
        return Answer(200, {"content-type": "application/json"}, body)

    def json_of(self, answer: Answer) -> object:
        return json.loads(answer.body)

    def server_now(self) -> int:
        return self._clock.now


class Device:
    """A device with the book: what KOReader has of it, and our store."""

    def __init__(self, path: Path, server: Server, clock: Clock) -> None:
        self.server = server
        self.clock = clock
        self.store = database.open_store(Disk(), str(path), FIRST_AT)
        self.stars: int | None = None
        self.status: str | None = None
        self.fraction = 0.0
        self.wanted = Preferences({"on_hold": "abandoned"})
        self.book = Book("/books/moby.epub", "epub", "Moby Dick", ["Herman Melville"], [], None, None)
        with self.store.transaction():
            self.id = books.remember(self.store, self.book)
            books.match(self.store, self.id, SERVER_ID, "test")

    def closes(self) -> None:
        reading = Reading(self.book)
        reading.moments.append(Moment("open", self.clock.now - 60, None, 5, 100))
        reading.final_fraction = self.fraction
        reading.snapshot = Snapshot(self.clock.now, self.stars, self.status, None)
        with self.store.transaction():
            book_state_ingest.note(self.store, self.id, reading, self.wanted, self.clock.now)

    def syncs(self, gives_changes: bool) -> Result:
        job, result = Job("x", protocol.SYNC, protocol.TAP, 60), Result()
        states = BookStates(
            self.store, Client(self.server, self.clock), self.wanted, job, result, self.clock, lambda: None  # type: ignore[arg-type]
        )  # fmt: skip
        for book in outbox.books_to_serve(self.store, 0):
            if states.are_to_settle(book):
                states.settle(book)
            for entry in outbox.in_order(self.store, book.id, 5, 50):
                commit(self.store, [Change(entry, rules.BEGIN)], self.clock.now, Uptime("boot", 1))
                self.server.take(entry.kind, json.loads(entry.payload), self.clock.now)
                commit(self.store, [Change(entry, rules.ACCEPTED)], self.clock.now, Uptime("boot", 1))
        with self.store.transaction():
            self.store.execute("DELETE FROM setting WHERE key = 'pulled_at'")
        states.pull()
        if gives_changes:
            self._give()
        return result

    def _give(self) -> None:
        """KOReader makes the changes, and the reader goes wherever she is asked to go."""
        for item in stored.offered(self.store):
            value = item.value
            if value.field == RATING:
                stars = shared_values.shown(value.offered)
                self.stars = None if stars is None else int(stars)
            elif value.field == STATUS:
                self.status = shared_values.shown(value.offered)
            else:
                self.fraction = float((value.offered or "0").split()[0])
            value.take_offered(self.clock.now)
            if value.field == PROGRESS:
                value.agree(value.device)
            with self.store.transaction():
                stored.save(self.store, self.id, value)

    def contested(self) -> bool:
        return any(item.value.is_contested("ABANDONED") for item in stored.compared(self.store))


STEP = st.one_of(
    st.tuples(st.sampled_from(["a stars", "b stars"]), st.one_of(st.none(), st.integers(1, 5))),
    st.tuples(st.sampled_from(["a status", "b status"]), st.sampled_from(["reading", "complete", "abandoned"])),
    st.tuples(st.sampled_from(["a reads", "b reads"]), st.integers(1, 100).map(lambda n: n / 100)),
    st.tuples(st.just("web rates"), st.one_of(st.none(), st.integers(1, 10))),
    st.tuples(st.just("web marks"), st.sampled_from(STATUSES)),
    st.tuples(st.just("web reads"), st.integers(1, 100).map(float)),
    st.tuples(st.sampled_from(["a syncs", "b syncs"]), st.booleans()),
)


class World:
    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.server = Server()
        self.devices = {name: Device(folder / f"{name}.sqlite", self.server, self.clock) for name in "ab"}

    def does(self, what: str, value: Any) -> None:
        self.clock.now += 600
        if what == "web rates":
            self.server.rating = value
        elif what == "web marks":
            self.server.status = value
        elif what == "web reads":
            self.server.reads(value, self.clock.now)
        else:
            device = self.devices[what[0]]
            if what.endswith("syncs"):
                device.syncs(value)
                return
            if what.endswith("stars"):
                device.stars = value
            elif what.endswith("status"):
                device.status = value
            else:
                device.fraction = value
                device.status = device.status or "reading"
            device.closes()

    def comes_to_rest(self) -> None:
        for _ in range(4):
            for device in self.devices.values():
                self.clock.now += 600
                device.syncs(True)

    def close(self) -> None:
        for device in self.devices.values():
            device.store.close()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=14))
def test_two_devices_and_the_web_come_to_have_the_same(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    try:
        for what, value in steps:
            world.does(what, value)
        world.comes_to_rest()
        before = world.server.record()
        world.comes_to_rest()
        assert world.server.record() == before, "nobody has done anything, and yet something changes"
        for device in world.devices.values():
            if device.contested():
                continue
            rating = stored.load(device.store, device.id, RATING)
            if rating.device_at:
                shown = shared_values.to_device(
                    RATING, None if world.server.rating is None else str(world.server.rating)
                )
                assert (device.stars or 0) == int(shown or 0)
            status = stored.load(device.store, device.id, STATUS)
            if status.device_at:
                assert device.status == shared_values.to_device(STATUS, world.server.status)
    finally:
        world.close()
