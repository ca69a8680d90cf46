"""The table of kinds: what goes over the wire, and what is recognised in the server's lists."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import outbox as rules
from device.server import deliveries
from device.store.outbox import BookToServe, Entry

BOOK = BookToServe(3, 42, "Moby Dick", "/books/moby.epub", "epub")


def entry(kind: str, payload: Any, remote_id: int | None = None) -> Entry:
    return Entry(1, kind, 3, rules.NEW, 0, None, None, 0, json.dumps(payload), remote_id, None, None)


def request(kind: str, payload: Any, remote_id: int | None = None, decimals: int = 2) -> deliveries.Request:
    return deliveries.request(BOOK, entry(kind, payload, remote_id), decimals)


def is_listed(kind: str, payload: Any, row: Any, remote_id: int | None = None) -> bool:
    """As `device/sending/reading_back.py` looks: by keys first, then in detail."""
    sought = entry(kind, payload, remote_id)
    listed_kind = deliveries.KINDS[deliveries.listed_kind(sought)]
    fields = deliveries.fields_of(sought)
    keys = set(deliveries.keys_of_entry(sought, listed_kind, fields))
    meets = not keys.isdisjoint(deliveries.keys_of_row(listed_kind, row))
    found = deliveries.is_it(sought, listed_kind, fields, row)
    assert meets or not found
    return found


def test_every_kind_of_the_outbox_has_a_row() -> None:
    assert tuple(deliveries.KINDS) == rules.KINDS


@pytest.mark.parametrize(
    ("kind", "payload", "method", "path", "body"),
    [
        ("rating", {"rating": 8}, "PUT", "/api/v1/books/personal-rating", {"ids": [42], "rating": 8}),
        ("status", {"status": "READ"}, "POST", "/api/v1/books/status", {"bookIds": [42], "status": "READ"}),
        (
            "progress",
            {"epubProgress": {"cfi": None, "href": None, "percentage": 33.335}},
            "POST",
            "/api/v1/books/progress",
            {"bookId": 42, "epubProgress": {"cfi": None, "href": None, "percentage": 33.34}},
        ),
        (
            "highlight",
            {"cfi": "c", "text": "t"},
            "POST",
            "/api/v1/annotations",
            {"bookId": 42, "cfi": "c", "text": "t"},
        ),
        ("in_book_note", {"cfi": "c"}, "POST", "/api/v2/book-notes", {"bookId": 42, "cfi": "c"}),
        ("book_note", {"content": "c"}, "POST", "/api/v1/book-notes", {"bookId": 42, "content": "c"}),
        ("bookmark", {"pageNumber": 7}, "POST", "/api/v1/bookmarks", {"bookId": 42, "pageNumber": 7}),
    ],
)
def test_what_is_sent(kind: str, payload: Any, method: str, path: str, body: Any) -> None:
    sent = request(kind, payload)
    assert (sent.method, sent.path) == (method, path)
    assert json.loads(sent.body or b"") == body


@pytest.mark.parametrize(
    ("of", "path"),
    [
        ("highlight", "/api/v1/annotations/9"),
        ("in_book_note", "/api/v2/book-notes/9"),
        ("book_note", "/api/v1/book-notes/9"),
        ("bookmark", "/api/v1/bookmarks/9"),
    ],
)
def test_what_is_deleted(of: str, path: str) -> None:
    sent = request("deletion", {"of": of, "id": 9})
    assert (sent.method, sent.path, sent.body) == ("DELETE", path, None)


def test_the_id_that_was_looked_up_is_the_one_that_is_deleted() -> None:
    assert request("deletion", {"of": "bookmark", "id": 9, "cfi": "c"}, remote_id=11).path == "/api/v1/bookmarks/11"


def test_what_has_no_id_yet_cannot_be_deleted() -> None:
    with pytest.raises(deliveries.NotKnown):
        request("deletion", {"of": "bookmark", "cfi": "c"})


@pytest.mark.parametrize("payload", ["", "[]", "{", '{"of":"rating"}', '{"of":"book"}', "{}"])
def test_a_deletion_of_nothing_that_is_known_cannot_be_sent(payload: str) -> None:
    broken = Entry(1, "deletion", 3, rules.NEW, 0, None, None, 0, payload, None, None, None)
    with pytest.raises(ValueError, match=r".") as raised:
        deliveries.request(BOOK, broken, 2)
    assert not isinstance(raised.value, deliveries.NotKnown)


@given(st.text(max_size=60))
def test_any_payload_can_be_sent_or_is_a_value_error(payload: str) -> None:
    for kind in rules.KINDS[1:]:
        try:
            deliveries.request(BOOK, Entry(1, kind, 3, rules.NEW, 0, None, None, 0, payload, None, None, None), 2)
        except ValueError:
            continue


def test_half_a_character_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        request("highlight", {"cfi": "c", "text": "\ud83d"})


@pytest.mark.parametrize(
    ("kind", "field", "units"),
    [
        ("highlight", "text", 5000),
        ("highlight", "chapterTitle", 500),
        ("bookmark", "title", 255),
        ("book_note", "title", 255),
    ],
)
def test_what_is_too_long_is_cut_as_java_counts(kind: str, field: str, units: int) -> None:
    sent = request(kind, {"cfi": "c", "content": "c", field: "🐋" * units})
    assert sent.fields[field] == "🐋" * (units // 2)


def test_a_note_is_cut_to_the_bytes_of_its_column_between_characters() -> None:
    content = str(request("book_note", {"content": "ä" * 40_000}).fields["content"])
    assert content == "ä" * 32_767


def test_percentages_are_rounded_and_nothing_else() -> None:
    progress = {"fileProgress": {"bookFileId": 1, "positionData": "33.335", "progressPercent": 33.335}}
    sent = request("progress", progress, decimals=0)
    assert sent.fields["fileProgress"] == {"bookFileId": 1, "positionData": "33.335", "progressPercent": 33}


@pytest.mark.parametrize(
    ("kind", "payload", "row", "expected"),
    [
        ("highlight", {"cfi": "a", "text": "x"}, {"id": 1, "cfi": "a", "text": "other"}, True),
        ("highlight", {"cfi": "a", "text": "x"}, {"id": 1, "cfi": "b", "text": "x"}, False),
        ("in_book_note", {"cfi": "a"}, {"id": 1, "cfi": "a"}, True),
        ("book_note", {"title": "t", "content": "c"}, {"id": 1, "title": "t", "content": "c"}, True),
        ("book_note", {"title": "t", "content": "c"}, {"id": 1, "title": "u", "content": "c"}, False),
        ("book_note", {"title": "t", "content": "c"}, {"id": 1, "title": "t", "content": "d"}, False),
        ("book_note", {"content": "c"}, {"id": 1, "title": "", "content": "c"}, True),
        ("book_note", {"title": None, "content": "c"}, {"id": 1, "content": "c"}, True),
        ("bookmark", {"cfi": "a", "title": "t"}, {"id": 1, "cfi": "a", "title": "u"}, True),
        ("bookmark", {"cfi": "a", "title": "t"}, {"id": 1, "title": "t"}, False),
        ("bookmark", {"pageNumber": 7, "title": "t"}, {"id": 1, "pageNumber": 7}, True),
        ("bookmark", {"pageNumber": 7, "title": "t"}, {"id": 1, "pageNumber": 8, "title": "t"}, False),
        ("bookmark", {"pageNumber": 7, "title": "t"}, {"id": 1, "title": "t"}, True),
        ("bookmark", {"pageNumber": 7, "title": "t"}, {"id": 1, "title": "u"}, False),
        ("bookmark", {"title": "t"}, {"id": 1, "title": "t"}, True),
        ("bookmark", {"title": "t"}, {"id": 1, "title": "t", "cfi": "a"}, False),
        ("highlight", {"cfi": "a"}, None, False),
        ("highlight", {"cfi": "a"}, [], False),
    ],
)
def test_what_is_recognised_in_a_list(kind: str, payload: Any, row: Any, expected: bool) -> None:
    assert is_listed(kind, payload, row) == expected


@pytest.mark.parametrize(
    ("payload", "remote_id", "row", "expected"),
    [
        ({"of": "highlight", "id": 1}, None, {"id": 1, "cfi": "a"}, True),
        ({"of": "highlight", "id": 1}, None, {"id": 2, "cfi": "a"}, False),
        ({"of": "highlight", "id": 1, "cfi": "a"}, None, {"id": 1, "cfi": "a"}, True),
        ({"of": "highlight", "id": 1, "cfi": "a"}, None, {"id": 1, "cfi": "another account's"}, False),
        ({"of": "highlight", "cfi": "a"}, None, {"id": 7, "cfi": "a"}, True),
        ({"of": "highlight", "cfi": "a"}, 7, {"id": 8, "cfi": "a"}, False),
        ({"of": "book_note", "title": "t", "content": "c"}, None, {"id": 7, "title": "t", "content": "c"}, True),
    ],
)
def test_what_is_to_be_deleted_is_recognised_by_id_and_content(
    payload: Any, remote_id: int | None, row: Any, expected: bool
) -> None:
    assert is_listed("deletion", payload, row, remote_id) == expected


MARKS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(("", "a", "b", "A")) for name in ("cfi", "title", "content")}
)


@given(st.sampled_from(deliveries.MARKS), MARKS, MARKS)
def test_whatever_is_recognised_is_found_by_its_keys(kind: str, payload: Any, row: Any) -> None:
    is_listed(kind, payload, row | {"id": 1})


def test_a_status_that_the_server_took_for_none_was_not_taken() -> None:
    status = deliveries.KINDS["status"]
    assert deliveries.contradicts(status, {"status": "SKIMMED"}, [{"bookId": 42}])
    assert not deliveries.contradicts(status, {"status": "read"}, [{"bookId": 42, "readStatus": "READ"}])


def test_a_kind_that_is_sent_again_without_asking_needs_no_list() -> None:
    for kind in deliveries.TABLE:
        identified = bool(kind.places or kind.contents)
        assert kind.harmless or identified or kind.name in ("reading_session", "deletion")
        assert not (kind.harmless and identified)


@pytest.mark.parametrize(
    ("of", "path"),
    [
        ("highlight", "/api/v1/annotations/9"),
        ("in_book_note", "/api/v2/book-notes/9"),
        ("bookmark", "/api/v1/bookmarks/9"),
    ],
)
def test_an_edit_puts_only_the_fields_that_change(of: str, path: str) -> None:
    sent = request("edit", {"of": of, "id": 9, "color": "#FF0000"})
    assert (sent.method, sent.path) == ("PUT", path)
    assert json.loads(sent.body or b"") == {"color": "#FF0000"}


def test_an_edit_of_a_book_note_is_posted_with_its_id() -> None:
    sent = request("edit", {"of": "book_note", "id": 9, "title": "t", "content": "c"})
    assert (sent.method, sent.path) == ("POST", "/api/v1/book-notes")
    assert json.loads(sent.body or b"") == {"id": 9, "bookId": 42, "title": "t", "content": "c"}


@pytest.mark.parametrize("payload", [{"of": "rating", "id": 9}, {"of": "highlight"}, {"of": "highlight", "id": "9"}])
def test_an_edit_that_does_not_say_of_what_cannot_be_sent(payload: Any) -> None:
    with pytest.raises(ValueError):
        request("edit", payload)


@pytest.mark.parametrize("kind", rules.OF_MARKS)
def test_what_an_entry_remembers_for_later_is_not_sent(kind: str) -> None:
    sent = request(kind, {"of": "highlight", "id": 9, "mark": {"id": 3}, "note": "n"})
    assert "mark" not in sent.fields


def test_an_edit_is_cut_as_its_kind_is() -> None:
    assert len(str(request("edit", {"of": "highlight", "id": 9, "note": "n" * 6_000}).fields["note"])) == 5_000
    assert len(str(request("edit", {"of": "bookmark", "id": 9, "notes": "n" * 6_000}).fields["notes"])) == 2_000
