"""Reading sessions out of the evidence of page turns.

Rule 1: everything that decides what counts as reading lives in this file.

How it works. A reading (one journal) is a row of moments with gaps between them; how long each gap was and when it
happened is `timeline.py`'s business. The event that opens a gap says what the reader did in it (`GAP`): with a page on
screen she read it, asleep she did not. Every page that comes on screen brings a credit of `idle_cap_s`, which time on
that page uses up, sleeps in between or not, also where the reading goes on in another journal; only another page
brings another. When it is used up the session ends
there, and the next page turn begins another: a night on the charger costs one cap, not eight hours. A sleep longer
than `join_pause_s` ends the session as well.

Promises: sessions of one reading never overlap, never have a negative length, and `duration_s` never exceeds
`ended_at - started_at`. What is doubtful about its clock is flagged, not dropped.
Never: looks at a clock itself.
Called by: `device/ingest.py`, `device/trace.py`.
"""

from __future__ import annotations

from device.core import journal
from device.core.instants import EARLIEST_PLAUSIBLE_S
from device.core.timeline import TOLERANCE_S, timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.journal import Moment, Reading
    from device.core.outbox import Uptime
    from device.core.timeline import Timeline

FLAG_CLOCK_JUMPED = "clock-jumped"  # the wall clock was set while the session went on
FLAG_CLOCK_CORRECTED = "clock-corrected"  # it was placed by another clock than its own wall clock
FLAG_CLOCK_UNSET = "clock-unset"  # nobody knows when it was: the wall clock said before 2020
FLAG_CLOCK_DOUBTFUL = "clock-doubtful"  # a server says that the clock was wrong; nothing tells when it was
FLAG_MOVED = "moved"  # its clock put it into another session's time; it was moved behind that

READING, ASLEEP, OVER = "reading", "asleep", "over"
GAP = {
    journal.OPEN: READING,
    journal.PAGE: READING,
    journal.RESUME: READING,
    journal.SUSPEND: ASLEEP,
    journal.CLOSE: OVER,
}


class Rules:
    """The settings that decide what counts as reading. Times in seconds."""

    __slots__ = (
        "idle_cap_s",
        "join_pause_s",
        "min_duration_s",
        "min_pages",
        "opening_page_counts",
        "page_min_s",
        "page_seen_s",
    )

    def __init__(
        self,
        idle_cap_s: int = 300,
        join_pause_s: int = 300,
        min_duration_s: int = 30,
        min_pages: int = 1,
        page_seen_s: int = 2,
        page_min_s: int = 0,
        opening_page_counts: bool = True,
    ) -> None:
        self.idle_cap_s = idle_cap_s
        self.join_pause_s = join_pause_s
        self.min_duration_s = min_duration_s
        self.min_pages = min_pages
        self.page_seen_s = page_seen_s  # a page on screen for less was leafed past: it is not among `pages_read`
        self.page_min_s = page_min_s  # a page on screen for less adds no time
        self.opening_page_counts = opening_page_counts  # also before the first page turn


KOREADERS_CAP_S, KOREADERS_PAGE_MIN_S = 120, 5
UNNUMBERED = 0  # the page that KOReader's statistics begin when the device falls asleep before any page was announced


def koreaders_rules(cap_s: int) -> Rules:
    """How KOReader's own statistics count, to compare with them: from the first page that is announced after the book
    is open, which for fixed pages is the one after the first turn; pages of less than `min_sec` not at all, others up
    to `max_sec`, the cap (its plugin of August 2026)."""
    return Rules(
        idle_cap_s=cap_s, min_duration_s=1, min_pages=0, page_min_s=KOREADERS_PAGE_MIN_S, opening_page_counts=False
    )


class ReadingSession:
    """One sitting with one book. Instants in UTC epoch seconds; fractions 0..1 of the book, None if not known."""

    __slots__ = (
        "boot_id",
        "boot_ms",
        "duration_s",
        "end_fraction",
        "end_label",
        "end_page",
        "end_xpointer",
        "ended_at",
        "flags",
        "pages_read",
        "start_fraction",
        "start_label",
        "start_page",
        "start_xpointer",
        "started_at",
    )

    def __init__(
        self,
        started_at: int,
        ended_at: int,
        duration_s: int,
        start_page: int | None,
        end_page: int | None,
        start_fraction: float | None,
        end_fraction: float | None,
        pages_read: int,
        flags: tuple[str, ...],
    ) -> None:
        self.started_at = started_at
        self.ended_at = ended_at
        self.duration_s = duration_s
        self.start_page = start_page
        self.end_page = end_page
        self.start_fraction = start_fraction
        self.end_fraction = end_fraction
        self.pages_read = pages_read
        self.flags = flags
        self.start_label: str | None = None  # the book's own page label, where it has them
        self.end_label: str | None = None
        self.start_xpointer: str | None = None  # crengine's position
        self.end_xpointer: str | None = None
        self.boot_id: str | None = None  # of the boot in which it began, and when on the clock that runs through sleep
        self.boot_ms: int | None = None


