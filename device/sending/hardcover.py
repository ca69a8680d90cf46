"""Ratings and read status to Hardcover: what waits for it, in bounded time, after a sync with the server.

The order of a run: books whose number there is not known are looked for (all by ISBN at once, then some by title); the
reader's entries of all known books are read at once; then each book that lacks something is sent, in one request.

Promises: without a token, or with nothing to send, it asks nothing; a failed run pauses unasked ones, each time longer;
a token that is refused is told once and not tried again unasked until there is another; a book that Hardcover refuses
blocks no other. A lost answer needs no care: what was wanted is compared with what is there, and wanted again.
Never: takes one book for another without being sure; that is the reader's choice.
Called by: `device/hardcover.py`. What is decided is `device/core/hardcover.py`'s.
"""

from __future__ import annotations

from device import protocol
from device.core import hardcover as rules
from device.core import hardcover_answers as answers
from device.core import outbox as pauses
from device.core import preferences as table
from device.server.errors import LoginRefused, NotReached, OutOfTime, ReplyLost, ServerError, ServerFailed, TryLater
from device.store import hardcover, preferences, settings
from device.ui import hardcover_texts as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.hardcover import Entry
    from device.json_text import Json
    from device.protocol import Result
    from device.secrets import Secrets
    from device.sending.clock import Clock
    from device.server.hardcover import Hardcover
    from device.store.database import Store
    from device.store.hardcover import Subject, Wish

MOST_S = 45  # of a run; Hardcover gives a query up after 30
LAST_START_S = 3  # a request begun later might be cut off by the run's own end
SEARCHES_MOST = 5  # by title in a run: each is a request
BOOKS_AT_ONCE = 50  # in one request
EDITIONS_MOST = 200  # that may have the ISBNs of so many books

_QUIET = (NotReached, ReplyLost, OutOfTime)  # a reader who did not ask is not told that she is offline


def send(
    store: Store,
    secrets: Secrets,
    proxy: str,
    result: Result,
    deadline: float,
    clock: Clock,
    now: int,
    asked_for: bool,
) -> None:
    """Sends what waits for Hardcover, if it may. Raises nothing of the server's. `deadline`: on the monotonic clock."""
    token = rules.token(secrets.hardcover_token)
    if not token or not _may_go(store, token, asked_for, now):
        return
    work = _work(store, asked_for)
    if not work or clock.monotonic_s() > deadline - LAST_START_S:
        return
    with_api(
        store,
        token,
        proxy,
        result,
        deadline,
        clock,
        now,
        asked_for,
        lambda api, until: _Sending(store, api, result, clock, until).run(work, asked_for),
    )


def with_api(
    store: Store,
    token: str,
    proxy: str,
    result: Result,
    deadline: float,
    clock: Clock,
    now: int,
    asked_for: bool,
    use: Callable[[Hardcover, float], None],
) -> bool:
    """Does something with Hardcover's API and remembers how it went; whether it went well.

    `use` gets the API and the deadline of this part of the run.
    """
    from device.server import address
    from device.server import proxy as proxies
    from device.server.hardcover import SERVER, Hardcover
    from device.server.http import Connection
    from device.server.tls import Trust

    until = min(deadline, clock.monotonic_s() + MOST_S)
    anchor = settings.get(store, hardcover.ANCHOR) or ""
    trust = Trust("", now, anchor)
    server = address.parse(settings.get(store, hardcover.SERVER) or SERVER)
    problem: ServerError | None = None
    try:
        connection = Connection(server, trust, until, None, proxies.parse(proxy))
        try:
            use(Hardcover(connection, token, clock), until)
        finally:
            connection.close()
    except ServerError as found:
        problem = found
    said_before = settings.get(store, hardcover.PROBLEM)
    with store.transaction():
        if trust.anchor_pem != anchor:
            settings.put(store, hardcover.ANCHOR, trust.anchor_pem)
        if problem is None:
            forget_problems(store)
        else:
            _remember(store, problem, clock, now)
    if problem is not None and (asked_for or not (isinstance(problem, _QUIET) or str(problem) == said_before)):
        result.say(protocol.WARNING, f"{problem}.".replace("..", "."))
    return problem is None


def forget_problems(store: Store) -> None:
    """After a success, or with another token: nothing keeps the next run from trying. Inside a transaction."""
    for key in hardcover.PROBLEMS:
        settings.remove(store, key)


def _may_go(store: Store, token: str, asked_for: bool, now: int) -> bool:
    wanted = preferences.load(store)
    if wanted.get(table.HARDCOVER_SYNC) == table.OFF or (wanted.is_manual() and not asked_for):
        return False
    if settings.get(store, hardcover.TOKEN_MARK) != rules.mark(token):
        with store.transaction():
            forget_problems(store)
            settings.put(store, hardcover.TOKEN_MARK, rules.mark(token))
    if asked_for:
        return True
    if settings.get(store, hardcover.TOKEN_REFUSED):
        return False
    # An instant further off than any pause was written by a clock that was wrong.
    return not now < settings.get_int(store, hardcover.RETRY_AT) <= now + answers.RETRY_AFTER_MOST_S


