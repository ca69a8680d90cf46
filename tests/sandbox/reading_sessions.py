"""Reading sessions.

Promises: every accepted POST makes one more row, the same session twice included; the reply is 202 without a body; the
list comes in pages, newest first.
Never: changes progress or read status, looks for overlaps, or asks whether the end comes after the start (only the
batch of the WorldTeacher image does).
Called by: `routes`, `StandIn.sessions`, `page`.
Law: the API map §7. "Newest" is the time of creation there, as for annotations; the id breaks ties here.
"""

from __future__ import annotations

import sqlite3

from tests.sandbox.bodies import BOOK_TYPE, INSTANT, INT, LONG, REAL, RECORDS, TEXT, Field, Values, convert
from tests.sandbox.calls import Call, page_of
from tests.sandbox.java_values import instant, local_date_time, single_precision
from tests.sandbox.messages import ApiError, Response, empty_response, json_response, without_nulls

SESSIONS_PER_PAGE = 5  # if the request does not say

MEASURED_FIELDS = (
    Field("startTime", INSTANT, required=True),
    Field("endTime", INSTANT, required=True),
    Field("durationSeconds", INT, required=True),
    Field("durationFormatted", TEXT),
    Field("startProgress", REAL),
    Field("endProgress", REAL),
    Field("progressDelta", REAL),
    Field("startLocation", TEXT),
    Field("endLocation", TEXT),
)
SESSION_FIELDS = (Field("bookId", LONG, required=True), Field("bookType", BOOK_TYPE), *MEASURED_FIELDS)
BATCH_FIELDS = (
    Field("bookId", LONG, required=True),
    Field("bookType", BOOK_TYPE, required=True),
    Field("sessions", RECORDS, required=True, not_empty=True),
)

SELECT = """
    SELECT reading_session.*, book.title AS book_title
    FROM reading_session JOIN book ON book.id = book_id
"""


def record_session(call: Call) -> Response:
    values = call.read(SESSION_FIELDS)
    book_id = _recordable_book(call, values.need_integer("bookId"))
    _insert(call, book_id, values.text("bookType"), values)
    return empty_response(202)


def record_batch(call: Call) -> Response:
    values = call.read(BATCH_FIELDS)
    book_id = _recordable_book(call, values.need_integer("bookId"))
    results = []
    for record in values.records("sessions"):
        session = convert(record, MEASURED_FIELDS)
        if session.need_integer("endTime") < session.need_integer("startTime"):
            raise ApiError(400, "End time must be after start time")
        session_id = _insert(call, book_id, values.text("bookType"), session)
        results.append(
            {
                "sessionId": session_id,
                "startTime": instant(session.integer("startTime")),
                "endTime": instant(session.integer("endTime")),
            }
        )
    return json_response({"totalRequested": len(results), "successCount": len(results), "results": results})


def list_sessions_of_book(call: Call) -> Response:
    book_id = call.number("bookId")
    page, size = call.page_and_size(SESSIONS_PER_PAGE, call.dialect.sessions_per_page)
    call.existing_book(book_id)
    mine = (call.reader.id, book_id)
    total = call.database.execute(
        "SELECT count(*) AS n FROM reading_session WHERE user_id = ? AND book_id = ?", mine
    ).fetchone()["n"]
    rows = call.database.execute(
        SELECT + "WHERE reading_session.user_id = ? AND book_id = ?"
        " ORDER BY created_at DESC, reading_session.id DESC LIMIT ? OFFSET ?",
        (*mine, size, page * size),
    )
    content = [without_nulls(session_record(row, call.settings.utc_offset_s)) for row in rows]
    return json_response(page_of(content, page, size, total))


def all_sessions(database: sqlite3.Connection, book_id: int | None, utc_offset_s: int) -> list[dict[str, object]]:
    """Every reader's sessions in the order in which they came, with the fields of the API and `userId`."""
    rows = database.execute(SELECT + "WHERE ?1 IS NULL OR book_id = ?1 ORDER BY reading_session.id", (book_id,))
    return [session_record(row, utc_offset_s) | {"userId": row["user_id"]} for row in rows]


def session_record(row: sqlite3.Row, utc_offset_s: int) -> dict[str, object]:
    return {
        "id": row["id"],
        "bookId": row["book_id"],
        "bookTitle": row["book_title"],
        "bookType": row["book_type"],
        "startTime": instant(row["started_at"]),
        "endTime": instant(row["ended_at"]),
        "durationSeconds": row["duration_s"],
        "durationFormatted": row["duration_formatted"],
        "startProgress": row["start_progress"],
        "endProgress": row["end_progress"],
        "progressDelta": row["progress_delta"],
        "startLocation": row["start_location"],
        "endLocation": row["end_location"],
        "createdAt": local_date_time(row["created_at"], utc_offset_s),
    }


def _recordable_book(call: Call, book_id: int) -> int:
    book = call.existing_book(book_id)
    if call.dialect.sessions_need_the_library and not call.is_member_of(book["library_id"]):
        raise call.denied()
    return book_id


def _insert(call: Call, book_id: int, book_type: str | None, session: Values) -> int:
    row = call.database.execute(
        "INSERT INTO reading_session (user_id, book_id, book_type, started_at, ended_at, duration_s,"
        " duration_formatted, start_progress, end_progress, progress_delta, start_location, end_location, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            call.reader.id,
            book_id,
            book_type,
            session.need_integer("startTime"),
            session.need_integer("endTime"),
            session.need_integer("durationSeconds"),
            session.text("durationFormatted"),
            single_precision(session.real("startProgress")),
            single_precision(session.real("endProgress")),
            single_precision(session.real("progressDelta")),
            session.text("startLocation"),
            session.text("endLocation"),
            call.now_s,
        ),
    ).fetchone()
    return int(row["id"])
