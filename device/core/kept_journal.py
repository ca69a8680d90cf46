"""A journal that is kept after it was taken: its own lines, and behind them the sessions that were recorded from it.

    …the launcher's lines…
    {"v":1,"n":7,"ev":"taken","sessions":1}
    {"v":1,"n":8,"ev":"session","started_at":1795385639,"ended_at":1795389420,"duration_s":181,…}

A session is found on the server by its start, end and duration. Counting the page turns again would not always give the
same: the reader's preferences may have changed, and the clocks that placed it then are gone. So what was recorded is
written down with its evidence.

Promises: what `lines` writes `sessions` reads back the same; of anything that is not whole, `sessions` gives None.
Never: reads files; counts page turns (`reading_session.py` does, where a journal has no such lines).
Called by: `device/recovery/evidence.py`.
"""

from __future__ import annotations

from device import json_text
from device.core import journal
from device.core.instants import LAST_INSTANT_S
from device.core.reading_session import ReadingSession

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

TAKEN, SESSION = "taken", "session"
SPAN_MAX_S = 366 * 86_400  # from start to end; no book is read for a year without being closed once
FLAGS_MAX = 20
FLAG_MAX_CHARS = 40
BOOT_ID_MAX_CHARS = 100  # of Linux: 36


def lines(first_number: int, found: list[ReadingSession]) -> list[bytes]:
    """What follows a journal's own lines, of which there are `first_number`."""
    head: dict[str, Json] = {"v": journal.VERSION, "n": first_number, "ev": TAKEN, "sessions": len(found)}
    written = [json_text.encode(head)]
    for number, session in enumerate(found, first_number + 1):
        written.append(json_text.encode(_fields(number, session)))
    return written


def _fields(number: int, session: ReadingSession) -> Json:
    return {
        "v": journal.VERSION,
        "n": number,
        "ev": SESSION,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "duration_s": session.duration_s,
        "start_page": session.start_page,
        "end_page": session.end_page,
        "start_fraction": session.start_fraction,
        "end_fraction": session.end_fraction,
        "pages_read": session.pages_read,
        "flags": list(session.flags),
        "start_label": session.start_label,
        "end_label": session.end_label,
        "start_xpointer": session.start_xpointer,
        "end_xpointer": session.end_xpointer,
        "boot_id": session.boot_id,
        "boot_ms": session.boot_ms,
    }


def sessions(text: list[bytes]) -> list[ReadingSession] | None:
    """The sessions that were recorded from a journal with these lines; None if it does not say so, or not whole."""
    found: list[ReadingSession] = []
    for line in reversed(text):
        fields = _decoded(line)
        if fields.get("ev") == TAKEN:
            return found[::-1] if fields.get("sessions") == len(found) else None
        session = _session(fields) if fields.get("ev") == SESSION else None
        if session is None:
            return None
        found.append(session)
    return None


def key(session: ReadingSession) -> tuple[int, int, int]:
    """What makes it the same session, here and on the server."""
    return session.started_at, session.ended_at, session.duration_s


def _decoded(line: bytes) -> dict[str, Json]:
    if len(line) > journal.LINE_MAX_BYTES:
        return {}
    try:
        fields = json_text.decode(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _session(fields: dict[str, Json]) -> ReadingSession | None:
    started_at = journal.bounded(fields.get("started_at"), 0, LAST_INSTANT_S)
    ended_at = journal.bounded(fields.get("ended_at"), 0, LAST_INSTANT_S)
    duration_s = journal.bounded(fields.get("duration_s"), 1, SPAN_MAX_S)
    if started_at is None or ended_at is None or duration_s is None:
        return None
    if not duration_s <= ended_at - started_at <= SPAN_MAX_S:
        return None
    session = ReadingSession(
        started_at,
        ended_at,
        duration_s,
        journal.bounded(fields.get("start_page"), 1, journal.PAGES_MAX),
        journal.bounded(fields.get("end_page"), 1, journal.PAGES_MAX),
        _fraction(fields.get("start_fraction")),
        _fraction(fields.get("end_fraction")),
        journal.bounded(fields.get("pages_read"), 0, journal.PAGES_MAX) or 0,
        _flags(fields.get("flags")),
    )
    session.start_label = _text(fields.get("start_label"), journal.LABEL_MAX_CHARS)
    session.end_label = _text(fields.get("end_label"), journal.LABEL_MAX_CHARS)
    session.start_xpointer = _text(fields.get("start_xpointer"), journal.TEXT_MAX_CHARS)
    session.end_xpointer = _text(fields.get("end_xpointer"), journal.TEXT_MAX_CHARS)
    session.boot_id = _text(fields.get("boot_id"), BOOT_ID_MAX_CHARS)
    session.boot_ms = journal.bounded(fields.get("boot_ms"), 0, journal.MONOTONIC_MAX_MS)
    return session


def _fraction(value: Json) -> float | None:
    return float(value) if isinstance(value, (int, float)) and 0 <= value <= 1 else None


def _text(value: Json, most_chars: int) -> str | None:
    if not isinstance(value, str) or not value or len(value) > most_chars:
        return None
    # JSON escapes can spell half a surrogate pair, which no database can hold.
    return value.encode("utf-8", "replace").decode("utf-8")


def _flags(value: Json) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(flag for flag in value[:FLAGS_MAX] if isinstance(flag, str) and 0 < len(flag) <= FLAG_MAX_CHARS)
