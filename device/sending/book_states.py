"""Ratings, read status and progress: the server is asked before it is told, and what it has of its own is taken over.

Promises: no rating, status or position goes out in a run that has not heard what the server has of that book; where the
server does not say it, they wait and nothing else does. One question to the server serves up to fifty books, and each
book is asked for once a run. What follows from the answer is `comparing.py`'s.
Called by: `device/sending/sender.py`. What the device is to be given is told by `device/verbs/book_state_results.py`.
"""

from __future__ import annotations

from device import protocol
from device.core import preferences, progress
from device.core.shared_values import PROGRESS
from device.sending.comparing import Comparison
from device.server import book_state
from device.server.errors import NotBookLore, ServerFailed
from device.store import outbox, settings
from device.store import shared_values as stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.preferences import Preferences
    from device.core.shared_values import SharedValue
    from device.json_text import Json
    from device.protocol import Job, Result
    from device.sending.clock import Clock
    from device.server.book_state import BookState
    from device.server.client import Client
    from device.store.database import Store
    from device.store.outbox import BookToServe

PULL_EVERY_S = 3_600  # unasked; what changed on the web is news that can wait
PULL_ASKED_EVERY_S = 60
SAME_FILE_KIB = 1.0  # sizes are told in whole KiB
SWITCHES = (preferences.RATING, preferences.STATUS_SYNC, preferences.PROGRESS_SYNC)


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
        self._settled: set[int] = set()  # books, by our number
        self.problem: ServerFailed | None = None  # why nothing more can be heard in this run

    # When

    def pull(self) -> None:
        """Asks for what has changed there, if it is time to. Raises ServerError."""
        books = _to_pull(self._store, self._wanted, self._job, self._clock.wall_s())
        if not books or self.problem is not None:
            return
        self._hear([place.server_id for place in books])
        for place in books:
            if place.server_id in self._records:
                self._settle(place)
        if self._job.reason != protocol.OPEN:
            with self._store.transaction():
                settings.put(self._store, settings.PULLED_AT, str(self._clock.wall_s()))

    def are_to_settle(self, book: BookToServe) -> bool:
        """Whether something of a book waits about which nothing has been decided in this run."""
        return book.id not in self._settled and outbox.has_state(self._store, book.id)

    def settle(self, book: BookToServe) -> bool:
        """Decides about it. False: the server does not say what it has of the book, so nothing of that kind goes out.

        Raises BookGone, and what ends a run.
        """
        if self.problem is None and book.server_id not in self._records:
            try:
                self._hear_of(book.server_id)
            except ServerFailed as problem:
                self.problem = problem
        if book.server_id not in self._records:
            return False
        self._settle(stored.Place(book.id, book.server_id, book.file, book.format))
        return True

    def _hear_of(self, server_id: int) -> None:
        """Of this book for certain, and of others that wait in the same request. Raises BookGone, ServerError."""
        waiting = outbox.books_with_state(self._store, book_state.ANSWER_MOST)
        others = [id for id in waiting if id != server_id][: book_state.ANSWER_MOST - 1]
        try:
            self._hear([server_id, *others])
        except ServerFailed:
            if not others:
                raise
        if server_id not in self._records:
            self._check_time()
            self._records[server_id] = book_state.ask_one(self._client, server_id)

    def _hear(self, server_ids: list[int]) -> None:
        unheard = [id for id in server_ids if id not in self._records]
        if not unheard:
            return
        self._check_time()
        if len(unheard) == 1:
            self._records[unheard[0]] = book_state.ask_one(self._client, unheard[0])
        else:
            self._records.update(book_state.ask(self._client, unheard))

    def _settle(self, place: stored.Place) -> None:
        if place.book_id in self._settled:
            return
        self._settled.add(place.book_id)
        state = book_state.read(self._records[place.server_id], place.file, place.format)
        with self._store.transaction():
            compared = Comparison(
                self._store, self._wanted, self._result, self._clock.wall_s(), place.book_id, state,
                lambda fraction: self._cfi_of(place, state, fraction),
            )  # fmt: skip
            compared.run(self._offset_s())
        if self._job.reason == protocol.OPEN:
            self._look_at_web(place, state)
            self._look_exactly(place.book_id, state)

    def _cfi_of(self, place: stored.Place, state: BookState, fraction: float) -> str | None:
        """Only of the very file that the server has: its size is told, and nothing else that it could be known by."""
        size_bytes = stored.size_bytes(self._store, place.book_id)
        if state.size_kib is None or size_bytes is None or abs(size_bytes / 1024 - state.size_kib) > SAME_FILE_KIB:
            return None
        from device.sending.exact_progress import cfi_of

        return cfi_of(self._store, place, fraction)

    def _look_at_web(self, place: stored.Place, state: BookState) -> None:
        """Where the web reader is, to the word, if that is what is offered."""
        row = stored.load(self._store, place.book_id, PROGRESS)
        offered = progress.parse_place(row.offered)
        there = state.heard.fractions.get(book_state.WEB)
        if offered is None or offered.xpointer or offered.page is not None or there is None or state.cfi is None:
            return
        if abs(there - offered.fraction) > progress.SAME:
            return
        from device.sending.exact_progress import xpointer_of

        xpointer = xpointer_of(self._store, place, state.cfi)
        if xpointer is not None:
            self._offer_exactly(place.book_id, row, progress.Place(offered.fraction, None, xpointer))

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
        except (provisioning.NotAllowed, ServerFailed, NotBookLore):
            return  # how far it is, is known

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
    """The book that has just been opened; else, when it is time to, those last read, and of the others in turn."""
    if all(wanted.get(key) == preferences.OFF for key in SWITCHES):
        return []
    if job.reason == protocol.OPEN:
        return stored.matched_with_file(store, job.book)
    age_s = now - settings.get_int(store, settings.PULLED_AT)
    if 0 <= age_s < (PULL_ASKED_EVERY_S if job.asked_for() else PULL_EVERY_S):
        return []
    last_read = stored.recently_read(store, book_state.ANSWER_MOST // 2)
    known = {place.book_id for place in last_read}
    others = [place for place in stored.longest_unheard(store, book_state.ANSWER_MOST) if place.book_id not in known]
    return [*last_read, *others][: book_state.ANSWER_MOST]
