"""Time, power, and the ways in which they fail: everything around the device and the server, virtual and repeatable.

Promises: nothing here looks at a real clock. The clock that runs through sleep starts anew with each boot; the wall
clock is what it was last set to. A run whose power is cut stops at once, and whatever it would still do does nothing.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from types import TracebackType

from device.core.outbox import Uptime
from device.sending.clock import Clock
from device.store.database import Store, Transaction

BEGAN_AT = 1_795_000_000


class Killed(BaseException):
    """The process is gone. No handler of the worker catches it."""


class World:
    def __init__(self) -> None:
        self.time_s = 0.0
        self.wall_offset_s = 0
        self.boot = 0
        self.booted_at = 0.0
        self.steps_to_live: int | None = None
        self.dead = False
        self.kills = 0
        self.troubles: Counter[str] = Counter()  # how often a request has met a lie
        self._late: list[tuple[float, int, Callable[[], object]]] = []
        self._scheduled = 0

    def advance(self, seconds: float) -> None:
        """Time passes, and what was to happen in it happens."""
        until = self.time_s + seconds
        while self._late and self._late[0][0] <= until:
            self.time_s, _, happen = heapq.heappop(self._late)
            happen()
        self.time_s = until

    def later(self, seconds: float, happen: Callable[[], object]) -> None:
        self._scheduled += 1
        heapq.heappush(self._late, (self.time_s + seconds, self._scheduled, happen))

    def reboot(self) -> None:
        self.boot += 1
        self.booted_at = self.time_s

    def live(self, steps: int | None) -> None:
        """A new run begins; it is killed after so many steps, if that is said."""
        self.dead = False
        self.steps_to_live = steps

    def step(self) -> None:
        """Between two of these nothing can be told apart from outside."""
        if self.dead:
            raise Killed
        if self.steps_to_live is not None:
            self.steps_to_live -= 1
            if self.steps_to_live < 0:
                self.dead = True
                self.kills += 1
                raise Killed


class VirtualClock(Clock):
    def __init__(self, world: World) -> None:
        self._world = world

    def wall_s(self) -> int:
        return BEGAN_AT + int(self._world.time_s) + self._world.wall_offset_s

    def monotonic_s(self) -> float:
        return self._world.time_s

    def uptime(self) -> Uptime:
        return Uptime(f"boot-{self._world.boot}", int(self._world.time_s - self._world.booted_at))

    def chance(self) -> float:
        return 0.5

    def sleep(self, seconds: float) -> None:
        self._world.step()
        self._world.advance(seconds)
        self._world.step()


class MortalStore(Store):
    """The real store; the process that uses it may be killed before and after every commit."""

    def __init__(self, connection: object, world: World) -> None:
        super().__init__(connection)  # type: ignore[arg-type]
        self.world = world

    def transaction(self) -> Transaction:
        return _MortalTransaction(self)


class _MortalTransaction(Transaction):
    def __init__(self, store: MortalStore) -> None:
        super().__init__(store.connection)
        self._world = store.world

    def __enter__(self) -> None:
        self._world.step()
        super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, problem, trace)
        if kind is None:
            self._world.step()
