"""The import from the Lua plugin: what comes over from each of its versions, and what does not."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.core.journal import Book
from device.core.preferences import Preferences
from device.core.reading_session import ReadingSession
from device.importing import history, plugin_files, plugin_import
from device.koreader.snapshot import STATISTICS
from device.store import books, outbox, reading_sessions, settings
from tests.fixtures.make_plugin_database import MIGRATIONS, PluginDatabase
from tests.fixtures.make_statistics import sitting, statistics
from tests.old_plugin import HASH, NOW, OTHER_HASH, SERVER, Device, at, at_s, fill

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "lua-plugin" / "booklore-sync-v21-empty.sqlite"


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    made = Device(tmp_path / "koreader")
    yield made
    made.store.close()


# What comes over


def test_everything_comes_over_and_is_told(device: Device) -> None:
    with device.old() as old:
        fill(old)
    told = device.take_over()
    assert told[0] == (
        "Taken over from the old plugin: 2 books, 1 reading session that was sent already, 4 reading sessions to send,"
        " 1 rating that was sent already, 1 rating to send, 3 marks that counted as sent, 1 note to send,"
        " 1 removal from the shelf, kept but not done."
    )
    assert "1 highlight is kept until positions can be checked against the text." in told
    assert "1 note in the text is kept until positions can be checked against the text." in told
    assert "1 bookmark is kept until positions can be checked against the text." in told
    assert any(line.startswith("The old plugin kept passwords as plain text.") for line in told)


def test_a_second_time_nothing_is_new_and_nothing_changes(device: Device) -> None:
    with device.old() as old:
        fill(old)
    device.take_over()
    before = device.everything()
    assert device.take_over()[0] == "There is nothing new in what the old plugin left."
    assert device.everything() == before


@pytest.mark.parametrize("version", [*MIGRATIONS, 10, 15])
def test_every_version_of_the_database_is_understood(device: Device, version: int) -> None:
    device.stay_at_its_server()
    with device.old(version) as old:
        fill(old)
    device.take_over()
    assert [file for (file,) in device.rows("SELECT file FROM book ORDER BY id")] == [
        "/books/moby.epub",
        "/books/emma.epub",
    ]
    queued = 2 if version < 2 else 4
    assert sum(state in ("waiting", "intent") for state in device.states()) == queued
    assert device.states().count("acknowledged") == (0 if version < 2 else 1)
    assert device.outcome == "done"


def test_the_forks_database_with_another_ninth_migration_is_understood(device: Device) -> None:
    with device.old(9, fork=True) as old:
        fill(old)
    told = device.take_over()
    assert "1 removal from the shelf, kept but not done" in told[0]
    assert len(device.states()) == 5


def test_a_database_whose_last_migrations_failed_tracks_every_book(device: Device) -> None:
    with device.old(21, without=(18, 21)) as old:
        old.add_book("/books/moby.epub", HASH, 7, title="Moby Dick")
    device.take_over()
    assert device.rows("SELECT tracked, hardcover_id FROM book") == [(1, None)]


def test_tables_of_a_newer_version_are_counted_and_left(device: Device) -> None:
    with device.old(22) as old:
        fill(old)
        old.add("pending_progress", book_hash=HASH, percentage=0.5)
    assert "1 table of a newer version of the old plugin cannot be used yet." in device.take_over()


@pytest.mark.skipif(not SAMPLE.exists(), reason="no database of the old plugin's own here")
def test_the_fixture_has_the_tables_of_the_plugins_own_database(tmp_path: Path) -> None:
    PluginDatabase(tmp_path / "ours.sqlite").close()
    schemas = []
    for path in (tmp_path / "ours.sqlite", SAMPLE):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            schemas.append({
                name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")} for name in names
            })  # fmt: skip
    assert schemas[0] == schemas[1]


# Reading sessions


def spans(device: Device) -> list[tuple[Any, ...]]:
    return device.rows("SELECT started_at, ended_at, duration_s FROM reading_session ORDER BY started_at")


def record(device: Device, hash: str, first_minute: int, last_minute: int) -> None:
    """What was read with this plugin already."""
    session = ReadingSession(
        at_s(first_minute), at_s(last_minute), (last_minute - first_minute) * 60, 1, 5, 0.1, 0.2, 5, ()
    )
    with device.store.transaction():
        id = books.remember(device.store, Book(f"/books/{hash}.epub", "epub", hash[0], [], [], hash, None))
        added = reading_sessions.add(device.store, id, reading_sessions.JOURNAL, None, session)
        outbox.add_session(device.store, added, id, "waiting", False, NOW)


def test_what_was_sent_is_only_noted_and_what_was_not_is_asked_for_first(device: Device) -> None:
    with device.old() as old:
        fill(old)
    device.take_over()
    sessions = [entry[1:] for entry in device.entries() if entry[0] == "reading_session"]
    assert sessions == [
        ("acknowledged", 0, at_s(0)),
        ("intent", 1, at_s(20)),
        ("waiting", 1, at_s(40)),
        ("intent", 1, at_s(60)),
        ("waiting", 1, at_s(80)),
    ]


def test_what_was_sent_to_another_server_is_looked_for_on_ours_and_told(device: Device) -> None:
    device.configure("https://new.example.org")
    with device.old() as old:
        old.set(server_url=SERVER)
        old.add_history(HASH, at(0), at(10), 600, book_id=7)
        old.add_history(HASH, at(20), at(20), 0, book_id=7)
    told = device.take_over()
    assert [entry[1:] for entry in device.entries()] == [("waiting", 1, at_s(0))]
    assert told[0] == (
        "Taken over from the old plugin: 1 book, 1 reading session that it sent to another server or account, to send"
        " if it is missing here."
    )
    assert "Left out: 1 reading session (no time read)." in told
    assert device.take_over()[0] == "There is nothing new in what the old plugin left."


def test_what_another_user_of_our_server_had_sent_is_looked_for_as_well(device: Device) -> None:
    device.configure()
    with device.old() as old:
        old.set(server_url=SERVER, booklore_username="bert", booklore_password="secret")
        old.add_history(HASH, at(0), at(10), 600, book_id=7)
    device.take_over()
    assert [entry[1:] for entry in device.entries()] == [("waiting", 1, at_s(0))]


def test_what_was_sent_by_a_device_without_an_account_of_ours_is_looked_for(device: Device) -> None:
    with device.old() as old:
        old.add_history(HASH, at(0), at(10), 600)
    device.take_over()
    assert [entry[1:] for entry in device.entries()] == [("waiting", 1, at_s(0))]


def test_a_session_keeps_its_times_progress_and_pages(device: Device) -> None:
    with device.old() as old:
        old.add_pending_session(HASH, at(0), at(10), 600, start_progress=33.3333, end_progress=100.0, book_title="Emma")
    device.take_over()
    assert device.rows(
        "SELECT source, started_at, ended_at, duration_s, start_fraction, end_fraction, start_page, end_page,"
        " pages_read FROM reading_session"
    ) == [("plugin", at_s(0), at_s(10), 600, pytest.approx(0.333333), 1.0, 20, 25, 5)]
    assert device.rows("SELECT title, fingerprint, file, format FROM book") == [("Emma", HASH, "", "epub")]


@pytest.mark.parametrize(
    ("start", "end", "seconds", "reason"),
    [
        (at(10), at(0), 600, "an end before the beginning"),
        (at(0), at(10), 6_000, "times that cannot be true"),
        ("1970-01-01T00:00:00Z", at(0), 600, "times that cannot be true"),
        ("yesterday", at(0), 600, "times that cannot be read"),
        ("2026-03-01 18:00:00", at(10), 600, "times that cannot be read"),
        ("", "", 0, "times that cannot be read"),
        (at(0), at(10), 0, "no time read"),
        (at(0), at(10), -600, "times that cannot be read"),
        (at(0), at(10), "ten minutes", "times that cannot be read"),
    ],
)
def test_a_session_that_cannot_be_true_is_left_out_with_its_reason(
    device: Device, start: str, end: str, seconds: Any, reason: str
) -> None:
    with device.old() as old:
        old.add_pending_session(HASH, start, end, seconds)
    assert f"Left out: 1 reading session ({reason})." in device.take_over()
    assert device.states() == []


def test_a_session_from_the_statistics_may_last_until_its_last_page_was_left(device: Device) -> None:
    """The old plugin ended it where the last page began, and counted that page's time all the same."""
    with device.old() as old:
        old.add_history(HASH, at(0), at(10), 720, synced=0)
        old.add_history(HASH, at(20), at(20), 60, synced=0)
    device.take_over()
    assert spans(device) == [(at_s(0), at_s(12), 720), (at_s(20), at_s(21), 60)]
    assert device.take_over() == ["There is nothing new in what the old plugin left."]


