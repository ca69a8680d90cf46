"""Reading a damaged store: what is readable is read, what cannot have been written is not believed, nothing hangs."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.journal import Book
from device.core.reading_session import ReadingSession
from device.disk import Disk
from device.store import (
    books,
    check,
    database,
    mark_links,
    marks,
    outbox,
    preferences,
    reading_sessions,
    rebuild,
    salvage,
    settings,
)
from tests.fixtures import make_first_store

NOW = 1_795_000_000
PAGE_BYTES = 4096
SESSIONS = 400  # enough for several pages of each table
MARKS = 60
STATES = ("acknowledged", "acknowledged", "new", "intent", "waiting", "rejected")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a past: 400 sessions of 20 books in all states, settings, preferences, marks."""
    path = tmp_path / "state.sqlite"
    store = database.open_store(Disk(), str(path), NOW)
    with store.transaction():
        settings.put(store, settings.MATCHES_OF, "anna at https://books.example.org")
        preferences.save(store, "idle_cap_s", 120)
        ids = [books.remember(store, book(number)) for number in range(20)]
        books.match(store, ids[0], 42, "ISBN")
        books.track(store, ids[1], False)
        for number in range(SESSIONS):
            add(store, ids[number % 20], number)
        store.execute("INSERT INTO mark_ledger VALUES (?, 'highlight', '2026-11-18 12:00:00', 7, 1)", (ids[0],))
        outbox.add(store, "rating", "1", ids[0], '{"rating":8}', "new", False, NOW)
        add_marks(store, ids[0])
    store.close()
    return path


def book(number: int) -> Book:
    return Book(f"/b/{number}.epub", "epub", f"Book {number}", ["Somebody"], [f"x:{number}"], f"{number:032x}", 5)


def add(store: database.Store, book_id: int, number: int) -> None:
    start = NOW + number * 1_000
    journal = f"{start}-{number:06x}"
    session = ReadingSession(start, start + 60, 50, 1, 2, 0.1, 0.2, 2, ("moved",))
    session.start_xpointer = "/body/DocFragment[4]/body/p[3]/text().0"
    reading_sessions.add_journal(store, journal, NOW, 3)
    id = reading_sessions.add(store, book_id, reading_sessions.JOURNAL, journal, session)
    state = STATES[number % len(STATES)]
    outbox.add_session(store, id, book_id, state, False, NOW)
    if state == "intent":
        store.execute("UPDATE outbox SET begun_boot = 'this boot', begun_uptime_s = 1000 WHERE session_id = ?", (id,))


def add_marks(store: database.Store, book_id: int) -> None:
    for number in range(MARKS):
        mark = DeviceMark("highlight", f"2026-11-18 12:{number:02}:00")
        mark.pos0, mark.text = f"/body/DocFragment[4]/body/p[{number}]/text().0", "words " * 50
        link = mark_links.Link(marks.add(store, book_id, mark, NOW), "anna", 42, mark_links.MAIN, "highlight")
        link.remote_id, link.agreed_device, link.server = number + 1, mark, ServerMark("highlight", number + 1)
        mark_links.save(store, link)
    store.execute("UPDATE mark SET gone = 1 WHERE id = 7")


@contextlib.contextmanager
def salvaged(path: Path) -> Iterator[tuple[database.Store, rebuild.Salvage]]:
    new = database.open_store(Disk(), f"{path}.new", NOW)
    found = rebuild.Salvage(new, NOW)
    damaged = salvage.open_damaged(str(path))
    with contextlib.closing(damaged), new.transaction():
        found.copy(damaged)
    check.check(new.connection)
    yield new, found
    new.close()


def rows(path: Path | str, table: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as store:
        return store.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def change(path: Path, statement: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(path)) as store, store:
        store.execute("PRAGMA ignore_check_constraints = ON")
        store.execute(statement, values)


def page_of(path: Path, table: str, which: int = 0) -> list[int]:
    """Numbers of the pages that hold the rows of a table, in the order of the file."""
    with contextlib.closing(sqlite3.connect(path)) as store:
        found = store.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,))
        return [int(row[0]) for row in found]


