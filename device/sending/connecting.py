"""A run's connection to the server: which address first, whom to believe, by which proxy, and what is kept of it.

Promises: nothing is sent here; the first request decides which address it is. What the run has learnt (the authority
that vouched, the address that worked, a certificate to ask about) is kept by `Link.close`.
Called by: `device/sending/sync.py`, `device/verbs/account.py`; `device/selfcheck.py` asks for the ways.
"""

from __future__ import annotations

from device.core import addresses as rules
from device.core.server_clock import WRONG_S
from device.server import address, proxy
from device.server.account import Account
from device.server.client import Client
from device.server.http import CONNECT_LOCALLY_S, Connection, Way
from device.server.tls import Trust
from device.store import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.protocol import Job
    from device.secrets import Keeper, Secrets
    from device.sending.clock import Clock
    from device.store.database import Store


class Link:
    """The server as one run speaks to it; to be closed."""

    __slots__ = ("_connection", "_keeper", "_secrets", "_store", "client", "trust")

    def __init__(
        self, store: Store, keeper: Keeper, secrets: Secrets, connection: Connection, trust: Trust, client: Client
    ) -> None:
        self.client = client
        self.trust = trust
        self._store = store
        self._keeper = keeper
        self._secrets = secrets
        self._connection = connection

    def begun(self) -> str:
        """The address that the reader gave."""
        return str(self._connection.way().address)

    def address(self) -> str:
        """Where the server was spoken to last."""
        return str(self._connection.address)

    def is_led_to_encryption(self) -> bool:
        """Whether the first request of each run goes out unencrypted, only to be redirected."""
        begun = self._connection.way().address.scheme
        return begun == "http" and self._connection.address.scheme == "https" and self.client.has_spoken()

    def close(self) -> None:
        self._connection.close()
        if self.trust.anchor_pem != self._secrets.anchor_pem:
            self._secrets.anchor_pem = self.trust.anchor_pem
            self._keeper.save(self._secrets)
        if self._secrets.local_server and self.client.has_spoken() and not self._connection.is_unproven():
            self._keep_address()

    def _keep_address(self) -> None:
        is_local = str(self._connection.way().address) == self._secrets.local_server
        worked = rules.LOCAL if is_local else rules.REMOTE
        if settings.get(self._store, settings.ADDRESS_WORKED) != worked:
            with self._store.transaction():
                settings.put(self._store, settings.ADDRESS_WORKED, worked)


def link(store: Store, keeper: Keeper, secrets: Secrets, job: Job, deadline: float, clock: Clock) -> Link:
    """`deadline` is on the monotonic clock. Raises ProxyTrouble for a proxy that cannot be used."""
    now = clock.wall_s()
    trust = Trust(secrets.extra_ca_pem, now, secrets.anchor_pem, secrets.pins, _clock_is_wrong(store, clock))
    found = ways(secrets, settings.get(store, settings.ADDRESS_WORKED))
    connection = Connection(found[0].address, trust, deadline, found, proxy.parse(job.proxy))
    client = Client(connection, Account(connection, keeper, secrets, now))
    return Link(store, keeper, secrets, connection, trust, client)


def ways(secrets: Secrets, worked_last: str | None) -> list[Way]:
    """The server's addresses in the order in which they are to be tried."""
    remote = Way(address.parse(secrets.server))
    if not secrets.local_server:
        return [remote]
    network = None
    if secrets.home_network:
        from device.server import wifi

        network = wifi.network()
    found = []
    for which, is_doubtful in rules.order(secrets.home_network, network, worked_last):
        if which == rules.LOCAL:
            found.append(Way(address.parse(secrets.local_server), CONNECT_LOCALLY_S, is_doubtful))
        else:
            found.append(remote)
    return found


def _clock_is_wrong(store: Store, clock: Clock) -> bool:
    """Whether a server has contradicted this device's clock since it was last started."""
    boot_id = settings.get(store, settings.CLOCK_BOOT_ID)
    if not boot_id or boot_id != clock.uptime().boot_id:
        return False
    since = clock.uptime().seconds - settings.get_int(store, settings.CLOCK_UPTIME_S)
    was_right_at = settings.get_int(store, settings.CLOCK_MEASURED_AT) + settings.get_int(
        store, settings.CLOCK_OFFSET_S
    )
    return abs(was_right_at + since - clock.wall_s()) > WRONG_S
