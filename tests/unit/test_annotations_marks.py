"""A mark in its JSON form, and the server's rows as marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import json_text
from device.core.annotations.marks import ROWS, SERVER_KINDS, DeviceMark, ServerMark
from device.core.outbox import BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(("kind", "made_at", "pos0", "page", "text", "note", "color", "dom", "id", "cfi", "style"))


@given(st.text(max_size=50), st.text(max_size=50), st.none() | st.integers(0, 9_999), st.sampled_from(("", "lighten")))
def test_a_mark_of_a_device_comes_back_from_its_json(note: str, text: str, page: int | None, drawer: str) -> None:
    mark = DeviceMark(HIGHLIGHT, "2026-01-01 10:00:00")
    mark.note, mark.text, mark.page, mark.drawer, mark.dom = note, text, page, drawer, 20240114
    assert mark.is_same(DeviceMark.from_json(mark.to_json()))
    assert mark.is_same(mark.copy())


@given(st.dictionaries(FIELDS, JSON | st.sampled_from((HIGHLIGHT, BOOKMARK)), max_size=8))
def test_any_json_is_a_mark_or_refused(fields: dict[str, json_text.Json]) -> None:
    text = json_text.encode(fields).decode()
    for form in (DeviceMark, ServerMark):
        try:
            mark = form.from_json(text)
        except ValueError:
            continue
        assert form.from_json(mark.to_json()).to_json() == mark.to_json()


@given(st.sampled_from(SERVER_KINDS), JSON | st.dictionaries(st.sampled_from(("id", "cfi", "text", "note")), JSON))
def test_any_row_of_a_server_is_a_mark_or_refused(kind: str, row: json_text.Json) -> None:
    try:
        mark = ServerMark.from_row(kind, row)
    except ValueError:
        return
    assert mark.kind == kind
    assert mark.id > 0


@pytest.mark.parametrize("text", ["", "[]", "7", '{"kind":"reading_session"}', '{"kind":["highlight"]}', "{"])
def test_what_is_no_mark_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        DeviceMark.from_json(text)
    with pytest.raises(ValueError):
        ServerMark.from_json(text)


def test_half_a_character_does_not_keep_a_mark_from_being_stored() -> None:
    row = ServerMark.from_row(HIGHLIGHT, {"id": 1, "note": "cut \ud83d"})
    assert ServerMark.from_json(row.to_json()).note == "cut ?"


def test_a_row_without_an_id_is_refused() -> None:
    with pytest.raises(ValueError, match="row"):
        ServerMark.from_row(HIGHLIGHT, {"cfi": "epubcfi(/6/4!/4/2/1:0)"})


def test_an_in_book_note_has_its_words_under_other_names() -> None:
    row = ServerMark.from_row(IN_BOOK_NOTE, {"id": 5, "noteContent": "n", "selectedText": "t", "note": "not this"})
    assert (row.note, row.text) == ("n", "t")


def test_every_kind_of_the_server_has_names_for_its_fields() -> None:
    assert set(ROWS) == set(SERVER_KINDS)