class _Sitting:
    """A session while it grows. `first` and `last` are numbers of moments; `span_ms` is its length up to the last that
    was read, `pause_ms` what has passed since then."""

    __slots__ = ("first", "last", "pause_ms", "read_ms", "seen_ms", "span_ms")

    def __init__(self, first: int) -> None:
        self.first = first
        self.last = first
        self.read_ms = 0
        self.span_ms = 0
        self.pause_ms = 0
        self.seen_ms: dict[int, int] = {}

    def go_on(self, counted_ms: int, last: int) -> None:
        self.span_ms += self.pause_ms + counted_ms
        self.pause_ms = 0
        self.last = last


class _View:
    """One page on screen, until another comes: what is left of its credit, and how long it was read in this sitting."""

    __slots__ = ("credit_ms", "page", "read_ms")

    def __init__(self, page: int | None, credit_ms: int) -> None:
        self.page = page
        self.credit_ms = credit_ms
        self.read_ms = 0

    def read(self, elapsed_ms: int) -> int:
        """How much of the time counts."""
        counted_ms = min(elapsed_ms, self.credit_ms)
        self.credit_ms -= counted_ms
        self.read_ms += counted_ms
        return counted_ms

    def end_in(self, sitting: _Sitting, page_min_ms: int) -> None:
        if self.read_ms >= page_min_ms:
            sitting.read_ms += self.read_ms
        if self.page is not None and self.read_ms:
            sitting.seen_ms[self.page] = sitting.seen_ms.get(self.page, 0) + self.read_ms
        self.read_ms = 0


def sessions(reading: Reading, rules: Rules) -> list[ReadingSession]:
    """The valid sessions of a reading, in order."""
    moments = reading.moments
    _carry_places(moments)
    times = timeline(moments)
    found: list[ReadingSession] = []
    free_from = 0
    sittings = _sittings(moments, times, rules)
    for number, sitting in enumerate(sittings):
        session = _close(sitting, moments, times, rules, free_from)
        if session is None:
            continue
        if number == len(sittings) - 1 and reading.final_fraction is not None:
            session.end_fraction = reading.final_fraction
        session.boot_id = reading.boot_id
        found.append(session)
        free_from = session.ended_at
    return found


def move(session: ReadingSession, started_at: int) -> None:
    """To where nothing else was read; its length stays."""
    session.ended_at += started_at - session.started_at
    session.started_at = started_at
    if FLAG_MOVED not in session.flags:
        session.flags = (*session.flags, FLAG_MOVED)