def test_a_session_is_extended_only_up_to_what_is_recorded_next(device: Device) -> None:
    record(device, "c" * 32, 11, 20)
    with device.old() as old:
        old.add_history(HASH, at(0), at(10), 720, synced=0)
        old.add_history(HASH, at(10), at(11), 90, synced=0)
    device.take_over()
    assert spans(device) == [(at_s(0), at_s(11), 660), (at_s(11), at_s(20), 540)]


def test_a_sent_session_without_length_takes_one_second_and_what_was_read_live_then_has_room_behind_it(
    device: Device,
) -> None:
    device.stay_at_its_server()
    with device.old() as old:
        old.add_history(HASH, at(0), at(0), 0)
    device.take_over()
    assert spans(device) == [(at_s(0), at_s(0) + 1, 1)]
    assert reading_sessions.latest_end_within(device.store, at_s(0), at_s(5)) == at_s(0) + 1


def test_time_that_was_sent_and_is_recorded_partly_is_noted_where_it_is_free(device: Device) -> None:
    device.stay_at_its_server()
    record(device, HASH, 5, 10)
    record(device, "c" * 32, 20, 25)
    with device.old() as old:
        old.add_history(HASH, at(0), at(30), 1_500)
    assert "1 reading session that was sent already" in device.take_over()[0]
    assert spans(device) == [
        (at_s(0), at_s(5), 250),
        (at_s(5), at_s(10), 300),
        (at_s(10), at_s(20), 500),
        (at_s(20), at_s(25), 300),
        (at_s(25), at_s(30), 250),
    ]
    assert device.take_over() == ["There is nothing new in what the old plugin left."]


