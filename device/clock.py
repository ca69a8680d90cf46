"""The clocks of a run, as one thing that tests can replace.

Called by: `device/sync.py` makes it; `device/sending.py` and what belongs to it ask it.
"""

from __future__ import annotations

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

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
