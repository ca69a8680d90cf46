"""A store that is damaged anywhere: whatever is broken, every session is at the server exactly once in the end."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import soak
from tests.crash.changes import Tree, read_tree, write_tree
from tests.crash.recovery import Recovery
from tests.reader import EMMA, MOBY, Reader
from tests.sandbox import StandIn

SEED = 20261122
START = 1_795_000_000
EVENING_S = 86_400
PAGE_BYTES = 4_096
SECTOR_BYTES = 512
PLACES = soak.bounded(30, 1_000)  # of each kind of damage
VERSION_AT = range(62, 64)  # the schema version in the header, as far as a newer program could have written it

Session = tuple[object, ...]  # book, start, end, duration
Damage = Callable[[bytearray, random.Random], None]


@dataclass(frozen=True)
class Past:
    """A data folder and a server that know each other, and what the server must have in the end."""

    reader: Reader
    server: StandIn
    recovery: Recovery
    tree: Tree
    snapshot: bytes
    expected: list[Session]

    @property
    def store(self) -> Path:
        return self.reader.data / "state.sqlite"

    def put_back(self) -> None:
        write_tree(self.tree, self.reader.data)
        self.server.restore(self.snapshot)

    def morning_after(self) -> list[dict[str, Any]]:
        """Two syncs in another boot; their results."""
        results: list[dict[str, Any]] = self.recovery.run(self.reader.data)
        return results


def sessions(server: StandIn) -> list[Session]:
    fields = ("bookId", "startTime", "endTime", "durationSeconds")
    return sorted(tuple(session[name] for name in fields) for session in server.sessions())


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """Sessions that were sent, whose answer was lost, that wait for their book, that are new, and one in the journal;
    and since then the reader has changed what counts as reading."""
    folder = tmp_path_factory.mktemp("rebuild")
    server = StandIn(dialect="booklore")
    server.add_user("anna", "secret")
    server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    server.add_book(title="Emma", authors=["Jane Austen"], isbn13="9780141439587")
    with server, Recovery(folder) as recovery:
        reader = Reader(folder / "data")
        reader.configure(server.url)
        for number in range(8):
            reader.reads(start=START + number * EVENING_S, **(EMMA if number % 2 else MOBY))
        assert reader.run("sync").returncode == 0
        reader.reads(start=START + 8 * EVENING_S, **MOBY)
        reader.reads(start=START + 9 * EVENING_S, title="A book that the server does not have")
        server.fault(lambda method, path, count: method == "POST" and "reading-sessions" in path, "lose_reply")
        reader.run_job("sync", reason="tap", deadline_s=10)
        for number in range(10, 14):
            # Two sittings each, with a short sleep in between that makes them one.
            asleep = [
                (100, "suspend", {}),
                (300, "resume", {}),
                (340, "page", {"page": 4}),
                (400, "close", {"page": 4}),
            ]
            awake = [(0, "open", {"page": 1, "pages": 200}), (40, "page", {"page": 2}), (80, "page", {"page": 3})]
            reader.journal([*awake, *asleep], start=START + number * EVENING_S, **MOBY)
        assert reader.run("ingest").stdout == "4 recorded, 6 to be sent\n"
        assert reader.run("set", "join_pause_s", "0").returncode == 0
        reader.reads(start=START + 14 * EVENING_S, **EMMA)
        assert reader.run("status").returncode == 0
        tree, snapshot = read_tree(reader.data), server.snapshot()
        first, second = recovery.run(reader.data)
        assert (first["outcome"], second["outcome"]) == ("done", "done")
        expected = sessions(server)
        assert len(expected) == len(set(expected)) == 8 + 1 + 4 + 1
        yield Past(reader, server, recovery, tree, snapshot, expected)


def flipped_byte(content: bytearray, chance: random.Random) -> None:
    place = chance.choice([place for place in range(len(content)) if place not in VERSION_AT])
    content[place] ^= chance.randrange(1, 256)


def flipped_byte_of_a_header(content: bytearray, chance: random.Random) -> None:
    """Of the file's or a page's, where the numbers are that everything hangs on."""
    page = chance.randrange(len(content) // PAGE_BYTES)
    place = page * PAGE_BYTES + chance.randrange(0, 112 if page == 0 else 12)
    content[place if place not in VERSION_AT else 0] ^= 1 << chance.randrange(8)


def zeroed_page(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content) // PAGE_BYTES) * PAGE_BYTES
    content[start : start + PAGE_BYTES] = bytes(PAGE_BYTES)


def page_of_noise(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content) // PAGE_BYTES) * PAGE_BYTES
    content[start : start + PAGE_BYTES] = chance.randbytes(PAGE_BYTES)


def lost_sectors(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 5)):
        start = chance.randrange(len(content) // SECTOR_BYTES) * SECTOR_BYTES
        content[start : start + SECTOR_BYTES] = bytes(SECTOR_BYTES)


def page_in_anothers_place(content: bytearray, chance: random.Random) -> None:
    pages = len(content) // PAGE_BYTES
    start, other = (chance.randrange(pages) * PAGE_BYTES for _ in range(2))
    content[start : start + PAGE_BYTES] = content[other : other + PAGE_BYTES]


def cut_off(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content)) :]


def cut_off_between_pages(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content) // PAGE_BYTES) * PAGE_BYTES :]


def several_at_once(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(2, 6)):
        chance.choice((flipped_byte, zeroed_page, page_of_noise, lost_sectors, page_in_anothers_place))(content, chance)


KINDS: list[Damage] = [
    several_at_once,
    flipped_byte,
    flipped_byte_of_a_header,
    zeroed_page,
    page_of_noise,
    lost_sectors,
    page_in_anothers_place,
    cut_off,
    cut_off_between_pages,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_store_that_is_damaged_anywhere_costs_no_session_and_doubles_none(past: Past, kind: Damage) -> None:
    chance = random.Random(f"{SEED} {kind.__name__}")
    rebuilt = 0
    for number in range(PLACES):
        past.put_back()
        content = bytearray(past.store.read_bytes())
        kind(content, chance)
        past.store.write_bytes(content)
        results = past.morning_after()
        assert sessions(past.server) == past.expected, (number, results)
        assert [result["outcome"] for result in results] == ["done", "done"], number
        texts = [message["text"] for message in results[0]["messages"]]
        set_aside = list(past.reader.data.glob("state.sqlite.damaged-*"))
        if set_aside:
            rebuilt += 1
            assert any("The store was damaged and has been built anew" in text for text in texts), (number, texts)
            assert f"The damaged store is kept as {set_aside[0]}." in texts
        assert is_sound(past.store)
        assert not list(past.reader.data.glob("state.sqlite.rebuilt*")), "half a store is left"
    assert rebuilt >= PLACES // 30  # most of a small store's bytes are unused


def is_sound(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as store:
        found = store.execute("PRAGMA integrity_check").fetchall()
        return found + store.execute("PRAGMA foreign_key_check").fetchall() == [("ok",)]


def test_a_version_that_looks_like_a_newer_programs_is_refused_and_what_the_message_says_helps(past: Past) -> None:
    past.put_back()
    content = bytearray(past.store.read_bytes())
    content[VERSION_AT[-1]] = 200
    past.store.write_bytes(content)
    results = past.morning_after()
    assert [result["outcome"] for result in results] == ["unknown_version"] * 2
    assert f"move {past.store} away: a new store then begins" in results[0]["messages"][0]["text"]
    assert past.store.read_bytes() == content
    past.store.rename(past.reader.data / "moved away")
    assert past.morning_after()[0]["outcome"] == "done"
    assert sessions(past.server) == past.expected


@pytest.mark.parametrize("left", [None, b""], ids=["missing", "empty"])
def test_a_store_that_is_gone_is_made_up_for_by_the_journals_that_are_kept(past: Past, left: bytes | None) -> None:
    past.put_back()
    past.store.unlink()
    if left is not None:
        past.store.write_bytes(left)
    results = past.morning_after()
    assert sessions(past.server) == past.expected
    assert [result["outcome"] for result in results] == ["done", "done"]
    assert "The store had lost 6 reading sessions" in results[0]["messages"][0]["text"]


@pytest.mark.parametrize("size", [1, 28, 512, 4_096, 20_000])
def test_noise_in_the_place_of_sqlites_journal_changes_nothing(past: Past, size: int) -> None:
    past.put_back()
    (past.reader.data / "state.sqlite-journal").write_bytes(random.Random(SEED).randbytes(size))
    results = past.morning_after()
    assert sessions(past.server) == past.expected
    assert [message["level"] for message in results[0]["messages"]] == ["info"] * len(results[0]["messages"])


@pytest.mark.parametrize("request_number", range(1, 6))
def test_a_store_that_is_damaged_while_a_run_sends_doubles_nothing(past: Past, request_number: int) -> None:
    """The file is broken behind the back of the worker that has it open."""
    past.put_back()
    seen = 0

    def when(method: str, path: str, count: int) -> bool:
        nonlocal seen
        if method == "POST" and "reading-sessions" in path:
            seen += 1
            if seen == request_number:
                content = bytearray(past.store.read_bytes())
                for page in range(2, len(content) // PAGE_BYTES, 3):
                    content[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = bytes(PAGE_BYTES)
                past.store.write_bytes(content)
        return False

    past.server.fault(when, "lose_reply", times=None)
    past.morning_after()
    assert seen >= request_number
    past.morning_after()
    assert sessions(past.server) == past.expected
    assert is_sound(past.store)
