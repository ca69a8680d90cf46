"""Marks in the store: what the device has, what it is offered, and what is agreed on with which account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.journal import Book
from device.disk import Disk
from device.store import books, database, mark_links, mark_sources, marks

NOW = 1_795_500_000
ANNA, BERT = "anna at https://books.example.org", "bert at https://books.example.org"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[database.Store]:
    store = database.open_store(Disk(), str(tmp_path / "state.sqlite"), NOW)
    yield store
    store.close()


@pytest.fixture
def book_id(store: database.Store) -> int:
    id = books.remember(store, Book("/b/1.epub", "epub", "One", ["Somebody"], [], "1" * 32, 5))
    books.match(store, id, 42, "ISBN")
    return id


def highlight(made_at: str = "2026-11-18 12:00:00") -> DeviceMark:
    mark = DeviceMark("highlight", made_at)
    mark.pos0, mark.pos1 = "/body/DocFragment[2]/body/p[1]/text().0", "/body/DocFragment[2]/body/p[1]/text().5"
    mark.text, mark.drawer, mark.color, mark.page = "words", "lighten", "yellow", 3
    return mark


def server(id: int, note: str = "") -> ServerMark:
    mark = ServerMark("highlight", id)
    mark.cfi, mark.text, mark.note = "epubcfi(/6/4!/4/2,/1:0,/1:5)", "words", note
    return mark


def link(store: database.Store, mark_id: int, account: str, server_book: int = 42) -> mark_links.Link:
    made = mark_links.Link(mark_id, account, server_book, mark_links.MAIN, "highlight")
    made.remote_id, made.agreed_device, made.agreed_server = 7, highlight(), server(7)
    mark_links.save(store, made)
    return made


def test_a_mark_is_read_back_as_the_device_has_it(store: database.Store, book_id: int) -> None:
    id = marks.add(store, book_id, highlight(), NOW)
    (found,) = marks.of_book(store, book_id)
    assert (found.id, found.kind, found.made_at, found.device_at) == (id, "highlight", "2026-11-18 12:00:00", NOW)
    assert found.on_device() is not None
    assert found.on_device().to_json() == highlight().to_json()  # type: ignore[union-attr]


def test_a_deleted_mark_is_remembered_as_it_was_and_is_not_on_the_device(store: database.Store, book_id: int) -> None:
    id = marks.add(store, book_id, highlight(), NOW)
    marks.set_gone(store, id, marks.DELETED, NOW + 9)
    found = marks.one(store, id)
    assert found is not None
    assert (found.gone, found.device_at) == (marks.DELETED, NOW + 9)
    assert found.on_device() is None
    assert found.device is not None


def test_a_mark_that_is_seen_again_is_there_again(store: database.Store, book_id: int) -> None:
    id = marks.add(store, book_id, highlight(), NOW)
    marks.set_gone(store, id, marks.MISSING, NOW)
    marks.save_device(store, id, highlight("2026-11-18 12:00:01"), NOW)
    found = marks.one(store, id)
    assert found is not None
    assert (found.gone, found.made_at) == (marks.THERE, "2026-11-18 12:00:01")


def test_a_mark_whose_form_is_broken_counts_as_none(store: database.Store, book_id: int) -> None:
    id = marks.add(store, book_id, highlight(), NOW)
    store.execute("UPDATE mark SET device = '{\"kind\"'")
    found = marks.one(store, id)
    assert found is not None
    assert found.device is None


def test_what_is_offered_is_told_for_books_that_lie_here_and_are_recorded(store: database.Store, book_id: int) -> None:
    without_file = books.add_without_file(store, None, "Elsewhere", [])
    for book in (book_id, without_file):
        marks.offer(store, marks.add_without_device(store, book, "highlight"), '{"do":"add"}', NOW)
    assert [(one.file, one.title, one.mark.offered) for one in marks.offered(store, 10, 10)] == [
        ("/b/1.epub", "One", '{"do":"add"}')
    ]
    books.track(store, book_id, False)
    assert marks.offered(store, 10, 10) == []


def test_an_offer_that_was_taken_is_not_told_again(store: database.Store, book_id: int) -> None:
    id = marks.add_without_device(store, book_id, "highlight")
    marks.offer(store, id, '{"do":"add"}', NOW)
    marks.withdraw_offer(store, id)
    assert marks.offered(store, 10, 10) == []


def test_a_link_is_read_back_as_it_was_agreed(store: database.Store, book_id: int) -> None:
    made = link(store, marks.add(store, book_id, highlight(), NOW), ANNA)
    made.server, made.server_at, made.tombstone_at, made.closed = server(7, "a note"), NOW, NOW - 5, True
    mark_links.save(store, made)
    (found,) = mark_links.of_book(store, book_id, ANNA)
    assert (found.remote_id, found.server_at, found.tombstone_at, found.closed) == (7, NOW, NOW - 5, True)
    assert found.agreed_device is not None and found.agreed_server is not None and found.server is not None
    assert found.agreed_device.to_json() == highlight().to_json()
    assert found.agreed_server.to_json() == server(7).to_json()
    assert found.server.note == "a note"


def test_the_main_link_comes_before_the_copy(store: database.Store, book_id: int) -> None:
    id = marks.add(store, book_id, highlight(), NOW)
    mark_links.save(store, mark_links.Link(id, ANNA, 42, mark_links.COPY, "book_note"))
    link(store, id, ANNA)
    assert [found.role for found in mark_links.of_mark(store, id, ANNA)] == ["main", "copy"]


def test_what_was_agreed_on_with_one_account_is_not_agreed_on_with_another(store: database.Store, book_id: int) -> None:
    link(store, marks.add(store, book_id, highlight(), NOW), ANNA)
    assert mark_links.of_book(store, book_id, BERT) == []
    assert len(mark_links.of_book(store, book_id, ANNA)) == 1


def test_what_was_agreed_on_about_another_book_counts_again_when_the_match_comes_back(
    store: database.Store, book_id: int
) -> None:
    link(store, marks.add(store, book_id, highlight(), NOW), ANNA)
    books.match(store, book_id, 43, "by hand")
    assert mark_links.of_book(store, book_id, ANNA) == []
    books.match(store, book_id, 42, "by hand")
    assert len(mark_links.of_book(store, book_id, ANNA)) == 1


def test_a_mark_that_is_forgotten_takes_its_links_along(store: database.Store, book_id: int) -> None:
    id = marks.add(store, book_id, highlight(), NOW)
    link(store, id, ANNA)
    link(store, id, BERT)
    marks.remove(store, id)
    assert store.execute("SELECT COUNT(*) FROM mark_link").fetchone() == (0,)
    assert marks.of_book(store, book_id) == []


def test_the_books_whose_lists_are_oldest_are_due_first(store: database.Store, book_id: int) -> None:
    others = [books.remember(store, Book(f"/b/{number}.epub", "epub", "", [], [], None, None)) for number in (2, 3, 4)]
    for number, id in enumerate(others, 43):
        books.match(store, id, number, "ISBN")
    for id in (book_id, *others[:2]):
        marks.add(store, id, highlight(), NOW)
    mark_links.note_pull(store, book_id, ANNA, 42, NOW)
    mark_links.note_pull(store, others[0], ANNA, 43, NOW - 100)
    due = [place.book_id for place in mark_links.longest_unpulled(store, ANNA, NOW, 10)]
    assert due == [others[1], others[0]]  # not the one that was just read, nor the one that has no marks


def test_lists_that_were_read_of_another_book_or_for_another_account_do_not_count(
    store: database.Store, book_id: int
) -> None:
    mark_links.note_pull(store, book_id, ANNA, 42, NOW)
    assert mark_links.pulled_at(store, book_id, ANNA) == NOW
    assert mark_links.pulled_at(store, book_id, BERT) == 0
    books.match(store, book_id, 43, "by hand")
    assert mark_links.pulled_at(store, book_id, ANNA) == 0


def test_a_record_that_was_read_is_known_by_its_stamp(store: database.Store, book_id: int) -> None:
    (found,) = mark_sources.books(store, 0, 10)
    assert (found.sidecar, found.stamp) == (None, None)
    mark_sources.note(store, book_id, "/b/1.sdr/metadata.epub.lua", "100 5", NOW)
    (found,) = mark_sources.books(store, 0, 10)
    assert (found.id, found.file, found.title) == (book_id, "/b/1.epub", "One")
    assert (found.sidecar, found.stamp) == ("/b/1.sdr/metadata.epub.lua", "100 5")
    mark_sources.forget(store)
    found_again = mark_sources.book(store, book_id)
    assert found_again is not None and found_again.sidecar is None


def test_the_books_are_gone_through_in_turns(store: database.Store, book_id: int) -> None:
    ids = [book_id] + [
        books.remember(store, Book(f"/b/{number}.epub", "epub", "", [], [], None, None)) for number in range(2, 6)
    ]
    assert [one.id for one in mark_sources.books(store, 0, 2)] == ids[:2]
    assert [one.id for one in mark_sources.books(store, 2, 2)] == ids[2:4]
    assert mark_sources.count_books(store) == 5


def test_a_book_whose_recording_is_switched_off_is_not_looked_at(store: database.Store, book_id: int) -> None:
    books.track(store, book_id, False)
    assert mark_sources.books(store, 0, 10) == []
    assert mark_sources.book(store, book_id) is None
    assert mark_sources.count_books(store) == 0


def test_a_fingerprint_says_whose_it_is(store: database.Store, book_id: int) -> None:
    assert mark_sources.owners(store, "1" * 32) == [book_id]
    assert mark_sources.owners(store, "2" * 32) == []


def test_only_marks_that_the_device_has_are_counted(store: database.Store, book_id: int) -> None:
    ids = [marks.add(store, book_id, highlight(f"2026-11-18 12:00:0{number}"), NOW) for number in range(3)]
    marks.add(store, book_id, DeviceMark("bookmark", "2026-11-18 13:00:00"), NOW)
    marks.add_without_device(store, book_id, "highlight")
    marks.set_gone(store, ids[0], marks.DELETED, NOW)
    assert marks.count_on_device(store) == (2, 1, 1)
