"""What a server's clock says about sessions that a wrong clock has placed.

Rule 1: everything that decides when the server's clock is asked, and when it is believed instead of the device's, lives
in this file.

A clock of 1970 says itself that it is wrong. One that fell back to 2021 when the battery was empty, or was set to
another half of the day, does not; a server can tell. A device and a server that are more than an hour apart do not both
know what time it is, and the server's clock is the one that somebody looks after.

    of this boot: the clock that runs since the boot says how long ago it was, so it is placed by the server's clock;
    of another:   nobody can say when it was. It stays, and is flagged if it lies in the server's future, or was taken
                  after the clock had been found wrong.

The server is asked for the time only where nothing vouches for the device's: once in a boot, and after each jump.

Called by: `device/sending/placing.py`. Never: looks at a clock itself; touches what may have been sent (the server
knows a session by its times).
"""

from __future__ import annotations

from device.core.instants import CLOCK_TOLERANCE_S, EARLIEST_PLAUSIBLE_S, LAST_INSTANT_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.outbox import Uptime

WRONG_S = 3_600  # less is not worth contradicting what the reader saw on her own device


class Measured:
    """How far the server's clock was ahead when it was heard last; the rest by the device's own clocks."""

    __slots__ = ("at", "offset_s", "uptime")

    def __init__(self, offset_s: int, at: int, uptime: Uptime) -> None:
        self.offset_s = offset_s
        self.at = at
        self.uptime = uptime

    def vouches_for(self, wall_s: int, uptime: Uptime) -> bool:
        """Whether the wall clock was right in this boot, and has gone evenly since."""
        if not uptime.boot_id or uptime.boot_id != self.uptime.boot_id or abs(self.offset_s) > WRONG_S:
            return False
        return abs((wall_s - self.at) - (uptime.seconds - self.uptime.seconds)) <= CLOCK_TOLERANCE_S


class Now:
    """One moment by every clock there is. `server_s`: None if the server was not asked, or does not say."""

    __slots__ = ("server_s", "uptime", "wall_s")

    def __init__(self, wall_s: int, server_s: int | None, uptime: Uptime) -> None:
        self.wall_s = wall_s
        self.server_s = server_s
        self.uptime = uptime

    def is_wrong(self) -> bool:
        return self.server_s is not None and abs(self.server_s - self.wall_s) > WRONG_S

    def best_s(self) -> int | None:
        """None if nobody knows what time it is."""
        best_s = self.server_s if self.server_s is not None and self.is_wrong() else self.wall_s
        return best_s if EARLIEST_PLAUSIBLE_S <= best_s <= LAST_INSTANT_S else None


def belongs_at(started_at: int, is_unset: bool, boot_ms: int, now: Now) -> int | None:
    """When a session of this boot began; None if it is to stay where it is."""
    best_s = now.best_s()
    if best_s is None or not (is_unset or now.is_wrong()):
        return None
    began_at = best_s - max(now.uptime.seconds - boot_ms // 1000, 0)
    return began_at if is_unset or abs(began_at - started_at) > WRONG_S else None


def doubtful_after(measured: Measured | None, now: Now) -> tuple[int, int]:
    """A session of another boot is doubtful if it ends after the first instant, or was taken after the second."""
    ends_after = LAST_INSTANT_S if now.server_s is None else now.server_s + WRONG_S
    taken_after = LAST_INSTANT_S if measured is None or abs(measured.offset_s) <= WRONG_S else measured.at
    return ends_after, taken_after
