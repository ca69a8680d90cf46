"""Rating and read status: what device and server both have of a book, and either may change.

Rule 1: which of two values wins is decided in this file, from three: the device's, the server's, and the one on which
both agreed last (`agreed`). Progress, which is a place and not a judgement, has rules of its own (`progress.py`).

The device speaks KOReader's language (1 to 5 stars; `reading`, `complete`, `abandoned`), the server its own (1 to 10;
nine words). A value of the device stands for several of the server's: 7 and 8 are four stars, paused and given up are
both “On hold”. So two values are the same if the device cannot tell them apart, and then the server's, the finer one,
stays.

    device   server     what happens
    as agreed  as agreed  nothing
    changed  as agreed  the server is told
    as agreed  changed    the device is told
    changed  changed    the same: agreed. Else, of a rating the newer one wins; of a read status the one further on in
                        unread < reading < on hold < read; but read against given up is for the reader to say
    never compared      one has none: the other's. Two ratings that differ are for the reader to say

Which rating is newer: the device's has a time. When the server's came to be nobody tells; it was after it was last
heard and before now, and half-way between these is the guess.

Called by: `device/sending/book_states.py`, `device/book_state_ingest.py`. Never: stores, sends, asks.
"""

from __future__ import annotations

RATING, STATUS, PROGRESS = "rating", "status", "progress"
FIELDS = (RATING, STATUS, PROGRESS)

EXACTLY = "|"  # in a value of the device: behind it stands what the reader said in the server's own terms
RATING_MOST = 10

READING_WORD, COMPLETE_WORD, ON_HOLD_WORD = "reading", "complete", "abandoned"  # KOReader's; none: never opened
DEVICE_STATUSES = (READING_WORD, COMPLETE_WORD, ON_HOLD_WORD)

UNREAD, READING, RE_READING, READ = "UNREAD", "READING", "RE_READING", "READ"
PARTIALLY_READ, PAUSED, WONT_READ, ABANDONED, UNSET = "PARTIALLY_READ", "PAUSED", "WONT_READ", "ABANDONED", "UNSET"

# What each of the server's words is on the device, and how far on it is.
_STATUSES: dict[str, tuple[str | None, int]] = {
    UNSET: (None, 0),
    UNREAD: (None, 0),
    READING: (READING_WORD, 1),
    RE_READING: (READING_WORD, 1),
    PARTIALLY_READ: (READING_WORD, 1),
    PAUSED: (ON_HOLD_WORD, 2),
    WONT_READ: (ON_HOLD_WORD, 3),
    ABANDONED: (ON_HOLD_WORD, 3),
    READ: (COMPLETE_WORD, 3),
}
STATUSES = tuple(_STATUSES)
_FURTHEST = 3  # two different words this far on contradict each other

OURS, THEIRS, SAME, ASK, NOTHING = "ours", "theirs", "same", "ask", "nothing"