def _remember(store: Store, problem: ServerError, clock: Clock, now: int) -> None:
    if isinstance(problem, OutOfTime):
        return
    settings.put(store, hardcover.PROBLEM, str(problem))
    if isinstance(problem, LoginRefused):
        settings.put(store, hardcover.TOKEN_REFUSED, "1")
        return
    failures = settings.get_int(store, hardcover.FAILURES) + 1
    delay_s = pauses.retry_delay_s(min(failures, 16), clock.chance())
    if isinstance(problem, TryLater):
        delay_s = problem.wait_s
    settings.put(store, hardcover.FAILURES, str(failures))
    settings.put(store, hardcover.RETRY_AT, str(now + delay_s))


class Work:
    """What one book is to have."""

    __slots__ = ("subject", "wishes")

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.wishes: list[Wish] = []

    def wanted(self) -> dict[str, rules.Wanted]:
        return {wish.field: rules.Wanted(wish.wanted, wish.sent) for wish in self.wishes}


def grouped(wishes: list[Wish]) -> list[Work]:
    found: dict[int, Work] = {}
    for wish in wishes:
        found.setdefault(wish.subject.id, Work(wish.subject)).wishes.append(wish)
    return list(found.values())


def waits_for_choice(subject: Subject) -> bool:
    """Whether it has been looked for, by all that is known of it, and only the reader can tell which book it is."""
    if subject.known_id is not None:
        return False
    return subject.looked_for == rules.looked_for(subject.title, subject.authors, subject.isbns)


def _work(store: Store, asked_for: bool) -> list[Work]:
    """What requests may be spent on. What needs none is settled here."""
    found = []
    for work in grouped(hardcover.wishes(store)):
        if rules.needs_nothing(work.wanted()):
            with store.transaction():
                for wish in work.wishes:
                    hardcover.confirm(store, work.subject.id, wish.field, wish.wanted)
            continue
        if not asked_for:
            work.wishes = [wish for wish in work.wishes if wish.attempts < pauses.TRIES_MOST]
        if work.wishes and not waits_for_choice(work.subject):
            found.append(work)
    return found


