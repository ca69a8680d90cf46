"""Shelves and the books on them.

Promises: a reader sees her own shelves and the public ones; a shelf that is not hers, in an assignment, is a 401 that
has nothing to do with the token; assigning twice is the same as once.
Never: asks whether the reader may see the library of a book on a shelf.
Called by: `routes`.
Law: the API map §5.2 (assignment) and §6.
"""

from __future__ import annotations

import sqlite3

from tests.sandbox.bodies import FLAG, LONG, LONGS, TEXT, Field, Values
from tests.sandbox.books import books_of_shelf, records_of_books
from tests.sandbox.calls import Call
from tests.sandbox.messages import (
    ApiError,
    Response,
    empty_response,
    json_response,
    malformed,
    unexpected,
    without_nulls,
)

SHELF_FIELDS = (
    Field("id", LONG),
    Field("name", TEXT, not_blank=True),
    Field("icon", TEXT),
    Field("iconType", TEXT),
    Field("publicShelf", FLAG),
)
ASSIGNMENT_FIELDS = (Field("bookIds", LONGS), Field("shelvesToAssign", LONGS), Field("shelvesToUnassign", LONGS))
SELECT = "SELECT shelf.*, (SELECT count(*) FROM shelf_book WHERE shelf_id = shelf.id) AS book_count FROM shelf"


def list_shelves(call: Call) -> Response:
    rows = call.database.execute(f"{SELECT} WHERE user_id = ? OR public ORDER BY id", (call.reader.id,))
    return json_response([_record(row) for row in rows])


def show_shelf(call: Call) -> Response:
    return json_response(_record(_readable(call, call.number("id"))))


def list_books_of_shelf(call: Call) -> Response:
    shelf = _readable(call, call.number("id"))
    return json_response(books_of_shelf(call, shelf["id"]))


def create_shelf(call: Call) -> Response:
    values = _shelf_values(call)
    if values.has("id"):
        raise ApiError(400, "Validation error", ["id: must be null"])
    _demand_free_name(call, values.need_text("name"), None)
    shelf_id = call.database.execute(
        "INSERT INTO shelf (user_id, name, icon, icon_type, public) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (call.reader.id, *_columns(values)),
    ).fetchone()["id"]
    return json_response(_record(_shelf(call, shelf_id)), 201)


def update_shelf(call: Call) -> Response:
    shelf = _owned(call, call.number("id"))
    values = _shelf_values(call)
    _demand_free_name(call, values.need_text("name"), shelf["id"])
    call.database.execute(
        "UPDATE shelf SET name = ?, icon = ?, icon_type = ?, public = ? WHERE id = ?", (*_columns(values), shelf["id"])
    )
    return json_response(_record(_shelf(call, shelf["id"])))


def delete_shelf(call: Call) -> Response:
    shelf = _owned(call, call.number("id"))
    call.database.execute("DELETE FROM shelf_book WHERE shelf_id = ?", (shelf["id"],))
    call.database.execute("DELETE FROM shelf WHERE id = ?", (shelf["id"],))
    return empty_response(204)


def assign(call: Call) -> Response:
    values = call.read(ASSIGNMENT_FIELDS)
    books, added, removed = (values.integers(field.name) for field in ASSIGNMENT_FIELDS)
    if books is None or added is None or removed is None:
        raise unexpected()
    for shelf_id in added + removed:
        _demand_own_shelf(call, shelf_id)
    known = [book_id for book_id in books if _exists(call, book_id)]
    for book_id in known:
        call.database.executemany(
            "INSERT OR IGNORE INTO shelf_book VALUES (?, ?)", [(shelf_id, book_id) for shelf_id in added]
        )
        call.database.executemany(
            "DELETE FROM shelf_book WHERE shelf_id = ? AND book_id = ?", [(shelf_id, book_id) for shelf_id in removed]
        )
    return json_response(records_of_books(call, known))


def _shelf_values(call: Call) -> Values:
    values = call.read(SHELF_FIELDS)
    icon_type = values.text("iconType")
    if icon_type is not None and icon_type not in call.dialect.icon_types:
        raise malformed()
    if values.flag("publicShelf") and not call.reader.is_admin:
        raise call.denied()
    return values


def _columns(values: Values) -> tuple[str, str | None, str | None, bool]:
    return values.need_text("name"), values.text("icon"), values.text("iconType"), values.flag("publicShelf")


def _shelf(call: Call, shelf_id: int) -> sqlite3.Row:
    row: sqlite3.Row | None = call.database.execute(f"{SELECT} WHERE id = ?", (shelf_id,)).fetchone()
    if row is None:
        raise call.missing(f"Shelf not found with ID: {shelf_id}")
    return row


def _readable(call: Call, shelf_id: int) -> sqlite3.Row:
    row = _shelf(call, shelf_id)
    if row["user_id"] != call.reader.id and not row["public"]:
        raise call.denied()
    return row


def _owned(call: Call, shelf_id: int) -> sqlite3.Row:
    row = _shelf(call, shelf_id)
    if row["user_id"] != call.reader.id:
        raise call.denied()
    return row


def _demand_own_shelf(call: Call, shelf_id: int) -> None:
    owned = call.database.execute(
        "SELECT 1 FROM shelf WHERE id = ? AND user_id = ?", (shelf_id, call.reader.id)
    ).fetchone()
    if owned is None:
        raise ApiError(401, "Cannot assign shelves that do not belong to the user.")


def _demand_free_name(call: Call, name: str, shelf_id: int | None) -> None:
    taken = call.database.execute(
        "SELECT 1 FROM shelf WHERE user_id = ? AND name = ? AND id IS NOT ?", (call.reader.id, name, shelf_id)
    ).fetchone()
    if taken is not None:
        raise call.conflict(f"Shelf with name '{name}' already exists")


def _exists(call: Call, book_id: int) -> bool:
    return call.database.execute("SELECT 1 FROM book WHERE id = ?", (book_id,)).fetchone() is not None


def _record(row: sqlite3.Row) -> dict[str, object]:
    return without_nulls(
        {
            "id": row["id"],
            "name": row["name"],
            "icon": row["icon"],
            "iconType": row["icon_type"],
            "userId": row["user_id"],
            "publicShelf": bool(row["public"]),
            "bookCount": row["book_count"],
        }
    )
