"""The fingerprints of the server's books, with everything that it takes to get at them.

Promises: an OPDS account is made with the reader's login if there is none and she may have one; one that she gave is
used and never replaced. That the list is switched off is remembered for a week, other failures for a day or an hour, so
that no run pays for them twice.
Called by: whoever looks for a book that has a fingerprint; `of_the_server` is all there is to call.
"""

from __future__ import annotations

from device.server import provisioning
from device.server.errors import NotBookLore, ReplyLost, ServerFailed
from device.server.komga import KomgaOff, KomgaRefused, komga_fingerprints
from device.store import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from device.sending.clock import Clock
    from device.server.client import Client
    from device.store.database import Store

WEEK_S, DAY_S, HOUR_S = 7 * 86_400, 86_400, 3_600


def of_the_server(
    store: Store, client: Client, clock: Clock, before_request: Callable[[], None]
) -> Iterator[tuple[int, str]]:
    """(server id, fingerprint) of every book whose fingerprint the server tells; none where it does not tell.

    Not within a transaction of the store: it has its own. Raises ServerError when the connection fails, not when the
    list is refused.
    """
    if not may_be_listed(store, clock):
        return
    secrets = client.account.secrets
    try:
        for _ in range(2):  # an account that the server has forgotten is made anew, once
            if not secrets.opds_user:
                before_request()
                provisioning.make_opds_account(client)
            try:
                before_request()
                yield from komga_fingerprints(client.connection, secrets.opds_user, secrets.opds_password)
                return
            except KomgaRefused:
                if not provisioning.is_own(secrets.opds_user):
                    break
                provisioning.forget_opds_account(client)
        _remember(store, clock, DAY_S)
    except KomgaOff as problem:
        _remember(store, clock, WEEK_S if problem.for_good else HOUR_S)
    except (provisioning.NotAllowed, NotBookLore):
        _remember(store, clock, DAY_S)
    except ServerFailed:
        _remember(store, clock, HOUR_S)
    except ReplyLost:
        _remember(store, clock, HOUR_S)
        raise


def may_be_listed(store: Store, clock: Clock) -> bool:
    """Whether there is any use in asking."""
    return not 0 < settings.get_int(store, settings.KOMGA_OFF_UNTIL) - clock.wall_s() <= WEEK_S


def _remember(store: Store, clock: Clock, for_s: int) -> None:
    with store.transaction():
        settings.put(store, settings.KOMGA_OFF_UNTIL, str(clock.wall_s() + for_s))
