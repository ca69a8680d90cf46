"""Rows of the Lua plugin's database → our store: books, sessions, ratings and marks, one by one.

Promises: a row that was taken once changes nothing when it comes again. A book that is known already keeps its own
match and path. What the old plugin says it has sent to our own server is noted as sent; what it had still to send, or
has sent to another server, is `unproven`, so that the server is asked before it goes out. No position is sent that was
not checked.
Never: begins or ends a transaction; reads a file. Called by: `device/importing/plugin_import.py`.
"""

from __future__ import annotations

from device import json_text
from device.core import outbox as rules
from device.core import plugin_rows, plugin_times
from device.core.journal import Book
from device.core.shared_values import said
from device.importing import plugin_marks
from device.store import books, mark_ledger, outbox, reading_sessions, settings, shared_values
from device.store import plugin_records as records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.plugin_rows import OldBook, OldSession
    from device.core.reading_session import ReadingSession
    from device.disk import Disk
    from device.store.database import Store
    from device.store.plugin_database import Row

MATCHED_BY = "old plugin"
NO_BOOK = -1  # no book's id
LONGEST_S = plugin_rows.SESSION_MAX_S + plugin_rows.HISTORY_TOLERANCE_S  # of a session

# What was taken, and what was left, as the report names it.
BOOKS, SENT, QUEUED, RATINGS, RATED = "books", "sent", "queued", "ratings", "rated"
NOTES, LEDGER, DELETIONS, WITHDRAWN = "notes", "ledger", "deletions", "withdrawn"
ELSEWHERE = "elsewhere"  # sent, but not known to be on our server
SESSION, RATING, MARK, BOOK = "session", "rating", "mark", "book"

# Why something was left, besides the reasons of `plugin_rows`.
OVERLAPS, NOT_TRACKED, BOOK_LOST, OTHER_SERVER = "overlaps", "not tracked", "book lost", "other server"


class Report:
    """What came over, per kind, and what was left, per kind and reason."""

    __slots__ = ("left", "pending", "taken")

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}
        self.pending: dict[str, int] = {}  # marks that wait for their position
        self.left: dict[tuple[str, str], int] = {}

    def take(self, what: str) -> None:
        self.taken[what] = self.taken.get(what, 0) + 1

    def leave(self, what: str, reason: str) -> None:
        self.left[what, reason] = self.left.get((what, reason), 0) + 1


