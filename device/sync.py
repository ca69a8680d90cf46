"""Sending what waits: the loop that performs what `device/core/outbox.py` decides.

The order of a run: intents that have settled are read back; every session of a known book is sent; books without an id
are looked for in the server's library, and what waited for them is sent; intents that were too fresh are read back
last, when they have settled. So a library that cannot be read keeps nothing else from going out.

Promises: an intent is on disk before its first byte leaves; a lost answer ends the sending of that run, so that a dead
server costs one time-out, not one per entry; a refused entry does not stop the others.
Called by: `device/worker.py`.
"""

from __future__ import annotations

import posix
import time

from device import json_text, process, protocol
from device.core import matching
from device.core import outbox as rules
from device.server.errors import (
    BookGone,
    LoginRefused,
    NotBookLore,
    NotReached,
    OutOfTime,
    ReplyLost,
    ServerError,
    TryLater,
    Untrusted,
)
from device.store import books, outbox, settings
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.protocol import Job, Result
    from device.secrets import Keeper, Secrets
    from device.server.client import Client
    from device.server.http import Answer
    from device.store.database import Store
    from device.store.outbox import Entry

LIBRARY_AGE_S = 3_600  # an unmatched book is looked for at most once an hour, unless the reader asks or it is new
REASON_MAX_CHARS = 300
LAST_START_S = 3  # a request begun later might be cut off by the run's own end, and its answer be lost
FAILURES_MOST = 3  # so many 5xx in a row are the server's trouble, not the entries'
GONE = "the server does not have this book any more"

# What a failure means for the run, and how loud it is: a reader who did not ask is not told that she is offline.
_OUTCOMES: tuple[tuple[type[ServerError], str, str], ...] = (
    (Untrusted, protocol.FAILED, protocol.ERROR),
    (LoginRefused, protocol.FAILED, protocol.ERROR),
    (NotReached, protocol.OFFLINE, protocol.INFO),
    (ReplyLost, protocol.OFFLINE, protocol.INFO),
    (NotBookLore, protocol.OFFLINE, protocol.WARNING),
    (TryLater, protocol.OFFLINE, protocol.WARNING),
    (OutOfTime, protocol.OFFLINE, protocol.INFO),
)


class Change:
    """Something that happened to an entry, to be written down with the next commit."""

    __slots__ = ("entry", "event", "reason")

    def __init__(self, entry: Entry, event: str, reason: str | None = None) -> None:
        self.entry = entry
        self.event = event
        self.reason = reason


