"""KOReader's own progress sync, by the file's fingerprint.

Promises: the last writer wins whatever the time stamps say; every PUT computes the read status anew, downwards too;
the device is always called "BookLore", so nobody can tell who wrote.
Never: checks access to the library (only the WorldTeacher image's search by hash does).
Called by: `routes`, for requests with KOReader's own headers.
Law: the API map §4. Imperfect: no xpointer is turned into a CFI, as if the server could convert none of them; it then
leaves the web reader's progress as it was.
"""

from __future__ import annotations

import sqlite3

from tests.sandbox.bodies import REAL, TEXT, Field
from tests.sandbox.book_state import state_of, store
from tests.sandbox.calls import Call, KoreaderAccount
from tests.sandbox.java_values import single_precision
from tests.sandbox.messages import ApiError, Response, json_response, unexpected

SERVER_DEVICE = "BookLore"
FINISHED_PERCENT = 99.5  # from here on a book counts as read
BEGUN_PERCENT = 0.25  # from here on it counts as being read

PROGRESS_FIELDS = (
    Field("document", TEXT),
    Field("percentage", REAL),
    Field("progress", TEXT),
    Field("device", TEXT),
    Field("device_id", TEXT),
)


def authorize(call: Call) -> Response:
    return json_response({"username": _account(call).username})


def refuse_registration(call: Call) -> Response:
    return json_response({"error": "User registration via Koreader is disabled"}, 403)


def show_progress(call: Call) -> Response:
    _demand_sync(call)
    digest = call.variables["hash"]
    state = state_of(call, _book_with_hash(call, digest))
    if state is None:
        raise ApiError(404, "No progress found for user and book")
    return json_response(
        {
            "timestamp": state["koreader_synced_at"],
            "document": digest,
            "percentage": state["koreader_fraction"],
            "progress": state["koreader_progress"],
            "device": SERVER_DEVICE,
            "device_id": SERVER_DEVICE,
        }
    )


def put_progress(call: Call) -> Response:
    _demand_sync(call)
    values = call.read(PROGRESS_FIELDS)
    book_id = _book_with_hash(call, values.text("document"))
    fraction = values.real("percentage")
    if fraction is None and call.dialect.null_koreader_percentage_fails:
        raise unexpected()
    changes: dict[str, object] = {
        "koreader_fraction": single_precision(fraction),
        "koreader_progress": values.text("progress"),
        "koreader_device": values.text("device"),
        "koreader_device_id": values.text("device_id"),
        "koreader_synced_at": call.now_s,
        "last_read_at": call.now_s,
    }
    if fraction is not None:
        changes |= _following_status(call, fraction * 100, state_of(call, book_id))
    store(call, book_id, changes)
    return json_response({"status": "progress updated"})


def _following_status(call: Call, percent: float, before: sqlite3.Row | None) -> dict[str, object]:
    if percent >= FINISHED_PERCENT:
        status = "READ"
    elif percent >= BEGUN_PERCENT:
        status = "READING"
    else:
        status = "UNREAD"
    changes: dict[str, object] = {"read_status": status}
    if before is None or before["read_status"] != status:
        changes["read_status_modified_at"] = call.now_s
    if status == "READ":
        changes["date_finished"] = call.now_s
    return changes


def _account(call: Call) -> KoreaderAccount:
    if call.koreader is None:
        raise unexpected()
    return call.koreader


def _demand_sync(call: Call) -> None:
    if not _account(call).sync_enabled:
        raise ApiError(401, "Sync is disabled for this user")


def _book_with_hash(call: Call, digest: str | None) -> int:
    rows = call.database.execute("SELECT DISTINCT book_id FROM book_file WHERE current_hash = ?", (digest,)).fetchall()
    if len(rows) > 1:
        raise unexpected()  # two books of one hash: the server expects at most one
    if not rows:
        raise ApiError(404, f"Book not found for hash {digest}")
    return int(rows[0]["book_id"])
