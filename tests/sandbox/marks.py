"""What highlights, notes and bookmarks have in common: rows that belong to one reader and one book.

Promises: newest first; only the reader's own; an id or a book that is not there is a 500, because the servers have no
handler for that exception; created and updated times come as local date-times, with nanoseconds only in the reply that
made the row.
Never: checks a permission or the access to a library.
Called by: `annotations`, `book_notes`, `bookmarks`.
Law: the API map §2 (EntityNotFoundException) and §8.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from tests.sandbox.calls import Call
from tests.sandbox.java_values import fresh_local_date_time
from tests.sandbox.messages import unexpected

COLOR = r"#[0-9A-Fa-f]{6}"
NEWEST_FIRST = "created_at DESC, id DESC"


def rows_of_book(call: Call, table: str, book_id: int, order: str = NEWEST_FIRST) -> list[sqlite3.Row]:
    return call.database.execute(
        f"SELECT * FROM {table} WHERE user_id = ? AND book_id = ? ORDER BY {order}", (call.reader.id, book_id)
    ).fetchall()


def own_row(call: Call, table: str, row_id: int) -> sqlite3.Row:
    row: sqlite3.Row | None = call.database.execute(
        f"SELECT * FROM {table} WHERE id = ? AND user_id = ?", (row_id, call.reader.id)
    ).fetchone()
    if row is None:
        raise unexpected()
    return row


def demand_known_book(call: Call, book_id: int) -> None:
    if call.database.execute("SELECT 1 FROM book WHERE id = ?", (book_id,)).fetchone() is None:
        raise unexpected()


def demand_free_place(call: Call, table: str, book_id: int, column: str, place: str | int, complaint: str) -> None:
    taken = call.database.execute(
        f"SELECT 1 FROM {table} WHERE user_id = ? AND book_id = ? AND {column} = ?", (call.reader.id, book_id, place)
    ).fetchone()
    if taken is not None:
        raise call.conflict(complaint)


def insert(call: Call, table: str, book_id: int, columns: Mapping[str, object]) -> sqlite3.Row:
    filled = {
        "user_id": call.reader.id,
        "book_id": book_id,
        **columns,
        "created_at": call.now_s,
        "updated_at": call.now_s,
    }
    marks = ", ".join("?" for _ in filled)
    row: sqlite3.Row = call.database.execute(
        f"INSERT INTO {table} ({', '.join(filled)}) VALUES ({marks}) RETURNING *", tuple(filled.values())
    ).fetchone()
    return row


def update(call: Call, table: str, row_id: int, columns: Mapping[str, object]) -> sqlite3.Row:
    """Changes the columns that are not None; None means that the request leaves them alone."""
    own_row(call, table, row_id)
    changed = {name: value for name, value in columns.items() if value is not None} | {"updated_at": call.now_s}
    assignments = ", ".join(f"{name} = ?" for name in changed)
    row: sqlite3.Row = call.database.execute(
        f"UPDATE {table} SET {assignments} WHERE id = ? RETURNING *", (*changed.values(), row_id)
    ).fetchone()
    return row


def delete(call: Call, table: str, row_id: int) -> None:
    own_row(call, table, row_id)
    call.database.execute(f"DELETE FROM {table} WHERE id = ?", (row_id,))


def stored_times(call: Call, row: sqlite3.Row) -> dict[str, object]:
    return {"createdAt": call.local(row["created_at"]), "updatedAt": call.local(row["updated_at"])}


def fresh_times(call: Call) -> dict[str, object]:
    now = fresh_local_date_time(call.now, call.settings.utc_offset_s)
    return {"createdAt": now, "updatedAt": now}
