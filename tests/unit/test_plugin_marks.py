"""What the old plugin had of highlights, notes and bookmarks, as marks of ours and links to the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device import annotation_ingest
from device.core.annotations import koreader_forms
from device.core.journal import Book
from device.disk import Disk
from device.importing import plugin_marks
from device.koreader import lua_literals
from device.store import books, database, mark_ledger, mark_links, marks, settings
from tests.fixtures import make_sidecars as make

NOW = 1_795_500_000
ANNA = "anna at https://books.example.org"
ONE, TWO = make.highlight(1, note="a note"), make.highlight(2)


class Shelf:
    def __init__(self, store: database.Store) -> None:
        self.store = store
        self.id = books.remember(store, Book("/b/1.epub", "epub", make.TITLE, [make.AUTHORS], [], make.CHECKSUM, 5))
        books.match(store, self.id, 42, "old plugin")
        settings.put(store, settings.MATCHES_OF, ANNA)

    def sent(self, item: dict[str, Any], kind: str, remote_id: int | None) -> None:
        mark_ledger.add_sent(self.store, self.id, kind, item["datetime"], remote_id)

    def keeps(self, kind: str, made_at: str, **payload: Any) -> bool:
        return plugin_marks.keep(self.store, self.id, kind, made_at, json.dumps(payload))

    def reads(self, *annotations: dict[str, Any], is_copy: bool = False) -> None:
        found = koreader_forms.from_record(lua_literals.parse(make.record(list(annotations))))
        annotation_ingest.take_record(self.store, self.id, found, NOW, is_copy)

    def links(self) -> list[tuple[str, str, str, int | None]]:
        """(date of the mark, role, kind, id there)."""
        dates = {mark.id: mark.made_at for mark in marks.of_book(self.store, self.id)}
        found = mark_links.of_book(self.store, self.id, ANNA)
        return [(dates[link.mark_id], link.role, link.kind, link.remote_id) for link in found]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    store = database.open_store(Disk(), str(tmp_path / "state.sqlite"), NOW)
    yield Shelf(store)
    store.close()


def test_what_was_sent_is_linked_when_the_record_is_read(shelf: Shelf) -> None:
    shelf.sent(ONE, "in_book_note", 11)
    shelf.sent(TWO, "highlight", 12)
    shelf.reads(ONE, TWO)
    assert shelf.links() == [(ONE["datetime"], "main", "in_book_note", 11), (TWO["datetime"], "main", "highlight", 12)]
    (first, _) = mark_links.of_book(shelf.store, shelf.id, ANNA)
    assert (first.agreed_device, first.agreed_server) == (None, None)


def test_a_record_that_was_read_before_is_read_again_after_the_import(shelf: Shelf) -> None:
    shelf.reads(ONE)
    shelf.sent(ONE, "highlight", 11)
    shelf.reads(ONE)
    assert shelf.links() == [(ONE["datetime"], "main", "highlight", 11)]


def test_what_was_taken_over_once_is_not_taken_over_again(shelf: Shelf) -> None:
    shelf.sent(ONE, "highlight", 11)
    shelf.reads(ONE)
    for link in mark_links.of_book(shelf.store, shelf.id, ANNA):
        mark_links.remove(shelf.store, link)
    shelf.reads(ONE, TWO)
    assert shelf.links() == []


def test_what_counts_as_sent_without_an_id_is_as_if_it_never_was(shelf: Shelf) -> None:
    shelf.sent(ONE, "highlight", None)
    shelf.reads(ONE)
    assert shelf.links() == []


def test_a_note_on_the_books_page_without_an_id_is_looked_for_by_its_words(shelf: Shelf) -> None:
    shelf.sent(ONE, "book_note", None)
    shelf.reads(ONE)
    (link,) = mark_links.of_book(shelf.store, shelf.id, ANNA)
    assert (link.role, link.kind, link.remote_id) == ("copy", "book_note", None)
    assert link.sent_server is not None and link.sent_device is not None
    assert (link.sent_server.note, link.sent_server.title) == ("a note", "Loomings")


def test_nothing_is_taken_over_before_the_book_is_matched(shelf: Shelf) -> None:
    books.unmatch(shelf.store, shelf.id, "nobody knows it")
    shelf.sent(ONE, "highlight", 11)
    shelf.reads(ONE)
    assert shelf.links() == []
    books.match(shelf.store, shelf.id, 42, "ISBN")
    shelf.reads(ONE)
    assert shelf.links() == [(ONE["datetime"], "main", "highlight", 11)]


def test_what_was_deleted_since_it_was_sent_stays_away_from_the_device(shelf: Shelf) -> None:
    shelf.sent(ONE, "highlight", 11)
    shelf.sent(TWO, "highlight", 12)
    shelf.reads(TWO)
    assert shelf.links() == [(TWO["datetime"], "main", "highlight", 12), (ONE["datetime"], "main", "highlight", 11)]
    closed = [link.closed for link in mark_links.of_book(shelf.store, shelf.id, ANNA)]
    gone = [mark.gone for mark in marks.of_book(shelf.store, shelf.id)]
    assert (closed, gone) == ([False, True], [marks.THERE, marks.DELETED])


def test_a_record_with_nothing_of_what_was_sent_was_lost_and_all_may_come_back(shelf: Shelf) -> None:
    shelf.sent(ONE, "highlight", 11)
    shelf.reads(TWO)
    assert shelf.links() == []
    assert len(marks.of_book(shelf.store, shelf.id)) == 1


def test_an_older_copy_of_a_record_says_nothing_of_what_was_deleted(shelf: Shelf) -> None:
    shelf.sent(ONE, "highlight", 11)
    shelf.sent(TWO, "highlight", 12)
    shelf.reads(TWO, is_copy=True)
    assert shelf.links() == []


def test_what_waited_becomes_a_mark_with_koreaders_words_for_its_looks(shelf: Shelf) -> None:
    assert shelf.keeps(
        "in_book_note", ONE["datetime"], pos0=ONE["pos0"], pos1=ONE["pos1"], text=ONE["text"], note="a note",
        chapter="Loomings", color="#4ADE80", style="underline", cfi="epubcfi(/6/2)",
    )  # fmt: skip
    (mark,) = marks.of_book(shelf.store, shelf.id)
    assert mark.device is not None
    assert (mark.kind, mark.device.color, mark.device.drawer) == ("highlight", "green", "underscore")
    assert (mark.device.text, mark.device.note, mark.device.pos1) == (ONE["text"], "a note", ONE["pos1"])


def test_bookmarks_that_waited_have_a_page_or_a_place(shelf: Shelf) -> None:
    assert shelf.keeps("bookmark", "2026-03-01 18:06:00", page=12, notes="here")
    assert shelf.keeps("bookmark", "2026-03-01 18:07:00", page=make.xpointer(1))
    assert shelf.keeps("bookmark", "2026-03-01 18:08:00", pos0=make.xpointer(2), page=3)
    found = [mark.device for mark in marks.of_book(shelf.store, shelf.id) if mark.device]
    places = [(12, ""), (None, make.xpointer(1)), (None, make.xpointer(2))]
    assert [(mark.page, mark.pos0) for mark in found] == places
    assert [mark.kind for mark in found] == ["bookmark"] * 3


@pytest.mark.parametrize("payload", ["", "[]", "{}", '{"pos0":7}', '{"pos0":"/body","page":true}'])
def test_what_has_no_place_becomes_no_mark(shelf: Shelf, payload: str) -> None:
    assert not plugin_marks.keep(shelf.store, shelf.id, "highlight", ONE["datetime"], payload)


def test_what_waited_and_is_in_the_record_is_one_mark(shelf: Shelf) -> None:
    shelf.keeps("highlight", ONE["datetime"], pos0=ONE["pos0"], pos1=ONE["pos1"], text=ONE["text"])
    assert not shelf.keeps("in_book_note", ONE["datetime"], pos0=ONE["pos0"], pos1=ONE["pos1"], text=ONE["text"])
    shelf.reads(ONE)
    (mark,) = marks.of_book(shelf.store, shelf.id)
    assert mark.device is not None
    assert (mark.device.note, mark.device_at) == ("a note", NOW)


def test_what_waited_and_is_in_no_record_is_not_lost(shelf: Shelf) -> None:
    shelf.keeps("highlight", ONE["datetime"], pos0=ONE["pos0"], pos1=ONE["pos1"], text=ONE["text"])
    shelf.reads(TWO)
    assert [mark.gone for mark in marks.of_book(shelf.store, shelf.id)] == [marks.THERE, marks.THERE]
