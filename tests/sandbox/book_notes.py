"""Notes: those at a place in the book (version 2) and those about a book as a whole (version 1).

Promises: one in-book note for each (reader, book, CFI), the second is a 409; book notes have no such rule and pile up,
and a book note posted with an id changes the one it names.
Never: checks a permission, or whether the reader may open the book.
Called by: `routes`.
Law: the API map §8.
"""

from __future__ import annotations

import sqlite3

from tests.sandbox import marks
from tests.sandbox.bodies import LONG, TEXT, Field
from tests.sandbox.calls import Call
from tests.sandbox.messages import Response, empty_response, json_response, without_nulls

IN_BOOK = "in_book_note"
ABOUT_BOOK = "book_note"
DEFAULT_COLOR = "#FFC107"
NEWEST_CHANGE_FIRST = "updated_at DESC, id DESC"

IN_BOOK_UPDATE_FIELDS = (
    Field("noteContent", TEXT),
    Field("color", TEXT, pattern=marks.COLOR),
    Field("chapterTitle", TEXT, longest=500),
)
IN_BOOK_CREATE_FIELDS = (
    Field("bookId", LONG, required=True),
    Field("cfi", TEXT, not_blank=True, longest=1000),
    Field("noteContent", TEXT, not_blank=True),
    Field("selectedText", TEXT, longest=5000),
    Field("color", TEXT, pattern=marks.COLOR),
    Field("chapterTitle", TEXT, longest=500),
)
ABOUT_BOOK_FIELDS = (
    Field("id", LONG),
    Field("bookId", LONG, required=True),
    Field("title", TEXT),
    Field("content", TEXT, not_blank=True),
)


def list_in_book_notes(call: Call) -> Response:
    rows = marks.rows_of_book(call, IN_BOOK, call.number("bookId"))
    return json_response([_in_book_record(row, marks.stored_times(call, row)) for row in rows])


def show_in_book_note(call: Call) -> Response:
    row = marks.own_row(call, IN_BOOK, call.number("id"))
    return json_response(_in_book_record(row, marks.stored_times(call, row)))


def create_in_book_note(call: Call) -> Response:
    values = call.read(IN_BOOK_CREATE_FIELDS)
    book_id, cfi = values.need_integer("bookId"), values.need_text("cfi")
    marks.demand_known_book(call, book_id)
    marks.demand_free_place(call, IN_BOOK, book_id, "cfi", cfi, "Note already exists at this location")
    row = marks.insert(
        call,
        IN_BOOK,
        book_id,
        {
            "cfi": cfi,
            "note_content": values.need_text("noteContent"),
            "selected_text": values.text("selectedText"),
            "color": values.text("color") or DEFAULT_COLOR,
            "chapter_title": values.text("chapterTitle"),
        },
    )
    return json_response(_in_book_record(row, marks.fresh_times(call)))


def update_in_book_note(call: Call) -> Response:
    values = call.read(IN_BOOK_UPDATE_FIELDS)
    row = marks.update(
        call,
        IN_BOOK,
        call.number("id"),
        {
            "note_content": values.text("noteContent"),
            "color": values.text("color"),
            "chapter_title": values.text("chapterTitle"),
        },
    )
    return json_response(_in_book_record(row, marks.stored_times(call, row)))


def delete_in_book_note(call: Call) -> Response:
    marks.delete(call, IN_BOOK, call.number("id"))
    return empty_response(204)


def list_book_notes(call: Call) -> Response:
    rows = marks.rows_of_book(call, ABOUT_BOOK, call.number("bookId"), NEWEST_CHANGE_FIRST)
    return json_response([_about_book_record(row, marks.stored_times(call, row)) for row in rows])


def save_book_note(call: Call) -> Response:
    values = call.read(ABOUT_BOOK_FIELDS)
    note_id, book_id = values.integer("id"), values.need_integer("bookId")
    call.existing_book(book_id)
    written = {"title": values.text("title"), "content": values.need_text("content")}
    if note_id is None:
        row = marks.insert(call, ABOUT_BOOK, book_id, written)
        return json_response(_about_book_record(row, marks.fresh_times(call)))
    row = marks.update(call, ABOUT_BOOK, note_id, written)
    return json_response(_about_book_record(row, marks.stored_times(call, row)))


def delete_book_note(call: Call) -> Response:
    marks.delete(call, ABOUT_BOOK, call.number("id"))
    return empty_response(204)


def _in_book_record(row: sqlite3.Row, times: dict[str, object]) -> dict[str, object]:
    record: dict[str, object] = {
        "id": row["id"],
        "userId": row["user_id"],
        "bookId": row["book_id"],
        "cfi": row["cfi"],
        "selectedText": row["selected_text"],
        "noteContent": row["note_content"],
        "color": row["color"],
        "chapterTitle": row["chapter_title"],
    }
    return without_nulls(record | times)


def _about_book_record(row: sqlite3.Row, times: dict[str, object]) -> dict[str, object]:
    record: dict[str, object] = {
        "id": row["id"],
        "userId": row["user_id"],
        "bookId": row["book_id"],
        "title": row["title"],
        "content": row["content"],
    }
    return without_nulls(record | times)