def place_by_boot_clock(session: ReadingSession, uptime: Uptime, now_s: int) -> None:
    """Where the clock was set after the session, in the same boot: what the boot clock says is right.

    `now_s`: the wall clock at `uptime`; it is not believed if it is from before 2020.
    """
    if session.boot_id is None or session.boot_ms is None or session.boot_id != uptime.boot_id:
        return
    started_at = now_s - (uptime.seconds - session.boot_ms // 1000)
    if now_s < EARLIEST_PLAUSIBLE_S or abs(started_at - session.started_at) <= TOLERANCE_S:
        return
    session.ended_at += started_at - session.started_at
    session.started_at = started_at
    flags = [flag for flag in session.flags if flag not in (FLAG_CLOCK_UNSET, FLAG_CLOCK_CORRECTED)]
    session.flags = (FLAG_CLOCK_CORRECTED, *flags)


def _carry_places(moments: list[Moment]) -> None:
    """Suspend and resume say nothing of the place: the one that was on screen stays."""
    page: int | None = None
    pages: int | None = None
    fraction: float | None = None
    label: str | None = None
    for moment in moments:
        if moment.page is not None and moment.page != page:
            # What is said of another page is not true of this one.
            fraction = label = None
        page = moment.page if moment.page is not None else page
        pages = moment.pages if moment.pages is not None else pages
        fraction = moment.fraction if moment.fraction is not None else fraction
        label = moment.label if moment.label is not None else label
        moment.page, moment.pages, moment.fraction, moment.label = page, pages, fraction, label


def _sittings(moments: list[Moment], times: Timeline, rules: Rules) -> list[_Sitting]:
    grown: list[_Sitting] = []
    current: _Sitting | None = None
    view = _View(None, 0)
    page_min_ms = rules.page_min_s * 1000
    for number, moment in enumerate(moments):
        kind = GAP[moment.event]
        if _is_another_page(moments, number, view, rules):
            if current is not None:
                view.end_in(current, page_min_ms)
            page = UNNUMBERED if moment.event == journal.SUSPEND else moment.page
            view = _View(page, max(rules.idle_cap_s * 1000 - moment.on_screen_ms, 0))
        if current is None and kind == READING and view.credit_ms:
            current = _Sitting(number)
            grown.append(current)
        if current is None:
            continue
        if number + 1 == len(moments):
            break
        elapsed_ms = times.lengths_ms[number]
        if kind == READING:
            counted_ms = view.read(elapsed_ms)
            ends = counted_ms < elapsed_ms
            if counted_ms:
                current.go_on(counted_ms, number if ends else number + 1)
        else:
            current.pause_ms += elapsed_ms
            ends = kind == OVER or current.pause_ms > rules.join_pause_s * 1000
        if ends:
            view.end_in(current, page_min_ms)
            current = None
    if current is not None:
        view.end_in(current, page_min_ms)
    return grown


def _is_another_page(moments: list[Moment], number: int, view: _View, rules: Rules) -> bool:
    """Whether a page comes on screen at this moment that was not there before."""
    moment = moments[number]
    if moment.event == journal.OPEN:
        # KOReader announces the page once more when a book whose text flows is open: such a book has an xpointer.
        return rules.opening_page_counts or moment.xpointer is not None or moment.on_screen_ms > 0
    if moment.event == journal.SUSPEND:
        # Its statistics save what they have before a sleep, and count from then on for a page without a number.
        return view.page is None and not rules.opening_page_counts
    if moment.event != journal.PAGE:
        return False
    earlier = moments[number - 1] if number else None
    if earlier is None or (earlier.page, earlier.pages) != (moment.page, moment.pages):
        return True
    # The same page announced again is no page turn, but where the opening does not count it is the first we hear of it.
    return view.page in (None, UNNUMBERED)


def _close(
    sitting: _Sitting, moments: list[Moment], times: Timeline, rules: Rules, free_from: int
) -> ReadingSession | None:
    duration_s = sitting.read_ms // 1000
    pages_read = sum(1 for seen_ms in sitting.seen_ms.values() if seen_ms >= rules.page_seen_s * 1000)
    if duration_s < max(rules.min_duration_s, 1) or pages_read < rules.min_pages:
        return None
    first, last = moments[sitting.first], moments[sitting.last]
    started_at = max(times.instants[sitting.first], free_from)
    session = ReadingSession(
        started_at=started_at,
        ended_at=started_at + max(duration_s, sitting.span_ms // 1000),
        duration_s=duration_s,
        start_page=first.page,
        end_page=last.page,
        start_fraction=_fraction(first),
        end_fraction=_fraction(last),
        pages_read=pages_read,
        flags=_flags(sitting, times, started_at),
    )
    session.start_label, session.end_label = first.label, last.label
    session.start_xpointer, session.end_xpointer = first.xpointer, last.xpointer
    session.boot_ms = first.boot_ms
    return session


def _flags(sitting: _Sitting, times: Timeline, started_at: int) -> tuple[str, ...]:
    flags = []
    if True in times.moved[sitting.first : sitting.last + 1]:
        flags.append(FLAG_CLOCK_CORRECTED)
    if True in times.jumped[sitting.first : sitting.last]:
        flags.append(FLAG_CLOCK_JUMPED)
    if started_at < EARLIEST_PLAUSIBLE_S:
        flags.append(FLAG_CLOCK_UNSET)
    return tuple(flags)


def _fraction(moment: Moment) -> float | None:
    if moment.fraction is not None or moment.page is None or not moment.pages:
        return moment.fraction
    return min(moment.page / moment.pages, 1.0)