def test_a_session_to_send_from_the_time_of_another_book_is_left_out_and_told(device: Device) -> None:
    record(device, OTHER_HASH, 0, 10)
    with device.old() as old:
        old.add_pending_session(HASH, at(1), at(5), 240)
        old.add_history(HASH, at(8), at(20), 700, synced=0)
        old.add_pending_session(HASH, at(30), at(40), 600)
    assert "Left out: 2 reading sessions (something else is recorded for that time)." in device.take_over()
    assert spans(device) == [(at_s(0), at_s(10), 600), (at_s(30), at_s(40), 600)]


def test_a_session_in_the_queue_that_was_noted_as_sent_is_not_sent_again(device: Device) -> None:
    """The old plugin was killed between noting a session as sent and taking it out of its queue."""
    device.stay_at_its_server()
    with device.old() as old:
        old.add_history(HASH, at(0), at(10), 600)
        old.add_pending_session(HASH, at(0), at(10), 600)
    device.take_over()
    assert device.states() == ["acknowledged"]


def test_one_reading_in_the_queue_and_in_the_statistics_is_sent_once(device: Device) -> None:
    with device.old() as old:
        old.add_pending_session(HASH, at(0), at(10), 600)
        old.add_history(HASH, at(1), at(9), 480, synced=0, koreader_book_id=4)
    assert "Left out: 1 reading session (something else is recorded for that time)." in device.take_over()
    assert device.rows("SELECT started_at FROM reading_session") == [(at_s(0),)]


