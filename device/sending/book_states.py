"""Ratings, read status and progress: the server is asked before it is told, and what it has of its own is taken over.

Promises: no rating, status or position goes out in a run that has not heard what the server has of that book; what is
newer there is not replaced. One question to the server serves up to fifty books, and each book is asked for once a run.
Which side wins is decided by `device/core/shared_values.py` and `device/core/progress.py`.
Called by: `device/sending/sender.py`. What the device is to be given is told by `device/book_state_results.py`.
"""

from __future__ import annotations

from device import json_text, protocol
from device.book_state_ingest import payload, progress_payload
from device.core import outbox as rules
from device.core import preferences, progress, shared_values
from device.core.instants import EARLIEST_PLAUSIBLE_S, to_iso
from device.core.shared_values import PROGRESS, RATING, STATUS
from device.server import book_state
from device.server.errors import ServerFailed
from device.store import hardcover, outbox, settings
from device.store import shared_values as stored
from device.ui import book_state_texts as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.preferences import Preferences
    from device.core.shared_values import Decision, SharedValue
    from device.json_text import Json
    from device.protocol import Job, Result
    from device.sending.clock import Clock
    from device.server.book_state import BookState
    from device.server.client import Client
    from device.store.database import Store
    from device.store.outbox import BookToServe

PULL_EVERY_S = 3_600  # unasked; what changed on the web is news that can wait
PULL_ASKED_EVERY_S = 60
SWITCHES = (preferences.RATING, preferences.STATUS_SYNC, preferences.PROGRESS_SYNC)
KINDS = {RATING: rules.RATING, STATUS: rules.STATUS, PROGRESS: rules.PROGRESS}


class BookStates:
    """One run's comparing. `check_time` raises when the run's time is up."""

    def __init__(
        self,
        store: Store,
        client: Client,
        wanted: Preferences,
        job: Job,
        result: Result,
        clock: Clock,
        check_time: Callable[[], None],
    ) -> None:
        self._store = store
        self._client = client
        self._wanted = wanted
        self._job = job
        self._result = result
        self._clock = clock
        self._check_time = check_time
        self._records: dict[int, Json] = {}  # by the server's number of the book
        self._asked: set[int] = set()
        self._settled: set[int] = set()  # books, by our number

    # When

    def pull(self) -> None:
        """Asks for what has changed there, if it is time to. Raises ServerError."""
        books = _to_pull(self._store, self._wanted, self._job, self._clock.wall_s())
        if not books:
            return
        self._hear([server_id for _, server_id, _, _ in books])
        for book_id, server_id, file, format in books:
            self._settle(book_id, server_id, file, format)
        if self._job.reason != protocol.OPEN:
            with self._store.transaction():
                settings.put(self._store, settings.PULLED_AT, str(self._clock.wall_s()))

    def are_to_settle(self, book: BookToServe) -> bool:
        """Whether something of a book waits about which nothing has been decided in this run."""
        return book.id not in self._settled and outbox.has_state(self._store, book.id)

    def settle(self, book: BookToServe) -> None:
        """Decides about it. Raises ServerError, with nothing decided."""
        if book.server_id not in self._asked:
            waiting = outbox.books_with_state(self._store, book_state.ANSWER_MOST)
            others = [server_id for server_id in waiting if server_id != book.server_id]
            self._hear([book.server_id, *others[: book_state.ANSWER_MOST - 1]])
        self._settle(book.id, book.server_id, book.file, book.format)

    def _hear(self, server_ids: list[int]) -> None:
        unheard = [id for id in server_ids if id not in self._asked]
        if unheard:
            self._check_time()
            self._records.update(book_state.ask(self._client, unheard))
            self._asked.update(unheard)

    def _settle(self, book_id: int, server_id: int, file: str, format: str) -> None:
        if book_id in self._settled:
            return
        self._settled.add(book_id)
        state = book_state.read(self._records.get(server_id), file, format)
        if state is not None:
            with self._store.transaction():
                compared = _Comparison(self._store, self._wanted, self._result, self._clock.wall_s(), book_id, state)
                compared.run(self._offset_s())
            if self._job.reason == protocol.OPEN:
                self._look_exactly(book_id, state)

    def _look_exactly(self, book_id: int, state: BookState) -> None:
        """Where another KOReader is, to the word, if that is what is offered."""
        row = stored.load(self._store, book_id, PROGRESS)
        place = progress.parse_place(row.offered)
        there = state.heard.fractions.get(book_state.KOREADER)
        if place is None or place.xpointer or there is None or abs(there - place.fraction) > progress.SAME:
            return
        from device.server import koreader_progress, provisioning

        try:
            self._check_time()
            account = provisioning.koreader_account(self._client)
            if account is None:
                return
            user, key = account
            for fingerprint in stored.fingerprints(self._store, book_id):
                self._check_time()
                found = koreader_progress.koreader_position(self._client.connection, user, key, fingerprint)
                if found is not None and abs(found.fraction - there) < progress.CLOSE:
                    self._offer_exactly(book_id, row, progress.Place(place.fraction, None, found.progress))
                    return
        except (provisioning.NotAllowed, ServerFailed):
            return

    def _offer_exactly(self, book_id: int, row: SharedValue, place: progress.Place) -> None:
        row.offered = place.text()
        with self._store.transaction():
            stored.save(self._store, book_id, row)

    def _offset_s(self) -> int:
        server_s = self._client.server_now()
        return 0 if server_s is None else server_s - self._clock.wall_s()


