"""What the worker is cut at: each workload sets a world up and records one run in it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from device.core.instants import to_iso
from device.store.migrations import MIGRATIONS
from tests.crash.ptrace import Program
from tests.crash.scenarios import World
from tests.crash.tracer import kill_at
from tests.fixtures.make_plugin_database import NAME, PluginDatabase
from tests.fixtures.make_statistics import sitting, statistics
from tests.reader import EMMA, MOBY, ROOT, Reader

START = 1_795_000_000
EVENING_S = 86_400
EMMA_ISBN = "9780141439587"
PAGE_BYTES = 4_096  # of the store
ROLLBACK_JOURNAL_IS_HOT = bytes.fromhex("d9d505f920a163d7")  # how it begins then (sqlite.org/fileformat2.html)
NEVER = 10**9


def read(reader: Reader, count: int, first: int = 0) -> None:
    """`count` evenings, with two books in turn; the longer ones are longer than a sector."""
    for number in range(first, first + count):
        pages = 40 if number % 3 == 2 else 4
        reader.reads(start=START + number * EVENING_S, pages=pages, **(EMMA if number % 2 else MOBY))


def ingest_into_a_fresh_folder(world: World) -> None:
    """The very first run, with nothing there but what launcher and reader put there."""
    world.reader.put_setup_file(world.server.url)
    read(world.reader, 5)
    world.record("ingest", 5)


def ingest_into_a_store_with_a_past(world: World) -> None:
    world.reader.configure(world.server.url)
    read(world.reader, 30)
    assert world.reader.run("sync").returncode == 0
    read(world.reader, 4, first=30)
    world.record("ingest", 34)


def first_sync(world: World) -> None:
    """Setup file, ingest, login, the list of books and several sessions in one run."""
    world.reader.put_setup_file(world.server.url)
    read(world.reader, 4)
    world.record("sync", 4)


def sync_of_what_waited(world: World) -> None:
    """Everything is in the store, the books are known: only sending."""
    world.reader.configure(world.server.url)
    read(world.reader, 2)
    assert world.reader.run("sync").returncode == 0
    read(world.reader, 6, first=2)
    assert world.reader.run("ingest").returncode == 0
    world.record("sync", 8)


def _lose_a_reply(world: World) -> None:
    def when(method: str, path: str, count: int) -> bool:
        return method == "POST" and "reading-sessions" in path and len(world.server.sessions()) >= 1

    world.server.fault(when, "lose_reply")


def sync_with_a_lost_reply(world: World) -> None:
    """The second session arrives, its answer does not; the run ends there, too short to ask."""
    world.reader.configure(world.server.url)
    read(world.reader, 4)
    job = world.data / "jobs" / "1795000000-000000.json"
    job.parent.mkdir()
    job.write_text('{"version":1,"job":"1795000000-000000","verb":"sync","reason":"tap","deadline_s":10}')
    _lose_a_reply(world)
    world.record("sync", 4, "--job", str(job), code=4)


def reading_back_after_a_lost_reply(world: World) -> None:
    world.reader.configure(world.server.url)
    read(world.reader, 4)
    _lose_a_reply(world)
    world.reader.run_job("sync", reason="tap", deadline_s=10)
    world.reader.let_intents_settle()
    world.record("sync", 4)


def sync_with_an_expired_token(world: World) -> None:
    world.reader.configure(world.server.url)
    read(world.reader, 1)
    assert world.reader.run("sync").returncode == 0
    secrets = world.data / "secrets.json"
    secrets.write_text(json.dumps(json.loads(secrets.read_text()) | {"access_expires_at": 1}))
    read(world.reader, 2, first=1)
    world.record("sync", 3)


def change_of_account(world: World) -> None:
    """Bert takes the device over while sessions wait: they are his."""
    world.reader.configure(world.server.url)
    read(world.reader, 3)
    assert world.reader.run("ingest").returncode == 0
    world.reader.put_setup_file(world.server.url, user="bert", password="other secret")
    world.record("configure", 3)


def migration_of_the_first_store(world: World) -> None:
    """A store as version 1 left it: one session sent, two whose answer was lost, two to be sent, and a new journal."""
    another = Reader(world.data.parent / "another", world.reader.worker)
    another.configure(world.server.url)
    for number in (0, 1):
        another.reads(start=START + number * EVENING_S, **MOBY)
    assert another.run("sync").returncode == 0
    world.reader.configure(world.server.url)
    (world.data / "state.sqlite").unlink()
    make_first_store(world)
    world.reader.reads(start=START + 5 * EVENING_S, **EMMA)
    world.record("ingest", 6)


def make_first_store(world: World) -> None:
    """The evenings of `Reader.reads`: four with Moby Dick (sent; lost, there; lost, not there; new), one with Emma."""
    length_s = 5 * 40
    states = ("acknowledged", "intent", "intent", "new", "waiting")
    with contextlib.closing(sqlite3.connect(world.data / "state.sqlite")) as store, store:
        for statement in MIGRATIONS[0]:
            store.execute(statement)
        store.execute("PRAGMA user_version = 1")
        store.execute("INSERT INTO setting VALUES ('matches_of', ?)", (f"anna at {world.server.url}",))
        columns = "(id, file, format, title, authors, identifiers, server_id, matched_by, unmatched_reason)"
        store.executemany(
            f"INSERT INTO book {columns} VALUES (?, ?, 'epub', ?, ?, ?, ?, ?, ?)",
            (
                (
                    1,
                    "/mnt/onboard/Moby Dick.epub",
                    "Moby Dick",
                    "Herman Melville",
                    "ISBN:9780142437247",
                    1,
                    "ISBN",
                    None,
                ),
                (2, "/mnt/onboard/Emma.epub", "Emma", "Jane Austen", "", None, None, "no book on the server has its"),
            ),
        )
        for number, state in enumerate(states):
            book, start, id = 1 + (state == "waiting"), START + number * EVENING_S, f"{START}-{number:06x}"
            store.execute("INSERT INTO journal VALUES (?, ?, 6)", (id, start + length_s))
            store.execute(
                "INSERT INTO reading_session VALUES (?, ?, ?, ?, ?, ?, 0.005, 0.025, 1, 5, 5, '')",
                (number + 1, book, id, start, start + length_s, length_s),
            )
            store.execute(
                "INSERT INTO outbox VALUES (?, 'reading_session', ?, ?, ?, ?, ?, 'an earlier boot', 100, 1, NULL)",
                (number + 1, number + 1, book, state, start, start),
            )


def rebuilding_of_a_damaged_store(world: World) -> None:
    """Two evenings were sent, the answer to a third was lost, two wait, one is new; half of the store is garbage."""
    world.reader.configure(world.server.url)
    read(world.reader, 2)
    assert world.reader.run("sync").returncode == 0
    read(world.reader, 3, first=2)
    _lose_a_reply(world)
    world.reader.run_job("sync", reason="tap", deadline_s=10)
    read(world.reader, 1, first=5)
    damage(world.data / "state.sqlite")
    world.is_damaged_before = True
    world.record("ingest", 6)


def damage(store: Path) -> None:
    """Every second page but the first, so that something of it can still be read."""
    content = bytearray(store.read_bytes())
    for start in range(PAGE_BYTES, len(content), 2 * PAGE_BYTES):
        content[start : start + PAGE_BYTES] = b"\xa5" * PAGE_BYTES
    store.write_bytes(content)


def taking_up_the_work_of_a_killed_run(world: World) -> None:
    """The store is in the middle of a transaction, which is rolled back first."""
    world.reader.configure(world.server.url)
    read(world.reader, 4)
    before = world.now()
    program = Program((*world.reader.worker, "ingest", "--data", str(world.data)), ROOT)
    last = kill_at(program, NEVER).calls
    for number in range(last // 3, last, 2):
        world.put_back(before)
        kill_at(program, number)
        if (world.data / "state.sqlite-journal").read_bytes()[:8] == ROLLBACK_JOURNAL_IS_HOT:
            break
    else:
        raise AssertionError("no kill leaves a transaction to be rolled back")
    world.record("ingest", 4)


def import_of_history(world: World) -> None:
    """From KOReader's statistics; one of the sittings was recorded live as well."""
    world.reader.configure(world.server.url)
    read(world.reader, 1)
    file = world.data.parent / "statistics.sqlite3"
    with statistics(file) as made:
        moby = made.add_book("Moby Dick", "Herman Melville")
        emma = made.add_book("Emma", "Jane Austen")
        made.add(sitting(moby, START, 4, seconds=40))
        for number in range(1, 6):
            made.add(sitting(emma if number % 2 else moby, START - number * EVENING_S, 30))
    verb = ("import-history", "--statistics", str(file))
    world.recovery_begins_with = verb
    world.record(*verb[:1], 6, *verb[1:])