def test_sessions_that_follow_one_another_without_a_pause_are_two(device: Device) -> None:
    with device.old() as old:
        old.add_pending_session(HASH, at(0), at(10), 600)
        old.add_pending_session(HASH, at(10), at(20), 600)
    device.take_over()
    assert len(device.states()) == 2


def test_all_time_that_was_sent_is_noted_once_also_where_sessions_overlap(device: Device) -> None:
    device.stay_at_its_server()
    with device.old() as old:
        old.add_history(HASH, at(0), at(10), 600, koreader_book_id=0)
        old.add_history(HASH, at(0), at(20), 1_200, koreader_book_id=1)
        old.add_history(HASH, at(5), at(15), 600, koreader_book_id=2)
        old.add_history(HASH, at(15), at(30), 900, koreader_book_id=3)
    device.take_over()
    spans = device.rows("SELECT started_at, ended_at FROM reading_session ORDER BY started_at")
    assert spans == [(at_s(0), at_s(10)), (at_s(10), at_s(20)), (at_s(20), at_s(30))]
    assert device.states() == ["acknowledged"] * 3


def test_the_server_id_beside_an_unknown_book_of_koreaders_is_not_believed(device: Device) -> None:
    """The old plugin gave one book's id to the sessions of all books that it did not know."""
    device.configure()
    with device.old() as old:
        old.set(server_url=SERVER)
        old.add_history(HASH, at(0), at(10), 600, koreader_book_id=0, book_id=7, synced=0)
        old.add_history(OTHER_HASH, at(20), at(30), 600, koreader_book_id=5, book_id=8, synced=0)
    device.take_over()
    assert device.rows("SELECT fingerprint, server_id FROM book ORDER BY fingerprint") == [
        (HASH, None),
        (OTHER_HASH, 8),
    ]


def test_a_session_without_a_hash_goes_to_the_one_book_of_its_title(device: Device) -> None:
    with device.old() as old:
        old.add_book("/books/moby.epub", HASH, 7, title="Moby Dick")
        old.add_history(None, at(0), at(10), 600, koreader_book_title="Moby Dick", synced=0)
    device.take_over()
    assert device.rows("SELECT b.file FROM reading_session s JOIN book b ON b.id = s.book_id") == [
        ("/books/moby.epub",)
    ]


def test_a_session_whose_title_several_books_have_goes_to_none_of_them(device: Device) -> None:
    with device.old() as old:
        old.add_book("/books/1.epub", HASH, title="Poems")
        old.add_book("/books/2.epub", OTHER_HASH, title="Poems")
        old.add_history(None, at(0), at(10), 600, koreader_book_title="Poems", synced=0)
        old.add_history(None, at(20), at(30), 600, koreader_book_title="Poems")
    device.take_over()
    before = device.everything()
    assert device.rows("SELECT DISTINCT b.file, b.title FROM reading_session s JOIN book b ON b.id = s.book_id") == [
        ("", "Poems")
    ]
    device.take_over()
    assert device.everything() == before


def import_statistics(device: Device, pages: int, path: Path | None = None) -> None:
    """A page a minute, from the evening's first minute on, imported as KOReader's history."""
    path = path or device.root / "settings" / STATISTICS
    with statistics(path) as file:
        file.add(sitting(file.add_book("Moby Dick", "Herman Melville", HASH), at_s(0), pages))
    history.import_history(
        device.folder, device.store, str(path), Preferences({}), NOW, time.monotonic() + 60, lambda *_: None
    )


REST = "KOReader's statistics were imported once more, for what lies outside of what the old plugin had sent."
REST_LATER = (
    "KOReader's sessions were taken back of which the old plugin had sent a part. “Import it” under “Reading history of"
    " KOReader” brings back the rest."
)


