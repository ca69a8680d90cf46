"""One book's rating, read status and progress, compared with what the server has just said of them.

Promises: what is decided is written down in one transaction, which is the caller's: what is to be sent, what the device
is to be given, what is agreed on. Which side wins is decided by `device/core/shared_values.py` and `progress.py`.
Called by: `book_states.py`. Never: sends, asks.
"""

from __future__ import annotations

from device import json_text, protocol
from device.book_state_ingest import payload, progress_payload
from device.core import outbox as rules
from device.core import preferences, progress, shared_values
from device.core.instants import EARLIEST_PLAUSIBLE_S, to_iso
from device.core.shared_values import PROGRESS, RATING, STATUS
from device.server import book_state
from device.store import hardcover, outbox
from device.store import shared_values as stored
from device.ui import book_state_texts as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.preferences import Preferences
    from device.core.shared_values import Decision, SharedValue
    from device.protocol import Result
    from device.server.book_state import BookState
    from device.store.database import Store

KINDS = {RATING: rules.RATING, STATUS: rules.STATUS}


class Comparison:
    """One book."""

    def __init__(
        self,
        store: Store,
        wanted: Preferences,
        result: Result,
        now: int,
        book_id: int,
        state: BookState,
        exactly: Callable[[float], str | None],
    ) -> None:
        """`exactly`: the CFI of how far the device is, if it can be told."""
        self._exactly = exactly
        self._store = store
        self._wanted = wanted
        self._result = result
        self._now = now
        self._id = book_id
        self._state = state
        found = stored.title_and_file(store, book_id)
        self._title = found[0] if found is not None else ""

    def run(self, offset_s: int) -> None:
        """`offset_s`: how far the server's clock is ahead of the device's."""
        if self._state.hardcover_id is not None:
            hardcover.learn_id(self._store, self._id, self._state.hardcover_id)
        if self._wanted.get(preferences.RATING) != preferences.OFF:
            self._compare(RATING, self._state.rating)
        else:
            outbox.withdraw(self._store, rules.RATING, self._id, self._now)
        status = self._state.status
        decision: Decision | None = None
        if self._wanted.get(preferences.STATUS_SYNC) == preferences.ON:
            decision = self._compare(STATUS, status)
        else:
            outbox.withdraw(self._store, rules.STATUS, self._id, self._now)
        is_open = decision is not None and decision.outcome == shared_values.ASK
        if decision is not None and not is_open:
            status = decision.value
        # While nobody has said whether the book is read or given up, its progress would decide it.
        told = self._compare_progress(shared_values.READ if is_open else status, offset_s)
        if told is not None and not is_open:
            self._keep_status(status, told)
        says_read = decision is not None and decision.outcome == shared_values.OURS and status == shared_values.READ
        if says_read or (told is not None and told >= shared_values.FINISHED_PERCENT):
            self._tell_date(offset_s)
        elif status != shared_values.READ:
            outbox.withdraw(self._store, rules.FINISH_DATE, self._id, self._now)

    # Rating and status

    def _compare(self, field: str, theirs: str | None) -> Decision | None:
        """None: the device has never been seen to have any."""
        row = stored.load(self._store, self._id, field)
        ours, exact = self._ours(row)
        heard_at = row.server_at
        row.server, row.server_at = theirs, self._now
        if not row.device_at and not row.offered_at:
            stored.save(self._store, self._id, row)
            return None
        times = shared_values.Times(min(row.came_at(), self._now), heard_at, self._now)
        decision = shared_values.decide(field, ours, theirs, row.agreed, row.is_agreed, times, exact)
        if self._is_said_again(row, ours, theirs):
            decision = shared_values.Decision(shared_values.OURS, ours)
        self._perform(row, decision)
        stored.save(self._store, self._id, row)
        return decision

    def _ours(self, row: SharedValue) -> tuple[str | None, bool]:
        """What this side says, in the server's terms, and whether it was said in them."""
        has = row.now_on_device()
        entry = outbox.state_entry(self._store, KINDS[row.field], self._id)
        if entry is not None and entry.is_open():
            fields = json_text.decode(entry.payload)
            value = fields.get(row.field) if isinstance(fields, dict) else None
            return None if value is None else str(value), shared_values.exactly(has) is not None
        ours = shared_values.to_server(row.field, has, self._on_hold())
        return row.agreed if row.is_agreed and shared_values.same(row.field, ours, row.agreed) else ours, False

    def _is_said_again(self, row: SharedValue, ours: str | None, theirs: str | None) -> bool:
        """Whether what waits is what was agreed on.

        That is only sent where the server has lost it through our own doing: a status by progress, a rating by another
        one whose answer was lost before the reader thought better of it.
        """
        entry = outbox.state_entry(self._store, KINDS[row.field], self._id)
        if entry is None or not entry.is_open() or not row.is_agreed or ours != row.agreed or theirs == ours:
            return False
        return row.field == RATING or theirs == shared_values.READING

    def _on_hold(self) -> str:
        return str(self._wanted.get(preferences.ON_HOLD)).upper()

    def _perform(self, row: SharedValue, decision: Decision) -> None:
        kind = KINDS[row.field]
        if decision.contested and row.is_agreed and decision.outcome != shared_values.ASK:
            text = texts.contested(row.field, self._title, decision.value, row.server, decision.outcome)
            self._result.say(protocol.INFO, text)
        if decision.outcome == shared_values.OURS:
            # Agreed when the server has taken it (`changes.py`).
            outbox.revise(self._store, kind, self._id, payload(row.field, decision.value), self._now)
            return
        outbox.withdraw(self._store, kind, self._id, self._now)
        if decision.outcome == shared_values.ASK:
            return
        row.agree(decision.value)
        hardcover.want(self._store, self._id, row.field, decision.value, self._now)
        row.offer(shared_values.to_device(row.field, decision.value), self._now)

    # Progress

    def _compare_progress(self, status: str | None, offset_s: int) -> float | None:
        """The percent that the server will be told, if it will be."""
        if self._wanted.get(preferences.PROGRESS_SYNC) != preferences.ON:
            outbox.withdraw(self._store, rules.PROGRESS, self._id, self._now)
            return None
        row = stored.load(self._store, self._id, PROGRESS)
        heard = self._state.heard
        ours = progress.to_fraction(row.device)
        agreed = progress.to_fraction(row.agreed)
        before = progress.parse(row.server) if row.server_at else None
        told_before = None if before is None else before.get(progress.TOLD)
        offered = progress.parse_place(row.offered)
        if offered is not None:
            # Not answered yet, so it is still news; also where it is what the device itself had before.
            agreed = None if agreed is not None and abs(agreed - offered.fraction) < progress.CLOSE else agreed
            known = {} if before is None else before
            before = {name: value for name, value in known.items() if abs(value - offered.fraction) > progress.SAME}
        # A clock that was not set says nothing about when it was.
        read_at = row.device_at + offset_s if row.device_at >= EARLIEST_PLAUSIBLE_S else 0
        decimals = self._wanted.number(preferences.PROGRESS_DECIMALS)
        decision = progress.decide(ours, read_at, agreed, heard, before, decimals)
        outcome = decision.outcome
        if outcome == progress.OFFER and decision.fraction is not None:
            if progress.how_to_offer(decision.fraction, ours, self._wanted) == preferences.OFF:
                outcome = decision.without_offers
            else:
                self._offer(row, offered, self._place(decision.fraction))
        if outcome != progress.OFFER:
            row.offered, row.offered_at = None, 0
        row.server, row.server_at = self._heard_and_told(told_before), self._now
        told = self._tell(ours, status) if outcome == progress.TELL and ours is not None else None
        if told is None:
            outbox.withdraw(self._store, rules.PROGRESS, self._id, self._now)
        stored.save(self._store, self._id, row)
        return told

    def _offer(self, row: SharedValue, before: progress.Place | None, place: progress.Place) -> None:
        if before is None or abs(before.fraction - place.fraction) > progress.SAME:  # else it may be known more exactly
            row.offered = place.text()
        row.offered_at = self._now

    def _heard_and_told(self, told: float | None) -> str:
        """What may have been told stays known until an answer says that it was."""
        entry = outbox.state_entry(self._store, rules.PROGRESS, self._id)
        known = dict(self._state.heard.fractions)
        if told is not None and entry is not None and entry.is_open():
            known[progress.TOLD] = told
        return progress.Heard(known, None).text()

    def _place(self, fraction: float) -> progress.Place:
        of_web = self._state.heard.fractions.get(book_state.WEB)
        return progress.Place(fraction, self._state.page if fraction == of_web else None)

    def _tell(self, ours: float, status: str | None) -> float | None:
        percent = ours * 100
        if self._state.file_id is None:
            return None  # a book on paper, which has no progress there
        if status == shared_values.READ and percent < shared_values.FINISHED_PERCENT:
            return None  # the server would take what is only looked into for what is read again
        entry = outbox.state_entry(self._store, rules.PROGRESS, self._id)
        page = _page_of(entry.payload) if entry is not None else None
        cfi = self._exactly(ours) if page is None else None
        text = progress_payload(ours, page, self._state.file_id, cfi)
        outbox.revise(self._store, rules.PROGRESS, self._id, text, self._now)
        return percent

    def _keep_status(self, status: str | None, percent: float) -> None:
        """The server draws its own conclusions from progress; what it has, or is to have, is said again behind it."""
        if shared_values.comes_by_progress(status, self._state.status, percent):
            outbox.withdraw(self._store, rules.STATUS, self._id, self._now)
        elif percent < shared_values.FINISHED_PERCENT and shared_values.undone_by_progress(status, percent):
            outbox.revise(self._store, rules.STATUS, self._id, payload(STATUS, status), self._now)

    def _tell_date(self, offset_s: int) -> None:
        """When a book was finished of which the server hears that only now."""
        finish = stored.finish(self._store, self._id)
        has_date = self._state.status == shared_values.READ and self._state.finished_at is not None
        if finish.at >= EARLIEST_PLAUSIBLE_S and not has_date:
            text = json_text.encode({"dateFinished": to_iso(finish.at + offset_s)}).decode("utf-8")
            outbox.revise(self._store, rules.FINISH_DATE, self._id, text, self._now)


def _page_of(text: str) -> int | None:
    fields = json_text.decode(text)
    inner = fields.get("fileProgress") if isinstance(fields, dict) else None
    page = inner.get("positionData") if isinstance(inner, dict) else None
    if not isinstance(page, str) or not page.isascii() or not page.isdigit() or len(page) >= progress.PAGE_MAX_DIGITS:
        return None
    return int(page)
