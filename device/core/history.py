"""KOReader's page records into reading sessions: what its statistics remember from before this program was there.

Rule 1: everything that decides which record counts, and where an imported session begins and ends, is in this file.

How it works. KOReader keeps a record of every page that stayed on screen: book, page, when, how long, of how many
pages. They come in the order in which they began, all books mixed, and each is judged in turn (`Grouping.add`):

    impossible   its numbers cannot be true
    unfinished   it ends behind the horizon: that reading goes on, or is still in a journal
    untracked    the recording of its book is switched off
    at once      it began before the one before it ended: nobody reads two pages at once, so some clock was wrong
    recorded     it shares time with a session that is in the store, of whatever book and whoever recorded it, or with
                 a journal of its book
    kept         it goes on with the sitting that is open, or begins another

A sitting ends when the next record is of another book, comes after a pause longer than `gap_s` (from the end of one
page to the beginning of the next), or when recorded time lies in between. By the rules that hold for live sessions it
then is a reading session, or too short.

Why doing it again changes nothing, in any instalments and after any interruption: what was kept lies within a stored
session from then on, so it is `recorded`; and what fell into a sitting that was too short finds the same neighbours
again, which end the sitting as before, be it as recorded time. Records that arrive late, as KOReader's own sync between
devices brings them, only ever fill time in which nothing is stored. No memory of what was imported is needed for that.

Promises: sessions never overlap one another or recorded time; their duration is the sum of their records.
Never: looks at a clock, a file or the store. Called by: `device/importing/history.py`.
"""

from __future__ import annotations

from device import json_text
from device.core.instants import DAY_S, EARLIEST_PLAUSIBLE_S
from device.core.journal import CLOCK_MAX_S, PAGES_MAX, bounded
from device.core.reading_session import ReadingSession
from device.core.timeline import timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.core.journal import Moment
    from device.core.reading_session import Rules

    Span = tuple[int, int]  # from, to (not included), in UTC epoch seconds
    BookSpan = tuple[int, int, int]  # the same, and of which book

EARLIEST_S = 1_262_304_000  # 2010-01-01: there was no KOReader before
RECORD_MAX_S = DAY_S  # KOReader's own limit for a page can be set to two hours
SESSION_PAGES_MAX = 20_000  # distinct pages of one session, as many as a journal has lines; then it is split

ANY_BOOK = 0  # no book of the store has this id

KEPT = "kept"
IMPOSSIBLE, UNFINISHED, UNTRACKED = "impossible", "unfinished", "untracked"
AT_ONCE, RECORDED, TOO_SHORT = "at once", "recorded", "too short"
REASONS = (RECORDED, TOO_SHORT, UNTRACKED, UNFINISHED, AT_ONCE, IMPOSSIBLE)  # in the order in which they are told


def is_possible(page: object, started_at: object, duration_s: object, pages: object, now: int) -> bool:
    """Whether these are numbers that KOReader can have meant: its columns take anything, its clock may say anything.

    Page 0 is a page whose number it did not know: the one on which a book was opened, after a sleep.
    """
    if type(page) is not int or type(started_at) is not int or type(duration_s) is not int:
        return False
    if pages is not None and (type(pages) is not int or not 0 <= pages <= PAGES_MAX):
        return False
    return 0 <= page <= PAGES_MAX and EARLIEST_S <= started_at <= now and 0 < duration_s <= RECORD_MAX_S


class Sitting:
    """Records that belong together, while they come and when they are complete. `book` is KOReader's number of it."""

    __slots__ = (
        "book",
        "ended_at",
        "first_page",
        "first_pages",
        "last_page",
        "last_pages",
        "read_s",
        "records",
        "seen_s",
        "started_at",
    )

    def __init__(self, book: int, page: int, started_at: int, duration_s: int, pages: int | None) -> None:
        self.book = book
        self.started_at = started_at
        self.ended_at = started_at + duration_s
        self.read_s = duration_s
        self.records = 1
        self.first_page = self.last_page = page
        self.first_pages = self.last_pages = pages
        self.seen_s = {page: duration_s}

    def add(self, page: int, started_at: int, duration_s: int, pages: int | None) -> None:
        self.ended_at = started_at + duration_s
        self.read_s += duration_s
        self.records += 1
        self.last_page = page
        self.last_pages = pages
        self.seen_s[page] = self.seen_s.get(page, 0) + duration_s


def session(sitting: Sitting, rules: Rules) -> ReadingSession | None:
    """The reading session that a sitting is; None if it is too short for one."""
    pages_read = sum(1 for seen_s in sitting.seen_s.values() if seen_s >= rules.page_seen_s)
    if sitting.read_s < max(rules.min_duration_s, 1) or pages_read < rules.min_pages:
        return None
    return ReadingSession(
        started_at=sitting.started_at,
        ended_at=sitting.ended_at,
        duration_s=sitting.read_s,
        start_page=sitting.first_page or None,
        end_page=sitting.last_page or None,
        start_fraction=_fraction(sitting.first_page, sitting.first_pages),
        end_fraction=_fraction(sitting.last_page, sitting.last_pages),
        pages_read=pages_read,
        flags=(),
    )


def _fraction(page: int, pages: int | None) -> float | None:
    return min(page / pages, 1.0) if page and pages else None