class SharedValue:
    """One field of one book. `agreed` and `server` in the server's terms, `device` and `offered` in KOReader's; behind
    these stands what the reader said in the server's terms: `4|7` is seven of ten, and shows as four stars.

    Instants in epoch seconds by the device's clock, 0 for never or not known. `offered` is what the device is to be
    given; until it is seen to have it, it counts as having it.
    """

    __slots__ = (
        "agreed",
        "device",
        "device_at",
        "field",
        "is_agreed",
        "offered",
        "offered_at",
        "server",
        "server_at",
    )

    def __init__(self, field: str) -> None:
        self.field = field
        self.agreed: str | None = None
        self.is_agreed = False
        self.device: str | None = None
        self.device_at = 0
        self.server: str | None = None
        self.server_at = 0
        self.offered: str | None = None
        self.offered_at = 0

    def see(self, value: str | None, at: int) -> bool:
        """Takes what the device has now; whether that is a change that somebody made there.

        Where it was not known what the device has, “none” and “reading” are what KOReader has of any book: no wish.
        """
        if self.offered_at and shown(value) == shown(self.offered):
            self.take_offered(at)
            return False
        if self.device_at and shown(value) == shown(self.device):
            return False
        if not self.device_at and (self.offered_at or self.is_agreed) and value in (None, READING_WORD):
            self._has_lost_it(value, at)
            return False
        self.offered, self.offered_at = None, 0
        self.device, self.device_at = value, at
        return True

    def lose(self, value: str | None, at: int) -> None:
        """KOReader's record of the book was lost: what it was is to be given back."""
        if self.device_at and not self.offered_at:
            had = self.device
            self.device, self.device_at = value, at
            self.offer(had, at)
        else:
            self._has_lost_it(value, at)

    def _has_lost_it(self, value: str | None, at: int) -> None:
        self.device, self.device_at = value, at
        if not self.offered_at:
            self.offer(to_device(self.field, self.agreed), at)

    def take_offered(self, at: int) -> None:
        """The device has what it was to be given."""
        self.device, self.device_at = self.offered, at
        self.offered, self.offered_at = None, 0

    def drop_offered(self) -> None:
        """It could not be given; what the device has is not known any more."""
        self.offered, self.offered_at = None, 0
        self.device_at = 0

    def offer(self, value: str | None, at: int) -> None:
        """The device is to have this; nothing is to be given where it has it."""
        self.offered, self.offered_at = None, 0
        if not self.device_at or shown(value) != shown(self.device):
            self.offered, self.offered_at = value, at
        elif exactly(value) is not None:
            self.device, self.device_at = value, at

    def came_at(self) -> int:
        """When the device's value came to be."""
        return max(self.device_at, self.offered_at)

    def now_on_device(self) -> str | None:
        return self.offered if self.offered_at else self.device

    def agree(self, value: str | None) -> None:
        self.agreed, self.is_agreed = value, True

    def is_contested(self, on_hold: str) -> bool:
        """Whether the reader has to say which of the two values counts. `on_hold`: see `to_server`."""
        if not (self.device_at or self.offered_at) or not self.server_at or self.field == PROGRESS:
            return False
        ours = to_server(self.field, self.now_on_device(), on_hold)
        if self.is_agreed and (same(self.field, ours, self.agreed) or same(self.field, self.server, self.agreed)):
            return False
        times = Times(self.came_at(), self.server_at, self.server_at)
        is_exact = exactly(self.now_on_device()) is not None
        return decide(self.field, ours, self.server, self.agreed, self.is_agreed, times, is_exact).outcome == ASK


class Decision:
    """`outcome`: OURS (tell the server), THEIRS (tell the device), SAME (agreed on the server's), ASK, NOTHING.

    `value`: what is agreed from now on, in the server's terms; not for ASK. `contested`: both had changed it.
    """

    __slots__ = ("contested", "outcome", "value")

    def __init__(self, outcome: str, value: str | None, contested: bool = False) -> None:
        self.outcome = outcome
        self.value = value
        self.contested = contested


class Times:
    """`device_at`: when the device's value came to be. The server's came between `heard_at`, when it still was what was
    agreed, and `now`. All in epoch seconds of one clock."""

    __slots__ = ("device_at", "heard_at", "now")

    def __init__(self, device_at: int, heard_at: int, now: int) -> None:
        self.device_at = device_at
        self.heard_at = heard_at
        self.now = now

    def device_is_newer(self) -> bool:
        return self.device_at * 2 >= self.heard_at + self.now


def shown(value: str | None) -> str | None:
    """What KOReader has of a value."""
    return None if value is None else value.partition(EXACTLY)[0] or None


def exactly(value: str | None) -> str | None:
    """What the reader said, if it was in the server's terms."""
    return None if value is None else value.partition(EXACTLY)[2] or None