class Taker:
    """Takes rows. `trusts_ids`: our account is on the server whose ids the old plugin kept. `first`: nothing was
    imported before, so that what the reader has switched off there is switched off here."""

    __slots__ = ("_disk", "_first", "_now", "_report", "_store", "_trusts_ids")

    def __init__(self, store: Store, disk: Disk, report: Report, trusts_ids: bool, first: bool, now: int) -> None:
        self._store = store
        self._disk = disk
        self._report = report
        self._trusts_ids = trusts_ids
        self._first = first
        self._now = now

    # Books

    def take_book_row(self, row: Row) -> None:
        found = plugin_rows.book(row[1:])
        if isinstance(found, str):
            self._report.leave(BOOK, found)
        else:
            self.take_book(found)

    def take_book(self, old: OldBook) -> None:
        known = self._find(old)
        book = self._add(old) if known is None else known
        if known is not None:
            self._fill_gaps(book.id, old)
        if not old.tracked and (known is None or self._first):
            books.track(self._store, book.id, False)
        self._match(book, old)

    def _find(self, old: OldBook) -> records.FoundBook | None:
        found = None
        if old.fingerprint is not None:
            found = records.book_with_fingerprint(self._store, old.fingerprint)
        if found is None and old.file:
            found = records.book_with_file(self._store, old.file, old.fingerprint)
        return found

    def _add(self, old: OldBook) -> records.FoundBook:
        if old.file:
            size_bytes = self._size_bytes(old.file)
            book = Book(old.file, old.format, old.title, old.authors, old.identifiers, old.fingerprint, size_bytes)
            id = books.remember(self._store, book)
        else:
            id = books.add_without_file(self._store, old.fingerprint, old.title, old.authors)
        self._fill_gaps(id, old)
        self._report.take(BOOKS)
        return records.FoundBook(id, None, 1)

    def _fill_gaps(self, id: int, old: OldBook) -> None:
        records.fill_gaps(
            self._store, id, old.fingerprint, old.format, old.title, old.authors, old.identifiers, old.hardcover_id
        )

    def _size_bytes(self, file: str) -> int | None:
        """Helps to find the book on the server by its file."""
        try:
            return self._disk.size_bytes(file) if file.startswith("/") else None
        except (OSError, ValueError):
            return None  # another machine's path, a card that is not in

    def _match(self, book: records.FoundBook, old: OldBook) -> None:
        """Gives a book without a match the old plugin's, and frees what waited for it."""
        if book.server_id is not None or old.server_id is None or not self._trusts_ids:
            return
        books.match(self._store, book.id, old.server_id, MATCHED_BY)
        for unproven, event in ((False, rules.MATCHED), (True, rules.MATCHED_IN_DOUBT)):
            after = (rules.after(rules.WAITING, event), rules.unproven_after(unproven, event))
            outbox.change_book(self._store, book.id, (rules.WAITING, unproven), after, self._now, None)
        book.server_id = old.server_id

    # Reading sessions

    def take_pending_session(self, row: Row) -> None:
        self.take_session(plugin_rows.pending_session(row[1:]))

    def take_sent_session(self, row: Row) -> None:
        found = plugin_rows.history_session(row[1:])
        if isinstance(found, str) or found.state == plugin_rows.SENT:
            self.take_session(found)

    def take_unsent_session(self, row: Row) -> None:
        found = plugin_rows.history_session(row[1:])
        if not isinstance(found, str) and found.state != plugin_rows.SENT:  # the others were told with the sent ones
            self.take_session(found)

    def take_session(self, old: OldSession | str) -> None:
        if isinstance(old, str):
            self._report.leave(SESSION, old)
        elif old.state != plugin_rows.SENT:
            self._queue(old, QUEUED)
        elif self._trusts_ids:
            self._note_as_sent(old)
        elif old.session.duration_s == 0:
            self._report.leave(SESSION, plugin_rows.NO_DURATION)
        else:
            self._queue(old, ELSEWHERE)

    def _note_as_sent(self, old: OldSession) -> None:
        """For the ledger: so that no other record of the same reading is ever sent."""
        session = old.session
        book = self._known_book(old.book)
        reach = session.started_at, plugin_times.latest_end(session), LONGEST_S
        taken = records.spans_that_stay(self._store, NO_BOOK if book is None else book.id, *reach)
        plugin_times.fit(session, taken)
        parts = plugin_times.free_parts(session, taken)
        if not parts:
            return
        if book is None:
            book = self._new_book(old.book)
        withdrawn = records.withdraw_statistics(self._store, book.id, session.started_at, session.ended_at, LONGEST_S)
        for _ in range(withdrawn):
            self._report.take(WITHDRAWN)
        for part in parts:
            self._add_session(book, plugin_times.part_of(session, part), rules.ACKNOWLEDGED, False)
        self._report.take(SENT)

    def _queue(self, old: OldSession, what: str) -> None:
        session = old.session
        latest_end = plugin_times.latest_end(session)
        if records.is_recorded(self._store, session.started_at, session.ended_at, latest_end):
            return
        book = self._known_book(old.book) or self._new_book(old.book)
        taken = records.spans_around(self._store, session.started_at, latest_end, LONGEST_S)
        if not plugin_times.is_free(session, taken):
            self._report.leave(SESSION, OVERLAPS)
        elif not book.tracked:
            self._report.leave(SESSION, NOT_TRACKED)
        else:
            plugin_times.fit(session, taken)
            self._add_session(book, session, self._state(book), True)
            self._report.take(what)

    def _add_session(self, book: records.FoundBook, session: ReadingSession, state: str, unproven: bool) -> None:
        id = reading_sessions.add(self._store, book.id, reading_sessions.PLUGIN, None, session)
        outbox.add_session(self._store, id, book.id, state, unproven, self._now)

    def _known_book(self, old: OldBook) -> records.FoundBook | None:
        """By its hash, else by its title: the one book that is called so, or one that has nothing but the title."""
        found = None
        if old.fingerprint is not None:
            found = records.book_with_fingerprint(self._store, old.fingerprint)
        else:
            called_so = records.books_with_title(self._store, old.title)
            if len(called_so) == 1 or (called_so and records.is_only_a_title(self._store, called_so[0].id)):
                found = called_so[0]
        if found is not None:
            self._match(found, old)
        return found

    def _new_book(self, old: OldBook) -> records.FoundBook:
        book = self._add(old)
        self._match(book, old)
        return book

    def _state(self, book: records.FoundBook) -> str:
        return rules.WAITING if book.server_id is None else rules.INTENT

    # Ratings

    def take_rating_of_book(self, row: Row) -> None:
        """`book_metadata`: the rating, and whether the server has it."""
        _, path, hash, rating, synced = row
        if rating is not None:
            self._take_rating(path, hash, rating, plugin_rows.whole(synced, 1, 1) is not None)

    def take_pending_rating(self, row: Row) -> None:
        _, path, hash, rating = row
        self._take_rating(path, hash, rating, False)

    def _take_rating(self, path: object, hash: object, cell: object, synced: bool) -> None:
        book = self._book_of_row(path, hash, RATING)
        rating = plugin_rows.rating(cell)
        if book is None:
            return
        if rating is None:
            self._report.leave(RATING, plugin_rows.NO_RATING)
            return
        known = shared_values.load(self._store, book.id, RATING)
        if known.is_agreed and (synced or known.agreed == str(rating)):
            return
        if synced and not self._trusts_ids:
            self._report.leave(RATING, OTHER_SERVER)
        elif synced:
            known.agree(str(rating))
            shared_values.save(self._store, book.id, known)
            self._report.take(RATED)
        elif not book.tracked:
            self._report.leave(RATING, NOT_TRACKED)
        elif outbox.state_entry(self._store, rules.RATING, book.id) is None:
            payload = json_text.encode({"rating": rating}).decode("utf-8")
            outbox.add(self._store, rules.RATING, str(book.id), book.id, payload, self._state(book), True, self._now)
            known.offer(said(RATING, str(rating)), self._now)
            shared_values.save(self._store, book.id, known)
            self._report.take(RATINGS)

    # Highlights, notes and bookmarks

    def take_sent_annotation(self, row: Row) -> None:
        _, path, hash, made_at, annotation_type, remote_id = row
        kinds = plugin_rows.kinds(annotation_type)
        # Of a note that went two ways one id was kept, and nothing says of which.
        self._take_sent(path, hash, made_at, kinds, remote_id if len(kinds) == 1 else None)

    def take_sent_bookmark(self, row: Row) -> None:
        _, path, hash, made_at, remote_id = row
        self._take_sent(path, hash, made_at, (rules.BOOKMARK,), remote_id)

    def _take_sent(self, path: object, hash: object, made_at: object, kinds: tuple[str, ...], remote: object) -> None:
        book = self._book_of_row(path, hash, MARK)
        when = plugin_rows.made_at(made_at)
        if book is None:
            return
        if not kinds or not when:
            self._report.leave(MARK, plugin_rows.BAD_MARK)
        for kind in kinds if when else ():
            remote_id = plugin_rows.whole(remote, 1, plugin_rows.WHOLE_MAX) if self._trusts_ids else None
            if mark_ledger.add_sent(self._store, book.id, kind, when, remote_id):
                self._report.take(LEDGER)

    def take_pending_annotation(self, row: Row) -> None:
        _, path, hash, made_at, annotation_type, payload = row
        self._take_mark(path, hash, plugin_rows.mark(made_at, annotation_type, payload))

    def take_pending_bookmark(self, row: Row) -> None:
        _, path, hash, made_at, payload = row
        self._take_mark(path, hash, plugin_rows.mark(made_at, rules.BOOKMARK, payload))

    def _take_mark(self, path: object, hash: object, mark: plugin_rows.OldMark | str) -> None:
        book = self._book_of_row(path, hash, MARK)
        if book is None:
            return
        if isinstance(mark, str):
            self._report.leave(MARK, mark)
            return
        for kind, payload in mark.at_position:
            if not mark_ledger.is_on_server(self._store, book.id, kind, mark.made_at):
                self._keep(book, kind, mark.made_at, payload)
        if mark.book_note is not None and mark.place_of_note is not None:
            # It goes with the highlight that it is about; that it may have been sent once is remembered.
            mark_ledger.add_sent(self._store, book.id, rules.BOOK_NOTE, mark.made_at, None)
            self._keep(book, rules.BOOK_NOTE, mark.made_at, mark.place_of_note)
        elif mark.book_note is not None:
            self._take_book_note(book, mark.made_at, mark.book_note)

    def _keep(self, book: records.FoundBook, kind: str, made_at: str, payload: str) -> None:
        if mark_ledger.add_pending(self._store, book.id, kind, made_at, payload):
            plugin_marks.keep(self._store, book.id, kind, made_at, payload)
            self._report.pending[kind] = self._report.pending.get(kind, 0) + 1

    def _take_book_note(self, book: records.FoundBook, made_at: str, payload: str) -> None:
        if mark_ledger.is_on_server(self._store, book.id, rules.BOOK_NOTE, made_at):
            return
        if not book.tracked:
            self._report.leave(MARK, NOT_TRACKED)
            return
        key = mark_ledger.key(book.id, made_at)
        if outbox.add(self._store, rules.BOOK_NOTE, key, book.id, payload, self._state(book), True, self._now):
            self._report.take(NOTES)

    def take_deletion(self, row: Row) -> None:
        """Kept, and nothing else: nothing is deleted that nobody was asked about."""
        found = plugin_rows.deletion(row[1:])
        if found is None:
            self._report.leave(BOOK, plugin_rows.NO_BOOK)
            return
        key = f"{records.KEPT}pending_deletion.{found[0]}"
        if settings.get(self._store, key) is None:
            settings.put(self._store, key, found[1])
            self._report.take(DELETIONS)

    def _book_of_row(self, path: object, hash: object, what: str) -> records.FoundBook | None:
        old = plugin_rows.book_of_a_row(path, hash)
        found = None if old is None else self._find(old)
        if found is None:
            self._report.leave(what, BOOK_LOST)
        return found
