"""Which of the known servers this is, for one run, and what follows from it.

Promises: nothing is asked before somebody wants to know it and the answer is not remembered; an answer is remembered
for a week, for an hour if the question made trouble, and until the server has another version, which is asked for at
most once a day and only when the answer is wanted. What cannot be found out is taken for BookLore.
Never: asks in a run that has no other business with the server.
Called by: `device/sending/sender.py`, which makes it, and whoever sends, looks for books or lists.

    dialect.takes_batches()     one request a week
    dialect.finds_by_hash()     the same request
    dialect.has_pages()         none: Grimmory's tokens say whose they are
    dialect.fingerprints()      up to two requests, where nobody finds by hash and a list is not known to be refused
    dialect.disappointed()      an endpoint was not what it should be: the next run asks again
"""

from __future__ import annotations

from device.sending import fingerprints
from device.server import answers, dialects
from device.server.client import HEALTH
from device.server.errors import ReplyLost
from device.store import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from device.sending.clock import Clock
    from device.server.client import Client
    from device.store.database import Store

REMEMBERED_S = 7 * 86_400  # servers are changed rarely
REMEMBERED_WITHOUT_ANSWER_S = 3_600  # the question itself made trouble: not again in the next runs
VERSION_AGE_S = 86_400  # an update of the server is noticed within a day


class Dialect:
    """`before_request` raises when the run has no time for another request."""

    __slots__ = ("_before_request", "_client", "_clock", "_name", "_store")

    def __init__(self, store: Store, client: Client, clock: Clock, before_request: Callable[[], None]) -> None:
        self._store = store
        self._client = client
        self._clock = clock
        self._before_request = before_request
        self._name: str | None = None  # once it is known in this run

    def finds_by_hash(self) -> bool:
        """Whether a book can be asked for by its file's fingerprint. May ask the server; raises ServerError."""
        return dialects.of(self.name()).finds_by_hash

    def takes_batches(self) -> bool:
        """Whether reading sessions may go many at once. May ask the server; raises ServerError."""
        return dialects.of(self.name()).takes_batches

    def has_pages(self) -> bool:
        """Whether the library can be had by pages of the app's list. Asks nothing but a token."""
        return dialects.of(self._by_token()).pages

    def has_page_bookmarks(self) -> bool:
        """Whether bookmarks may have a page number. Asks nothing but a token."""
        return dialects.of(self._by_token()).page_bookmarks

    def name(self) -> str:
        """BOOKLORE, GRIMMORY or WORLDTEACHER. May ask the server; raises ServerError."""
        if self._name is None:
            self._name = self._remembered()
        if self._name is None:
            self._name = self._probe()
        return self._name

    def disappointed(self) -> None:
        """The server is not what it was taken for: no more than BookLore in this run, and the next one asks again."""
        self._name = dialects.BOOKLORE
        with self._store.transaction():
            settings.forget_dialect(self._store)

    def fingerprints(self) -> Iterator[tuple[int, str]]:
        """(server id, fingerprint) of the server's books, where it does not find them by hash itself but lists them.

        To be asked for when a book with a fingerprint is looked for, and not within a transaction. See
        `fingerprints.py`; raises ServerError when the connection fails, not when the list is refused.
        """
        if fingerprints.may_be_listed(self._store, self._clock) and not self.finds_by_hash():
            yield from fingerprints.of_the_server(self._store, self._client, self._clock, self._before_request)

    def _by_token(self) -> str:
        return self._name or dialects.named(False, self._client.token())

    def _probe(self) -> str:
        self._before_request()
        try:
            has_image_endpoints = self._client.takes_batches()
        except ReplyLost:
            self._remember(dialects.BOOKLORE, REMEMBERED_WITHOUT_ANSWER_S)
            raise
        name = dialects.named(bool(has_image_endpoints), self._client.token())
        self._remember(name, REMEMBERED_WITHOUT_ANSWER_S if has_image_endpoints is None else REMEMBERED_S)
        return name

    def _remembered(self) -> str | None:
        name = settings.get(self._store, settings.DIALECT)
        left_s = settings.get_int(self._store, settings.DIALECT_UNTIL) - self._clock.wall_s()
        if name not in dialects.TABLE or not 0 < left_s <= REMEMBERED_S or self._was_updated():
            return None
        return name

    def _was_updated(self) -> bool:
        """Whether the server has another version than when it was asked last."""
        age_s = self._clock.wall_s() - settings.get_int(self._store, settings.DIALECT_SEEN_AT)
        if 0 <= age_s < VERSION_AGE_S:
            return False
        self._before_request()
        answer = self._client.answer(HEALTH)
        version = dialects.version_in(answers.decoded(answer)) if answer.status == 200 else ""
        before = settings.get(self._store, settings.SERVER_VERSION) or ""
        with self._store.transaction():
            settings.put(self._store, settings.DIALECT_SEEN_AT, str(self._clock.wall_s()))
            if version:
                settings.put(self._store, settings.SERVER_VERSION, version)
        return bool(version) and version != before  # never heard before: it may have changed since it was probed

    def _remember(self, name: str, for_s: int) -> None:
        now = self._clock.wall_s()
        with self._store.transaction():
            settings.put(self._store, settings.DIALECT, name)
            settings.put(self._store, settings.DIALECT_UNTIL, str(now + for_s))
            settings.put(self._store, settings.DIALECT_SEEN_AT, str(now))
