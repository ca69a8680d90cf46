"""What a result says of highlights: how much at once, in whose words, and which reports are believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.core import preferences
from device.core.annotations.holding import Holding
from device.core.annotations.marks import DeviceMark
from device.core.journal import Book
from device.core.preferences import Preferences
from device.disk import Disk
from device.protocol import Result
from device.store import books, database, holdings, marks, settings
from device.store.database import Store
from device.ui import annotation_texts
from device.verbs import annotation_results
from device.verbs.annotations import take_report

NOW = 1_795_000_000
FILE = "/mnt/onboard/Moby Dick.epub"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = database.open_store(Disk(), str(tmp_path / "state.sqlite"), 0)
    yield opened
    opened.close()


@pytest.fixture
def book(store: Store) -> int:
    with store.transaction():
        settings.put(store, settings.MATCHES_OF, "anna")
        return books.remember(store, Book(FILE, "epub", "Moby Dick", ["Herman Melville"], [], None, None))


def highlight(number: int, text: str = "Call me Ishmael") -> DeviceMark:
    mark = DeviceMark("highlight", f"2026-11-20 {number // 60:02}:{number % 60:02}:00")
    mark.pos0 = f"/body/DocFragment[1]/body/p[{number + 1}]/text().0"
    mark.pos1 = f"/body/DocFragment[1]/body/p[{number + 1}]/text().15"
    mark.text, mark.color, mark.drawer, mark.chapter = text, "yellow", "lighten", "Loomings"
    return mark


def offer(store: Store, book: int, mark: DeviceMark | None, here: DeviceMark | None = None) -> int:
    with store.transaction():
        holding = Holding(0, "highlight")
        holding.device, holding.offered, holding.is_offered = here, mark, True
        holdings.add(store, book, holding, NOW)
        return holding.key


def told(store: Store) -> list[dict[str, Any]]:
    result = Result()
    annotation_results.tell(store, Preferences({}), result)
    found: list[dict[str, Any]] = json.loads(json.dumps(result.changes))
    return found


def report(store: Store, change: str, words: str) -> None:
    with store.transaction():
        take_report(store, change, words, NOW)


def test_a_hundred_are_told_at_once_and_the_others_when_these_are_done(store: Store, book: int) -> None:
    for number in range(250):
        offer(store, book, highlight(number))
    counts = []
    for _ in range(4):
        changes = told(store)
        counts.append(sum(len(change["items"]) for change in changes))
        for change in changes:
            report(store, change["id"], " ".join(["done"] * len(change["items"])))
    assert counts == [100, 100, 50, 0]


def test_a_book_that_cannot_take_its_highlights_keeps_no_other_waiting(store: Store, book: int) -> None:
    """KOReader has not taken over that book's old records yet, and says “later” each time."""
    for number in range(annotation_results.OFFERED_MOST + 1):
        offer(store, book, highlight(number))
    with store.transaction():
        emma = books.remember(store, Book("/mnt/onboard/Emma.epub", "epub", "Emma", ["Jane Austen"], [], None, None))
    mark = offer(store, emma, highlight(1))
    with store.transaction():
        marks.withdraw_offer(store, mark)
        marks.offer(store, mark, highlight(1).to_json(), NOW + 1)
    assert [change["file"] for change in told(store)] == ["/mnt/onboard/Emma.epub", FILE]


def test_a_result_stays_within_what_the_launcher_reads(store: Store, book: int) -> None:
    for number in range(60):
        offer(store, book, highlight(number, "Call me Ishmael. " * 300))
    changes = told(store)
    assert 10_000 < len(json.dumps(changes)) < 128 * 1024
    assert 0 < len(changes[0]["items"]) < 60


def test_the_same_is_told_under_the_same_name_and_something_else_under_another(store: Store, book: int) -> None:
    offer(store, book, highlight(1))
    first, again = told(store)[0], told(store)[0]
    offer(store, book, highlight(2))
    assert first == again
    assert told(store)[0]["id"] != first["id"]


@pytest.mark.parametrize("change", ["1-marks-7", "1-marks-x", "1-rating-1", "marks", "9-marks-1", "1-marks-1-1", ""])
def test_a_report_on_a_change_that_nobody_made_is_not_believed(store: Store, book: int, change: str) -> None:
    id = offer(store, book, highlight(1))
    told(store)
    report(store, change, "done")
    found = marks.one(store, id)
    assert found is not None
    assert found.offered is not None


