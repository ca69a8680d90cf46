"""What KOReader tells of highlights and bookmarks, by journal and by record, as marks in the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as checked
from hypothesis import strategies as st

from device import annotation_ingest
from device.core.annotations import koreader_forms
from device.core.journal import Book, Marks
from device.disk import Disk
from device.koreader import lua_literals
from device.store import books, database, holdings, mark_links, mark_sources, marks, settings
from tests.fixtures import make_sidecars as make

NOW = 1_795_500_000
THERE, DELETED, LOST = marks.THERE, marks.DELETED, marks.MISSING


class Shelf:
    """One book and what the store knows of its marks."""

    def __init__(self, store: database.Store) -> None:
        self.store = store
        self.id = books.remember(store, Book("/b/1.epub", "epub", make.TITLE, [make.AUTHORS], [], make.CHECKSUM, 5))
        self.at = NOW - 1_000

    def lines(self, *changed: dict[str, Any], gone: list[dict[str, Any]] | None = None) -> None:
        self.at += 10
        annotation_ingest.take_lines(
            self.store, self.id, [Marks(self.at, list(changed), list(gone or []), make.DOM)], NOW
        )

    def record(
        self, annotations: list[dict[str, Any]] | None, is_copy: bool = False, **fields: Any
    ) -> annotation_ingest.Taken:
        self.at += 10
        found = koreader_forms.from_record(lua_literals.parse(make.record(annotations, **fields)))
        taken = annotation_ingest.take_record(self.store, self.id, found, self.at, is_copy)
        mark_sources.note(self.store, self.id, "/b/1.sdr/metadata.epub.lua", "", None if is_copy else self.at)
        return taken

    def marks(self) -> list[tuple[str, str, int]]:
        return [(mark.kind, mark.made_at, mark.gone) for mark in marks.of_book(self.store, self.id)]

    def notes(self) -> list[str]:
        return [mark.device.note if mark.device else "" for mark in marks.of_book(self.store, self.id)]

    def gone(self) -> list[int]:
        return [mark.gone for mark in marks.of_book(self.store, self.id)]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    store = database.open_store(Disk(), str(tmp_path / "state.sqlite"), NOW)
    yield Shelf(store)
    store.close()


def identity(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("datetime", "page", "pos0", "pos1") if name in item}


def test_a_record_says_all_that_a_book_has(shelf: Shelf) -> None:
    one, two = make.highlight(1, note="a note"), make.bookmark(2)
    taken = shelf.record([one, two])
    assert (taken.there, taken.new, taken.lost, taken.broken) == (2, 2, 0, 0)
    assert shelf.marks() == [("highlight", one["datetime"], THERE), ("bookmark", two["datetime"], THERE)]
    (found, _) = marks.of_book(shelf.store, shelf.id)
    assert found.device is not None
    assert (found.device.text, found.device.note, found.device.color) == (one["text"], "a note", "yellow")
    assert (found.device.pos0, found.device.pos1, found.device.dom) == (one["pos0"], one["pos1"], make.DOM)
    assert found.device_at == shelf.at


def test_a_record_that_is_read_again_changes_nothing(shelf: Shelf) -> None:
    shelf.record([make.highlight(1), make.bookmark(2)])
    before = shelf.store.execute("SELECT * FROM mark").fetchall()
    taken = shelf.record([make.highlight(1), make.bookmark(2)])
    assert (taken.there, taken.new, taken.lost) == (2, 0, 0)
    assert shelf.store.execute("SELECT * FROM mark").fetchall() == before


def test_the_old_form_of_a_record_says_the_same(shelf: Shelf) -> None:
    items = [make.highlight(1, note="a note"), make.bookmark(2)]
    shelf.record(None, **make.old_form(items))
    assert [(kind, gone) for kind, _, gone in sorted(shelf.marks())] == [("bookmark", THERE), ("highlight", THERE)]
    taken = shelf.record(items)
    assert (taken.new, taken.lost) == (0, 0)


def test_highlights_of_fixed_pages_have_their_page_and_boxes(shelf: Shelf) -> None:
    shelf.record([make.fixed_highlight(7)], cre_dom_version=None)
    (found,) = marks.of_book(shelf.store, shelf.id)
    assert found.device is not None
    assert (found.device.page, found.device.dom) == (7, None)
    assert '"x":100.5' in found.device.pos0.replace(" ", "")
    assert found.device.boxes


def test_what_the_launcher_saw_being_made_edited_and_deleted_is_known(shelf: Shelf) -> None:
    item = make.highlight(1)
    shelf.lines(item)
    assert shelf.marks() == [("highlight", item["datetime"], THERE)]
    shelf.lines(item | {"note": "a thought", "datetime_updated": "2026-11-22 10:00:00"})
    assert (shelf.notes(), shelf.gone()) == (["a thought"], [THERE])
    shelf.lines(gone=[identity(item)])
    assert shelf.gone() == [DELETED]


def test_what_was_made_and_deleted_within_one_journal_is_deleted(shelf: Shelf) -> None:
    item = make.highlight(1)
    lines = [Marks(NOW - 20, [item], [], make.DOM), Marks(NOW - 10, [], [identity(item)], make.DOM)]
    annotation_ingest.take_lines(shelf.store, shelf.id, lines, NOW)
    assert shelf.gone() == [DELETED]


def test_what_the_book_has_no_place_for_stays_on_the_server_and_is_no_deletion(shelf: Shelf) -> None:
    books.match(shelf.store, shelf.id, 42, "ISBN")
    settings.put(shelf.store, settings.MATCHES_OF, "anna")
    item = make.highlight(1)
    shelf.record([item, make.highlight(2)])
    (given, _) = marks.of_book(shelf.store, shelf.id)
    link = mark_links.Link(given.id, "anna", 42, mark_links.MAIN, "highlight")
    link.remote_id, link.agreed_device = 7, given.device
    mark_links.save(shelf.store, link)
    line = Marks(NOW - 5, [], [], make.DOM)
    line.unplaced = [identity(item), {"datetime": "2020-01-01 00:00:00"}, "?"]
    annotation_ingest.take_lines(shelf.store, shelf.id, [line], NOW)
    (found,) = mark_links.of_mark(shelf.store, given.id, "anna")
    assert (found.closed, found.tombstone_at, found.remote_id) == (True, 0, 7)
    assert marks.of_book(shelf.store, shelf.id)[0].on_device() is None
    shelf.record([make.highlight(2)])
    assert mark_links.of_mark(shelf.store, given.id, "anna")[0].closed


def test_a_bookmark_that_was_taken_out_is_deleted(shelf: Shelf) -> None:
    item = make.bookmark(1)
    shelf.record([item, make.highlight(2)])
    shelf.lines(gone=[identity(item)])
    assert shelf.gone() == [DELETED, THERE]


def test_a_highlight_that_was_moved_stays_the_same(shelf: Shelf) -> None:
    item = make.highlight(1)
    shelf.lines(item)
    moved = item | {"pos1": make.xpointer(1, 99), "text": "Call me Ishmael, 1. Some years ago"}
    shelf.lines(moved | {"was": identity(item)})
    (found,) = marks.of_book(shelf.store, shelf.id)
    assert found.device is not None
    assert found.device.pos1 == make.xpointer(1, 99)


def test_a_mark_that_got_another_date_and_place_says_which_it_was(shelf: Shelf) -> None:
    item = make.highlight(1)
    shelf.lines(item)
    other = make.highlight(1, datetime="2026-11-23 08:00:00", pos0=make.xpointer(9), page=make.xpointer(9))
    shelf.lines(other | {"was": identity(item)})
    assert shelf.marks() == [("highlight", "2026-11-23 08:00:00", THERE)]


def test_a_mark_that_moved_is_looked_for_in_the_book_anew(shelf: Shelf) -> None:
    item = make.highlight(1)
    shelf.lines(item)
    (found,) = marks.of_book(shelf.store, shelf.id)
    marks.set_position(shelf.store, found.id, "epubcfi(/6/4!/4/2,/1:0,/1:5)", "exact", None, 1)
    shelf.lines(item | {"color": "red"})
    assert marks.of_book(shelf.store, shelf.id)[0].position == "exact"
    shelf.lines(item | {"pos1": make.xpointer(1, 99), "text": "Call me Ishmael, 1. Some"})
    assert marks.of_book(shelf.store, shelf.id)[0].position is None


def test_what_a_record_had_and_the_next_one_has_not_was_deleted(shelf: Shelf) -> None:
    shelf.record([make.highlight(1), make.highlight(2)])
    taken = shelf.record([make.highlight(2)])
    assert (taken.lost, shelf.gone()) == (0, [DELETED, THERE])


def test_what_no_record_has_had_yet_is_lost_and_not_deleted(shelf: Shelf) -> None:
    """KOReader crashes before it has written what the launcher saw, and begins anew with the record before."""
    shelf.record([make.highlight(2)])
    shelf.lines(make.highlight(1))
    taken = shelf.record([make.highlight(2)])
    assert (taken.lost, shelf.gone()) == (1, [THERE, LOST])


def test_what_was_known_before_the_first_record_is_lost_and_not_deleted(shelf: Shelf) -> None:
    shelf.lines(make.highlight(1), make.highlight(2))
    assert shelf.record([make.highlight(2)]).lost == 1
    assert shelf.gone() == [LOST, THERE]


def test_what_is_missing_from_a_record_that_was_written_before_it_is_lost_and_not_deleted(shelf: Shelf) -> None:
    shelf.record([make.highlight(1)])
    shelf.lines(make.highlight(2))
    shelf.record([make.highlight(1), make.highlight(2)])
    shelf.at -= 1_000  # a copy of the day before is laid in its place
    assert shelf.record([make.highlight(1)]).lost == 1
    assert shelf.gone() == [THERE, LOST]


def test_what_is_missing_from_an_old_record_is_lost_and_not_deleted(shelf: Shelf) -> None:
    one, two = make.highlight(1, datetime_updated="2026-11-21 10:00:00"), make.highlight(2)
    shelf.record([one, two])
    shelf.record([one | {"note": "a thought", "datetime_updated": "2026-11-22 10:00:00"}, two])
    assert shelf.record([one]).lost == 1
    assert shelf.gone() == [THERE, LOST]


def test_a_record_with_nothing_of_what_was_known_is_another_one_and_deletes_nothing(shelf: Shelf) -> None:
    shelf.record([make.highlight(1), make.highlight(2)])
    taken = shelf.record([make.highlight(3)])
    assert (taken.new, taken.lost, shelf.gone()) == (1, 2, [LOST, LOST, THERE])


def test_a_record_of_which_something_cannot_be_read_takes_nothing_away(shelf: Shelf) -> None:
    shelf.record([make.highlight(1), make.highlight(2)])
    broken = make.highlight(1) | {"pos0": 7, "pos1": True, "page": {}, "datetime": 5}
    assert shelf.record([broken, make.highlight(2)]).broken == 1
    assert shelf.gone() == [THERE, THERE]


def test_what_stands_behind_a_gap_in_a_record_was_not_deleted(shelf: Shelf) -> None:
    shelf.record([make.highlight(1), make.highlight(2)])
    table = lua_literals.parse(make.record([make.highlight(1), make.highlight(2)]))
    items = table["annotations"]
    assert isinstance(items, dict)
    items[3] = items.pop(2)
    annotation_ingest.take_record(shelf.store, shelf.id, koreader_forms.from_record(table), NOW, False)
    assert shelf.gone() == [THERE, THERE]


def test_the_only_mark_of_a_book_is_lost_and_not_deleted_with_the_list(shelf: Shelf) -> None:
    shelf.record([make.highlight(1)])
    assert shelf.record([]).lost == 1
    assert shelf.gone() == [LOST]


def test_what_is_made_and_deleted_where_another_one_was_does_not_delete_that_one(shelf: Shelf) -> None:
    item = make.highlight(1)
    shelf.record([item])
    shelf.lines(gone=[identity(item | {"datetime": "2026-11-29 10:00:00"})])
    assert shelf.gone() == [THERE]


def test_what_the_reader_deleted_and_the_record_does_not_have_stays_deleted(shelf: Shelf) -> None:
    item = make.highlight(1)
    shelf.record([item, make.highlight(2)])
    shelf.lines(gone=[identity(item)])
    assert shelf.record([make.highlight(2)]).lost == 0
    assert shelf.gone() == [DELETED, THERE]


def test_an_empty_list_loses_all_and_deletes_nothing(shelf: Shelf) -> None:
    shelf.record([make.highlight(1), make.bookmark(2)])
    assert shelf.record([]).lost == 2
    assert shelf.gone() == [LOST, LOST]


def test_a_record_that_says_nothing_of_marks_loses_none(shelf: Shelf) -> None:
    shelf.record([make.highlight(1)])
    taken = shelf.record(None)
    assert (taken.there, taken.lost, shelf.gone()) == (0, 0, [THERE])


def test_a_record_that_is_not_there_any_more_loses_all(shelf: Shelf) -> None:
    shelf.record([make.highlight(1), make.bookmark(2)])
    assert annotation_ingest.lose_record(shelf.store, shelf.id, NOW) == 2
    assert shelf.gone() == [LOST, LOST]
    assert annotation_ingest.lose_record(shelf.store, shelf.id, NOW) == 0


def test_what_was_lost_and_is_back_is_there(shelf: Shelf) -> None:
    shelf.record([make.highlight(1), make.bookmark(2)])
    shelf.record([])
    assert shelf.record([make.highlight(1), make.bookmark(2)]).new == 0
    assert shelf.gone() == [THERE, THERE]


def test_an_older_copy_of_a_record_adds_and_takes_nothing_away(shelf: Shelf) -> None:
    one, two, three = make.highlight(1, note="new"), make.highlight(2), make.highlight(3)
    shelf.record([one, two])
    taken = shelf.record([one | {"note": "old"}, three], is_copy=True)
    assert (taken.new, taken.lost) == (1, 0)
    assert (shelf.notes(), shelf.gone()) == (["new", "", ""], [THERE, THERE, THERE])


def test_the_engines_new_spelling_of_a_place_is_no_new_highlight(shelf: Shelf) -> None:
    item = make.highlight(1)
    shelf.record([item])
    respelt = {name: "/body[1]/DocFragment[4]/body[1]/p[1]/text()[1]." + item[name].rpartition(".")[2]
               for name in ("page", "pos0", "pos1")}  # fmt: skip
    other_date = item | respelt | {"datetime": "2026-11-29 10:00:00"}
    assert shelf.record([other_date]).new == 0
    assert shelf.marks() == [("highlight", "2026-11-29 10:00:00", THERE)]


def test_what_cannot_be_read_of_a_mark_costs_only_that_mark(shelf: Shelf) -> None:
    broken = make.highlight(1) | {"pos0": 7, "pos1": True, "page": {}, "datetime": 5}
    taken = shelf.record([broken, make.highlight(2)])
    assert (taken.there, taken.new, taken.broken) == (1, 1, 1)


def test_lines_of_a_wrong_clock_are_taken_all_the_same(shelf: Shelf) -> None:
    annotation_ingest.take_lines(shelf.store, shelf.id, [Marks(0, [make.highlight(1)], [], None)], NOW)
    annotation_ingest.take_lines(
        shelf.store, shelf.id, [Marks(NOW + 10**8, [make.highlight(1, note="later")], [], None)], NOW
    )
    (found,) = marks.of_book(shelf.store, shelf.id)
    assert (shelf.notes(), found.device_at) == (["later"], NOW)


def test_what_the_server_gave_the_device_is_known_as_that_when_it_is_seen(shelf: Shelf) -> None:
    item = make.highlight(1)
    shelf.record([item])
    (holding,) = holdings.of_book(shelf.store, shelf.id, "")
    assert holding.device is not None
    offered = holding.device.copy()
    holding.device, holding.gone = None, THERE
    shelf.store.execute("DELETE FROM mark")
    id = marks.add_without_device(shelf.store, shelf.id, "highlight")
    marks.offer(shelf.store, id, offered.to_json(), NOW)
    assert shelf.record([item]).new == 0
    (found,) = marks.of_book(shelf.store, shelf.id)
    assert (found.id, found.gone, found.offered) == (id, THERE, None)


def test_what_the_device_was_given_and_has_deleted_before_that_was_reported_is_deleted(shelf: Shelf) -> None:
    item = make.highlight(1)
    given = koreader_forms.from_item(item, make.DOM)
    assert given is not None
    id = marks.add_without_device(shelf.store, shelf.id, "highlight")
    marks.offer(shelf.store, id, given.to_json(), NOW)
    shelf.lines(gone=[identity(item)])
    (found,) = marks.of_book(shelf.store, shelf.id)
    assert (found.gone, found.offered) == (DELETED, None)


NAMES = ["datetime", "datetime_updated", "drawer", "color", "text", "note", "chapter", "pageno", "pageref", "page"]
NAMES += ["pos0", "pos1", "pboxes", "was", "cut", "ext"]
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 2**60)
    | st.floats()
    | st.text(max_size=20)
    | st.lists(st.integers(), max_size=3)
    | st.dictionaries(st.sampled_from(["x", "y", "page", "datetime", "pos0"]), st.integers(), max_size=3)
    | st.sampled_from(["2026-11-20 10:00:00", "lighten", "/body/DocFragment[1]/body/p[1]/text().0", "\ud800"])
)
ITEMS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=12)
CHANGED = st.lists(ITEMS | st.none() | st.text(), max_size=4)


@given(st.lists(st.tuples(CHANGED, st.lists(ITEMS | st.none(), max_size=3)), max_size=4))
@checked(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_line_makes_it_fail(shelf: Shelf, said: list[Any]) -> None:
    shelf.record([make.highlight(1), make.bookmark(2)])
    with shelf.store.transaction():
        annotation_ingest.take_lines(
            shelf.store, shelf.id, [Marks(NOW, changed, gone, None) for changed, gone in said], NOW
        )
    assert all(mark.kind in ("highlight", "bookmark") for mark in marks.of_book(shelf.store, shelf.id))


LUA_KEYS = st.integers(1, 4) | st.sampled_from(["a", "page", "pos0", "text", "datetime", "notes", "highlighted"])
LUA = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=8),
    lambda inner: st.dictionaries(LUA_KEYS, inner, max_size=4),
    max_leaves=12,
)
LUA_ITEMS = ITEMS.map(lambda item: {name: value for name, value in item.items() if value is not None})
LISTS = [*koreader_forms.LISTS, *(name for pair in koreader_forms.OLD_LISTS for name in pair), "cre_dom_version"]


@given(st.dictionaries(st.sampled_from(LISTS), LUA | st.dictionaries(st.integers(1, 4), LUA_ITEMS, max_size=4)))
@checked(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_record_makes_it_fail(shelf: Shelf, table: Any) -> None:
    with shelf.store.transaction():
        annotation_ingest.take_record(shelf.store, shelf.id, koreader_forms.from_record(table), NOW, False)


def test_words_that_did_not_fit_into_the_journal_do_not_shorten_a_highlight(shelf: Shelf) -> None:
    long = "Call me Ishmael. " * 2_000
    shelf.record([make.highlight(1, text=long, note="so it begins")])
    shelf.lines(make.highlight(1, text=long[:16_384], note="so it begins", color="olive", cut=True))
    found = marks.of_book(shelf.store, shelf.id)[0].device
    assert found is not None
    assert (len(found.text), found.color) == (len(long), "olive")


def test_a_new_highlight_that_did_not_fit_into_the_journal_waits_for_the_record(shelf: Shelf) -> None:
    long = "Call me Ishmael. " * 2_000
    shelf.lines(make.highlight(1, text=long[:16_384], cut=True))
    assert shelf.marks() == []
    shelf.record([make.highlight(1, text=long)])
    assert len(shelf.marks()) == 1
