"""Looking for books without an id on the server, and what that changes for the entries that wait for it.

The order: what the reader chose; the fingerprint, where the server can be asked for it; the server's library in the
store, read anew if it is too old for the occasion; the fingerprints of Komga's list, for what is still not found.
Which book it is, `device/core/matching.py` decides.

Promises: no book that is found or not keeps another from going out. The library is read when a book is new, but not
more often than every ten minutes, else once a day while something waits; when the reader asks, if it is older than a
minute. What a book could be is kept for her to choose from.
Called by: `device/sending/sender.py`, `device/verbs/matching.py`.
"""

from __future__ import annotations

from device.core import languages, matching, searching
from device.core import outbox as rules
from device.sending import reading_library
from device.sending.reading_packages import read_packages
from device.server import library as server
from device.server.errors import ServerFailed
from device.store import books, library, outbox, settings
from device.ui import matching_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.matching import Candidate, ServerBook, Wanted
    from device.sending.dialect import Dialect
    from device.server.client import Client
    from device.store.books import StoredBook
    from device.store.database import Store

NEW_AGE_S, DAILY_AGE_S, ASKED_AGE_S = 600, 86_400, 60  # how old the library may be: for a new book, at all, if asked
BY_HASH_MOST = 50  # books asked for one by one in a run
FINGERPRINTS_AGE_S = 7 * 86_400  # Komga's list makes the server load its whole library
SETTLED_AT_ONCE = 50  # books in one transaction: each costs a flush of the disk
ROWS_BETWEEN_LOOKS = 1_000  # of the library, between looks at the clock: less than a second on the slowest device
BY_HAND = "hand"


def find_books(
    store: Store,
    client: Client,
    dialect: Dialect,
    asked_for: bool,
    now: int,
    before_request: Callable[[], None],
    report: Callable[[int, int], None] | None = None,
) -> None:
    """Raises ServerError when the library cannot be read."""
    wanted = books.unmatched(store)
    if wanted:
        Finder(store, client, dialect, now, before_request, report).find(wanted, asked_for)


class Finder:
    """One run's search."""

    __slots__ = ("_before_request", "_client", "_dialect", "_now", "_report", "_store")

    def __init__(
        self,
        store: Store,
        client: Client,
        dialect: Dialect,
        now: int,
        before_request: Callable[[], None],
        report: Callable[[int, int], None] | None,
    ) -> None:
        self._store = store
        self._client = client
        self._dialect = dialect
        self._now = now
        self._before_request = before_request
        self._report = report or _tell_nobody

    def find(self, wanted: list[StoredBook], asked_for: bool) -> None:
        """Raises ServerError. Books that were settled before stay settled."""
        new = [book for book in wanted if not book.looked_for]
        if read_packages(self._store, wanted):
            wanted = [found for found in (books.wanted(self._store, book.id) for book in wanted) if found is not None]
        by_hash = wanted if asked_for else new
        if any(book.fingerprints for book in by_hash) and self._dialect.finds_by_hash():
            found = self._find_by_hash(by_hash[:BY_HASH_MOST])
            wanted = [book for book in wanted if book.id not in found]
            new = [book for book in new if book.id not in found]
        if not wanted:
            return
        is_old = self._is_too_old(bool(new), asked_for)
        if is_old:
            self.read_library()
        if is_old or new or asked_for:
            self._match(wanted)

    def read_library(self) -> None:
        reading_library.read(
            self._store, self._client, self._dialect.has_pages(), self._now, self._before_request, self._report
        )

    def _is_too_old(self, for_new: bool, asked_for: bool) -> bool:
        age_s = self._now - settings.get_int(self._store, settings.LIBRARY_READ_AT)
        is_whole = reading_library.is_whole(self._store)
        if asked_for:
            return not is_whole or not 0 <= age_s < ASKED_AGE_S
        return not 0 <= age_s < (NEW_AGE_S if for_new or not is_whole else DAILY_AGE_S)

    def _find_by_hash(self, wanted: list[StoredBook]) -> set[int]:
        found = set()
        for book in wanted:
            if book.hand_id is not None:
                continue
            seeker = seeker_of(book)
            for fingerprint in seeker.fingerprints:
                self._before_request()
                there = server.with_fingerprint(self._client, fingerprint)
                if there is not None:
                    there.fingerprint = fingerprint
                    seeker.compare(there)
                    self._keep(there)
            answer = seeker.answer()
            if not isinstance(answer, str) and answer[1] == matching.BY_HASH:
                with self._store.transaction():
                    settle(self._store, book.id, answer, self._now)
                found.add(book.id)
        return found

    def _keep(self, there: ServerBook) -> None:
        """Adds to the library in the store what was heard of one of its books, never a book that it has not."""
        if library.one(self._store, there.server_id) is not None:
            with self._store.transaction():
                library.take(self._store, there)

    def _match(self, wanted: list[StoredBook]) -> None:
        left = settle_all(self._store, wanted, self._now, self._before_request)
        if any(book.fingerprints for book in left) and self._take_fingerprints():
            settle_all(self._store, left, self._now, self._before_request)

    def _take_fingerprints(self) -> bool:
        """Whether Komga's list has told any; it is asked at most once a week, and after each reading of a library that
        has grown only for what is new."""
        age_s = self._now - settings.get_int(self._store, settings.FINGERPRINTS_READ_AT)
        if 0 <= age_s < FINGERPRINTS_AGE_S:
            return False
        found: list[tuple[int, str]] = []
        any_found = False
        try:
            for each in self._dialect.fingerprints():
                found.append(each)
                any_found = True
                if len(found) == reading_library.AT_ONCE:
                    self._keep_fingerprints(found)
                    found = []
        except ServerFailed:
            any_found = any_found or bool(found)
        self._keep_fingerprints(found)
        with self._store.transaction():
            settings.put(self._store, settings.FINGERPRINTS_READ_AT, str(self._now))
        return any_found

    def _keep_fingerprints(self, found: list[tuple[int, str]]) -> None:
        with self._store.transaction():
            for server_id, fingerprint in found:
                library.take_fingerprint(self._store, server_id, fingerprint)