def test_a_late_report_is_not_taken_for_what_is_offered_by_then(store: Store, book: int) -> None:
    id = offer(store, book, highlight(1))
    [change] = told(store)
    newer = highlight(1)
    newer.note = "Newer"
    with store.transaction():
        marks.offer(store, id, newer.to_json(), NOW + 1)
    report(store, change["id"], "done")
    found = marks.one(store, id)
    assert found is not None
    assert found.offered is not None


@pytest.mark.parametrize("word", ["later", "other", "missing", "gone", "somethingelse", ""])
def test_what_could_not_be_done_now_is_offered_again(store: Store, book: int, word: str) -> None:
    offer(store, book, highlight(1))
    [change] = told(store)
    report(store, change["id"], word)
    assert told(store) == [change]


def test_an_edit_tells_what_it_finds_and_only_what_changes(store: Store, book: int) -> None:
    here, after = highlight(1), highlight(1)
    here.note, here.color = "One", "red"
    after.color = "red"
    offer(store, book, after, here)
    [item] = told(store)[0]["items"]
    assert (item["do"], item["to"]) == ("edit", {"note": None})
    assert (item["from"]["note"], item["from"]["color"], item["from"]["datetime"]) == ("One", "red", here.made_at)


def test_a_removal_tells_only_what_it_finds(store: Store, book: int) -> None:
    offer(store, book, None, highlight(1))
    [item] = told(store)[0]["items"]
    assert (item["do"], "to" in item) == ("remove", False)


def test_places_on_fixed_pages_are_told_as_koreader_has_them(store: Store, book: int) -> None:
    mark = highlight(1)
    mark.page, mark.pos0, mark.pos1 = 12, '{"page":12,"x":1.5,"y":2}', '{"page":12,"x":3,"y":4}'
    offer(store, book, None, mark)
    [item] = told(store)[0]["items"]
    assert (item["from"]["page"], item["from"]["pos0"]) == (12, {"page": 12, "x": 1.5, "y": 2})


def test_a_highlight_that_is_given_back_to_a_fixed_page_has_its_boxes(store: Store, book: int) -> None:
    mark = highlight(1)
    mark.page, mark.pos0, mark.pos1 = 12, '{"page":12,"x":1.5,"y":2}', '{"page":12,"x":3,"y":4}'
    mark.boxes = '[{"x":1,"y":2,"w":3,"h":4}]'
    offer(store, book, mark)
    [item] = told(store)[0]["items"]
    assert item["to"]["pboxes"] == [{"x": 1, "y": 2, "w": 3, "h": 4}]


def test_a_colour_that_koreader_does_not_offer_is_left_to_it(store: Store, book: int) -> None:
    mark = highlight(1)
    mark.color = "white"
    offer(store, book, mark)
    [item] = told(store)[0]["items"]
    assert "color" not in item["to"]


def test_what_stands_at_other_words_is_taken_out_and_then_added_there(store: Store, book: int) -> None:
    here, after = highlight(1), highlight(1, "Call me Ishmael. Some years ago")
    after.pos1 = after.pos1.replace(".15", ".31")
    mark = offer(store, book, after, here)
    [change] = told(store)
    assert [item["do"] for item in change["items"]] == ["remove"]
    report(store, change["id"], "done")
    assert marks.one(store, mark).gone == marks.DELETED  # type: ignore[union-attr]
    [change] = told(store)
    assert [(item["do"], item["to"]["text"]) for item in change["items"]] == [("add", after.text)]
    report(store, change["id"], "done")
    assert (told(store), marks.one(store, mark).on_device().text) == ([], after.text)  # type: ignore[union-attr]


def test_other_words_at_the_same_place_are_nothing_that_koreader_could_take(store: Store, book: int) -> None:
    offer(store, book, highlight(1, "Call me Ishmael!"), highlight(1))
    assert told(store) == []


def test_what_is_switched_off_is_not_told(store: Store, book: int) -> None:
    offer(store, book, highlight(1))
    result = Result()
    annotation_results.tell(store, Preferences({preferences.HIGHLIGHTS: "off"}), result)
    assert result.changes == []


@pytest.mark.parametrize(("count", "named"), [(1, "1 highlight or bookmark."), (1_200, "1,200 highlights and book")])
def test_a_question_counts_as_people_do_and_leaves_titles_as_they_are(count: int, named: str) -> None:
    text = annotation_texts.mass_deletion("record_lost", "Sets: {}", count)
    assert named in text
    assert "“Sets: {}”" in text
