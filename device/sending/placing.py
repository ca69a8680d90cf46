"""Sessions that were recorded by a wrong clock, put where they were, before they are sent for the first time.

Promises: only what has never been begun is touched, because the server knows a session by its times; no session comes
to lie on another; the journals that are kept of them say the same before the store does. Which clock is believed,
`device/core/server_clock.py` decides.
Called by: `device/sending/sync.py`.
"""

from __future__ import annotations

from device.core import server_clock
from device.core.instants import LAST_INSTANT_S
from device.core.reading_session import FLAG_CLOCK_CORRECTED, FLAG_CLOCK_DOUBTFUL, FLAG_CLOCK_UNSET, FLAG_MOVED
from device.store import reading_sessions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.server_clock import Measured, Now
    from device.store.database import Store
    from device.store.reading_sessions import Unsent

OF_A_BOOT_MOST = 5_000  # unsent sessions: more than a year without a restart and without a network
AT_ONCE = 500  # sessions that are flagged in one transaction
ASIDE = -LAST_INSTANT_S  # no session is there


def place(store: Store, measured: Measured | None, now: Now, renew: Callable[[str], None]) -> None:
    """`renew` is called for each journal of which a session was changed; what it raises undoes the change."""
    boot_id = now.uptime.boot_id
    if boot_id:
        _move(store, reading_sessions.unsent_of_boot(store, boot_id, OF_A_BOOT_MOST), now, renew)
    ends_after, taken_after = server_clock.doubtful_after(measured, now)
    if min(ends_after, taken_after) == LAST_INSTANT_S:
        return  # most runs: all that waits need not be looked through
    while _flag(store, reading_sessions.unsent_beyond(store, boot_id, ends_after, taken_after, AT_ONCE), renew):
        continue


def _move(store: Store, sessions: list[Unsent], now: Now, renew: Callable[[str], None]) -> None:
    moves = []
    for session in sessions:
        is_unset = FLAG_CLOCK_UNSET in session.flags
        began_at = server_clock.belongs_at(session.started_at, is_unset, session.boot_ms, now)
        if began_at is not None:
            moves.append((session, began_at))
    if not moves:
        return
    with store.transaction():
        for session, _ in moves:
            # Where they are wrongly, they must not be in the way of each other.
            reading_sessions.place(store, session.id, ASIDE - session.id, " ".join(session.flags))
        for session, began_at in moves:
            length_s = session.ended_at - session.started_at
            placed_at = reading_sessions.first_free_after(store, began_at, length_s)
            flags = [flag for flag in session.flags if flag not in (FLAG_CLOCK_UNSET, FLAG_CLOCK_CORRECTED)]
            flags.insert(0, FLAG_CLOCK_CORRECTED)
            if placed_at != began_at and FLAG_MOVED not in flags:
                flags.append(FLAG_MOVED)
            reading_sessions.place(store, session.id, placed_at, " ".join(flags))
        _renew([session for session, _ in moves], renew)


def _flag(store: Store, sessions: list[Unsent], renew: Callable[[str], None]) -> bool:
    """Whether there may be more."""
    if sessions:
        with store.transaction():
            for session in sessions:
                reading_sessions.flag(store, session.id, " ".join([*session.flags, FLAG_CLOCK_DOUBTFUL]))
            _renew(sessions, renew)
    return len(sessions) == AT_ONCE


def _renew(sessions: list[Unsent], renew: Callable[[str], None]) -> None:
    for journal_id in sorted({session.journal_id for session in sessions if session.journal_id is not None}):
        renew(journal_id)