def pulls(store: Store, wanted: Preferences, job: Job, now: int) -> bool:
    """Whether the server is to be asked for changes, although nothing waits to be sent."""
    return bool(_to_pull(store, wanted, job, now))


def _to_pull(store: Store, wanted: Preferences, job: Job, now: int) -> list[stored.Place]:
    """The book that has just been opened; else, when it is time to, those that were last read."""
    if all(wanted.get(key) == preferences.OFF for key in SWITCHES):
        return []
    if job.reason == protocol.OPEN:
        return stored.matched_with_file(store, job.book)
    age_s = now - settings.get_int(store, settings.PULLED_AT)
    if 0 <= age_s < (PULL_ASKED_EVERY_S if job.asked_for() else PULL_EVERY_S):
        return []
    return stored.recently_read(store, book_state.ANSWER_MOST)


class _Comparison:
    """One book."""

    def __init__(
        self, store: Store, wanted: Preferences, result: Result, now: int, book_id: int, state: BookState
    ) -> None:
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
        if self._wanted.get(preferences.RATING) != preferences.OFF:
            self._compare(RATING, self._state.rating)
        else:
            outbox.withdraw(self._store, rules.RATING, self._id, self._now)
        status = self._state.status
        decision: Decision | None = None
        if self._wanted.get(preferences.STATUS_SYNC) == preferences.ON:
            decision = self._compare(STATUS, status)
            if decision is not None and decision.outcome != shared_values.ASK:
                status = decision.value
        else:
            outbox.withdraw(self._store, rules.STATUS, self._id, self._now)
        is_open = decision is not None and decision.outcome == shared_values.ASK
        told = self._compare_progress(shared_values.READ if is_open else status, offset_s)
        if told is not None and not is_open:
            self._keep_status(status, told)
        says_read = decision is not None and (decision.outcome, decision.value) == (
            shared_values.OURS,
            shared_values.READ,
        )
        if says_read or (told is not None and told >= shared_values.FINISHED_PERCENT):
            self._tell_date(offset_s)

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
        times = shared_values.Times(row.device_at, heard_at, self._now)
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
            value = fields.get("rating" if row.field == RATING else "status") if isinstance(fields, dict) else None
            return None if value is None else str(value), has is not None and has.endswith(shared_values.EXACTLY)
        ours = shared_values.to_server(row.field, has, self._on_hold())
        return row.agreed if row.is_agreed and shared_values.same(row.field, ours, row.agreed) else ours, False

    def _is_said_again(self, row: SharedValue, ours: str | None, theirs: str | None) -> bool:
        """Whether the status that waits is the one the server had, and has lost through our own progress."""
        entry = outbox.state_entry(self._store, KINDS[row.field], self._id)
        return (
            row.field == STATUS
            and entry is not None
            and entry.is_open()
            and row.is_agreed
            and ours == row.agreed
            and theirs == shared_values.READING
        )

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
        before = progress.parse(row.server) if row.server_at else None
        offered = progress.parse_place(row.offered)
        if before is not None and offered is not None:
            # Not answered yet, so it is still news.
            before = {name: value for name, value in before.items() if abs(value - offered.fraction) > progress.SAME}
        # A clock that was not set says nothing about when it was.
        read_at = row.device_at + offset_s if row.device_at >= EARLIEST_PLAUSIBLE_S else 0
        decimals = self._wanted.number(preferences.PROGRESS_DECIMALS)
        decision = progress.decide(ours, read_at, progress.to_fraction(row.agreed), heard, before, decimals)
        outcome = decision.outcome
        if outcome == progress.OFFER and decision.fraction is not None:
            if progress.how_to_offer(decision.fraction, ours, self._wanted) == preferences.OFF:
                outcome = decision.without_offers
            else:
                row.offered, row.offered_at = self._place(decision.fraction).text(), self._now
        if outcome != progress.OFFER:
            row.offered, row.offered_at = None, 0
        row.server, row.server_at = heard.text(), self._now
        told = self._tell(ours, status) if outcome == progress.TELL and ours is not None else None
        if told is None:
            outbox.withdraw(self._store, rules.PROGRESS, self._id, self._now)
        stored.save(self._store, self._id, row)
        return told

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
        outbox.revise(
            self._store, rules.PROGRESS, self._id, progress_payload(ours, page, self._state.file_id), self._now
        )
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
    return int(page) if isinstance(page, str) and page.isdigit() and len(page) < 8 else None