class Sender:
    """One run's sending. `deadline` is on the monotonic clock."""

    def __init__(self, store: Store, client: Client, result: Result, deadline: float) -> None:
        self._store = store
        self._client = client
        self._result = result
        self._deadline = deadline

    def run(self, asked_for: bool) -> None:
        """Raises ServerError when the run cannot go on; everything done so far is on disk."""
        self._read_back()
        self._send_new()
        self._match_books(asked_for)
        self._send_new()
        self._wait_and_read_back()

    def _match_books(self, asked_for: bool) -> None:
        unmatched = books.unmatched(self._store)
        now = int(time.time())
        age_s = now - settings.get_int(self._store, settings.LIBRARY_READ_AT)
        new_ones = any(not book.looked_for for book in unmatched)
        if not unmatched or not (asked_for or new_ones or not 0 <= age_s < LIBRARY_AGE_S):
            return
        wanted = [
            (book, matching.Wanted(book.title, book.authors, book.identifiers, book.file, book.size_bytes))
            for book in unmatched
        ]
        for candidate in self._client.books():
            for _, seeker in wanted:
                seeker.compare(candidate)
        with self._store.transaction():
            settings.put(self._store, settings.LIBRARY_READ_AT, str(now))
            for book, seeker in wanted:
                self._settle_match(book.id, seeker.answer(), now)

    def _settle_match(self, book_id: int, answer: tuple[int, str] | str, now: int) -> None:
        if isinstance(answer, str):
            books.unmatch(self._store, book_id, answer)
            for state in (rules.NEW, rules.WAITING):
                after = rules.after(state, rules.NO_BOOK)
                outbox.change_book(self._store, book_id, state, False, after, now, answer)
            return
        books.match(self._store, book_id, answer[0], answer[1])
        after = rules.after(rules.WAITING, rules.MATCHED)
        outbox.change_book(self._store, book_id, rules.WAITING, False, after, now, None)

    def _send_new(self) -> None:
        """One commit between two requests: the end of the one and the beginning of the next."""
        ended: list[Change] = []
        gone: set[int] = set()
        failures = 0
        for entry in outbox.entries_in_state(self._store, rules.NEW):
            if entry.server_id is None or entry.book_id in gone:
                continue  # its book has to be looked for first
            try:
                self._check_time()
                self._client.log_in()
            except ServerError:
                self._commit(ended)
                raise
            self._commit([*ended, Change(entry, rules.BEGIN)])
            try:
                answer = self._client.post_session(entry)
            except ServerError as problem:
                self._commit([Change(entry, rules.NOT_SENT if problem.nothing_was_done else rules.UNCLEAR)])
                raise
            if not _is_from_booklore(answer):
                self._commit([Change(entry, rules.UNCLEAR)])
                raise NotBookLore(f"something other than BookLore answered (HTTP {answer.status}); a login page?")
            change = self._judge(entry, answer)
            ended = [change]
            if change.event == rules.NO_BOOK:
                gone.add(entry.book_id)
            failures = failures + 1 if change.event == rules.UNCLEAR else 0
            if failures == FAILURES_MOST:
                self._commit(ended)
                raise NotReached(f"the server fails again and again (HTTP {answer.status})")
        self._commit(ended)

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline - LAST_START_S:
            raise OutOfTime("the run's time was up; the rest goes with the next sync")

    def _judge(self, entry: Entry, answer: Answer) -> Change:
        event = rules.event_for_answer(answer.status, answer.is_json())
        if event == rules.ACCEPTED:
            self._result.counts["sent"] += 1
            return Change(entry, event)
        reason = f"HTTP {answer.status}: {_message(answer)}"[:REASON_MAX_CHARS]
        if event == rules.REFUSED:
            message = (protocol.WARNING, texts.rejected(entry.title, reason))
            if message not in self._result.messages:
                self._result.say(*message)
        return Change(entry, event, GONE if event == rules.NO_BOOK else reason)

    def _wait_and_read_back(self) -> None:
        """Gives fresh intents the time to settle, if the run has it, so that one run suffices."""
        now = process.uptime()
        waits = [
            rules.settles_in_s(rules.Uptime(entry.begun_boot, entry.begun_uptime_s), now)
            for entry in outbox.entries_in_state(self._store, rules.INTENT)
            if entry.server_id is not None
        ]
        if not waits or time.monotonic() + max(waits) > self._deadline:
            return
        time.sleep(max(waits))
        self._read_back()
        self._send_new()

    def _read_back(self) -> None:
        """Asks the server which of the settled intents it has."""
        now = process.uptime()
        by_book: dict[int, list[Entry]] = {}
        for entry in outbox.entries_in_state(self._store, rules.INTENT):
            begun = rules.Uptime(entry.begun_boot, entry.begun_uptime_s)
            if entry.server_id is not None and rules.settles_in_s(begun, now) == 0:
                by_book.setdefault(entry.server_id, []).append(entry)
        for server_id, entries in by_book.items():
            self._check_time()
            try:
                missing = self._missing(server_id, entries)
            except BookGone:
                self._commit([Change(entry, rules.NO_BOOK, GONE) for entry in entries])
                continue
            self._commit([Change(entry, rules.MISSING if _key(entry) in missing else rules.FOUND) for entry in entries])
            self._result.counts["sent"] += sum(1 for entry in entries if _key(entry) not in missing)

    def _missing(self, server_id: int, entries: list[Entry]) -> set[tuple[int, int, int]]:
        """The keys of those entries that the server does not have."""
        missing = {_key(entry) for entry in entries}
        for key in self._client.session_keys(server_id):
            missing.discard(key)
            if not missing:
                break
        return missing

    def _commit(self, changes: list[Change]) -> None:
        if not changes:
            return
        now = int(time.time())
        begun = process.uptime()
        with self._store.transaction():
            for change in changes:
                entry = change.entry
                entry.state = rules.after(entry.state, change.event)
                outbox.change(self._store, entry.id, entry.state, now, change.reason)
                if change.event == rules.BEGIN:
                    outbox.begin(self._store, entry.id, begun.boot_id, begun.seconds)
                elif change.event == rules.UNCLEAR:
                    outbox.count_attempt(self._store, entry.id)
                elif change.event == rules.NO_BOOK:
                    books.unmatch(self._store, entry.book_id, change.reason or GONE)


