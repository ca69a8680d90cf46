"""What happened to outbox entries, written down: the only place where a run changes the state of an entry.

Promises: changes that are given together are one transaction; an entry in memory is afterwards what it is in the store.
Called by: `device/sending/sender.py`, `device/sending/reading_back.py` (which makes changes, and leaves committing
to the former).
"""

from __future__ import annotations

from device import json_text
from device.core import outbox as rules
from device.core import progress, shared_values
from device.sending import agreeing
from device.store import books, hardcover, outbox
from device.store import shared_values as stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.outbox import Uptime
    from device.store.database import Store
    from device.store.outbox import Entry

REASON_MAX_CHARS = 300
_FIELDS = {
    rules.RATING: shared_values.RATING,
    rules.STATUS: shared_values.STATUS,
}  # also what it is called in a payload
GONE = "the server does not have this book any more"

_SETTLED = (rules.ACCEPTED, rules.FOUND)
_NOT_THERE = (rules.NOT_SENT, rules.MISSING, rules.REFUSED, rules.EXHAUSTED)

# Events after which the reason of the last failure is still the thing to say.
_KEEP_REASON = (rules.BEGIN, rules.NOT_SENT, rules.MISSING, rules.REPEAT, rules.DOUBTED)


class Change:
    """Something that happened to an entry. `remote_id`: what the server calls it, if it has said so."""

    __slots__ = ("entry", "event", "reason", "remote_id")

    def __init__(self, entry: Entry, event: str, reason: str | None = None, remote_id: int | None = None) -> None:
        self.entry = entry
        self.event = event
        self.reason = None if reason is None else reason[:REASON_MAX_CHARS]
        self.remote_id = remote_id


def commit(store: Store, changes: list[Change], now: int, uptime: Uptime) -> None:
    """Writes changes down. Raises ValueError, with nothing written, for an event that cannot happen."""
    if not changes:
        return
    with store.transaction():
        for change in changes:
            _write(store, change, now, uptime)


def _write(store: Store, change: Change, now: int, uptime: Uptime) -> None:
    entry, event = change.entry, change.event
    entry.state = rules.after(entry.state, event)
    entry.unproven = rules.unproven_after(entry.unproven, event)
    if event in _KEEP_REASON:
        outbox.move(store, entry.id, entry.state, entry.unproven, now)
    else:
        entry.reason = change.reason or ""
        outbox.change(store, entry.id, entry.state, entry.unproven, now, change.reason)
    if event in (rules.BEGIN, rules.UNCLEAR):
        entry.begun_boot, entry.begun_uptime_s = uptime.boot_id, uptime.seconds
        outbox.begin(store, entry.id, uptime.boot_id, uptime.seconds)
    elif event == rules.MISSING or (event != rules.UNPROVABLE and entry.begun_boot is not None):
        entry.begun_boot = None
        outbox.end(store, entry.id)
    if event in rules.COUNTED:
        entry.attempts += 1
        outbox.count_attempt(store, entry.id)
    if event in (rules.NO_BOOK, rules.BOOK_GONE):
        books.lose(store, entry.book_id, change.reason or GONE)
    if event == rules.ACCEPTED and entry.kind in rules.OF_STATE:
        _agree(store, entry, now)
    elif event in _SETTLED and entry.kind in rules.OF_MARKS:
        agreeing.agree(store, entry, change.remote_id, now)
    elif event == rules.BEGIN and entry.kind in rules.OF_MARKS:
        agreeing.begin(store, entry, now)
    elif event in _NOT_THERE and entry.kind in rules.OF_MARKS:
        agreeing.give_up(store, entry, now)
    elif event == rules.BEGIN and entry.kind == rules.PROGRESS:
        _note_told(store, entry)
    if change.remote_id is not None:
        entry.remote_id = change.remote_id
        outbox.keep_remote_id(store, entry.id, change.remote_id)


def _agree(store: Store, entry: Entry, now: int) -> None:
    """The server has taken a rating, a read status or a position: that is what both have now."""
    fields = json_text.decode(entry.payload)
    percent = _percent(entry)
    if percent is not None:
        _agree_on(store, entry.book_id, shared_values.PROGRESS, f"{percent / 100:.6f}", now)
        status = stored.load(store, entry.book_id, shared_values.STATUS)
        if status.server_at:
            status.server, status.server_at = shared_values.status_by_progress(status.server, percent), now
            stored.save(store, entry.book_id, status)
    elif entry.kind in _FIELDS and isinstance(fields, dict):
        field = _FIELDS[entry.kind]
        said = fields.get(field)
        value = None if said is None else str(said)
        _agree_on(store, entry.book_id, field, value, now)
        hardcover.want(store, entry.book_id, field, value, now)


def _agree_on(store: Store, book_id: int, field: str, value: str | None, now: int) -> None:
    row = stored.load(store, book_id, field)
    row.agree(value)
    if field != shared_values.PROGRESS:
        row.server, row.server_at = value, now
    stored.save(store, book_id, row)


def _note_told(store: Store, entry: Entry) -> None:
    """If its answer is lost, the position is known again when the server tells it."""
    percent = _percent(entry)
    row = stored.load(store, entry.book_id, shared_values.PROGRESS)
    if percent is not None and row.server_at:
        heard = progress.parse(row.server)
        heard[progress.TOLD] = percent / 100
        row.server = progress.Heard(heard, None).text()
        stored.save(store, entry.book_id, row)


def _percent(entry: Entry) -> float | None:
    fields = json_text.decode(entry.payload) if entry.kind == rules.PROGRESS else None
    inner = fields.get("fileProgress") if isinstance(fields, dict) else None
    percent = inner.get("progressPercent") if isinstance(inner, dict) else None
    return percent if isinstance(percent, (int, float)) and 0 <= percent <= 100 else None
