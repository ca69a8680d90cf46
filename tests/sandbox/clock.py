"""The stand-in's clock, which a test can stop, turn and set.

Promises: everything the stand-in dates (tokens, sessions, rate limits, the `Date` header) asks this clock and no
other.
Never: makes anybody wait; pauses of injected faults are real seconds.
Called by: `StandIn` and tests, as `server.clock`.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Wall clock in UTC epoch seconds, running from `source` unless it was stopped."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset_s = 0.0
        self._stopped_at: float | None = None

    def now(self) -> float:
        if self._stopped_at is not None:
            return self._stopped_at
        return self._source() + self._offset_s

    def stop(self, at: float | None = None) -> None:
        """Stands still at `at`, or at the present moment."""
        self._stopped_at = self.now() if at is None else at

    def advance(self, seconds: float) -> None:
        if self._stopped_at is not None:
            self._stopped_at += seconds
        else:
            self._offset_s += seconds
