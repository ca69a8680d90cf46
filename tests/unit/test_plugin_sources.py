"""The Lua plugin's files when they are damaged, busy, hostile or cut off; and what the import never does to any."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.core.instants import to_iso
from device.importing import plugin_files, plugin_import
from device.importing.plugin_records import Taker
from device.protocol import Result
from device.store import database, plugin_database
from tests.fixtures.make_plugin_database import NAME, PluginDatabase, rest
from tests.old_plugin import HASH, NOW, OTHER_HASH, Device, fill, older_files
from tests.soak import bounded

ENDLESS = (
    "CREATE VIEW pending_ratings AS WITH RECURSIVE n(book_cache_id) AS"
    " (SELECT 1 UNION ALL SELECT book_cache_id + 1 FROM n) SELECT book_cache_id, 5 AS rating, NULL AS id FROM n"
)


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    made = Device(tmp_path / "koreader")
    yield made
    made.store.close()


# Sources that are damaged, busy, hostile; and what is never done to any


def snapshot_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_the_source_stays_as_it_is_byte_for_byte(device: Device) -> None:
    older_files(device)
    with device.old() as old:
        fill(old)
    before = snapshot_of(device.root / "settings")
    device.take_over()
    assert snapshot_of(device.root / "settings") == before


def interrupted(device: Device, mode: str) -> None:
    """Leaves the database as a killed plugin does: with a journal to roll back, or a log to take over."""
    with device.old() as old:
        fill(old)
    copy = device.root / "live" / NAME
    copy.parent.mkdir()
    copy.write_bytes(device.source.read_bytes())
    connection = sqlite3.connect(copy, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute("PRAGMA cache_size = 2")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("BEGIN")
    connection.execute("DELETE FROM pending_sessions")
    for number in range(500):
        connection.execute("INSERT INTO updater_cache VALUES (?, ?, 0)", (str(number), "x" * 500))
    if mode == "wal":
        connection.execute("COMMIT")
    for path in copy.parent.iterdir():
        if not path.name.endswith("-shm"):
            target = device.source.with_name(path.name)
            target.write_bytes(path.read_bytes())
            rest(target)
    connection.close()


def test_a_transaction_that_was_cut_off_is_rolled_back_in_a_copy(device: Device) -> None:
    interrupted(device, "delete")
    assert device.source.with_name(NAME + "-journal").stat().st_size > 512
    before = snapshot_of(device.root / "settings")
    device.take_over()
    assert len(device.states()) == 5
    assert snapshot_of(device.root / "settings") == before
    assert not [path.name for path in (device.root / "bookloresync").iterdir() if "plugin-copy" in path.name]


def test_what_lies_in_a_log_beside_the_database_counts(device: Device) -> None:
    interrupted(device, "wal")
    before = snapshot_of(device.root / "settings")
    device.take_over()
    assert len(device.states()) == 3
    assert snapshot_of(device.root / "settings") == before


def test_a_journal_that_names_another_file_deletes_nothing(device: Device) -> None:
    """SQLite removes the journal that a journal of several databases names, once it is rolled back."""
    interrupted(device, "delete")
    victim = device.root / "precious-mj00000000"
    victim.write_bytes(b"not yours")
    name = str(victim).encode()
    journal = device.source.with_name(NAME + "-journal")
    content = journal.read_bytes()
    trailer = b"\0\0\0\0" + name + len(name).to_bytes(4, "big") + (sum(name) % 2**32).to_bytes(4, "big")
    journal.write_bytes(content + trailer + bytes.fromhex("d9d505f920a163d7"))
    rest(journal)
    device.take_over()
    assert victim.read_bytes() == b"not yours"


def test_a_copy_that_a_killed_run_left_is_removed(device: Device) -> None:
    device.old().close()
    left = device.root / "bookloresync" / "plugin-copy.sqlite"
    left.write_bytes(b"half")
    device.take_over()
    assert not left.exists()


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"SQLite format 3\0" + b"\xff" * 4_000, "damaged"),
        (b"something else entirely" * 100, "damaged"),
        (b"\0" * 8_192, "damaged"),
    ],
)
def test_a_database_that_is_none_is_named_with_the_cause(device: Device, content: bytes, cause: str) -> None:
    device.source.parent.mkdir()
    device.source.write_bytes(content)
    rest(device.source)
    [told] = device.take_over()
    assert f"{device.source} cannot be read: it is {cause}" in told
    assert device.outcome == "failed"


def test_another_programs_database_is_not_taken_for_the_plugins(device: Device) -> None:
    device.source.parent.mkdir()
    with contextlib.closing(sqlite3.connect(device.source)) as connection, connection:
        connection.execute("CREATE TABLE book_cache (id INTEGER PRIMARY KEY, name TEXT)")
    rest(device.source)
    assert "it is a database, but not the old plugin's" in device.take_over()[0]


def test_where_there_is_nothing_the_folder_is_named(device: Device) -> None:
    with pytest.raises(ValueError, match="has left nothing in"):
        device.take_over()


def test_a_copy_put_aside_can_be_named(device: Device, tmp_path: Path) -> None:
    with PluginDatabase(tmp_path / "aside" / NAME) as old:
        fill(old)
    device.take_over(str(tmp_path / "aside"))
    assert len(device.states()) == 5


def test_a_table_that_is_damaged_costs_only_what_is_in_it(device: Device) -> None:
    with device.old() as old:
        fill(old)
        for number in range(2_000):
            start = 1_700_000_000 + number * 1_000
            old.add_history(HASH, to_iso(start), to_iso(start + 600), 600, koreader_book_id=9)
        root = old.connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'historical_sessions'")
        page = root.fetchone()[0]
        size = old.connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(device.source.read_bytes())
    content[(page - 1) * size : page * size] = b"\xa5" * size
    device.source.write_bytes(content)
    rest(device.source)
    told = device.take_over()
    assert any("historical_sessions could not be read to its end" in line for line in told)
    assert device.states() == ["intent", "waiting"]
    assert "1 rating to send" in told[0]


def test_rows_that_are_too_big_or_of_a_wrong_kind_cost_only_themselves(device: Device) -> None:
    with device.old() as old:
        old.add_book("/books/" + "x" * 5_000 + ".epub", HASH, 7, title="y" * 5_000)
        old.add(
            "book_cache", file_path="/books/2.epub", file_hash=OTHER_HASH, book_id="seven", title=b"\xff\xfe",
            author=3.5, hardcover_id=-1,
        )  # fmt: skip
        old.connection.execute("INSERT INTO book_cache (file_path, file_hash, title) VALUES (x'00ff', x'00ff', 5)")
        old.connection.execute("INSERT INTO book_cache (file_path, file_hash) VALUES (CAST(x'2f62ff2e' AS TEXT), '')")
    told = device.take_over()
    assert "Left out: 1 book (no book named)." in told
    rows = device.rows("SELECT LENGTH(file), LENGTH(title), server_id FROM book ORDER BY id")
    assert rows[0][:2] == (1_000, 1_000)
    assert rows[1:] == [(13, 0, None), (4, 0, None)]


def test_a_row_of_a_hundred_megabytes_is_not_loaded(device: Device) -> None:
    with device.old() as old:
        fill(old)
        old.connection.execute(
            "INSERT INTO pending_sessions (book_hash, start_time, end_time, duration_seconds)"
            " VALUES ('', '', CAST(zeroblob(20000000) AS TEXT), 1)"
        )
    told = device.take_over()
    assert any("pending_sessions could not be read to its end (string or blob too big)" in line for line in told)
    assert "1 rating to send" in told[0]


def test_a_view_in_a_tables_place_is_not_asked(device: Device) -> None:
    with device.old() as old:
        fill(old)
        old.connection.execute("DROP TABLE pending_ratings")
        old.connection.execute(ENDLESS)
    assert not any("damaged" in line for line in device.take_over())


def test_a_statement_that_does_not_end_is_ended(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes longer than any honest table is simulated by a patience that is shorter."""
    many_sessions(device)
    monkeypatch.setattr(plugin_database, "_STEPS", 100)
    monkeypatch.setattr(plugin_database, "STEPS_MAX", 5_000)
    told = device.take_over()
    assert any("historical_sessions could not be read to its end (interrupted)" in line for line in told)
    assert "1 rating to send" in told[0]