class Taken:
    """The time in which something is recorded already: spans from several sources, each in the order of their starts.

    `sources` are of any book: nobody reads two at once. `of_books` is taken for one book each (by the store's id).

    It is asked from earlier to later: a question may not begin before an earlier one began. So it holds only the few
    spans around that time, however many there are.
    """

    __slots__ = ("_around", "_next", "_sources")

    def __init__(self, sources: list[Iterator[Span]], of_books: Iterator[BookSpan] | None = None) -> None:
        self._sources: list[Iterator[BookSpan]] = [_of_any_book(source) for source in sources]
        if of_books is not None:
            self._sources.append(of_books)
        self._next: list[BookSpan | None] = [next(source, None) for source in self._sources]
        self._around: list[BookSpan] = []

    def shares(self, started_at: int, ended_at: int, book_id: int | None = None) -> bool:
        """Whether anything is recorded between these two instants, of whatever book or of this one."""
        for number, source in enumerate(self._sources):
            span = self._next[number]
            while span is not None and span[0] < ended_at:
                self._around.append(span)
                span = next(source, None)
            self._next[number] = span
        if not self._around:
            return False
        self._around = [span for span in self._around if span[1] > started_at]
        return any(span[0] < ended_at and span[2] in (ANY_BOOK, book_id) for span in self._around)


def _of_any_book(source: Iterator[Span]) -> Iterator[BookSpan]:
    for started_at, ended_at in source:
        yield started_at, ended_at, ANY_BOOK


class Grouping:
    """Judges records and gathers them into sittings. `complete` holds the sittings that have ended; the caller takes
    them out. `horizon`: nothing that ends behind it is judged yet."""

    __slots__ = ("_free_from", "_gap_s", "_horizon", "_open", "_taken", "complete")

    def __init__(self, gap_s: int, taken: Taken, horizon: int) -> None:
        self.complete: list[Sitting] = []
        self._gap_s = gap_s
        self._taken = taken
        self._horizon = horizon
        self._open: Sitting | None = None
        self._free_from = 0  # where the last record that was kept ends

    def add(
        self,
        book: int,
        page: int,
        started_at: int,
        duration_s: int,
        pages: int | None,
        tracked: bool,
        book_id: int | None = None,
    ) -> str:
        """KEPT, or why not. Records come in the order of their starts, and are possible. `book_id`: in the store."""
        ended_at = started_at + duration_s
        if ended_at > self._horizon:
            return UNFINISHED
        if not tracked:
            self._end()
            return UNTRACKED
        if started_at < self._free_from:
            return AT_ONCE
        sitting = self._open
        if self._taken.shares(started_at if sitting is None else sitting.ended_at, ended_at, book_id):
            self._end()
            if self._taken.shares(started_at, ended_at, book_id):
                return RECORDED
        self._free_from = ended_at
        if self._open is not None and self._goes_on(self._open, book, page, started_at):
            self._open.add(page, started_at, duration_s, pages)
        else:
            self._end()
            self._open = Sitting(book, page, started_at, duration_s, pages)
        return KEPT

    def _goes_on(self, sitting: Sitting, book: int, page: int, started_at: int) -> bool:
        if book != sitting.book or started_at - sitting.ended_at > self._gap_s:
            return False
        return len(sitting.seen_s) < SESSION_PAGES_MAX or page in sitting.seen_s

    def finish(self) -> Sitting | None:
        """After the last record. Returns the sitting that may still grow, which is not complete, if there is one."""
        if self._open is not None and self._horizon - self._open.ended_at <= self._gap_s:
            return self._open
        self._end()
        return None

    def resume_at(self, started_at: int) -> int:
        """From where to go on in another run, if the last record that was judged began at `started_at`."""
        return started_at if self._open is None else self._open.started_at

    def _end(self) -> None:
        if self._open is not None:
            self.complete.append(self._open)
            self._open = None


class Tally:
    """What became of the records of one book, or of all. `left_out`: reason → (records, their seconds)."""

    __slots__ = ("duration_s", "first_at", "last_at", "left_out", "pages", "sessions")

    def __init__(self) -> None:
        self.sessions = 0
        self.duration_s = 0
        self.pages = 0  # of each session; a page that was read again counts again
        self.first_at = 0
        self.last_at = 0
        self.left_out: dict[str, tuple[int, int]] = {}

    def count(self, found: ReadingSession) -> None:
        if not self.sessions or found.started_at < self.first_at:
            self.first_at = found.started_at
        self.last_at = max(self.last_at, found.ended_at)
        self.sessions += 1
        self.duration_s += found.duration_s
        self.pages += found.pages_read

    def leave_out(self, reason: str, records: int, seconds: int) -> None:
        so_far = self.left_out.get(reason, (0, 0))
        self.left_out[reason] = (so_far[0] + records, so_far[1] + seconds)

    def add(self, other: Tally) -> None:
        """For the sum over all books."""
        if other.sessions:
            self.first_at = min(self.first_at, other.first_at) if self.sessions else other.first_at
            self.last_at = max(self.last_at, other.last_at)
        self.sessions += other.sessions
        self.duration_s += other.duration_s
        self.pages += other.pages
        for reason, (records, seconds) in other.left_out.items():
            self.leave_out(reason, records, seconds)


def began_at(lines: list[bytes]) -> int | None:
    """When the reading in a journal began: the first of its lines whose clock was set; None if there is none."""
    for line in lines:
        try:
            fields = json_text.decode(line)
        except ValueError:
            return None
        instant = bounded(fields.get("t"), EARLIEST_PLAUSIBLE_S, CLOCK_MAX_S) if isinstance(fields, dict) else None
        if instant is not None:
            return instant
    return None


def wall_stretches(moments: list[Moment]) -> list[Span]:
    """The time that the wall clock showed during a reading, without the time that it jumped over or back.

    KOReader's records carry this time for ever: it says which of them are of this reading, wherever its sessions lie.
    """
    jumped = timeline(moments).jumped
    found: list[Span] = []
    first = 0
    for number, moment in enumerate(moments):
        last = number + 1 == len(moments)
        if last or jumped[number] or moments[number + 1].wall_s < moment.wall_s:
            found.append((moments[first].wall_s, moment.wall_s + 1))
            first = number + 1
    return found
