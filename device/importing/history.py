"""The import of KOReader's history: its statistics → reading sessions in the store and its outbox. And its preview.

Promises: the statistics are only read; memory does not grow with their records; what is stored is stored in pieces,
each one transaction of whole sessions, so that a run that is killed leaves nothing half done and the next one goes on.
What was stored before is never stored again, whatever KOReader's statistics say by then: that rests on the store's
sessions alone (`device/core/history.py` says how). The mark of how far the last import came only saves the work of
reading everything again when nothing has changed; without it the same would be stored.
Imported sessions are `unproven`: another program may have sent them already, so the server is asked before they go out.
Called by: `device/verbs/`. Never: decides what counts; sends.
"""

from __future__ import annotations

import time

from device.core import history
from device.core import outbox as rules_of_outbox
from device.core.instants import EARLIEST_PLAUSIBLE_S
from device.core.preferences import HISTORY_GAP_S
from device.koreader import snapshot as files
from device.store import books, outbox, reading_sessions
from device.store import history as stored
from device.store.statistics import Damaged, Foreign, open_statistics
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.preferences import Preferences
    from device.core.reading_session import ReadingSession
    from device.folder import Folder
    from device.koreader.snapshot import Snapshot
    from device.store.database import Store
    from device.store.statistics import Statistics, StatisticsBook, Summary

    Report = Callable[[int, int], None]  # (records done, records in all)

COPY_NAME = "/statistics-copy.sqlite3"  # in the data folder, while it is needed
PIECE_RECORDS = 2_000  # read between two commits: seconds on the slowest device
BOOKS_MAX = 2_000  # told one by one; further ones are counted together
SPARE_S = 3  # before the run's own deadline, to finish properly
PASSES_MOST = 4  # over statistics that KOReader changes meanwhile
JOURNAL_HEAD_BYTES = 65_536  # where the first plausible instant of a reading is looked for
NO_BOOK = -1  # the number under which records are counted whose own is none


class HistoryProblem(ValueError):
    """Why there is nothing to import from; the text is for the reader and names the file."""


class BookTally:
    """One book of the statistics: what it is called, which book of ours it is, and what comes or came of its records.

    `book_id` is None until a session of it is stored, `server_id` until it has been found on the server.
    """

    __slots__ = (
        "authors", "book_id", "fingerprint", "language", "server_id", "tally", "title", "tracked", "unmatched_reason"
    )  # fmt: skip

    def __init__(self, book: StatisticsBook | None, known: books.Known | None) -> None:
        self.title = "" if book is None else book.title
        self.authors = [] if book is None else book.authors
        self.fingerprint = None if book is None else book.fingerprint
        self.language = "" if book is None else book.language
        self.book_id = None if known is None else known.id
        self.server_id = None if known is None else known.server_id
        self.tracked = known is None or known.tracked
        self.unmatched_reason = None if known is None else known.unmatched_reason
        self.tally = history.Tally()

    def has_name(self) -> bool:
        """Without one it could neither be matched nor be found again."""
        return bool(self.title) or self.fingerprint is not None


class Outcome:
    """What an import did, or would do. `complete`: the statistics were read to their end, or were the same as at the
    last complete import (`unchanged`); else the time was up."""

    __slots__ = ("books", "complete", "path", "records", "total", "unchanged")

    def __init__(self, path: str) -> None:
        self.path = path
        self.books: list[BookTally] = []  # in the order in which they were first read
        self.total = history.Tally()
        self.records = 0
        self.complete = False
        self.unchanged = False


def statistics_path(folder: Folder, given: str | None) -> str:
    return given or files.statistics_path(folder.path)


def preview(
    folder: Folder, store: Store, path: str, preferences: Preferences, now: int, deadline: float, report: Report
) -> Outcome:
    """What `import_history` would do; changes nothing. Raises HistoryProblem, OSError."""
    return _Import(folder, store, path, preferences, now, deadline, report, False).run()


def import_history(
    folder: Folder, store: Store, path: str, preferences: Preferences, now: int, deadline: float, report: Report
) -> Outcome:
    """Stores what is new in KOReader's statistics, until `deadline` on the monotonic clock. Raises HistoryProblem,
    OSError, or what the store raises; what was stored until then stays."""
    return _Import(folder, store, path, preferences, now, deadline, report, True).run()


