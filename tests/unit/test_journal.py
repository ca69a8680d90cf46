"""What a journal says, and what a broken one still says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import journal
from device.ingest import whole_lines

OPEN = {
    "v": 1,
    "n": 0,
    "ev": "open",
    "t": 1_795_000_000,
    "m": 1000,
    "id": "1795000000-000001",
    "book": {
        "file": "/mnt/onboard/Moby Dick.epub",
        "format": "EPUB",
        "title": "Moby Dick",
        "authors": ["Herman Melville"],
        "identifiers": ["ISBN:9780142437247"],
        "fingerprint": "5d0c5d0c5d0c5d0c5d0c5d0c5d0c5d0c",
        "size_bytes": 812_345,
    },
    "page": 12,
    "pages": 600,
}


def page(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "v": 1,
        "n": number,
        "ev": "page",
        "t": 1_795_000_000 + number,
        "m": 1000 + number,
        "page": 12 + number,
    } | fields


def read(*lines: dict[str, Any] | bytes) -> journal.Reading | None:
    return journal.read([line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines])


def test_a_journal_names_its_book() -> None:
    reading = read(OPEN)
    assert reading is not None
    book = reading.book
    assert (book.title, book.authors, book.format, book.size_bytes) == (
        "Moby Dick",
        ["Herman Melville"],
        "epub",
        812_345,
    )
    assert book.fingerprint == "5d0c5d0c5d0c5d0c5d0c5d0c5d0c5d0c"
    assert book.identifiers == ["ISBN:9780142437247"]


def test_a_journal_is_good_up_to_the_line_that_is_broken() -> None:
    reading = read(OPEN, page(1), b'{"v":1,"n":2,"ev":"pa', page(3))
    assert reading is not None
    assert reading.lines == 2
    assert len(reading.moments) == 2


def test_a_line_that_was_not_written_to_its_end_is_ignored() -> None:
    assert whole_lines(b'{"n":0}\n{"n":1}\n{"n"') == [b'{"n":0}', b'{"n":1}']


def test_lines_out_of_order_end_the_journal() -> None:
    reading = read(OPEN, page(1), page(1))
    assert reading is not None
    assert reading.lines == 2


def test_events_of_a_later_version_of_the_launcher_are_passed_over() -> None:
    reading = read(OPEN, {"v": 1, "n": 1, "ev": "blink", "t": 1_795_000_001}, page(2))
    assert reading is not None
    assert (reading.lines, len(reading.moments)) == (3, 2)


def test_a_journal_of_a_newer_version_is_left_alone() -> None:
    with pytest.raises(journal.UnknownVersion):
        read(OPEN | {"v": 2})


def test_a_journal_without_a_book_says_nothing() -> None:
    assert read(OPEN | {"book": {"title": "no file"}}) is None
    assert read(page(0)) is None
    assert read() is None


def test_what_koreader_saved_at_the_end_gives_the_last_position() -> None:
    reading = read(OPEN, {"v": 1, "n": 1, "ev": "snapshot", "t": 1_795_000_009, "fraction": 0.5})
    assert reading is not None
    assert reading.final_fraction == 0.5


@pytest.mark.parametrize("fraction", [-0.1, 1.5, "0.5", None])
def test_an_impossible_last_position_counts_as_unknown(fraction: Any) -> None:
    reading = read(OPEN, {"v": 1, "n": 1, "ev": "snapshot", "t": 1_795_000_009, "fraction": fraction})
    assert reading is not None
    assert reading.final_fraction is None


def marks(number: int, **fields: Any) -> dict[str, Any]:
    return {"v": 1, "n": number, "ev": "marks", "t": 1_795_000_000 + number, "count": 1} | fields


def test_changes_of_highlights_are_kept_as_koreader_says_them() -> None:
    item = {"datetime": "2026-11-23 07:15:41", "drawer": "lighten", "text": "Call me Ishmael."}
    gone = [{"datetime": "2026-11-20 21:04:09"}]
    reading = read(OPEN, marks(1, dom=20240114, changed=[item], gone=gone, unplaced=[item]))
    assert reading is not None
    (found,) = reading.marks
    assert found.unplaced == [item]
    assert (found.changed, found.gone) == ([item], [{"datetime": "2026-11-20 21:04:09"}])
    assert (found.dom, found.wall_s) == (20240114, 1_795_000_001)


def test_changes_of_highlights_are_no_page_that_was_read() -> None:
    reading = read(OPEN, marks(1, changed=[], gone=[]), page(2))
    assert reading is not None
    assert [moment.event for moment in reading.moments] == ["open", "page"]


@pytest.mark.parametrize("value", [None, "x", 7, {"1": 2}])
def test_changes_of_highlights_of_another_form_are_none(value: Any) -> None:
    reading = read(OPEN, marks(1, changed=value, gone=value, unplaced=value, dom="x", t=value))
    assert reading is not None
    (found,) = reading.marks
    assert (found.changed, found.gone, found.unplaced, found.dom) == ([], [], [], None)


def test_a_title_with_half_a_surrogate_pair_can_be_stored() -> None:
    line = json.dumps(OPEN).replace("Moby Dick", "Moby \\ud83d Dick").encode()
    reading = journal.read([line])
    assert reading is not None
    assert reading.book.title.encode("utf-8") == b"Moby ? Dick"


def test_a_line_longer_than_the_limit_ends_the_journal() -> None:
    reading = read(OPEN, page(1, note="x" * journal.LINE_MAX_BYTES), page(2))
    assert reading is not None
    assert reading.lines == 1


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_any_bytes_are_a_reading_or_none(lines: list[bytes]) -> None:
    assert journal.read(lines) is None


json_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@given(st.dictionaries(st.sampled_from(["v", "n", "ev", "t", "m", "page", "pages", "fraction"]), json_scalars))
def test_fields_of_the_wrong_kind_never_raise(fields: dict[str, Any]) -> None:
    try:
        reading = read(OPEN, page(1) | fields)
    except journal.UnknownVersion:
        return
    assert reading is not None
