"""Sending what waits: the loop that performs what `device/core/outbox.py` decides, book by book.

The order of a run: each known book is served (what is unclear is read back, then what is new is sent, in order, up to
the first answer that is not clear); books without an id are looked for in the server's library; what has changed of
highlights is decided about (`annotations.py`); the books are served again, for what was found and decided; what failed
is read back, and what is still too fresh to be asked for is waited for, if the run has the time; last come the sessions
that gave way. So neither a library that cannot be read nor a book that makes trouble keeps the rest from going out.

Promises: an intent is on disk before its first byte leaves; a lost answer ends the sending of that run, so that a dead
server costs one time-out, not one per entry; an entry that failed is not sent again in the same run; the next run
begins behind the book at which this one was broken off (and with the library, if this one did not come to it), so that
nothing can starve the rest.
Called by: `device/sending/sync.py`. Never: decides.
"""

from __future__ import annotations

from device import protocol
from device.core import outbox as rules
from device.core import preferences
from device.importing.progress import Progress
from device.sending import batches
from device.sending.annotations import Annotations
from device.sending.book_states import BookStates
from device.sending.changes import Change, commit
from device.sending.dialect import Dialect
from device.sending.finding_books import find_books
from device.sending.judging import judge
from device.sending.reading_back import read_back
from device.sending.rights import Rights
from device.server import answers, deliveries
from device.server.errors import BookGone, OutOfTime, ServerError, ServerFailed
from device.store import books, outbox, settings
from device.ui import matching_texts, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from device.core.outbox import Uptime
    from device.core.preferences import Preferences
    from device.protocol import Job, Result
    from device.sending.clock import Clock
    from device.server.client import Client
    from device.server.deliveries import Request
    from device.server.http import Answer
    from device.store.database import Store
    from device.store.outbox import BookToServe, Entry

LAST_START_S = 3  # a request begun later might be cut off by the run's own end, and its answer be lost
FAILURES_MOST = 3  # so many failures in a row are the server's trouble, not the entries'
AT_ONCE = 500  # entries of one book in memory

_SENT = (rules.ACCEPTED, rules.FOUND)

GO_ON, LOOK_AGAIN, STOP = "go on", "look again", "stop"  # in a book, after an attempt to send something of it


