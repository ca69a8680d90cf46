"""The web reader's progress, which a client may write too.

Promises: position and percentage are stored as they come, for the format they belong to; the read status follows by
the server's rule, which makes a finished or abandoned book one that is being read again.
Never: looks whether a CFI means anything; checks access to the library.
Called by: `routes`.
Law: the API map §5.2.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from tests.sandbox.accounts import koreader_account_of
from tests.sandbox.bodies import INSTANT, INT, LONG, REAL, RECORD, TEXT, Field, Values, convert
from tests.sandbox.book_state import state_of, store
from tests.sandbox.calls import Call
from tests.sandbox.java_values import single_precision
from tests.sandbox.messages import ApiError, Response, empty_response

FINISHED_PERCENT = 99.5  # from here on a book counts as read
BEGUN_PERCENT = 0.1  # above this it counts as being read

PROGRESS_FIELDS = (
    Field("bookId", LONG, required=True),
    Field("fileProgress", RECORD),
    Field("epubProgress", RECORD),
    Field("pdfProgress", RECORD),
    Field("cbxProgress", RECORD),
    Field("dateFinished", INSTANT),
)
FILE_PROGRESS_FIELDS = (
    Field("bookFileId", LONG),
    Field("positionData", TEXT),
    Field("positionHref", TEXT),
    Field("progressPercent", REAL),
)
EPUB_PROGRESS_FIELDS = (Field("cfi", TEXT), Field("href", TEXT), Field("percentage", REAL))
PAGE_PROGRESS_FIELDS = (Field("page", INT), Field("percentage", REAL))
PAGED_COLUMNS = {"PDF": "pdf", "CBX": "cbx"}


@dataclass(frozen=True, slots=True)
class Position:
    columns: dict[str, object]
    percent: float | None


def record_progress(call: Call) -> Response:
    values = call.read(PROGRESS_FIELDS)
    if not any(values.has(field.name) for field in PROGRESS_FIELDS[1:]):
        raise ApiError(400, "Validation error", ["progress: at least one kind of progress must be given"])
    book_id = values.need_integer("bookId")
    call.existing_book(book_id)
    before = state_of(call, book_id)
    position = _position(call, book_id, values)
    changes: dict[str, object] = {"last_read_at": call.now_s} | position.columns
    if position.percent is not None:
        changes |= _following_status(call, position.percent, before)
        changes |= _following_koreader_row(call, position.percent)
    if values.has("dateFinished"):
        changes["date_finished"] = values.integer("dateFinished")
    store(call, book_id, changes)
    return empty_response(204)


def _position(call: Call, book_id: int, values: Values) -> Position:
    if (file_record := values.record("fileProgress")) is not None:
        return _file_position(call, book_id, convert(file_record, FILE_PROGRESS_FIELDS))
    if (epub_record := values.record("epubProgress")) is not None:
        epub = convert(epub_record, EPUB_PROGRESS_FIELDS)
        return _epub_position(epub.text("cfi"), epub.text("href"), epub.real("percentage"))
    for name, prefix in (("pdfProgress", "pdf"), ("cbxProgress", "cbx")):
        if (page_record := values.record(name)) is not None:
            paged = convert(page_record, PAGE_PROGRESS_FIELDS)
            return _paged_position(prefix, paged.integer("page"), paged.real("percentage"))
    return Position({}, None)


def _file_position(call: Call, book_id: int, values: Values) -> Position:
    book_file = call.database.execute(
        "SELECT book_type FROM book_file WHERE book_id = ?1 AND (?2 IS NULL OR id = ?2)",
        (book_id, values.integer("bookFileId")),
    ).fetchone()
    if book_file is None:
        raise call.missing("Book file not found")
    position, percent = values.text("positionData"), values.real("progressPercent")
    prefix = PAGED_COLUMNS.get(book_file["book_type"])
    if prefix is None:
        return _epub_position(position, values.text("positionHref"), percent)
    if position is None:
        return _paged_position(prefix, None, percent)
    try:
        return _paged_position(prefix, int(position), percent)
    except ValueError:
        raise ApiError(400, f"Invalid page number: {position}") from None


def _epub_position(cfi: str | None, href: str | None, percent: float | None) -> Position:
    return Position({"epub_cfi": cfi, "epub_href": href, "epub_percent": single_precision(percent)}, percent)


def _paged_position(prefix: str, page: int | None, percent: float | None) -> Position:
    return Position({f"{prefix}_page": page, f"{prefix}_percent": single_precision(percent)}, percent)


def _following_status(call: Call, percent: float, before: sqlite3.Row | None) -> dict[str, object]:
    status_before = None if before is None else before["read_status"]
    finished_before = None if before is None else before["date_finished"]
    if percent >= FINISHED_PERCENT:
        status = "READ"
    elif percent > BEGUN_PERCENT:
        status = "READING"
    else:
        status = status_before or "UNREAD"
    changes: dict[str, object] = {}
    if status != status_before:
        changes = {"read_status": status, "read_status_modified_at": call.now_s}
    if status == "READ" and finished_before is None and call.dialect.first_read_sets_date_finished:
        changes["date_finished"] = call.now_s
    return changes


def _following_koreader_row(call: Call, percent: float) -> dict[str, object]:
    """Grimmory carries web progress over to KOReader's row if both switches are on.

    It would also convert the CFI; a CFI it cannot convert leaves no position, and this stand-in converts none.
    """
    account = koreader_account_of(call.database, call.reader)
    if not (call.dialect.web_progress_reaches_koreader and account.sync_enabled and account.sync_with_web_reader):
        return {}
    return {
        "koreader_fraction": single_precision(percent / 100),
        "koreader_progress": None,
        "koreader_synced_at": call.now_s,
    }