def test_of_the_statistics_only_what_was_sent_already_is_taken_back(device: Device) -> None:
    device.stay_at_its_server()
    import_statistics(device, 120)
    assert spans(device) == [(at_s(0), at_s(120), 7_200)]
    with device.old() as old:
        old.add_history(HASH, at(10), at(14), 300)
    told = device.take_over()
    assert "1 session of the statistics that it had sent" in told[0]
    assert REST in told
    assert [entry[1:] for entry in device.entries()] == [
        ("waiting", 1, at_s(0)),
        ("acknowledged", 0, at_s(10)),
        ("waiting", 1, at_s(15)),
    ]
    assert spans(device) == [(at_s(0), at_s(10), 600), (at_s(10), at_s(15), 300), (at_s(15), at_s(120), 6_300)]


def test_what_was_brought_back_stays_when_all_is_imported_again(device: Device) -> None:
    device.stay_at_its_server()
    import_statistics(device, 120)
    with device.old() as old:
        old.add_history(HASH, at(10), at(14), 300)
    device.take_over()
    before = device.rows("SELECT * FROM reading_session")
    assert device.take_over() == ["There is nothing new in what the old plugin left."]
    assert device.rows("SELECT * FROM reading_session") == before


def test_the_rest_comes_from_the_statistics_that_it_came_from(device: Device, tmp_path: Path) -> None:
    device.stay_at_its_server()
    import_statistics(device, 120, tmp_path / "aside" / STATISTICS)
    with device.old() as old:
        old.add_history(HASH, at(0), at(59), 3_600)
    assert REST in device.take_over()
    assert spans(device) == [(at_s(0), at_s(60), 3_600), (at_s(60), at_s(120), 3_600)]


def test_a_rest_that_cannot_be_brought_back_now_is_owed_until_it_can(device: Device) -> None:
    device.stay_at_its_server()
    import_statistics(device, 120)
    path = device.root / "settings" / STATISTICS
    path.rename(path.with_suffix(".away"))
    with device.old() as old:
        old.add_history(HASH, at(0), at(59), 3_600)
    told = device.take_over()
    assert told[-2].startswith("KOReader has no statistics at ")
    assert told[-1] == REST_LATER
    assert spans(device) == [(at_s(0), at_s(60), 3_600)]
    path.with_suffix(".away").rename(path)
    assert REST in device.take_over()
    assert spans(device) == [(at_s(0), at_s(60), 3_600), (at_s(60), at_s(120), 3_600)]
    assert REST not in device.take_over()


# Books


def test_a_book_is_known_by_its_hash_before_its_path(device: Device) -> None:
    with device.store.transaction():
        known = books.remember(device.store, Book("/new/moby.epub", "epub", "Moby-Dick", [], [], HASH, 5))
    with device.old() as old:
        old.add_book("/old/moby.epub", HASH, 7, title="Moby", isbn13="9780142437247", hardcover_id=3)
    device.take_over()
    assert device.rows("SELECT id, file, title, identifiers, hardcover_id FROM book") == [
        (known, "/new/moby.epub", "Moby-Dick", "ISBN:9780142437247", 3)
    ]


def test_another_book_under_the_same_path_is_another_book(device: Device) -> None:
    with device.store.transaction():
        books.remember(device.store, Book("/books/moby.epub", "epub", "Emma", [], [], OTHER_HASH, 5))
    with device.old() as old:
        old.add_book("/books/moby.epub", HASH, 7, title="Moby")
    device.take_over()
    assert len(device.rows("SELECT id FROM book")) == 2


def test_a_book_without_a_hash_is_known_by_its_path(device: Device) -> None:
    with device.old() as old:
        old.add_book("/books/moby.EPUB", "", title="Moby")
    device.take_over()
    assert device.rows("SELECT file, fingerprint, format FROM book") == [("/books/moby.EPUB", None, "epub")]


