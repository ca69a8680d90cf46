"""Journal → store: what a reading left on the device of rating, read status and progress.

What differs from what was there before is a change that somebody made on the device, and enters the outbox; whether the
server is told is decided when the server has been asked (`device/sending/book_states.py`).

A reader may lose KOReader's record of a book: a copied card, a reset. Then the book opens at its beginning, without
stars. That is no wish to take anything back: stars, status and place are offered to the device again.

Called by: `device/ingest.py`, within the transaction of the journal.
"""

from __future__ import annotations

from device import json_text
from device.core import outbox as rules
from device.core import preferences, progress, shared_values
from device.core.instants import DAY_S, EARLIEST_PLAUSIBLE_S, from_iso
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
            _note(
                store,
                book_id,
                shared_values.RATING,
                None if stars is None else str(stars),
                at,
                now,
                record_was_lost,
                "",
            )
        if wanted.get(preferences.STATUS_SYNC) == preferences.ON:
            word = status if status in shared_values.DEVICE_STATUSES else None
            on_hold = str(wanted.get(preferences.ON_HOLD)).upper()
            _note(store, book_id, shared_values.STATUS, word, at, now, record_was_lost, on_hold)
    fraction = last_fraction(reading)
    if fraction is not None and wanted.get(preferences.PROGRESS_SYNC) == preferences.ON:
        if record_was_lost and known is not None:
            _offer_place_again(store, book_id, before, known, fraction, at)
        else:
            _note_progress(store, book_id, before, fraction, reading, at, now)


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
    finished_at = at if fraction >= FINISHED_FRACTION and (known is None or known < FINISHED_FRACTION) else 0
    is_news = finished_at > 0
    status = stored.load(store, book_id, shared_values.STATUS)
    snapshot = reading.snapshot
    if snapshot is not None and snapshot.status == shared_values.COMPLETE_WORD != status.now_on_device():
        changed_at = _noon_of(snapshot.changed_on, reading.utc_offset_s)
        # A book that was finished before it was first recorded was finished when KOReader says so.
        if status.device_at or changed_at is None or abs(changed_at - at) < DAY_S:
            finished_at, is_news = at, is_news or status.device_at > 0 or changed_at is not None
        elif changed_at < at:
            finished_at, is_news = changed_at, False
    if not finished_at:
        return
    stored.set_finished_at(store, book_id, finished_at)
    if is_news and wanted.get(preferences.RATING) == preferences.ASK and _is_unrated(store, book_id, reading):
        stored.set_rating_question(store, book_id, True)


def _noon_of(day: str | None, utc_offset_s: int) -> int | None:
    """Noon of a local day, in epoch seconds."""
    try:
        return None if day is None else from_iso(f"{day}T12:00:00Z") - utc_offset_s
    except ValueError:
        return None


def _is_unrated(store: Store, book_id: int, reading: Reading) -> bool:
    rating = stored.load(store, book_id, shared_values.RATING)
    return rating.agreed is None and (reading.snapshot is None or reading.snapshot.rating is None)


def _note(
    store: Store, book_id: int, field: str, value: str | None, at: int, now: int, record_was_lost: bool, on_hold: str
) -> None:
    row = stored.load(store, book_id, field)
    first = not row.device_at
    if record_was_lost and (row.device_at or row.is_agreed):
        row.lose(value, at)
    elif row.see(value, at) and not (first and value is None):
        _enter(store, book_id, row, shared_values.to_server(field, value, on_hold), now)
    stored.save(store, book_id, row)


def _enter(store: Store, book_id: int, row: SharedValue, value: str | None, now: int) -> None:
    """Into the outbox, unless it is what the server is known to have."""
    kind = rules.RATING if row.field == shared_values.RATING else rules.STATUS
    entry = outbox.state_entry(store, kind, book_id)
    may_be_there = entry is not None and entry.state == rules.INTENT  # another value, whose answer was lost
    if row.is_agreed and not may_be_there and shared_values.same(row.field, value, row.agreed):
        outbox.withdraw(store, kind, book_id, now)
    else:
        outbox.revise(store, kind, book_id, payload(row.field, value), now)


def payload(field: str, value: str | None) -> str:
    """What the server is told of a rating or a status, in its own terms."""
    fields: dict[str, Json] = {"status": value}
    if field == shared_values.RATING:
        fields = {"rating": None if value is None else int(value)}
    return json_text.encode(fields).decode("utf-8")


def _note_progress(
    store: Store, book_id: int, row: SharedValue, fraction: float, reading: Reading, at: int, now: int
) -> None:
    text = f"{fraction:.{DECIMALS}f}"
    moved = row.device != text
    row.device, row.device_at = text, at
    stored.save(store, book_id, row)
    if moved and progress.has_moved(fraction, progress.to_fraction(row.agreed)):
        page = reading.snapshot.last_page if reading.snapshot is not None else None
        outbox.revise(store, rules.PROGRESS, book_id, progress_payload(fraction, page, None), now)


def _offer_place_again(store: Store, book_id: int, row: SharedValue, known: float, fraction: float, at: int) -> None:
    """KOReader has forgotten where the book was: that is where the reader may want to go."""
    row.device, row.device_at = f"{fraction:.{DECIMALS}f}", at
    row.offered, row.offered_at = progress.Place(known).text(), at
    stored.save(store, book_id, row)
    outbox.withdraw(store, rules.PROGRESS, book_id, at)


def progress_payload(fraction: float, page: int | None, file_id: int | None, cfi: str | None = None) -> str:
    """`page`: of a book with fixed pages, where it is the exact position; in text that flows `cfi` is. `file_id`: the
    server's file of the book."""
    fields: dict[str, Json] = {"progressPercent": round(fraction * 100, DECIMALS - 2)}
    if file_id is not None:
        fields["bookFileId"] = file_id
    if page is not None or cfi is not None:
        fields["positionData"] = cfi if page is None else str(page)
    return json_text.encode({"fileProgress": fields}).decode("utf-8")
