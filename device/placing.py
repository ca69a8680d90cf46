"""Sessions that were recorded while the clock was not set, put where they were, before they are sent.

A device that lost its clock writes sessions of 1970. If the clock, or a server's, is right before the next reboot, the
clock that runs since the boot says when they were.

Promises: only what has never been sent is moved, because the server knows a session by its times; no session comes to
lie on another; the journals that are kept of them say the same before the store does. What is from an earlier boot
stays where it is, with its flag.
Called by: `device/sync.py`.
"""

from __future__ import annotations

from device.core.instants import EARLIEST_PLAUSIBLE_S
from device.core.reading_session import FLAG_CLOCK_CORRECTED, FLAG_CLOCK_UNSET, FLAG_MOVED
from device.store import reading_sessions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.outbox import Uptime
    from device.store.database import Store

STEPS_MOST = 1_000  # over other sessions, until there is room


def waits_for_a_clock(store: Store, uptime: Uptime) -> bool:
    """Whether there is a session that can be placed as soon as somebody knows what time it is."""
    return bool(uptime.boot_id and reading_sessions.unset_in_boot(store, uptime.boot_id))


def place_unset_sessions(store: Store, wall_s: int, uptime: Uptime, renew: Callable[[str], None]) -> None:
    """`wall_s`: the time at `uptime`, by the best clock there is; a time before 2020 places nothing.

    `renew` is called for each journal of which a session was moved; what it raises undoes the moving.
    """
    if wall_s < EARLIEST_PLAUSIBLE_S or not uptime.boot_id:
        return
    unset = reading_sessions.unset_in_boot(store, uptime.boot_id)
    if not unset:
        return
    with store.transaction():
        for session in unset:
            started_at = wall_s - max(uptime.seconds - session.boot_ms // 1000, 0)
            placed_at = _free_from(store, started_at, session.ended_at - session.started_at)
            flags = [FLAG_CLOCK_CORRECTED if flag == FLAG_CLOCK_UNSET else flag for flag in session.flags.split()]
            if placed_at != started_at and FLAG_MOVED not in flags:
                flags.append(FLAG_MOVED)
            reading_sessions.place(store, session.id, placed_at, " ".join(flags))
        for journal_id in sorted({session.journal_id for session in unset if session.journal_id is not None}):
            renew(journal_id)


def _free_from(store: Store, started_at: int, length_s: int) -> int:
    """The first moment from `started_at` on at which a session of this length lies on no other."""
    for _ in range(STEPS_MOST):
        end = reading_sessions.latest_end_within(store, started_at, started_at + max(length_s, 1))
        if end is None:
            break
        started_at = end
    return started_at
