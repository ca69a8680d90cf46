"""Highlights, which the servers call annotations: a CFI and its text, drawn by the web reader.

Promises: one annotation for each (reader, book, CFI), the second is a 409; CFI, text and chapter never change; any CFI
is stored unread.
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

TABLE = "annotation"
STYLE = "highlight|underline|strikethrough|squiggly"
DEFAULT_COLOR = "#FFFF00"
DEFAULT_STYLE = "highlight"

CHANGEABLE_FIELDS = (
    Field("color", TEXT, pattern=marks.COLOR),
    Field("style", TEXT, pattern=STYLE),
    Field("note", TEXT, longest=5000),
)
CREATE_FIELDS = (
    Field("bookId", LONG, required=True),
    Field("cfi", TEXT, not_blank=True, longest=1000),
    Field("text", TEXT, not_blank=True, longest=5000),
    *CHANGEABLE_FIELDS,
    Field("chapterTitle", TEXT, longest=500),
)


def list_highlights(call: Call) -> Response:
    rows = marks.rows_of_book(call, TABLE, call.number("bookId"))
    return json_response([_record(row, marks.stored_times(call, row)) for row in rows])


def show_highlight(call: Call) -> Response:
    row = marks.own_row(call, TABLE, call.number("id"))
    return json_response(_record(row, marks.stored_times(call, row)))


def create_highlight(call: Call) -> Response:
    values = call.read(CREATE_FIELDS)
    book_id, cfi = values.need_integer("bookId"), values.need_text("cfi")
    marks.demand_known_book(call, book_id)
    marks.demand_free_place(call, TABLE, book_id, "cfi", cfi, "Annotation already exists at this location")
    row = marks.insert(
        call,
        TABLE,
        book_id,
        {
            "cfi": cfi,
            "text": values.need_text("text"),
            "color": values.text("color") or DEFAULT_COLOR,
            "style": values.text("style") or DEFAULT_STYLE,
            "note": values.text("note"),
            "chapter_title": values.text("chapterTitle"),
        },
    )
    return json_response(_record(row, marks.fresh_times(call)))


def update_highlight(call: Call) -> Response:
    values = call.read(CHANGEABLE_FIELDS)
    changes = {name: values.text(name) for name in ("color", "style", "note")}
    row = marks.update(call, TABLE, call.number("id"), changes)
    return json_response(_record(row, marks.stored_times(call, row)))


def delete_highlight(call: Call) -> Response:
    marks.delete(call, TABLE, call.number("id"))
    return empty_response(204)


def _record(row: sqlite3.Row, times: dict[str, object]) -> dict[str, object]:
    record: dict[str, object] = {
        "id": row["id"],
        "userId": row["user_id"],
        "bookId": row["book_id"],
        "cfi": row["cfi"],
        "text": row["text"],
        "color": row["color"],
        "style": row["style"],
        "note": row["note"],
        "chapterTitle": row["chapter_title"],
    }
    return without_nulls(record | times)