def said(field: str, value: str | None) -> str | None:
    """A value in the server's terms, said by the reader, as the device has it."""
    on_device = to_device(field, value)
    return None if on_device is None else f"{on_device}{EXACTLY}{value}"


def to_device(field: str, value: str | None) -> str | None:
    """A value of the server's as KOReader would have it."""
    if value is None:
        return None
    if field == RATING:
        return str((_number(value) + 1) // 2) if 1 <= _number(value) <= RATING_MOST else None
    return _STATUSES.get(value, (None, 0))[0]


def to_server(field: str, value: str | None, on_hold: str) -> str | None:
    """A value of KOReader's as the server would have it; `on_hold`: PAUSED or ABANDONED, as the reader wants it."""
    if exactly(value) is not None:
        return exactly(value)
    if field == RATING:
        return None if value is None else str(_number(value) * 2)
    return {None: UNREAD, READING_WORD: READING, COMPLETE_WORD: READ, ON_HOLD_WORD: on_hold}.get(value, UNREAD)


def same(field: str, one: str | None, other: str | None) -> bool:
    """Whether two of the server's values are one on the device."""
    return to_device(field, one) == to_device(field, other)


def decide(
    field: str, ours: str | None, theirs: str | None, agreed: str | None, is_agreed: bool, times: Times, exact: bool
) -> Decision:
    """All values in the server's terms. `exact`: ours was said in them, so that it differs from what the device cannot
    tell from it."""

    def alike(one: str | None, other: str | None) -> bool:
        return one == other if exact else same(field, one, other)

    if alike(ours, theirs):
        return Decision(NOTHING if is_agreed and theirs == agreed else SAME, theirs)
    if not is_agreed:
        return _first(field, ours, theirs)
    if same(field, theirs, agreed):
        return Decision(OURS, ours)
    if alike(ours, agreed):
        return Decision(THEIRS, theirs)
    if field == RATING:
        newer = OURS if times.device_is_newer() else THEIRS
        return Decision(newer, ours if newer == OURS else theirs, True)
    return _further_on(ours, theirs)


def _first(field: str, ours: str | None, theirs: str | None) -> Decision:
    if field == STATUS:
        return _further_on(ours, theirs)
    if ours is None:
        return Decision(THEIRS, theirs)
    if theirs is None:
        return Decision(OURS, ours)
    return Decision(ASK, None, True)


def _further_on(ours: str | None, theirs: str | None) -> Decision:
    here, there = _rank(ours), _rank(theirs)
    if here == there == _FURTHEST:
        return Decision(ASK, None, True)
    return Decision(OURS, ours, True) if here > there else Decision(THEIRS, theirs, True)


def _rank(status: str | None) -> int:
    return 0 if status is None else _STATUSES.get(status, (None, 0))[1]


def is_status(value: str | None) -> bool:
    return value in STATUSES


def comes_by_progress(wanted: str | None, theirs: str | None, percent: float) -> bool:
    """Whether the server, told of this progress, comes to a read status that is at least as good as the wanted one."""
    if percent >= FINISHED_PERCENT:
        return to_device(STATUS, wanted) == READING_WORD
    return wanted == READING and theirs in (None, UNSET, UNREAD) and percent > BEGUN_PERCENT


def status_by_progress(status: str | None, percent: float) -> str | None:
    """The read status that the server has once it was told of this progress."""
    if percent >= FINISHED_PERCENT:
        return READ
    if percent > BEGUN_PERCENT:
        return READING
    return status or UNREAD


def undone_by_progress(status: str | None, percent: float) -> bool:
    """Whether the server, told of this progress, would make another read status of the one it has."""
    if percent < FINISHED_PERCENT and status in (UNREAD, UNSET, None):
        return False
    return status_by_progress(status, percent) != status


# BookLore's rule for progress: from 99.5 % on a book is read, above 0.1 % it is being read, else as it was.
FINISHED_PERCENT, BEGUN_PERCENT = 99.5, 0.1


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 4 else 0