def import_of_the_old_plugin(world: World) -> None:
    """Account, books and queue of the Lua plugin, which had sent one of its sessions without knowing."""
    another = Reader(world.data.parent / "another", world.reader.worker)
    another.configure(world.server.url)
    read(another, 1)
    assert another.run("sync").returncode == 0
    with PluginDatabase(world.data.parent / "settings" / NAME) as old:
        old.set(server_url=world.server.url, booklore_username="anna", booklore_password="secret", is_enabled="true")
        hashes = {"Moby Dick": "a" * 32, "Emma": "b" * 32}
        old.add_book("/books/Moby.epub", hashes["Moby Dick"], 1, title="Moby Dick", author="Herman Melville")
        old.add_book("/books/Emma.epub", hashes["Emma"], title="Emma", author="Jane Austen", isbn13=EMMA_ISBN)
        for number in range(5):
            start, length_s = START + number * EVENING_S, 4 * 40
            title = "Emma" if number % 2 else "Moby Dick"
            old.add_pending_session(hashes[title], to_iso(start), to_iso(start + length_s), length_s)
    world.recovery_begins_with = ("import-plugin",)
    world.record("import-plugin", 5)


# How many of its crash states are tried in `make test`; in the long version all.
WORKLOADS: dict[Callable[[World], None], int] = {
    ingest_into_a_fresh_folder: 200,
    ingest_into_a_store_with_a_past: 200,
    first_sync: 200,
    sync_of_what_waited: 200,
    sync_with_a_lost_reply: 250,
    reading_back_after_a_lost_reply: 120,
    sync_with_an_expired_token: 150,
    change_of_account: 10,
    migration_of_the_first_store: 200,
    taking_up_the_work_of_a_killed_run: 100,
    rebuilding_of_a_damaged_store: 200,
    import_of_history: 120,
    import_of_the_old_plugin: 100,
}
