"""Hardcover's GraphQL API over one connection: a query and its variables in, its data or a named error out.

Promises: the token goes nowhere but into the request's header; every wait is bounded by the connection's deadline; no
more than `BURST` requests come at once, later ones `PACE_S` apart, as Hardcover's limits ask for.
Never: decides what is sent, repeats a request.
Called by: `device/sending/hardcover.py`. Source: docs.hardcover.app, “Getting Started with the API”.
"""

from __future__ import annotations

from device import json_text
from device.core import hardcover_answers as rules
from device.server.errors import LoginRefused, NotBookLore, ServerError, ServerFailed, TryLater

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.sending.clock import Clock
    from device.server.http import Connection

SERVER = "https://api.hardcover.app/v1"
PATH = "/graphql"
BURST = 8  # of the ten that the smallest plan allows at once
PACE_S = 1.0  # sixty a minute


class Refused(ServerError):
    """Hardcover understood the request and does not do it: that book's trouble, not the run's."""

    nothing_was_done = True


class Hardcover:
    def __init__(self, connection: Connection, token: str, clock: Clock) -> None:
        self._connection = connection
        self._token = token
        self._clock = clock
        self._asked = 0
        self._asked_at = 0.0  # on the monotonic clock

    def ask(self, query: str, variables: dict[str, Json]) -> Json:
        """The data of the answer.

        Raises LoginRefused (a token that does not do), TryLater, ServerFailed, NotBookLore, Refused, and what
        `http.Connection` raises.
        """
        since_s = self._clock.monotonic_s() - self._asked_at
        if self._asked >= BURST and since_s < PACE_S:
            self._clock.sleep(PACE_S - since_s)
        self._asked += 1
        self._asked_at = self._clock.monotonic_s()
        body = json_text.encode({"query": query, "variables": dict(variables)})
        answer = self._connection.request("POST", PATH, {"authorization": f"Bearer {self._token}"}, body)
        reply: Json = None
        if answer.is_json():
            try:
                reply = json_text.decode(answer.body)
            except ValueError:
                reply = None
        fault = rules.fault(answer.status, reply, reply is not None)
        if fault is not None:
            fault.detail = fault.detail.replace(self._token, "…")
            raise _error(fault, answer.headers.get("retry-after", ""))
        return reply.get("data") if isinstance(reply, dict) else None


def _error(fault: rules.Fault, retry_after: str) -> ServerError:
    if fault.kind == rules.TOKEN:
        return LoginRefused(
            "Hardcover does not accept the token; it ends after the time that was set for it. Copy a new one from"
            " hardcover.app into hardcover_token.txt"
        )
    if fault.kind == rules.SCOPE:
        named = f" ({fault.detail})" if fault.detail else ""
        return LoginRefused(
            f"The Hardcover token may not do what is needed{named}: make one that may read and change your library,"
            " and copy it into hardcover_token.txt"
        )
    if fault.kind == rules.LATER:
        return TryLater("Hardcover asks for a pause", rules.retry_after_s(retry_after))
    if fault.kind == rules.FAILED:
        return ServerFailed(f"Hardcover fails ({fault.detail})")
    if fault.kind == rules.STRANGE:
        return NotBookLore(f"What answered is not Hardcover ({fault.detail}); this network may want a login first")
    return Refused(fault.detail)
