"""Which book on the server a file is, as the reader sees and decides it: the verb `match`, and its place in the menu.

Promises: what she chose stands until she takes it back or changes the account. A number is taken only if the server, or
the list that was read from it, has it: what is sent to a wrong one cannot be called back. After a match everything that
waited goes out in the same run, if there is a network.
Called by: `device/verbs/`. Law: docs/protocol.md, “Command”.
"""

from __future__ import annotations

from device import protocol
from device.ui import matching_texts as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.matching import ServerBook
    from device.json_text import Json
    from device.secrets import Keeper, Secrets
    from device.sending.connecting import Link
    from device.sending.finding_books import Finder
    from device.store.books import MatchedBook
    from device.verbs.run import Run

NONE, AGAIN = "none", "again"  # values of the argument
TITLE_MAX_CHARS = 200
HITS_MOST = 12  # of a title that is looked for; more do not fit on a screen
UNMATCHED_MOST = 50  # books in the menu
OPEN_JOURNAL_MAX_BYTES = 65_536  # its first line says which book is open


def match(run: Run) -> None:
    """Raises ValueError with a text for the reader."""
    book = _book(run)
    value = run.job.arguments.get("value")
    number = _number(run, value)
    if number is not None:
        _choose(run, book, number)
    elif value == NONE:
        _undo(run, book)
    elif value == AGAIN:
        _look_again(run, book)
    elif isinstance(value, str) and value.strip():
        _look_for_title(run, book, value.strip()[:TITLE_MAX_CHARS])
    else:
        _tell(run, book)


def menu_items(run: Run) -> list[Json]:
    """For the open book, and the books that wait to be matched."""
    from device.store import books
    from device.ui.unmatched import items

    return items(books.waiting_unmatched(run.store, UNMATCHED_MOST), books.count_waiting_unmatched(run.store))


# Which book is meant


def _book(run: Run) -> MatchedBook:
    from device.server.library import ID_MOST
    from device.store import books

    id = run.job.arguments.get("book_id")
    if isinstance(id, float) and id.is_integer():
        id = int(id)
    if not isinstance(id, int) or isinstance(id, bool):
        if not run.job.book:
            raise ValueError(texts.WHAT_BOOK)
        id = books.with_file(run.store, run.job.book)
        if id is None:
            id = _remember_open_book(run)
    book = books.one(run.store, id) if id is not None and 0 < id < ID_MOST else None
    if book is None:
        raise ValueError(texts.UNKNOWN_BOOK)
    return book


def _remember_open_book(run: Run) -> int | None:
    """A book that is being read for the first time is known only from its journal, which is not closed yet."""
    from device.core import journal
    from device.ingest import whole_lines
    from device.store import books

    for name in run.folder.disk.names(run.folder.journal):
        if not name.endswith(".open"):
            continue
        content = run.folder.disk.read(f"{run.folder.journal}/{name}", OPEN_JOURNAL_MAX_BYTES) or b""
        try:
            reading = journal.read(whole_lines(content)[:1])
        except journal.UnknownVersion:
            continue
        if reading is not None and reading.book.file == run.job.book:
            with run.store.transaction():
                return books.remember(run.store, reading.book)
    return None


def _number(run: Run, value: Json) -> int | None:
    """A book's number on the server. Digits that were typed as a title on the device are one: `1984`."""
    from device.server.library import ID_MOST

    if isinstance(value, str) and run.job.reason == protocol.TERMINAL and value.isascii() and value.isdigit():
        value = int(value) if len(value) <= 15 else 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if not 0 < value < ID_MOST:
        raise ValueError(texts.not_a_number(value if abs(value) < ID_MOST else "This"))
    return value


# What she wants


def _tell(run: Run, book: MatchedBook) -> None:
    from device.store import library

    found = [(each.server_id, each.label) for each in library.candidates(run.store, book.id)]
    _offer(run, book, found)


def _offer(run: Run, book: MatchedBook, found: list[tuple[int, str]]) -> None:
    """What is known, and what it could be: as a question on the device, as lines at a terminal."""
    from device.ui.unmatched import question

    if run.job.reason != protocol.TERMINAL:
        run.result.questions.append(question(book, found))
        return
    run.result.say(protocol.INFO, texts.known(book))
    for _, label in found:
        run.result.say(protocol.INFO, f"  {label}")


def _choose(run: Run, book: MatchedBook, number: int) -> None:
    from device.store import library

    title = None
    there = library.one(run.store, number)
    if there is None:
        link = _Online(run)
        try:
            there = link.book(number)
        finally:
            link.close()
        if there is None:
            raise ValueError(texts.no_such_number(number) if link.was_asked else texts.cannot_be_checked(number))
    title = there.title or None
    _match_by_hand(run, book, number, title)
    run.result.say(protocol.INFO, texts.matched(book.title, title, number, "hand"))
    _send(run)


def _match_by_hand(run: Run, book: MatchedBook, number: int, title: str | None) -> None:
    import time

    from device.sending import finding_books
    from device.store import books, shared_values

    with run.store.transaction():
        books.match_by_hand(run.store, book.id, number, finding_books.BY_HAND, title)
        if book.server_id != number:
            shared_values.forget_the_server_of(run.store, book.id)
        finding_books.free(run.store, book.id, int(time.time()))


