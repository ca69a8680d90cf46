"""Journal → store: what a reading left on the device of rating, read status and progress.

What differs from what was there before is a change that somebody made on the device, and enters the outbox; whether the
server is told is decided when the server has been asked (`device/sending/book_states.py`).

A reader may lose KOReader's record of a book: a copied card, a reset. Then the book opens at its beginning, without
stars. That is no wish to take anything back: stars and status are offered to the device again.

Called by: `device/ingest.py`, within the transaction of the journal.
"""

from __future__ import annotations

from device import json_text
from device.core import outbox as rules
from device.core import preferences, progress, shared_values
from device.core.instants import EARLIEST_PLAUSIBLE_S
from device.core.journal import OPEN
from device.store import outbox
from device.store import shared_values as stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.journal import Reading
    from device.core.preferences import Preferences
    from device.core.shared_values import SharedValue
    from device.json_text import Json
    from device.store.database import Store

FINISHED_FRACTION = 0.99  # from here on a book counts as read to its end
BEGUN_FRACTION = 0.05  # a book known to be further on than this does not open at its beginning by itself
START_FRACTION = 0.01
DECIMALS = 6  # of a fraction in the store: one page of a million


def note(store: Store, book_id: int, reading: Reading, wanted: Preferences, now: int) -> None:
    """Takes what the end of a reading says. `now`: the device's clock."""
    at = _when(reading, now)
    before = stored.load(store, book_id, shared_values.PROGRESS)
    known = progress.to_fraction(before.device)
    record_was_lost = _record_was_lost(reading, known)
    _note_finish(store, book_id, reading, wanted, known, at)
    if reading.snapshot is not None:
        stars, status = reading.snapshot.rating, reading.snapshot.status
        if wanted.get(preferences.RATING) != preferences.OFF:
            _note(store, book_id, shared_values.RATING, None if stars is None else str(stars), at, record_was_lost, "")
        if wanted.get(preferences.STATUS_SYNC) == preferences.ON:
            word = status if status in shared_values.DEVICE_STATUSES else None
            on_hold = str(wanted.get(preferences.ON_HOLD)).upper()
            _note(store, book_id, shared_values.STATUS, word, at, record_was_lost, on_hold)
    fraction = last_fraction(reading)
    if fraction is not None and wanted.get(preferences.PROGRESS_SYNC) == preferences.ON:
        _note_progress(store, book_id, before, fraction, reading, at)


def last_fraction(reading: Reading) -> float | None:
    """Where the reading ended, as far as KOReader said."""
    if reading.final_fraction is not None:
        return reading.final_fraction
    for moment in reversed(reading.moments):
        if moment.fraction is not None:
            return moment.fraction
    return None


def _when(reading: Reading, now: int) -> int:
    """When the device came to have what it has: never later than now."""
    said = reading.snapshot.wall_s if reading.snapshot is not None else 0
    if not said and reading.moments:
        said = reading.moments[-1].wall_s
    return max(min(said, now), 1) if said >= EARLIEST_PLAUSIBLE_S else max(now, 1)


def _record_was_lost(reading: Reading, known: float | None) -> bool:
    if known is None or known < BEGUN_FRACTION or not reading.moments or reading.moments[0].event != OPEN:
        return False
    opened = reading.moments[0]
    at_start = opened.page == 1 or (opened.fraction is not None and opened.fraction < START_FRACTION)
    return at_start and reading.snapshot is not None and reading.snapshot.rating is None


def _note_finish(
    store: Store, book_id: int, reading: Reading, wanted: Preferences, known: float | None, at: int
) -> None:
    """A book is finished when its end is reached from before it, or when the reader says so."""
    fraction = last_fraction(reading) or 0.0
    status = stored.load(store, book_id, shared_values.STATUS)
    said_so = (
        reading.snapshot is not None
        and reading.snapshot.status == shared_values.COMPLETE_WORD
        and status.now_on_device() != shared_values.COMPLETE_WORD
        and (status.device_at > 0 or known is None)
    )
    reached = fraction >= FINISHED_FRACTION and (known is None or known < FINISHED_FRACTION)
    if not reached and not said_so:
        return
    stored.set_finished_at(store, book_id, at)
    if wanted.get(preferences.RATING) == preferences.ASK and _is_unrated(store, book_id, reading):
        stored.set_rating_question(store, book_id, True)


def _is_unrated(store: Store, book_id: int, reading: Reading) -> bool:
    rating = stored.load(store, book_id, shared_values.RATING)
    return rating.agreed is None and (reading.snapshot is None or reading.snapshot.rating is None)


def _note(
    store: Store, book_id: int, field: str, value: str | None, at: int, record_was_lost: bool, on_hold: str
) -> None:
    row = stored.load(store, book_id, field)
    if record_was_lost and row.device_at:
        had = row.now_on_device()
        row.device, row.device_at = value, at
        row.offer(had, at)
        stored.save(store, book_id, row)
        return
    first = row.device_at == 0
    if row.see(value, at) and not (first and value is None):
        _enter(store, book_id, row, shared_values.to_server(field, value, on_hold), at)
    stored.save(store, book_id, row)


def _enter(store: Store, book_id: int, row: SharedValue, value: str | None, now: int) -> None:
    """Into the outbox, unless it is what the server is known to have."""
    kind = rules.RATING if row.field == shared_values.RATING else rules.STATUS
    if row.is_agreed and shared_values.same(row.field, value, row.agreed):
        outbox.withdraw(store, kind, book_id, now)
    else:
        outbox.revise(store, kind, book_id, payload(row.field, value), now)


def payload(field: str, value: str | None) -> str:
    """What the server is told of a rating or a status, in its own terms."""
    fields: dict[str, Json] = {"status": value}
    if field == shared_values.RATING:
        fields = {"rating": None if value is None else int(value)}
    return json_text.encode(fields).decode("utf-8")


def _note_progress(store: Store, book_id: int, row: SharedValue, fraction: float, reading: Reading, at: int) -> None:
    text = f"{fraction:.{DECIMALS}f}"
    moved = row.device != text
    row.device, row.device_at = text, at
    stored.save(store, book_id, row)
    if moved and progress.has_moved(fraction, progress.to_fraction(row.agreed)):
        page = reading.snapshot.last_page if reading.snapshot is not None else None
        outbox.revise(store, rules.PROGRESS, book_id, progress_payload(fraction, page, None), at)


def progress_payload(fraction: float, page: int | None, file_id: int | None) -> str:
    """`page`: of a book with fixed pages, where it is the exact position. `file_id`: the server's file of the book."""
    fields: dict[str, Json] = {"progressPercent": round(fraction * 100, DECIMALS - 2)}
    if file_id is not None:
        fields["bookFileId"] = file_id
    if page is not None:
        fields["positionData"] = str(page)
    return json_text.encode({"fileProgress": fields}).decode("utf-8")
