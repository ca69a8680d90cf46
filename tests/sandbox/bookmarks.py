"""Bookmarks: a CFI, a moment of an audiobook or, in Grimmory, a page.

Promises: a second bookmark at the same CFI, the same page or within five seconds of audio is a 409; one without any
place is always new; a title that is too long is a data conflict, because only the column limits it.
Never: checks a permission, or whether the reader may open the book.
Called by: `routes`.
Law: the API map §8.
"""

from __future__ import annotations

import sqlite3

from tests.sandbox import marks
from tests.sandbox.bodies import INT, LONG, TEXT, Field, Values
from tests.sandbox.calls import Call
from tests.sandbox.messages import Response, empty_response, json_response, without_nulls

TABLE = "bookmark"
BY_PRIORITY = "priority, created_at DESC, id DESC"
SAME_MOMENT_MS = 5000
TAKEN = "Bookmark already exists at this location"

CREATE_FIELDS = (
    Field("bookId", LONG, required=True),
    Field("cfi", TEXT),
    Field("title", TEXT),
    Field("positionMs", LONG),
    Field("trackIndex", INT),
    Field("pageNumber", INT, smallest=1),
)
UPDATE_FIELDS = (
    Field("title", TEXT, longest=255),
    Field("cfi", TEXT, longest=500),
    Field("color", TEXT, pattern=marks.COLOR),
    Field("notes", TEXT, longest=2000),
    Field("priority", INT, smallest=1, largest=5),
    Field("pageNumber", INT, smallest=1),
)


def list_bookmarks(call: Call) -> Response:
    rows = marks.rows_of_book(call, TABLE, call.number("bookId"), BY_PRIORITY)
    return json_response([_record(row, marks.stored_times(call, row)) for row in rows])


def show_bookmark(call: Call) -> Response:
    row = marks.own_row(call, TABLE, call.number("id"))
    return json_response(_record(row, marks.stored_times(call, row)))


def create_bookmark(call: Call) -> Response:
    values = call.read(_known_fields(call, CREATE_FIELDS))
    book_id = values.need_integer("bookId")
    marks.demand_known_book(call, book_id)
    _demand_free_place(call, book_id, values)
    row = marks.insert(
        call,
        TABLE,
        book_id,
        {
            "cfi": values.text("cfi"),
            "title": values.text("title"),
            "position_ms": values.integer("positionMs"),
            "track_index": values.integer("trackIndex"),
            "page_number": _page_number(call, values),
        },
    )
    return json_response(_record(row, marks.fresh_times(call)))


def update_bookmark(call: Call) -> Response:
    values = call.read(_known_fields(call, UPDATE_FIELDS))
    row = marks.update(
        call,
        TABLE,
        call.number("id"),
        {
            "title": values.text("title"),
            "cfi": values.text("cfi"),
            "color": values.text("color"),
            "notes": values.text("notes"),
            "priority": values.integer("priority"),
            "page_number": _page_number(call, values),
        },
    )
    return json_response(_record(row, marks.stored_times(call, row)))


def delete_bookmark(call: Call) -> Response:
    marks.delete(call, TABLE, call.number("id"))
    return empty_response(204)


def _known_fields(call: Call, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """A dialect without page numbers ignores the field, as it does every unknown one."""
    if call.dialect.bookmarks_have_page_numbers:
        return fields
    return tuple(field for field in fields if field.name != "pageNumber")


def _page_number(call: Call, values: Values) -> int | None:
    return values.integer("pageNumber") if call.dialect.bookmarks_have_page_numbers else None


def _demand_free_place(call: Call, book_id: int, values: Values) -> None:
    cfi, page, position_ms = values.text("cfi"), _page_number(call, values), values.integer("positionMs")
    if cfi is not None:
        marks.demand_free_place(call, TABLE, book_id, "cfi", cfi, TAKEN)
    elif page is not None:
        marks.demand_free_place(call, TABLE, book_id, "page_number", page, TAKEN)
    elif position_ms is not None:
        near = call.database.execute(
            "SELECT 1 FROM bookmark WHERE user_id = ? AND book_id = ? AND abs(position_ms - ?) <= ?"
            " AND track_index IS ?",
            (call.reader.id, book_id, position_ms, SAME_MOMENT_MS, values.integer("trackIndex")),
        ).fetchone()
        if near is not None:
            raise call.conflict(TAKEN)


def _record(row: sqlite3.Row, times: dict[str, object]) -> dict[str, object]:
    record: dict[str, object] = {
        "id": row["id"],
        "userId": row["user_id"],
        "bookId": row["book_id"],
        "cfi": row["cfi"],
        "title": row["title"],
        "positionMs": row["position_ms"],
        "trackIndex": row["track_index"],
        "pageNumber": row["page_number"],
        "color": row["color"],
        "notes": row["notes"],
        "priority": row["priority"],
    }
    return without_nulls(record | times)