def _undo(run: Run, book: MatchedBook) -> None:
    import time

    from device.sending import finding_books
    from device.store import books, shared_values

    was_sent = books.has_arrived(run.store, book.id)
    with run.store.transaction():
        books.undo_match(run.store, book.id, texts.UNDONE)
        shared_values.forget_the_server_of(run.store, book.id)
        finding_books.hold_back(run.store, book.id, texts.UNDONE, int(time.time()))
    run.result.say(protocol.INFO, texts.undone(book.title, was_sent))


def _look_again(run: Run, book: MatchedBook) -> None:
    """As if it had never been looked for; in a library that is a minute old at most, if there is a network."""
    from device.store import books, shared_values

    with run.store.transaction():
        books.look_again(run.store, book.id)
        shared_values.forget_the_server_of(run.store, book.id)
    link = _Online(run)
    try:
        link.look_for(book.id)
    finally:
        link.close()
    now = books.one(run.store, book.id)
    if now is None:
        return
    if now.server_id is None:
        _tell(run, now)
        return
    run.result.say(protocol.INFO, texts.known(now))
    _send(run)


def _look_for_title(run: Run, book: MatchedBook, text: str) -> None:
    from device.core.searching import title_hit
    from device.store import library

    if library.count(run.store) == 0:
        link = _Online(run)
        try:
            link.read_library()
        finally:
            link.close()
        if library.count(run.store) == 0:
            raise ValueError(texts.no_list_yet())
    hits: list[tuple[float, int, str]] = []
    for row in library.rows(run.store):
        there = row.book()
        score = title_hit(text, there)
        if score > 0:
            hits.append((-score, row.server_id, texts.candidate(there.title, there.authors, (), row.server_id)))
            if len(hits) > HITS_MOST * 4:
                hits = sorted(hits)[:HITS_MOST]
    if not hits:
        run.result.say(protocol.INFO, texts.found_nothing(text))
    _offer(run, book, [(server_id, label) for _, server_id, label in sorted(hits)[:HITS_MOST]])


# The network


def _account(run: Run) -> tuple[Keeper, Secrets | None]:
    from device.secrets import Keeper

    keeper = Keeper(run.folder.disk, run.folder.secrets)
    return keeper, keeper.load()


class _Online:
    """The server, as far as it can be asked in this run; what cannot be had is said and is no failure."""

    __slots__ = ("_clock", "_link", "_progress", "_run", "was_asked")

    def __init__(self, run: Run) -> None:
        from device.importing.progress import Progress
        from device.sending.clock import Clock
        from device.sending.connecting import link
        from device.sending.sync import prepare
        from device.server.errors import ProxyTrouble

        self._run = run
        self._clock = Clock()
        self._progress = Progress(run.job.id is None, texts.reading_library, run.folder.log)
        self._link: Link | None = None
        self.was_asked = False  # and has answered
        keeper, secrets = _account(run)
        if secrets is None:
            return
        prepare(run.store, secrets.owner(), True, self._clock.wall_s())
        try:
            self._link = link(run.store, keeper, secrets, run.job, run.deadline, self._clock)
        except ProxyTrouble as problem:
            run.result.say(protocol.WARNING, f"{problem}.")

    def close(self) -> None:
        self._progress.end()
        if self._link is not None:
            self._link.close()

    def book(self, number: int) -> ServerBook | None:
        """What the server has under a number; None if it has nothing, or cannot be asked."""
        from device.server import library
        from device.server.errors import ServerError

        if self._link is None:
            return None
        try:
            there = library.one(self._link.client, number)
        except ServerError as problem:
            self._run.result.say(protocol.INFO, f"{problem}.")
            return None
        self.was_asked = True
        return there

    def read_library(self) -> None:
        from device.server.errors import ServerError

        finder = self._finder()
        if finder is None:
            return
        try:
            finder.read_library()
        except ServerError as problem:
            self._run.result.say(protocol.INFO, f"{problem}.")

    def look_for(self, book_id: int) -> None:
        """On the server if it can be asked, else in the library that was read last."""
        from device.sending import finding_books
        from device.server.errors import ServerError
        from device.store import books

        wanted = books.wanted(self._run.store, book_id)
        finder = self._finder()
        if wanted is None:
            return
        if finder is not None:
            try:
                finder.find([wanted], True)
                return
            except ServerError as problem:
                self._run.result.say(protocol.INFO, f"{problem}.")
        finding_books.settle_all(self._run.store, [wanted], self._clock.wall_s())

    def _finder(self) -> Finder | None:
        if self._link is None:
            return None
        from device.sending.dialect import Dialect
        from device.sending.finding_books import Finder

        client, store = self._link.client, self._run.store
        dialect = Dialect(store, client, self._clock, self._check_time)
        return Finder(store, client, dialect, self._clock.wall_s(), self._check_time, self._progress.report)

    def _check_time(self) -> None:
        from device.sending.sender import LAST_START_S
        from device.server.errors import OutOfTime

        if self._clock.monotonic_s() > self._run.deadline - LAST_START_S:
            raise OutOfTime("the run's time was up")


def _send(run: Run) -> None:
    """What waited for a match goes out, unless nothing leaves this device before she taps “Sync now”."""
    from device.sending.sync import sync
    from device.store import preferences

    keeper, secrets = _account(run)
    if secrets is not None and not preferences.load(run.store).is_manual():
        sync(run.folder, run.store, keeper, secrets, run.job, run.result, run.deadline)