def test_a_book_of_the_statistics_has_a_hash_and_no_path(device: Device) -> None:
    with device.old() as old:
        old.add_book(f"historical://{HASH}", "", 7, title="Moby")
        old.add_book(f"historical://{OTHER_HASH}", OTHER_HASH, title="Emma")
    device.take_over()
    assert device.rows("SELECT file, fingerprint FROM book ORDER BY id") == [("", HASH), ("", OTHER_HASH)]


def test_the_size_of_a_book_that_is_there_is_noted(device: Device, tmp_path: Path) -> None:
    (tmp_path / "moby.epub").write_bytes(b"x" * 1234)
    with device.old() as old:
        old.add_book(str(tmp_path / "moby.epub"), HASH)
    device.take_over()
    assert device.rows("SELECT size_bytes FROM book") == [(1234,)]


def test_a_match_comes_over_only_for_the_same_server(device: Device) -> None:
    device.configure()
    with device.old() as old:
        old.set(server_url=SERVER + ":443/")
        old.add_book("/books/moby.epub", HASH, 7)
    device.take_over()
    assert device.rows("SELECT server_id, matched_by FROM book") == [(7, "old plugin")]
    assert settings.get(device.store, settings.MATCHES_OF) == f"anna@home at {SERVER}"


@pytest.mark.parametrize("server", ["https://other.example.org", "http://books.example.org", SERVER + "/booklore"])
def test_a_match_of_another_server_does_not_come_over(device: Device, server: str) -> None:
    device.configure()
    with device.old() as old:
        old.set(server_url=server)
        fill_book = old.add_book("/books/moby.epub", HASH, 7)
        old.add_pending_session(HASH, at(0), at(10), 600, book_id=7)
        old.add_synced_annotation(fill_book, "2026-03-01 18:00:00", "highlight", 11)
        old.add("book_metadata", book_cache_id=fill_book, rating=8, rating_synced=1)
    told = device.take_over()
    assert device.rows("SELECT server_id FROM book") == [(None,)]
    assert device.rows("SELECT * FROM shared_value") == []
    assert device.states() == ["waiting"]
    assert device.rows("SELECT remote_id FROM mark_ledger") == [(None,)]
    assert "Left out: 1 rating (of another server)." in told


def test_the_matches_of_another_account_of_ours_are_not_mixed_with_the_old_plugins(device: Device) -> None:
    device.configure()
    with device.store.transaction():
        settings.put(device.store, settings.MATCHES_OF, "eve at https://books.example.org")
    with device.old() as old:
        old.set(server_url=SERVER)
        old.add_book("/books/moby.epub", HASH, 7)
    device.take_over()
    assert device.rows("SELECT server_id FROM book") == [(None,)]


def test_a_book_that_is_matched_already_keeps_its_match(device: Device) -> None:
    device.configure()
    with device.store.transaction():
        id = books.remember(device.store, Book("/books/moby.epub", "epub", "Moby", [], [], HASH, 5))
        books.match(device.store, id, 3, "ISBN")
    with device.old() as old:
        old.set(server_url=SERVER)
        old.add_book("/books/moby.epub", HASH, 7)
    device.take_over()
    assert device.rows("SELECT server_id, matched_by FROM book") == [(3, "ISBN")]


def test_what_waited_for_its_book_goes_on_when_the_old_plugin_knows_it(device: Device) -> None:
    device.configure()
    with device.store.transaction():
        id = books.remember(device.store, Book("/books/moby.epub", "epub", "Moby", [], [], HASH, 5))
        for number, unproven in enumerate((False, True)):
            session = ReadingSession(NOW + number * 100, NOW + number * 100 + 60, 60, 1, 2, 0.1, 0.2, 2, ())
            added = reading_sessions.add(device.store, id, reading_sessions.STATISTICS, None, session)
            outbox.add_session(device.store, added, id, "waiting", unproven, NOW)
    with device.old() as old:
        old.set(server_url=SERVER)
        old.add_book("/books/moby.epub", HASH, 7)
    device.take_over()
    assert [entry[1:3] for entry in device.entries()] == [("new", 0), ("intent", 1)]