def sync(store: Store, keeper: Keeper, secrets: Secrets, job: Job, result: Result, deadline: float) -> None:
    """Sends what waits, if there is anything and no pause lasts; the outcome goes into `result`."""
    now = int(time.time())
    if settings.get(store, settings.MATCHES_OF) != secrets.owner():
        with store.transaction():
            books.forget_matches(store)
            outbox.change_all(store, rules.REJECTED, rules.after(rules.REJECTED, rules.ANOTHER_ACCOUNT), now)
            settings.put(store, settings.MATCHES_OF, secrets.owner())
            settings.remove(store, settings.LIBRARY_READ_AT)
    counts = outbox.counts(store)
    if not any(counts.get(state) for state in (rules.NEW, rules.INTENT, rules.WAITING)):
        return
    if settings.get(store, settings.LOGIN_REFUSED) and not job.asked_for():
        result.outcome = protocol.FAILED
        return
    retry_at = settings.get_int(store, settings.RETRY_AT)
    if now < retry_at <= now + rules.RETRY_MOST_S * 2 and not job.asked_for() and job.reason != protocol.NETWORK:
        result.outcome = protocol.OFFLINE
        return
    from device.server import address
    from device.server.account import Account
    from device.server.client import Client
    from device.server.http import Connection
    from device.server.tls import Trust

    trust = Trust(secrets.extra_ca_pem, now, secrets.anchor_pem)
    connection = Connection(address.parse(secrets.server), trust, deadline)
    try:
        client = Client(connection, Account(connection, keeper, secrets, now))
        Sender(store, client, result, deadline).run(job.asked_for())
        _remember_success(store)
    except ServerError as problem:
        _fail(store, job, result, problem)
    finally:
        connection.close()
        if trust.anchor_pem != secrets.anchor_pem:
            secrets.anchor_pem = trust.anchor_pem
            keeper.save(secrets)


def _remember_success(store: Store) -> None:
    with store.transaction():
        settings.put(store, settings.LAST_SYNC_AT, str(int(time.time())))
        settings.forget_problems(store)


def _fail(store: Store, job: Job, result: Result, problem: ServerError) -> None:
    for kind, outcome, level in _OUTCOMES:
        if isinstance(problem, kind):
            result.outcome = outcome
            if level != protocol.INFO or job.asked_for():
                result.say(level, f"{problem}.".replace("..", "."))
            break
    with store.transaction():
        settings.put(store, settings.LAST_PROBLEM, str(problem))
        if isinstance(problem, LoginRefused):
            settings.put(store, settings.LOGIN_REFUSED, "1")
        if result.counts["sent"] == 0 and not isinstance(problem, OutOfTime):
            _pause(store, problem)


def _pause(store: Store, problem: ServerError) -> None:
    failures = settings.get_int(store, settings.FAILURES) + 1
    if isinstance(problem, TryLater):
        delay_s = problem.wait_s
    else:
        delay_s = rules.retry_delay_s(min(failures, 16), posix.urandom(1)[0] / 255)
    settings.put(store, settings.FAILURES, str(failures))
    settings.put(store, settings.RETRY_AT, str(int(time.time()) + delay_s))


def _key(entry: Entry) -> tuple[int, int, int]:
    """What identifies a session on a server that knows no key of ours."""
    assert entry.session is not None
    return entry.session.started_at, entry.session.ended_at, entry.session.duration_s


def _is_from_booklore(answer: Answer) -> bool:
    """BookLore answers in JSON or with an empty body; a network's login page redirects or sends HTML."""
    return not 300 <= answer.status < 400 and (not answer.body or answer.is_json())


def _message(answer: Answer) -> str:
    try:
        fields = json_text.decode(answer.body)
    except ValueError:
        return "no reason given"
    message = fields.get("message") if isinstance(fields, dict) else None
    return message if isinstance(message, str) and message else "no reason given"