class Sender:
    """One run's sending. `deadline` is on the monotonic clock."""

    def __init__(
        self, store: Store, client: Client, wanted: Preferences, job: Job, result: Result, deadline: float, clock: Clock
    ) -> None:
        self._store = store
        self._client = client
        self._result = result
        self._deadline = deadline
        self._decimals = wanted.number(preferences.PROGRESS_DECIMALS)
        self._clock = clock
        self._asked_for = job.asked_for()
        self._progress = Progress(job.id is None, matching_texts.reading_library, _log_nowhere)
        self._states = BookStates(store, client, wanted, job, result, clock, self._check_time)
        self._dialect = Dialect(store, client, clock, self._check_time)
        self._rights = Rights(store, client, clock, self._check_time)
        self._marks = Annotations(store, client, wanted, job, result, clock, self._dialect, self._check_time)
        self._title = ""  # of the book that is being served
        self._ended: list[Change] = []  # of that book, not yet on disk: with what begins next they are one commit
        self._tried: set[int] = set()  # entries that failed in this run
        self._unreadable: set[int] = set()  # books whose lists could not be had in this run
        self._one_by_one: set[int] = set()  # books of which a batch has failed in this run
        self._has_looked = False  # for books in the library
        self._library_problem: ServerFailed | None = None
        self._failures = 0  # in a row
        self._failure = ""  # the last one, for the reader

    def run(self) -> None:
        """Raises ServerError when the run cannot go on; everything done so far is on disk."""
        if settings.get_int(self._store, settings.LIBRARY_FIRST):
            self._find_books()
        self._serve_books(self._send_some)
        self._find_books()
        self._marks.decide()
        self._serve_books(self._send_some)
        if self._wait_for_answers() or self._failure:
            self._serve_books(self._send_some)
        self._serve_books(self._send_what_gave_way)
        if self._failure:
            self._ask_what_became_of_it()
        self._states.pull()
        self._marks.pull()
        self._serve_books(self._send_some)  # what has just been decided
        for problem in (self._states.problem, self._marks.problem):
            if problem is not None:
                raise problem
        if self._library_problem is not None:
            raise self._library_problem
        if self._failure and not self._result.counts["sent"]:
            raise self._client.failing(f"fails ({self._failure})")

    # Books

    def _find_books(self) -> None:
        if self._has_looked:
            return
        self._has_looked = True
        if settings.get_int(self._store, settings.LIBRARY_FIRST):
            with self._store.transaction():
                settings.remove(self._store, settings.LIBRARY_FIRST)
        try:
            find_books(
                self._store,
                self._client,
                self._dialect,
                self._asked_for,
                self._clock.wall_s(),
                self._check_time,
                self._progress.report,
            )
        except ServerFailed as problem:
            self._library_problem = problem
            return
        finally:
            self._progress.end()
        if books.unmatched(self._store) or self._rights.is_of_use():
            self._rights.look(self._result, self._asked_for)  # it may be the account that cannot see them

    def _serve_books(self, send: Callable[[BookToServe], bool]) -> None:
        for book in self._books():
            try:
                if self._read_back(book):
                    while send(book):
                        continue
            except ServerError:
                self._stumble_at(book)
                raise

    def _ask_what_became_of_it(self) -> None:
        """The last thing in a run: what failed in it is not sent again, but the server may know of it."""
        for book in self._books():
            try:
                self._read_back(book)
            except ServerError:
                self._stumble_at(book)
                raise

    def _books(self) -> Iterator[BookToServe]:
        for book in outbox.books_to_serve(self._store, settings.get_int(self._store, settings.STUMBLED_AT)):
            self._title = book.title
            yield book

    def _stumble_at(self, book: BookToServe) -> None:
        """The run ends here; the next one begins behind this book."""
        self._flush()
        with self._store.transaction():
            settings.put(self._store, settings.STUMBLED_AT, str(book.id))
            if not self._has_looked:
                settings.put(self._store, settings.LIBRARY_FIRST, "1")

    def _read_back(self, book: BookToServe) -> bool:
        """Asks for what has settled, some at a time. False: nothing more can be done for this book now."""
        after_id = 0
        while book.id not in self._unreadable:
            intents = outbox.intents(self._store, book.id, after_id, AT_ONCE)
            if not intents:
                break
            after_id = intents[-1].id
            now = self._clock.uptime()
            if not self._look_up(book, [entry for entry in intents if _settles_in_s(entry, now) == 0]):
                return False
        return True

    def _look_up(self, book: BookToServe, settled: list[Entry]) -> bool:
        """False: the server does not have the book any more."""
        try:
            for changes in read_back(self._client, book, settled, self._check_time):
                self._commit(changes)
                if any(change.event == rules.BOOK_GONE for change in changes):
                    return False
                if any(change.event == rules.UNPROVABLE for change in changes):
                    self._unreadable.add(book.id)
                    self._note_failure(changes[-1].reason or "")
        except ServerFailed as problem:
            self._unreadable.add(book.id)
            self._note_failure(str(problem))
        return True

    def _send_some(self, book: BookToServe) -> bool:
        """Sends up to `AT_ONCE` entries, in order; whether there may be more to send."""
        if self._marks.is_to_be_heard(book):
            self._marks.hear(book)
        entries = outbox.in_order(self._store, book.id, rules.TRIES_MOST, AT_ONCE)
        at = 0
        while at < len(entries):
            entry = entries[at]
            if entry.state == rules.REJECTED or not self._marks.may_go(entry):
                at += 1
                continue
            if entry.state != rules.NEW or entry.id in self._tried:
                break  # what comes behind it waits for it
            if entry.kind in rules.OF_STATE and self._states.are_to_settle(book):
                self._flush()
                if self._settle(book, entry):
                    return True  # what waits may be something else now
                break
            together = self._together(book, entries, at)
            next_step = self._send(book, together)
            if next_step == STOP:
                break
            if next_step == GO_ON:
                at += len(together)
        self._flush()
        return at == AT_ONCE

    def _settle(self, book: BookToServe, entry: Entry) -> bool:
        """Whether what waits of a book's state may go out now."""
        try:
            return self._states.settle(book)
        except BookGone as problem:
            self._commit([Change(entry, rules.NO_BOOK, str(problem))])
            return False

    def _send_what_gave_way(self, book: BookToServe) -> bool:
        """Each once in a run; none is waited for."""
        for entry in outbox.sessions_that_gave_way(self._store, book.id, rules.TRIES_MOST, AT_ONCE):
            if entry.id not in self._tried and entry.state == rules.NEW:
                self._send(book, [entry])
        self._flush()
        return False

    def _together(self, book: BookToServe, entries: list[Entry], at: int) -> list[Entry]:
        """The entries from `at` on that go in one request. What has failed before goes alone, to spare the others."""
        end = at
        if book.id not in self._one_by_one:
            while end < len(entries) and end - at < deliveries.BATCH_MOST and _fits_a_batch(entries[end]):
                end += 1
        if end - at > 1 and self._dialect.takes_batches():
            return entries[at:end]
        return entries[at : at + 1]

    # Requests

    def _send(self, book: BookToServe, entries: list[Entry]) -> str:
        is_batch = len(entries) > 1
        try:
            if is_batch:
                request = deliveries.batch_request(book, entries, self._decimals)
            else:
                request = deliveries.request(book, entries[0], self._decimals)
        except deliveries.NotKnown:
            self._commit([Change(entries[0], rules.DOUBTED)])
            return LOOK_AGAIN
        except ValueError as problem:
            if is_batch:
                self._one_by_one.add(book.id)
            else:
                self._commit([Change(entries[0], rules.UNSENDABLE, f"it cannot be sent: {problem}")])
            return LOOK_AGAIN
        answer = self._deliver(request, entries)
        if answer.status == 403:
            self._rights.doubt()
        if answers.is_a_stranger(answer):
            self._commit([Change(entry, rules.UNCLEAR, f"HTTP {answer.status}") for entry in entries])
            raise self._client.stranger(answer)
        if is_batch:
            self._ended = batches.judge(entries, answer)
            return self._after_batch(book, answer)
        self._ended = [judge(self._client, book, entries[0], request, answer)]
        if self._ended[0].event in rules.COUNTED:
            self._tried.add(entries[0].id)
        return self._after(self._ended)

    def _deliver(self, request: Request, entries: list[Entry]) -> Answer:
        """Between two requests there is one commit: the end of the one and the beginning of the next."""
        for _ in range(2):
            self._check_time()
            if deliveries.is_believed_empty(request):
                self._client.make_sure()
            self._client.log_in()
            self._commit([*self._ended, *[Change(entry, rules.BEGIN) for entry in entries]])
            self._ended = []
            try:
                answer = self._client.deliver(request)
            except ServerError as problem:
                event = rules.NOT_SENT if problem.nothing_was_done else rules.UNCLEAR
                self._commit([Change(entry, event, str(problem)) for entry in entries])
                raise
            if answer.status != 401:
                return answer
            # It comes from a filter, before the server has done anything. The next try gets a beginning of its own.
            self._ended = [Change(entry, rules.NOT_SENT) for entry in entries]
            self._client.renew()
        raise self._client.still_refused()

    def _after_batch(self, book: BookToServe, answer: Answer) -> str:
        if all(change.event == rules.ACCEPTED for change in self._ended):
            return self._after(self._ended)
        self._one_by_one.add(book.id)
        if answer.status not in (200, 400):
            self._dialect.disappointed()
        if all(change.event == rules.NOT_SENT for change in self._ended):
            self._flush()
            return LOOK_AGAIN
        return self._after(self._ended)

    def _after(self, changes: list[Change]) -> str:
        """Raises ServerFailed when the server fails again and again."""
        failed = [change for change in changes if change.event in rules.COUNTED]
        if failed:
            self._note_failure(failed[0].reason or "")
            return STOP
        self._failures = 0
        return STOP if any(change.event == rules.NO_BOOK for change in changes) else GO_ON

    def _note_failure(self, words: str) -> None:
        self._failures += 1
        self._failure = words
        if self._failures == FAILURES_MOST:
            raise self._client.failing(f"fails again and again ({words})")

    def _check_time(self) -> None:
        if self._clock.monotonic_s() > self._deadline - LAST_START_S:
            raise OutOfTime("the run's time was up; the rest goes with the next sync")

    def _wait_for_answers(self) -> bool:
        """Gives fresh intents the time to settle, as far as the run has it; whether any has."""
        now = self._clock.uptime()
        time_s = self._deadline - LAST_START_S - self._clock.monotonic_s()
        waits_s = [
            rules.settles_in_s(rules.Uptime(boot, uptime_s), now)
            for boot, uptime_s in outbox.begun(self._store, rules.TRIES_MOST)
        ]
        waits_s = [wait_s for wait_s in waits_s if 0 < wait_s < time_s]
        if not waits_s:
            return False
        self._client.rest()
        self._clock.sleep(max(waits_s))
        return True

    # The store

    def _flush(self) -> None:
        ended, self._ended = self._ended, []
        self._commit(ended)

    def _commit(self, changes: list[Change]) -> None:
        # What was there already, put there by another program, was not sent by us.
        sent = [change for change in changes if not change.entry.unproven and change.event in _SENT]
        commit(self._store, changes, self._clock.wall_s(), self._clock.uptime())
        for change in sent:
            self._result.count_sent(change.entry.kind)
        for change in changes:
            if change.entry.state == rules.REJECTED:
                message = protocol.WARNING, texts.rejected(change.entry.kind, self._title, change.reason or "")
                if message not in self._result.messages:
                    self._result.say(*message)


def _log_nowhere(_text: str) -> None:
    """A run that nobody watches says what it did when it is done."""


def _settles_in_s(entry: Entry, now: Uptime) -> int:
    if entry.begun_boot is None or entry.begun_uptime_s is None:
        return 0
    return rules.settles_in_s(rules.Uptime(entry.begun_boot, entry.begun_uptime_s), now)


def _fits_a_batch(entry: Entry) -> bool:
    return entry.session is not None and entry.state == rules.NEW and entry.attempts == 0