def test_a_book_that_was_switched_off_stays_so_and_nothing_of_it_is_queued(device: Device) -> None:
    device.stay_at_its_server()
    with device.old() as old:
        id = old.add_book("/books/diary.epub", HASH, 7, title="Diary", tracking_enabled=0)
        old.add_pending_session(HASH, at(0), at(10), 600)
        old.add("pending_ratings", book_cache_id=id, rating=6)
        old.add_pending_annotation(id, "2026-03-01 18:04:00", "booklore_note", note="Secret.")
        old.add_history(HASH, at(20), at(30), 600)
    told = device.take_over()
    assert device.rows("SELECT tracked FROM book") == [(0,)]
    assert [entry[:2] for entry in device.entries()] == [("reading_session", "acknowledged")]
    assert "Left out: 1 reading session (recording of the book switched off)." in told


def test_a_book_that_was_switched_on_again_here_is_not_switched_off_by_a_second_import(device: Device) -> None:
    with device.old() as old:
        old.add_book("/books/diary.epub", HASH, 7, title="Diary", tracking_enabled=0)
    device.take_over()
    with device.store.transaction():
        books.track(device.store, 1, True)
    device.take_over()
    assert device.rows("SELECT tracked FROM book") == [(1,)]


# Ratings and marks


def test_a_rating_that_was_sent_is_what_both_agreed_on_and_another_is_sent(device: Device) -> None:
    device.configure()
    with device.old() as old:
        fill(old)
    device.take_over()
    columns = "b.title, v.is_agreed, v.agreed, v.offered"
    assert device.rows(f"SELECT {columns} FROM shared_value v JOIN book b ON b.id = v.book_id ORDER BY b.id") == [
        ("Moby Dick", 1, "8", None),
        ("Emma", 0, None, "3|6"),
    ]
    assert device.rows("SELECT payload, state, unproven FROM outbox WHERE kind = 'rating'") == [
        ('{"rating":6}', "waiting", 1)
    ]


@pytest.mark.parametrize("rating", [0, 11, -1, "five", 4.5])
def test_a_rating_off_the_scale_is_left_out(device: Device, rating: Any) -> None:
    with device.old() as old:
        id = old.add_book("/books/moby.epub", HASH)
        old.add("pending_ratings", book_cache_id=id, rating=rating)
    assert "Left out: 1 rating (not between 1 and 10)." in device.take_over()
    assert device.entries() == []


def test_what_counts_as_sent_without_an_id_is_not_proved(device: Device) -> None:
    device.configure()
    with device.old() as old:
        fill(old)
        old.add_synced_annotation(1, "2026-03-01 19:00:00", "both_note", 12)
    device.take_over()
    assert device.rows("SELECT kind, made_at, remote_id FROM mark_ledger ORDER BY made_at, kind") == [
        ("highlight", "2026-03-01 18:00:00", 11),
        ("in_book_note", "2026-03-01 18:01:00", None),
        ("bookmark", "2026-03-01 18:02:00", None),
        ("book_note", "2026-03-01 18:05:00", None),  # was waiting, and may have been sent without an answer
        ("book_note", "2026-03-01 19:00:00", None),
        ("in_book_note", "2026-03-01 19:00:00", None),
    ]


def test_no_position_that_was_not_checked_is_queued(device: Device) -> None:
    device.configure()
    with device.old() as old:
        fill(old)
    device.take_over()
    assert not any("cfi" in payload for (payload,) in device.rows("SELECT payload FROM outbox WHERE payload <> ''"))
    kept = device.rows("SELECT kind, made_at, payload FROM pending_mark ORDER BY made_at, kind DESC")
    assert [row[:2] for row in kept] == [
        ("highlight", "2026-03-01 18:03:00"),
        ("in_book_note", "2026-03-01 18:05:00"),
        ("book_note", "2026-03-01 18:05:00"),
        ("bookmark", "2026-03-01 18:06:00"),
    ]
    assert json.loads(kept[0][2]) == {
        "pos0": "/body/p/text().0",
        "pos1": "/body/p/text().15",
        "text": "Call me Ishmael",
        "chapter": "Loomings",
        "color": "#FFC107",
        "style": "highlight",
        "cfi": "epubcfi(/6/2!/4/2,/1:0,/1:15)",
    }
    assert json.loads(kept[3][2]) == {"pos0": "/body/p", "page": 12, "chapter": "Loomings"}