def _tell_nobody(_done: int, _total: int) -> None:
    return


def settle_all(
    store: Store, wanted: list[StoredBook], now: int, check_time: Callable[[], None] | None = None
) -> list[StoredBook]:
    """Looks all of them up in the library in the store, and writes down what came of it; those without a match.

    `check_time` raises when the run's time is up. What is known already is not written again.
    """
    seekers = [seeker_of(book) for book in wanted]
    search_library(store, seekers, check_time)
    left = []
    for start in range(0, len(wanted), SETTLED_AT_ONCE):
        end = start + SETTLED_AT_ONCE
        with store.transaction():
            for book, seeker in zip(wanted[start:end], seekers[start:end], strict=True):
                answer = _by_hand(store, book.hand_id) if book.hand_id is not None else seeker.answer()
                if isinstance(answer, str):
                    _leave(store, book, answer, described(store, seeker.candidates()), now)
                    left.append(book)
                else:
                    settle(store, book.id, answer, now)
    return left


def _leave(store: Store, book: StoredBook, reason: str, candidates: list[library.StoredCandidate], now: int) -> None:
    """To the reader, or to a later search."""
    known = books.one(store, book.id)
    if known is not None and known.server_id is None and known.unmatched_reason == reason:
        _hold_back_what_is_new(store, book.id, reason, now)
    else:
        settle(store, book.id, reason, now)
    before = [(each.server_id, each.label, each.score) for each in library.candidates(store, book.id)]
    if sorted(before) != sorted((each.server_id, each.label, each.score) for each in candidates):
        library.put_candidates(store, book.id, candidates)


def _by_hand(store: Store, hand_id: int) -> tuple[int, str] | str:
    """What the reader chose is hers, if the server has it (again)."""
    if library.one(store, hand_id) is not None:
        return hand_id, BY_HAND
    return matching_texts.chosen_is_gone(hand_id)


def search_library(store: Store, seekers: list[Wanted], check_time: Callable[[], None] | None = None) -> None:
    """One pass over the library in the store, for all of them. Raises what `check_time` raises."""
    search = searching.Search(seekers)
    for number, row in enumerate(library.rows(store), 1):
        if check_time is not None and number % ROWS_BETWEEN_LOOKS == 0:
            check_time()
        near = search.near(row.title, row.isbns(), row.file_names(), row.fingerprint)
        if near:
            book = row.book()
            for place in near:
                seekers[place].compare(book)


def seeker_of(book: StoredBook) -> Wanted:
    seeker = matching.Wanted(
        book.title, book.authors, [*book.identifiers, *book.file_identifiers], book.file, book.size_bytes
    )
    seeker.set_series(book.title, book.series, book.series_index)
    seeker.language = languages.code(book.language)
    seeker.fingerprints = dict(book.fingerprints)
    seeker.refused = book.refused_id
    return seeker


def described(store: Store, candidates: list[Candidate]) -> list[library.StoredCandidate]:
    """As the reader sees them."""
    found = []
    for candidate in candidates:
        book = library.one(store, candidate.server_id)
        if book is not None:
            label = matching_texts.candidate(book.title, book.authors, candidate.facts, book.server_id)
            found.append(library.StoredCandidate(book.server_id, label, candidate.score))
    return found


def settle(store: Store, book_id: int, answer: tuple[int, str] | str, now: int) -> None:
    """Writes down what a book is or why it is not known, and frees or holds back what waits. Within a transaction."""
    if isinstance(answer, str):
        books.unmatch(store, book_id, answer)
        hold_back(store, book_id, answer, now)
        return
    there = library.one(store, answer[0])
    books.match(store, book_id, answer[0], answer[1], None if there is None else there.title)
    free(store, book_id, now)


def free(store: Store, book_id: int, now: int) -> None:
    for unproven in (False, True):
        _move(store, book_id, rules.WAITING, unproven, rules.event_for_match(unproven), now, None)


def hold_back(store: Store, book_id: int, reason: str, now: int) -> None:
    _hold_back_what_is_new(store, book_id, reason, now)
    for unproven in (False, True):
        _move(store, book_id, rules.WAITING, unproven, rules.NO_BOOK, now, reason)


def _hold_back_what_is_new(store: Store, book_id: int, reason: str, now: int) -> None:
    """Not what waits already, for the same reason."""
    _move(store, book_id, rules.NEW, False, rules.NO_BOOK, now, reason)
    for unproven in (False, True):
        _move(store, book_id, rules.INTENT, unproven, rules.BOOK_GONE, now, reason)


def _move(store: Store, book_id: int, state: str, unproven: bool, event: str, now: int, reason: str | None) -> None:
    new = rules.after(state, event), rules.unproven_after(unproven, event)
    outbox.change_book(store, book_id, (state, unproven), new, now, reason)
