"""One run of the device's own modules against the stand-in, in the test's process: store, secrets, client, a clock.

Used where a test asks what a module asks of the server, rather than what the worker does in all. What one run has
remembered is there in the next one of the same folder.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from device.core.outbox import Uptime
from device.disk import Disk
from device.secrets import Keeper, Secrets
from device.sending.clock import Clock
from device.sending.dialect import Dialect
from device.sending.rights import Rights
from device.server import address
from device.server.account import Account
from device.server.client import Client
from device.server.http import Connection
from device.server.tls import Trust
from device.store import database
from device.store.database import Store
from tests.sandbox import StandIn

DEADLINE_S = 30


class SetClock(Clock):
    """Some days later than the real one."""

    __slots__ = ("days",)

    def __init__(self, days: float) -> None:
        self.days = days

    def wall_s(self) -> int:
        return int(time.time() + self.days * 86_400)

    def uptime(self) -> Uptime:
        return Uptime("boot", int(self.days * 86_400))


class DeviceRun:
    def __init__(self, folder: Path, server: StandIn, store: Store, days: float) -> None:
        self.store = store
        self.keeper = Keeper(Disk(), str(folder / "secrets.json"))
        self.secrets = self.keeper.load() or Secrets(server.url, "anna", "secret")
        self.clock = SetClock(days)
        place = address.parse(server.url)
        self.connection = Connection(place, Trust("", int(time.time())), time.monotonic() + DEADLINE_S)
        self.client = Client(self.connection, Account(self.connection, self.keeper, self.secrets, int(time.time())))
        self.dialect = Dialect(store, self.client, self.clock, lambda: None)
        self.rights = Rights(store, self.client, self.clock, lambda: None)


@contextlib.contextmanager
def device_run(folder: Path, server: StandIn, days: float = 0) -> Iterator[DeviceRun]:
    store = database.open_store(Disk(), str(folder / "state.sqlite"), 0)
    run = DeviceRun(folder, server, store, days)
    try:
        yield run
    finally:
        run.connection.close()
        store.close()
