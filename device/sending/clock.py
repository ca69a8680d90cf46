"""The clocks of a run, and its dice, as one thing that tests can replace.

Called by: `device/sending/sync.py` makes it; `device/sending/sender.py` and what belongs to it ask it.
"""

from __future__ import annotations

import posix
import time

from device import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.outbox import Uptime


class Clock:
    __slots__ = ()

    def wall_s(self) -> int:
        """Epoch seconds, as far as this device knows: it may be 1970, and jump."""
        return int(time.time())

    def monotonic_s(self) -> float:
        """What deadlines are on."""
        return time.monotonic()

    def uptime(self) -> Uptime:
        return process.uptime()

    def chance(self) -> float:
        """0..1, each time another."""
        return posix.urandom(1)[0] / 255

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
