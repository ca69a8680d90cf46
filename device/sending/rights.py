"""What the account may not do, as far as it matters: asked rarely, told once.

Promises: `users/me` is asked once a month, and again when the server has refused something; while something is lacking
once a day, and whenever the reader asks for a sync. What is lacking is told once and stays in the menu and the status
until it is no longer lacking. Nothing is kept from being tried, and an answer that does not come is no error.
Called by: `device/sending/sender.py`, when books were looked for in vain; `device/verbs/` for what is known.
"""

from __future__ import annotations

from device import protocol
from device.server import permissions
from device.server.errors import ServerError
from device.store import settings
from device.ui import dialect_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.protocol import Result
    from device.sending.clock import Clock
    from device.server.client import Client
    from device.store.database import Store

REMEMBERED_S = 30 * 86_400
LACKING_S = 86_400  # what is lacking may be given at any time
TRIED_AGAIN_S = 86_400  # after an answer that did not come
DOUBTED_AFTER_S = 3_600  # a server that refuses again and again is not asked why each time
USED = (permissions.LIBRARY, permissions.OPDS)  # what something here needs; the others are told when one asks


class Rights:
    """What is known of the account, for one run. `before_request` raises when there is no time for another request."""

    __slots__ = ("_before_request", "_client", "_clock", "_is_doubtful", "_store")

    def __init__(self, store: Store, client: Client, clock: Clock, before_request: Callable[[], None]) -> None:
        self._before_request = before_request
        self._store = store
        self._client = client
        self._clock = clock
        self._is_doubtful = False

    def look(self, result: Result, asked_for: bool) -> None:
        """Asks if nobody knows, or if what was lacking may be there now, and tells what has not been told."""
        if not self._is_remembered(asked_for):
            self._ask()
        told = _words(self._store, settings.PERMISSIONS_TOLD)
        lacking = used(self._store)
        for text in dialect_texts.lacking([word for word in lacking if word not in told]):
            result.say(protocol.WARNING, text)
        if lacking != told:
            with self._store.transaction():
                settings.put(self._store, settings.PERMISSIONS_TOLD, " ".join(lacking))

    def doubt(self) -> None:
        """The server has refused something: what is known may be wrong."""
        if not 0 <= self._age_s() < DOUBTED_AFTER_S:
            self._is_doubtful = True
            with self._store.transaction():
                settings.remove(self._store, settings.PERMISSIONS_AT)

    def is_of_use(self) -> bool:
        """Whether to look: something was refused in this run, or is known to be lacking."""
        return self._is_doubtful or bool(used(self._store))

    def _ask(self) -> None:
        asked_at = self._clock.wall_s()
        try:
            self._before_request()
            known = " ".join(permissions.lacking(self._client.get(permissions.ME)))
        except (ServerError, ValueError):
            known = settings.get(self._store, settings.PERMISSIONS) or ""
            asked_at -= REMEMBERED_S - TRIED_AGAIN_S
        with self._store.transaction():
            settings.put(self._store, settings.PERMISSIONS_AT, str(asked_at))
            settings.put(self._store, settings.PERMISSIONS, known)

    def _is_remembered(self, asked_for: bool) -> bool:
        if settings.get(self._store, settings.PERMISSIONS_AT) is None:
            return False
        lacking_s = 0 if asked_for else LACKING_S
        return 0 <= self._age_s() < (lacking_s if used(self._store) else REMEMBERED_S)

    def _age_s(self) -> int:
        return self._clock.wall_s() - settings.get_int(self._store, settings.PERMISSIONS_AT)


def used(store: Store) -> list[str]:
    """What is known to be lacking of what something here needs."""
    return [word for word in _words(store, settings.PERMISSIONS) if word in USED]


def _words(store: Store, key: str) -> list[str]:
    return (settings.get(store, key) or "").split()