def test_a_store_that_is_whole_is_copied_row_for_row(path: Path) -> None:
    with salvaged(path) as (_, found):
        assert found.incomplete == []
    for table in ("setting", "book", "journal", "reading_session", "mark_ledger", "mark", "mark_link"):
        assert rows(f"{path}.new", table) == rows(path, table)


def test_what_was_not_acknowledged_is_in_doubt_and_what_was_is_not(path: Path) -> None:
    with salvaged(path) as (store, _):
        found = store.execute(
            "SELECT state, unproven, begun_boot, begun_uptime_s, COUNT(*) FROM outbox GROUP BY 1, 2, 3, 4"
        )
        counted = {tuple(row[:4]): row[4] for row in found}
    assert counted == {
        ("acknowledged", 0, None, None): 134,
        ("intent", 1, None, None): 67 + 1,  # the rating as well
        ("intent", 1, "this boot", 1_000): 67,
        ("waiting", 1, None, None): 66,
        ("rejected", 0, None, None): 66,
    }


def test_preferences_and_tracking_are_kept(path: Path) -> None:
    with salvaged(path) as (store, _):
        assert preferences.load(store).number("idle_cap_s") == 120
        assert books.untracked_files(store) == ["/b/1.epub"]


def test_a_store_of_version_1_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    make_first_store.make(path)
    with salvaged(path) as (store, found):
        assert found.incomplete == []
        assert found.rows["reading_session"] == found.rows["outbox"] == len(make_first_store.ENTRIES)
        sources = store.execute("SELECT DISTINCT source FROM reading_session").fetchall()
        keys = store.execute("SELECT COUNT(*) FROM outbox WHERE key = session_id").fetchone()
    assert sources == [("journal",)]
    assert keys == (len(make_first_store.ENTRIES),)


