"""Reading sessions out of the evidence of page turns.

Rule 1: everything that decides what counts as reading lives in this file.

How it works. A reading (one journal) is a row of moments. Between two neighbours lies a gap, and the event that opens
the gap says what the reader did in it (`GAP`): with a page on screen she read it, up to the idle cap; asleep she did
not. A gap longer than the cap ends the session at its first moment plus the cap, and the next page turn begins another:
a charger night costs one cap, not eight hours. A sleep longer than `join_pause_s` ends the session as well.

Promises: sessions of one reading never overlap, never have a negative length, and `duration_s` never exceeds
`ended_at - started_at`. Durations come from the monotonic clock where both ends of a gap have it; the wall clock only
places a session in the day. Where the two clocks disagree the session is flagged, not dropped.
Never: looks at a clock itself.
Called by: `device/ingest.py`.
"""

from __future__ import annotations

from device.core import journal
from device.core.instants import EARLIEST_PLAUSIBLE_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.journal import Moment, Reading

CLOCK_TOLERANCE_S = 90  # a gap's two clocks may differ by this much: drift and rounding, not a jump

FLAG_CLOCK_JUMPED = "clock-jumped"
FLAG_CLOCK_UNSET = "clock-unset"

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

    __slots__ = ("idle_cap_s", "join_pause_s", "min_duration_s", "min_pages", "page_seen_s")

    def __init__(
        self,
        idle_cap_s: int = 300,
        join_pause_s: int = 300,
        min_duration_s: int = 30,
        min_pages: int = 1,
        page_seen_s: int = 2,
    ) -> None:
        self.idle_cap_s = idle_cap_s
        self.join_pause_s = join_pause_s
        self.min_duration_s = min_duration_s
        self.min_pages = min_pages
        self.page_seen_s = page_seen_s  # a page on screen for less was leafed past


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
    """A session while it grows. `span_ms` is its length so far, sleeps that were joined included."""

    __slots__ = ("first", "flags", "last", "read_ms", "seen_ms", "span_ms")

    def __init__(self, first: Moment) -> None:
        self.first = first
        self.last = first
        self.read_ms = 0
        self.span_ms = 0
        self.seen_ms: dict[int, int] = {}
        self.flags: set[str] = set()

    def read(self, page: int | None, elapsed_ms: int) -> None:
        self.read_ms += elapsed_ms
        self.span_ms += elapsed_ms
        if page is not None:
            self.seen_ms[page] = self.seen_ms.get(page, 0) + elapsed_ms


def sessions(reading: Reading, rules: Rules) -> list[ReadingSession]:
    """The valid sessions of a reading, in order."""
    sittings = _sittings(reading.moments, rules)
    found: list[ReadingSession] = []
    free_from = 0
    for number, sitting in enumerate(sittings):
        is_last = number == len(sittings) - 1
        session = _close(sitting, rules, free_from, reading.final_fraction if is_last else None)
        if session is not None:
            found.append(session)
            free_from = session.ended_at
    return found


def _sittings(moments: list[Moment], rules: Rules) -> list[_Sitting]:
    grown: list[_Sitting] = []
    current: _Sitting | None = None
    page: int | None = None
    pages: int | None = None
    for number, moment in enumerate(moments):
        # Suspend and resume carry no page: the one that was on screen stays.
        page = moment.page if moment.page is not None else page
        pages = moment.pages if moment.pages is not None else pages
        moment.page, moment.pages = page, pages
        kind = GAP[moment.event]
        if current is None and kind == READING:
            current = _Sitting(moment)
            grown.append(current)
        if current is None:
            continue
        current.last = moment
        if number + 1 == len(moments):
            break
        elapsed_ms, jumped = _elapsed(moment, moments[number + 1], kind)
        if jumped:
            current.flags.add(FLAG_CLOCK_JUMPED)
        if kind == READING:
            current.read(page, min(elapsed_ms, rules.idle_cap_s * 1000))
            if elapsed_ms > rules.idle_cap_s * 1000:
                current = None
        elif kind == ASLEEP and elapsed_ms <= rules.join_pause_s * 1000:
            current.span_ms += elapsed_ms
        else:
            current = None
    return grown


def _elapsed(earlier: Moment, later: Moment, kind: str) -> tuple[int, bool]:
    """Milliseconds between two moments, and whether the clocks contradict each other."""
    wall_ms = (later.wall_s - earlier.wall_s) * 1000
    if earlier.monotonic_ms is None or later.monotonic_ms is None or later.monotonic_ms < earlier.monotonic_ms:
        return max(wall_ms, 0), wall_ms < 0
    monotonic_ms = later.monotonic_ms - earlier.monotonic_ms
    if kind == ASLEEP:
        # The monotonic clock may stand still asleep, so only the wall clock knows the length of a sleep.
        return max(wall_ms, monotonic_ms), wall_ms < 0
    return monotonic_ms, abs(wall_ms - monotonic_ms) > CLOCK_TOLERANCE_S * 1000


def _close(sitting: _Sitting, rules: Rules, free_from: int, final_fraction: float | None) -> ReadingSession | None:
    duration_s = sitting.read_ms // 1000
    pages_read = sum(1 for seen_ms in sitting.seen_ms.values() if seen_ms >= rules.page_seen_s * 1000)
    if duration_s < max(rules.min_duration_s, 1) or pages_read < rules.min_pages:
        return None
    started_at = max(sitting.first.wall_s, free_from)
    flags = set(sitting.flags)
    if started_at < EARLIEST_PLAUSIBLE_S:
        flags.add(FLAG_CLOCK_UNSET)
    start_page, end_page = sitting.first.page, sitting.last.page
    return ReadingSession(
        started_at=started_at,
        ended_at=started_at + max(duration_s, sitting.span_ms // 1000),
        duration_s=duration_s,
        start_page=start_page,
        end_page=end_page,
        start_fraction=_fraction(start_page, sitting.first.pages),
        end_fraction=final_fraction if final_fraction is not None else _fraction(end_page, sitting.last.pages),
        pages_read=pages_read,
        flags=tuple(sorted(flags)),
    )


def _fraction(page: int | None, pages: int | None) -> float | None:
    if page is None or not pages:
        return None
    return min(page / pages, 1.0)
