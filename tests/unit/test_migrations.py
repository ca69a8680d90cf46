"""The store's migrations: from every older version, with data in it; interrupted anywhere; on a full disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from device.disk import Disk
from device.store import check, database, outbox
from device.store.migrations import MIGRATIONS
from tests.fixtures import make_first_store

NOW = 1_795_500_000
LATEST = len(MIGRATIONS)

# Who makes a store of each older version. A new migration needs its predecessor here.
OLDER: dict[int, Callable[[Path], None]] = {1: make_first_store.make}

# Of the statements without their comments: what has been released must stay as it is.
RELEASED = {1: "d672448a37397e70394a5c28ff777a7ce1479ced1dac2fcaccb400403600953d"}

Row = tuple[object, ...]
Columns = list[str]


@pytest.fixture(params=sorted(OLDER))
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "state.sqlite"
    OLDER[request.param](path)
    return path


@pytest.fixture
def first(tmp_path: Path) -> Path:
    path = tmp_path / "state.sqlite"
    make_first_store.make(path)
    return path


def dump(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as store:
        return [f"version {store.execute('PRAGMA user_version').fetchone()[0]}", *store.iterdump()]


def rows(path: Path, table: str) -> list[dict[str, object]]:
    with contextlib.closing(sqlite3.connect(path)) as store:
        store.row_factory = sqlite3.Row
        return [dict(row) for row in store.execute(f"SELECT * FROM {table} ORDER BY 1")]


def migrated(path: Path) -> Path:
    database.open_store(Disk(), str(path), NOW).close()
    return path


def test_every_older_version_has_a_maker() -> None:
    assert sorted(OLDER) == list(range(1, LATEST))


@pytest.mark.parametrize("version", sorted(RELEASED))
def test_a_step_that_was_released_has_not_changed(version: int) -> None:
    statements = [check.without_comments(statement) for statement in MIGRATIONS[version - 1]]
    assert hashlib.sha256("\n".join(statements).encode()).hexdigest() == RELEASED[version]


def test_settings_and_books_are_carried_over_as_they_were(first: Path) -> None:
    names = ("id", "file", "fingerprint", "size_bytes", "format", "title", "authors", "identifiers", "server_id",
             "matched_by", "unmatched_reason")  # fmt: skip
    added = {"tracked": 1, "hardcover_id": None, "series": "", "series_index": None,
             "language": "", "file_identifiers": "", "package_stamp": None, "hand_id": None, "refused_id": None,
             "server_title": None, "finished_at": None, "rating_question": 0, "hardcover_looked_for": None}  # fmt: skip
    migrated(first)
    assert [tuple(row.values()) for row in rows(first, "setting")] == make_first_store.SETTINGS
    assert rows(first, "book") == [dict(zip(names, row, strict=True)) | added for row in make_first_store.BOOKS]


def test_journals_and_sessions_are_carried_over_as_they_were(first: Path) -> None:
    names = ("id", "book_id", "journal_id", "started_at", "ended_at", "duration_s", "start_fraction", "end_fraction",
             "start_page", "end_page", "pages_read", "flags")  # fmt: skip
    added = dict.fromkeys(("start_label", "end_label", "start_xpointer", "end_xpointer", "boot_id", "boot_ms"))
    migrated(first)
    assert [tuple(row.values()) for row in rows(first, "journal")] == make_first_store.ROWS["journal"]
    assert rows(first, "reading_session") == [
        dict(zip(names, row, strict=True)) | added | {"source": "journal"} for row in make_first_store.sessions()
    ]


def test_entries_of_every_state_are_carried_over_as_they_were(first: Path) -> None:
    names = ("id", "kind", "session_id", "book_id", "state", "created_at", "changed_at", "begun_boot",
             "begun_uptime_s", "attempts", "reason")  # fmt: skip
    migrated(first)
    expected = []
    for row in make_first_store.entries():
        fields = dict(zip(names, row, strict=True))
        expected.append(fields | {"key": str(fields["session_id"]), "payload": None, "unproven": 0, "remote_id": None})
    assert rows(first, "outbox") == expected
    assert {entry["state"] for entry in expected} == {"new", "intent", "acknowledged", "rejected", "waiting"}


def test_a_migrated_store_is_sound(older: Path) -> None:
    store = database.open_store(Disk(), str(migrated(older)), NOW)
    check.check(store.connection)
    assert sum(outbox.counts(store).values()) == len(make_first_store.ENTRIES)
    store.close()


def test_a_migrated_store_has_the_schema_of_a_fresh_one(older: Path, tmp_path: Path) -> None:
    fresh = migrated(tmp_path / "fresh.sqlite")
    assert schema(migrated(older)) == schema(fresh)


def schema(path: Path) -> dict[str, object]:
    with contextlib.closing(sqlite3.connect(path)) as store:
        items = store.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        found: dict[str, object] = {"version": store.execute("PRAGMA user_version").fetchone(), "items": items}
        for kind, name, *_ in items:
            pragmas = ("table_xinfo", "foreign_key_list") if kind == "table" else ("index_xinfo",)
            for pragma in pragmas:
                found[f"{pragma} of {name}"] = store.execute(f"PRAGMA {pragma}({name})").fetchall()
        return found


def test_a_migration_killed_before_any_statement_leaves_the_old_version_and_is_done_again(
    older: Path, tmp_path: Path
) -> None:
    untouched, expected = dump(older), dump(migrated(Path(shutil.copy(older, tmp_path / "uninterrupted.sqlite"))))
    killed = 0
    while True:
        path = Path(shutil.copy(older, tmp_path / f"killed-{killed}.sqlite"))
        if not migrate_and_be_killed(path, killed):
            break
        # One step, one transaction: the last statement is its COMMIT, before which nothing has happened.
        assert dump(path) == untouched
        assert dump(migrated(path)) == expected
        killed += 1
    assert killed > sum(len(statements) for statements in MIGRATIONS[1:])


def migrate_and_be_killed(path: Path, statements: int) -> bool:
    """Whether the process met its end before it had executed more than `statements` statements."""
    child = os.fork()
    if child == 0:
        done = 0

        def count(statement: str) -> None:
            nonlocal done
            if done == statements:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1

        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA cache_size = 1")  # pages are written before the commit as well
        connection.set_trace_callback(count)
        database.migrate(connection)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_a_migration_on_a_full_disk_keeps_the_old_version_and_says_full(older: Path, tmp_path: Path) -> None:
    """SQLite is told that the file may have so many pages and no more; on a full disk it answers the same."""
    untouched = dump(older)
    connection = sqlite3.connect(older, isolation_level=None)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    refused = 0
    while connection.execute("PRAGMA user_version").fetchone()[0] < LATEST:
        connection.execute(f"PRAGMA max_page_count = {pages + refused}")
        try:
            database.migrate(connection)
        except sqlite3.OperationalError as problem:
            assert database.is_full(problem)
            assert not database.may_be_damage(problem)
            assert dump(older) == untouched
            refused += 1
    connection.close()
    assert refused > 3
    assert dump(older) == dump(migrated(make_again(tmp_path)))


def make_again(folder: Path) -> Path:
    path = folder / "again.sqlite"
    make_first_store.make(path)
    return path