def test_notes_without_a_highlight_need_no_position_and_are_sent(device: Device) -> None:
    device.configure()
    with device.old() as old:
        fill(old)
    device.take_over()
    notes = device.rows("SELECT payload, state, unproven FROM outbox WHERE kind = 'book_note' ORDER BY id")
    assert [(json.loads(payload), state, unproven) for payload, state, unproven in notes] == [
        ({"title": "Loomings", "content": "A whale."}, "intent", 1)
    ]


def test_what_the_server_has_given_an_id_is_not_sent_again(device: Device) -> None:
    device.configure()
    with device.old() as old:
        old.set(server_url=SERVER)
        id = old.add_book("/books/moby.epub", HASH, 7)
        for when, server_id in (("2026-03-01 18:00:00", 5), ("2026-03-01 18:01:00", None)):
            old.add_synced_annotation(id, when, "booklore_note", server_id)
            old.add_pending_annotation(id, when, "booklore_note", note="A whale.")
    device.take_over()
    assert device.rows("SELECT key FROM outbox WHERE kind = 'book_note'") == [("1 2026-03-01 18:01:00",)]


def test_marks_whose_book_the_old_plugin_has_lost_are_counted(device: Device) -> None:
    with device.old() as old:
        old.add_book("/books/moby.epub", HASH, 7)
        old.connection.execute("PRAGMA foreign_keys = OFF")
        old.add_synced_annotation(99, "2026-03-01 18:00:00", "highlight", 11)
        old.add_pending_bookmark(98, "2026-03-01 18:00:00", page=3)
        old.add("pending_ratings", book_cache_id=97, rating=6)
    told = device.take_over()
    assert "Left out: 2 marks (the old plugin has lost the book)." in told
    assert "Left out: 1 rating (the old plugin has lost the book)." in told


@pytest.mark.parametrize("payload", ["", "{", "[]", "null", '{"note":""}', '{"note":"\\ud800"', "x" * 70_000])
def test_a_mark_that_cannot_be_read_is_counted(device: Device, payload: str) -> None:
    with device.old() as old:
        id = old.add_book("/books/moby.epub", HASH, 7)
        old.add(
            "pending_annotations", book_cache_id=id, datetime="2026-03-01 18:00:00", ann_type="booklore_note",
            payload=payload,
        )  # fmt: skip
    assert "Left out: 1 mark (content that cannot be read)." in device.take_over()


def test_removals_from_the_shelf_are_kept_and_not_done(device: Device) -> None:
    with device.old() as old:
        fill(old)
    device.take_over()
    kept = settings.get(device.store, "plugin.pending_deletion." + "c" * 32)
    assert json.loads(kept or "") == {"name": "gone", "book_id": 9}
    assert device.rows("SELECT * FROM outbox WHERE kind = 'deletion'") == []


# The offer


def test_it_is_offered_where_an_old_plugin_was_and_not_again_after_it_was_taken(device: Device) -> None:
    assert plugin_files.offer(device.folder, device.store) is None
    device.old().close()
    assert plugin_files.offer(device.folder, device.store) == [str(device.source)]
    device.take_over()
    assert plugin_files.offer(device.folder, device.store) is None


def test_it_is_not_offered_again_after_it_was_declined_but_can_be_asked_for(device: Device) -> None:
    with device.old() as old:
        fill(old)
    plugin_import.decline(device.store)
    assert plugin_files.offer(device.folder, device.store) is None
    device.take_over()
    assert len(device.states()) == 5
