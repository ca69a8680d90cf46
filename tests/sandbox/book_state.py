"""What one reader's copy of a book carries: rating and read status.

Promises: the servers' own rules, the odd ones included: ratings are not checked against any scale, an unknown status
is accepted and stored as none, any status but READ wipes the date on which the book was finished.
Never: checks access to the library; the servers do not either.
Called by: `routes`; `store` and `state_of` also by `web_progress` and `koreader_sync`.
Law: the API map §5.2.
"""

from __future__ import annotations

import sqlite3

from tests.sandbox.bodies import INT, LONGS, TEXT, Field
from tests.sandbox.calls import Call
from tests.sandbox.java_values import instant
from tests.sandbox.messages import ApiError, Response, json_response, malformed, unexpected

READ_STATUSES = frozenset({
    "UNREAD", "READING", "RE_READING", "READ", "PARTIALLY_READ", "PAUSED", "WONT_READ", "ABANDONED", "UNSET",
})  # fmt: skip
MOST_IDS = 500  # of one request

RATING_FIELDS = (Field("ids", LONGS), Field("rating", INT))
STATUS_FIELDS = (Field("bookIds", LONGS, not_empty=True), Field("status", TEXT, not_blank=True))


def rate(call: Call) -> Response:
    values = call.read(RATING_FIELDS)
    ids, rating = values.integers("ids"), values.integer("rating")
    if ids is None:
        raise unexpected()
    if len(ids) > MOST_IDS:
        raise ApiError(400, f"Cannot update more than {MOST_IDS} books at once")
    known = call.database.execute(
        "SELECT count(*) AS n FROM book WHERE id IN (SELECT value FROM json_each(?))", (str(ids),)
    ).fetchone()["n"]
    if known != len(ids):
        raise ApiError(400, "d != java.lang.String")  # the server's own message is broken in this place
    for book_id in ids:
        store(call, book_id, {"personal_rating": rating})
    return json_response([{"bookId": book_id, "personalRating": rating} for book_id in ids])


def reset_ratings(call: Call) -> Response:
    ids = call.read_json()
    if not isinstance(ids, list) or not all(isinstance(book_id, int) for book_id in ids):
        raise malformed()
    for book_id in ids:
        call.existing_book(book_id)
        store(call, book_id, {"personal_rating": None})
    return json_response([{"bookId": book_id, "personalRating": None} for book_id in ids])


def change_status(call: Call) -> Response:
    values = call.read(STATUS_FIELDS)
    ids = values.integers("bookIds") or []
    if len(ids) > 1:
        call.demand("canBulkResetBookReadStatus")
    status: str | None = values.need_text("status").upper()
    if status not in READ_STATUSES:
        status = None
    for book_id in ids:
        call.existing_book(book_id)
        set_status(call, book_id, status, call.now_s if status == "READ" else None)
    return json_response([_status_record(call, book_id) for book_id in ids])


def set_status(call: Call, book_id: int, status: str | None, date_finished: int | None) -> None:
    changed: dict[str, object] = {
        "read_status": status,
        "read_status_modified_at": call.now_s,
        "date_finished": date_finished,
    }
    store(call, book_id, changed)


def store(call: Call, book_id: int, columns: dict[str, object]) -> None:
    """Sets columns of the reader's copy, which comes to be if it was not there."""
    names = ", ".join(columns)
    marks = ", ".join("?" for _ in columns)
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
    call.database.execute(
        f"INSERT INTO user_book (user_id, book_id, {names}) VALUES (?, ?, {marks})"
        f" ON CONFLICT (user_id, book_id) DO UPDATE SET {changes}",
        (call.reader.id, book_id, *columns.values()),
    )


def state_of(call: Call, book_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = call.database.execute(
        "SELECT * FROM user_book WHERE user_id = ? AND book_id = ?", (call.reader.id, book_id)
    ).fetchone()
    return row


def _status_record(call: Call, book_id: int) -> dict[str, object]:
    state = state_of(call, book_id)
    assert state is not None
    return {
        "bookId": book_id,
        "readStatus": state["read_status"],
        "readStatusModifiedTime": instant(state["read_status_modified_at"]),
        "dateFinished": instant(state["date_finished"]),
    }