@pytest.mark.parametrize("table", ["book", "journal", "reading_session", "outbox"])
def test_a_broken_page_costs_the_rows_on_it_and_no_others(path: Path, table: str) -> None:
    before = rows(path, table)
    pages = page_of(path, table)
    content = bytearray(path.read_bytes())
    broken = pages[len(pages) // 2]
    content[(broken - 1) * PAGE_BYTES : broken * PAGE_BYTES] = bytes(PAGE_BYTES)
    path.write_bytes(content)
    with salvaged(path) as (_, found):
        assert table in found.incomplete
    after = rows(f"{path}.new", table)
    if table == "journal":  # those that a session tells of are back, without their date
        assert {row[0] for row in after} == {row[0] for row in before}
    else:
        on_one_page = -(-len(before) // len(pages)) * 2
        assert len(before) - on_one_page <= len(after) < len(before)


def test_two_broken_pages_do_not_hide_what_lies_between_them(path: Path) -> None:
    pages = page_of(path, "reading_session")
    assert len(pages) > 6
    content = bytearray(path.read_bytes())
    for broken in (pages[1], pages[-2]):
        content[(broken - 1) * PAGE_BYTES : broken * PAGE_BYTES] = bytes(PAGE_BYTES)
    path.write_bytes(content)
    with salvaged(path) as (_, found):
        assert found.has_lost_sessions()
        lost = SESSIONS - found.rows["reading_session"]
    assert 0 < lost < 3 * SESSIONS // len(pages)


@pytest.mark.parametrize(
    ("column", "value"),
    [("book_id", None), ("started_at", "x"), ("ended_at", -5), ("duration_s", 2**40), ("duration_s", 61), ("id", -3)],
)
def test_a_session_that_cannot_be_is_left_out(path: Path, column: str, value: object) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'reading_session'")
    change(path, f"UPDATE reading_session SET {column} = ? WHERE id = 5", value)
    with salvaged(path) as (_, found):
        assert found.rows["reading_session"] == SESSIONS - 1
        assert found.rows["outbox"] == SESSIONS  # one session's is missing, one is a rating
        assert found.last_session_id == SESSIONS


def test_what_a_session_can_do_without_does_not_cost_the_session(path: Path) -> None:
    change(path, "UPDATE reading_session SET start_fraction = 9.5, start_xpointer = x'ff', end_page = 'x' WHERE id = 5")
    with salvaged(path) as (store, found):
        row = store.execute("SELECT start_fraction, start_xpointer, end_page FROM reading_session WHERE id = 5")
        assert row.fetchone() == (None, None, None)
        assert found.rows["reading_session"] == SESSIONS


def test_a_state_that_is_none_costs_the_entry_and_is_made_up_for(path: Path) -> None:
    change(path, "UPDATE outbox SET state = 'nev' WHERE session_id = 1")
    with salvaged(path) as (store, _):
        with store.transaction():
            rebuild.add_missing_entries(store, NOW)
        row = store.execute("SELECT state, unproven, key FROM outbox WHERE session_id = 1").fetchone()
    assert row == ("intent", 1, "1")


def test_a_text_that_is_not_utf_8_does_not_end_its_table(path: Path) -> None:
    change(path, "UPDATE book SET title = CAST(x'ff41' AS TEXT) WHERE id = 3")
    with salvaged(path) as (store, found):
        assert found.rows["book"] == 20
        assert store.execute("SELECT title, file FROM book WHERE id = 3").fetchone() == ("", "/b/2.epub")


def test_the_damaged_file_is_not_written_to(path: Path) -> None:
    before, names = path.read_bytes(), {name.name for name in path.parent.iterdir()}
    with salvaged(path):
        pass
    assert path.read_bytes() == before
    assert {name.name for name in path.parent.iterdir()} - names == {"state.sqlite.new", "state.sqlite.new-journal"}


def test_every_table_and_column_of_the_schema_is_salvaged(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as store:
        tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        schema = {table: [(row[1], row[5]) for row in store.execute(f"PRAGMA table_info({table})")] for table in tables}
    asked_again = ["candidate", "mark_pull", "mark_source", "server_book"]
    assert sorted([table.name for table in salvage.TABLES] + asked_again) == sorted(tables)
    for table in salvage.TABLES:
        assert sorted(column.name for column in table.columns) == sorted(name for name, _ in schema[table.name])
        in_key = [name for name, place in sorted(schema[table.name], key=lambda column: column[1]) if place]
        assert [column.name for column in table.columns[: table.key]] == in_key


def test_what_this_program_writes_counts_as_usable(path: Path) -> None:
    assert not salvage.has_unusable_rows(str(path))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outbox SET attempts = 'x' WHERE id = 9",
        "UPDATE book SET tracked = 7 WHERE id = 2",
        "UPDATE book SET title = CAST(x'ff' AS TEXT) WHERE id = 2",
        "UPDATE outbox SET reason = CAST(x'ff' AS TEXT) WHERE id = 9",
        "UPDATE setting SET value = x'ff' WHERE key = 'matches_of'",
        "UPDATE mark SET gone = 3 WHERE id = 2",
        "UPDATE mark SET kind = 'star' WHERE id = 2",
        "UPDATE mark_link SET closed = 'yes' WHERE id = 2",
    ],
)
def test_what_it_cannot_have_written_does_not(path: Path, statement: str) -> None:
    change(path, statement)
    assert salvage.has_unusable_rows(str(path))


def test_whatever_the_bytes_are_the_salvage_ends_with_a_store_that_is_sound(path: Path) -> None:
    whole = path.read_bytes()
    chance = random.Random(20261122)
    for number in range(60):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 10, 1_000))):
            content[chance.randrange(100 if number % 3 else 0, len(content))] = chance.randrange(256)
        path.write_bytes(content)
        with salvaged(path) as (_, found):
            assert found.rows["reading_session"] <= SESSIONS + 1
        Path(f"{path}.new").unlink()