def test_a_file_that_changes_while_it_is_read_is_not_believed(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    with device.old() as old:
        fill(old)
    take = Taker.take_pending_session

    def take_while_koreader_writes(taker: Taker, row: Any) -> None:
        device.source.write_bytes(device.source.read_bytes() + b"\0" * 512)
        take(taker, row)

    steps = tuple(
        (table, take_while_koreader_writes if function is take else function) for table, function in plugin_import.STEPS
    )
    monkeypatch.setattr(plugin_import, "STEPS", steps)
    told = device.take_over()
    assert any("another program is writing it" in line for line in told)
    assert device.states() == ["acknowledged"]
    assert plugin_files.offer(device.folder, device.store) is not None


# Interruptions


def many_sessions(device: Device) -> None:
    with device.old() as old:
        fill(old)
        for number in range(700):
            start = f"2025-{number // 50 % 12 + 1:02d}-{number % 28 + 1:02d}T{number // 30:02d}:00:00Z"
            old.connection.execute(
                "INSERT OR IGNORE INTO historical_sessions (koreader_book_id, koreader_book_title, book_hash,"
                " start_time, end_time, duration_seconds, synced, matched) VALUES (9, 'Moby', ?, ?, ?, 600, ?, 1)",
                (HASH, start, start.replace(":00:00Z", ":10:00Z"), number % 2),
            )


class Killed(BaseException):
    pass


def contents(device: Device) -> list[list[tuple[Any, ...]]]:
    """What an import leaves, without the numbers of the rows."""
    return [
        sorted(device.rows("SELECT file, fingerprint, title, server_id, tracked FROM book")),
        sorted(device.rows("SELECT source, started_at, ended_at, duration_s FROM reading_session")),
        sorted(device.rows("SELECT kind, state, unproven, payload FROM outbox")),
        sorted(device.rows("SELECT kind, made_at, remote_id FROM mark_ledger")),
        sorted(device.rows("SELECT kind, made_at, payload FROM pending_mark")),
        sorted(device.rows("SELECT key, value FROM setting WHERE key NOT LIKE '%mark'")),
    ]


def test_an_import_that_is_killed_anywhere_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Device(tmp_path / "whole")
    many_sessions(whole)
    whole.take_over()
    wanted = contents(whole)
    whole.store.close()

    transaction = database.Store.transaction
    for place in range(0, 60, bounded(7, 1)):
        device = Device(tmp_path / f"killed-{place}")
        device.source.parent.mkdir()
        device.source.write_bytes(whole.source.read_bytes())
        rest(device.source)
        left = [place]

        def dying(store: database.Store, left: list[int] = left) -> database.Transaction:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return transaction(store)

        monkeypatch.setattr(database.Store, "transaction", dying)
        with contextlib.suppress(Killed):
            device.take_over()
        monkeypatch.setattr(database.Store, "transaction", transaction)
        device.take_over()
        assert contents(device) == wanted
        device.store.close()


def test_an_import_that_has_no_more_time_says_so_and_the_next_goes_on(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_sessions(device)
    taken: list[int] = []
    take = Taker.take_sent_session

    def take_and_note(taker: Taker, row: Any) -> None:
        taken.append(row[0])
        take(taker, row)

    steps = tuple((table, take_and_note if function is take else function) for table, function in plugin_import.STEPS)
    monkeypatch.setattr(plugin_import, "STEPS", steps)
    clock = iter([0.0, 0.0, 0.0, *[100.0] * 1_000])
    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: next(clock))
        result = Result()
        plugin_import.import_plugin(device.folder, device.store, None, result, NOW, 60.0)
    assert "The time was up. Import again to go on where this stopped." in [text for _, text in result.messages]
    assert plugin_files.offer(device.folder, device.store) is not None
    assert len(taken) == 2 * plugin_import.PIECE_ROWS
    device.take_over()
    assert len(taken) == len(set(taken))
    assert plugin_files.offer(device.folder, device.store) is None


def test_any_damage_to_a_database_is_borne(tmp_path: Path) -> None:
    """Bytes changed at random: whatever SQLite makes of it, the import ends in words, and twice is as once."""
    chance = random.Random(20_260_103)
    whole = tmp_path / NAME
    with PluginDatabase(whole) as old:
        fill(old)
    content = whole.read_bytes()
    for number in range(bounded(40, 1_000)):
        device = Device(tmp_path / f"damaged-{number}")
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 30)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        device.source.parent.mkdir()
        device.source.write_bytes(damaged)
        rest(device.source)
        assert device.take_over()
        before = contents(device)
        device.take_over()
        assert contents(device) == before
        device.store.close()