class _Import:
    """One import, or the preview of one."""

    def __init__(
        self,
        folder: Folder,
        store: Store,
        path: str,
        preferences: Preferences,
        now: int,
        deadline: float,
        report: Report,
        keeps: bool,
    ) -> None:
        self._folder = folder
        self._store = store
        self._path = path
        self._rules = preferences.rules()
        self._gap_s = preferences.number(HISTORY_GAP_S)
        self._now = now
        self._deadline = deadline
        self._report = report
        self._keeps = keeps
        self._outcome = Outcome(path)
        self._listed: dict[int, BookTally] = {}  # by KOReader's number
        self._further: dict[int, BookTally] = {}  # some of those beyond BOOKS_MAX, which share one tally
        self._further_tally = history.Tally()
        self._unsettled_from: int | None = None  # what may be judged otherwise later, although no record changes
        self._grouping = history.Grouping(self._gap_s, history.Taken([]), 0)

    def run(self) -> Outcome:
        if self._now < EARLIEST_PLAUSIBLE_S:
            raise HistoryProblem(texts.HISTORY_CLOCK_UNSET)
        try:
            for _ in range(PASSES_MOST):
                snapshot = files.snapshot(self._folder.disk, self._path, self._folder.path + COPY_NAME)
                try:
                    if self._read(snapshot):
                        return self._finished()
                finally:
                    snapshot.close()
        except files.Unavailable as problem:
            raise HistoryProblem(texts.history_unavailable(self._path, problem.why)) from problem
        except Foreign as problem:
            raise HistoryProblem(texts.history_foreign(self._path)) from problem
        except Damaged as problem:
            raise HistoryProblem(texts.history_damaged(self._path, str(problem))) from problem
        raise HistoryProblem(texts.history_unavailable(self._path, files.IN_USE))

    def _read(self, snapshot: Snapshot) -> bool:
        """One pass; False if KOReader wrote meanwhile, and what was not stored yet cannot be believed."""
        try:
            source = open_statistics(snapshot.address, snapshot.copy is not None)
        except Damaged:
            if not snapshot.is_unchanged():
                return False
            raise
        try:
            return self._pass(snapshot, source)
        except Damaged:
            if not snapshot.is_unchanged():
                return False
            raise
        finally:
            source.close()

    def _pass(self, snapshot: Snapshot, source: Statistics) -> bool:
        summary = source.summary()
        begin = self._begin(summary) if self._keeps else history.EARLIEST_S
        self._start_pass(summary)
        if begin is None:
            self._outcome.unchanged = self._outcome.complete = True
            return snapshot.is_unchanged()
        for number in source.outside(history.EARLIEST_S, self._now):
            self._book(source, number).tally.leave_out(history.IMPOSSIBLE, 1, 0)
        started_at = begin
        for done, (_, number, page, start, duration, pages) in enumerate(source.records(begin, self._now), 1):
            self._judge(source, number, page, start, duration, pages)
            started_at = start if isinstance(start, int) else started_at
            if done % PIECE_RECORDS == 0:
                if not self._settle(snapshot, source):
                    return False
                self._report(done, summary.records)
                if time.monotonic() > self._deadline - SPARE_S:
                    resume_at = self._grouping.resume_at(started_at)
                    self._keep_mark(summary, str(resume_at if self._unsettled_from is None else self._unsettled_from))
                    return True
        growing = self._grouping.finish()
        if growing is not None:
            self._unsettled_from = growing.started_at
            self._book(source, growing.book).tally.leave_out(history.UNFINISHED, growing.records, growing.read_s)
        if not self._settle(snapshot, source):
            return False
        self._outcome.complete = True
        if self._unsettled_from is None and summary.latest_at <= self._now:
            self._keep_mark(summary, stored.MARK_DONE)
        return True

    def _start_pass(self, summary: Summary) -> None:
        self._outcome = Outcome(self._path)
        self._outcome.records = summary.records
        self._unsettled_from = None
        if self._keeps:  # what an earlier pass has stored is stored
            for tally in self._tallies():
                tally.left_out = {}
        else:
            self._listed, self._further, self._further_tally = {}, {}, history.Tally()
        taken = history.Taken([stored.session_spans(self._store)], stored.journal_stretches(self._store))
        self._grouping = history.Grouping(self._gap_s, taken, _horizon(self._folder, self._store, self._now))

    def _seen(self, summary: Summary) -> str:
        """Everything on which the outcome depends. Of what is stored only the number of imported sessions: more of it
        takes time away, less of it is a store that lost something."""
        rules = self._rules
        untracked = ",".join(str(id) for id in books.untracked_ids(self._store))
        conditions = f"{self._gap_s} {rules.min_duration_s} {rules.min_pages} {rules.page_seen_s} {untracked}"
        return f"{self._path}\n{summary.mark()}\n{conditions}\n{stored.count_imported(self._store)}"

    def _begin(self, summary: Summary) -> int | None:
        """The start from which records are to be read; None if none need be."""
        earlier, position = stored.mark(self._store)
        if earlier != self._seen(summary):
            return history.EARLIEST_S
        if position == stored.MARK_DONE:
            return None
        return int(position) if position.isdigit() else history.EARLIEST_S

    def _keep_mark(self, summary: Summary, position: str) -> None:
        if self._keeps:
            with self._store.transaction():
                stored.keep_mark(self._store, self._seen(summary), position)

    def _judge(
        self, source: Statistics, number: object, page: object, start: object, duration: object, pages: object
    ) -> None:
        book = self._book(source, number)
        if not book.has_name() or not history.is_possible(page, start, duration, pages, self._now):
            book.tally.leave_out(history.IMPOSSIBLE, 1, 0)
            return
        # mypy cannot see that `is_possible` has looked at the kinds; a book with a name has a number.
        verdict = self._grouping.add(number, page, start, duration, pages, book.tracked, book.book_id)  # type: ignore[arg-type]
        if verdict != history.KEPT:
            book.tally.leave_out(verdict, 1, duration)  # type: ignore[arg-type]
            if verdict == history.UNFINISHED and self._unsettled_from is None:
                self._unsettled_from = self._grouping.resume_at(start)  # type: ignore[arg-type]

    def _settle(self, snapshot: Snapshot, source: Statistics) -> bool:
        """Stores the sessions that are complete; False if what they were read from cannot be believed."""
        sittings = self._grouping.complete
        self._grouping.complete = []
        found: list[tuple[BookTally, ReadingSession]] = []
        for sitting in sittings:
            book = self._book(source, sitting.book)
            session = history.session(sitting, self._rules)
            if session is None:
                book.tally.leave_out(history.TOO_SHORT, sitting.records, sitting.read_s)
            else:
                found.append((book, session))
        if not snapshot.is_unchanged():
            return False
        if found and self._keeps:
            with self._store.transaction():
                for book, session in found:
                    self._store_session(book, session)
        for book, session in found:
            book.tally.count(session)
        return True

    def _store_session(self, book: BookTally, session: ReadingSession) -> None:
        if book.book_id is None:
            # Asked again: KOReader's statistics may have one book under two numbers.
            known = books.known(self._store, book.fingerprint, book.title, book.authors)
            if known is None:
                book.book_id = books.add_without_file(
                    self._store, book.fingerprint, book.title, book.authors, book.language
                )
            else:
                book.book_id, book.server_id = known.id, known.server_id
        state = rules_of_outbox.WAITING if book.server_id is None else rules_of_outbox.INTENT
        id = reading_sessions.add(self._store, book.book_id, reading_sessions.STATISTICS, None, session)
        outbox.add_session(self._store, id, book.book_id, state, True, self._now)

    def _book(self, source: Statistics, number: object) -> BookTally:
        number = number if isinstance(number, int) else NO_BOOK
        book = self._listed.get(number) or self._further.get(number)
        if book is not None:
            return book
        found = source.book(number)
        known = None
        if found is not None:
            known = books.known(self._store, found.fingerprint, found.title, found.authors)
        book = BookTally(found, known)
        if len(self._listed) < BOOKS_MAX:
            self._listed[number] = book
        else:
            if len(self._further) >= BOOKS_MAX:
                self._further.clear()
            book.tally = self._further_tally
            self._further[number] = book
        return book

    def _tallies(self) -> list[history.Tally]:
        return [book.tally for book in self._listed.values()] + [self._further_tally]

    def _finished(self) -> Outcome:
        self._outcome.books = list(self._listed.values())
        for tally in self._tallies():
            self._outcome.total.add(tally)
        return self._outcome


def _horizon(folder: Folder, store: Store, now: int) -> int:
    """Up to when KOReader's records are judged: what a journal holds that was not taken yet is for that to tell."""
    horizon = now
    for name in folder.disk.names(folder.journal):
        id, _, suffix = name.rpartition(".")
        if suffix not in ("open", "jsonl") or reading_sessions.journal_is_ingested(store, id):
            continue
        try:
            head = folder.disk.read(f"{folder.journal}/{name}", JOURNAL_HEAD_BYTES) or b""
        except OSError:
            continue  # ingest says that it cannot be read
        began_at = history.began_at(head.split(b"\n")[:-1])
        if began_at is not None:
            horizon = min(horizon, began_at)
    return horizon