class _Sending:
    """One run. `until` is on the monotonic clock."""

    def __init__(self, store: Store, api: Hardcover, result: Result, clock: Clock, until: float) -> None:
        self._store = store
        self._api = api
        self._result = result
        self._clock = clock
        self._until = until
        self._sent: dict[str, int] = {}  # by field

    def run(self, work: list[Work], asked_for: bool) -> None:
        """Raises ServerError when it cannot go on; everything done so far is on disk."""
        try:
            self._identify([one for one in work if one.subject.known_id is None])
            known = [one for one in work if one.subject.known_id is not None]
            for start in range(0, len(known), BOOKS_AT_ONCE):
                self._serve(known[start : start + BOOKS_AT_ONCE])
        finally:
            if self._sent and asked_for:
                self._result.say(protocol.INFO, texts.sent(self._sent))

    def _ask(self, query: str, variables: dict[str, Json]) -> Json:
        if self._clock.monotonic_s() > self._until - LAST_START_S:
            raise OutOfTime("the run's time was up; the rest goes to Hardcover with the next sync")
        return self._api.ask(query, variables)

    # Which book it is

    def _identify(self, work: list[Work]) -> None:
        unfound: list[Work] = []
        for start in range(0, len(work), BOOKS_AT_ONCE):
            unfound.extend(self._by_isbn(work[start : start + BOOKS_AT_ONCE]))
        searches = 0
        for one in unfound:
            if not one.subject.title:
                self._leave_to_reader(one.subject, [])
            elif searches < SEARCHES_MOST:
                searches += 1
                self._by_title(one)

    def _by_isbn(self, work: list[Work]) -> list[Work]:
        """Those that were not found."""
        isbns = [isbn for one in work for isbn in rules.isbns(one.subject.isbns)]
        if not isbns:
            return work
        older = [isbn for isbn in (rules.isbn10(isbn) for isbn in isbns) if isbn is not None]
        variables: dict[str, Json] = {"isbn13": list(isbns), "isbn10": list(older), "most": EDITIONS_MOST}
        editions = answers.read_editions(self._ask(answers.EDITIONS, variables))
        unfound = []
        for one in work:
            found = rules.of_editions(rules.isbns(one.subject.isbns), editions)
            if len(found) == 1:
                self._is_book(one.subject, *next(iter(found.items())))
            elif found:
                self._leave_to_reader(one.subject, list(found.items()))
            else:
                unfound.append(one)
        return unfound

    def _by_title(self, one: Work) -> None:
        from device.server.hardcover import Refused

        subject = one.subject
        try:
            hits = search(self._ask, rules.search_text(subject.title, subject.authors))
        except Refused as problem:
            self._fail(one.wishes, subject, str(problem))
            return
        id = rules.certain(subject.title, subject.authors, hits)
        labels = [(hit.id, hit.label()) for hit in hits]
        if id is not None:
            self._is_book(subject, id, next(label for hit, label in labels if hit == id))
        else:
            self._leave_to_reader(subject, labels)

    def _is_book(self, subject: Subject, id: int, label: str) -> None:
        subject.known_id = id
        with self._store.transaction():
            hardcover.identify(self._store, subject.id, id, None)
            keep_candidates(self._store, subject.id, [(id, label)])

    def _leave_to_reader(self, subject: Subject, candidates: list[tuple[int, str]]) -> None:
        with self._store.transaction():
            by = rules.looked_for(subject.title, subject.authors, subject.isbns)
            hardcover.identify(self._store, subject.id, None, by)
            keep_candidates(self._store, subject.id, candidates)

    # What it is given

    def _serve(self, work: list[Work]) -> None:
        from device.server.hardcover import Refused

        ids: list[Json] = []
        for one in work:
            if one.subject.known_id not in ids:
                ids.append(one.subject.known_id)
        library = answers.read_library(self._ask(answers.LIBRARY, {"books": ids}))
        if library is None:
            raise Refused("Hardcover does not say whose token it is")
        if self._is_another_user(str(library.user_id)):
            raise OutOfTime("another account at Hardcover: everything goes there with the next sync")
        for one in work:
            entry = library.entries.get(one.subject.known_id or 0)
            saved = self._save(one, entry, library.privacy_id)
            if saved is not None:
                library.entries[saved.book_id] = saved

    def _is_another_user(self, user: str) -> bool:
        """Whether what is remembered as sent was sent to somebody else's library."""
        earlier = settings.get(self._store, hardcover.USER)
        if earlier == user:
            return False
        with self._store.transaction():
            if earlier is not None:
                hardcover.want_all_again(self._store)
            settings.put(self._store, hardcover.USER, user)
        return earlier is not None

    def _save(self, one: Work, entry: Entry | None, privacy_id: int | None) -> Entry | None:
        """The entry as it is then, if something was sent."""
        from device.server.hardcover import Refused

        made = rules.plan(one.wanted(), entry, one.subject.was_read)
        self._confirm([wish for wish in one.wishes if wish.field in made.settled])
        wishes = [wish for wish in one.wishes if wish.field not in made.settled]
        if not made.fields:
            return None
        try:
            saved = self._write(one.subject, made.fields, entry, privacy_id)
        except (Refused, ServerFailed) as problem:
            self._fail(wishes, one.subject, str(problem))
            if isinstance(problem, ServerFailed):
                raise
            return None
        self._confirm(wishes)
        for wish in wishes:
            self._sent[wish.field] = self._sent.get(wish.field, 0) + 1
        return saved

    def _write(self, subject: Subject, fields: dict[str, Json], entry: Entry | None, privacy_id: int | None) -> Entry:
        """Raises Refused, also when Hardcover keeps something else."""
        from device.server.hardcover import Refused

        sent = dict(fields)
        if entry is None:
            sent["book_id"] = subject.known_id
            if privacy_id is not None:
                sent["privacy_setting_id"] = privacy_id
            data = self._ask(answers.INSERT, {"object": sent})
        else:
            data = self._ask(answers.UPDATE, {"id": entry.id, "object": sent})
        saved = answers.read_saved(data, "insert_user_book" if entry is None else "update_user_book")
        if isinstance(saved, str):
            raise Refused(saved)
        if rules.contradicts(fields, saved):
            raise Refused(texts.CONTRADICTED)
        return saved

    def _confirm(self, wishes: list[Wish]) -> None:
        if wishes:
            with self._store.transaction():
                for wish in wishes:
                    hardcover.confirm(self._store, wish.subject.id, wish.field, wish.wanted)

    def _fail(self, wishes: list[Wish], subject: Subject, reason: str) -> None:
        with self._store.transaction():
            for wish in wishes:
                hardcover.fail(self._store, subject.id, wish.field, reason)
        if any(wish.reason != reason for wish in wishes):
            self._result.say(protocol.WARNING, texts.refused(subject.title, reason))


def search(ask: Callable[[str, dict[str, Json]], Json], text: str) -> list[rules.Hit]:
    """What Hardcover finds, the best first. Raises Refused, and what `ask` raises."""
    from device.server.hardcover import Refused

    hits = answers.read_hits(ask(answers.SEARCH, {"query": text, "most": answers.HITS_MOST}))
    if isinstance(hits, str):
        raise Refused(hits)
    return hits


def keep_candidates(store: Store, book_id: int, candidates: list[tuple[int, str]]) -> None:
    """For the reader to choose from, the best first; or the one that was chosen. Inside a transaction."""
    hardcover.forget_candidates(store, book_id)
    for place, (id, label) in enumerate(candidates, 1):
        hardcover.add_candidate(store, book_id, id, label, 1 / place)
