"""The account at the server: a valid access token whenever one is asked for, with as few logins as possible.

Promises: never two token calls in one second (tokens of one second are identical, and the server's unique key refuses
the second). The expiry comes from the token itself, counted from when it was obtained, so that a device with a wrong
clock renews in time as well. New tokens are on disk before they are used.
Never: shows or logs a secret.
Called by: `client.py`.
"""

from __future__ import annotations

import binascii
import time

from device import json_text
from device.server.errors import LoginRefused, NotBookLore, NotReached, TryLater

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.secrets import Keeper, Secrets
    from device.server.http import Connection

LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"

TOKEN_PAUSE_S = 1.1  # between two token calls: tokens differ by whole seconds
COLLISION_TRIES = 3  # another device of the same user may hit the same second
RENEW_EARLY_S = 60
LIFETIME_DEFAULT_S = 3_600  # for a token that does not say; Grimmory's shortest is 2 h
LIFETIME_MOST_S = 30 * 86_400
PAUSE_AFTER_429_S = 900  # the servers' window, counted from the first failure; they send no Retry-After
TOKEN_MAX_CHARS = 8_192
COLLISION = "data conflict"


class Account:
    """`now` is the device's clock in epoch seconds when the run began; time within the run is monotonic."""

    def __init__(self, connection: Connection, keeper: Keeper, secrets: Secrets, now: int) -> None:
        self._connection = connection
        self._keeper = keeper
        self._secrets = secrets
        self._started_at = now
        self._started = time.monotonic()
        self._token_call: float | None = None

    @property
    def secrets(self) -> Secrets:
        """What this device holds of accounts; who changes it keeps it with `keep`."""
        return self._secrets

    def keep(self) -> None:
        self._keeper.save(self._secrets)

    def token(self) -> str:
        """A valid access token. Raises LoginRefused, TryLater and what a request raises."""
        secrets = self._secrets
        now = self._now()
        if secrets.access_token and secrets.obtained_at <= now < secrets.access_expires_at - RENEW_EARLY_S:
            return secrets.access_token
        return self.renew()

    def renew(self) -> str:
        """A new access token, by the refresh token if the server still takes it, else by logging in."""
        secrets = self._secrets
        if secrets.refresh_token and self._ask(REFRESH, {"refreshToken": secrets.refresh_token}):
            return secrets.access_token
        secrets.forget_tokens()
        if not self._ask(LOGIN, {"username": secrets.user, "password": secrets.password}):
            self._keeper.save(secrets)
            raise LoginRefused(f"{self._connection.address} refused the login: check user and password")
        return secrets.access_token

    def _ask(self, path: str, fields: dict[str, Json]) -> bool:
        """Whether the server gave new tokens; False if it refused the credentials."""
        body = json_text.encode(fields)
        for _ in range(COLLISION_TRIES):
            self._wait_for_the_next_second()
            try:
                answer = self._connection.request("POST", path, {}, body)
            finally:
                self._token_call = time.monotonic()
            if answer.status == 429:
                raise TryLater(f"{self._connection.address} takes no logins for a while", PAUSE_AFTER_429_S)
            if answer.status >= 500:
                raise NotReached(f"{self._connection.address} failed at the login (HTTP {answer.status})")
            if not answer.is_json():
                raise NotBookLore(
                    f"{self._connection.address} is no BookLore, or a network login page (HTTP {answer.status})"
                )
            reply = _object(answer.body)
            if answer.status == 200:
                self._keep(reply)
                return True
            message = str(reply.get("message", "")).lower()
            if COLLISION in message:
                continue
            if answer.status in (400, 401) or (answer.status == 403 and message):
                return False
            raise NotReached(f"{self._connection.address} answered the login with HTTP {answer.status}")
        raise TryLater(f"{self._connection.address} is busy with other logins of this account", 60)

    def _wait_for_the_next_second(self) -> None:
        """Sleeps as long as the last token call, of this run or an earlier one, is less than a second ago."""
        if self._token_call is not None:
            since = time.monotonic() - self._token_call
        else:
            since = float(self._now() - self._secrets.token_call_at)
        if 0 <= since < TOKEN_PAUSE_S:
            time.sleep(TOKEN_PAUSE_S - since)
        # Written before the call: a run that is killed in it has used this second as well.
        self._secrets.token_call_at = self._now()
        self._keeper.save(self._secrets)

    def _keep(self, reply: dict[str, Json]) -> None:
        access, refresh = reply.get("accessToken"), reply.get("refreshToken")
        if not isinstance(access, str) or not _usable(access):
            raise NotBookLore(f"{self._connection.address} answered the login without a token")
        secrets = self._secrets
        secrets.access_token = access
        if isinstance(refresh, str) and _usable(refresh):
            secrets.refresh_token = refresh
        secrets.obtained_at = self._now()
        secrets.access_expires_at = secrets.obtained_at + lifetime_s(access)
        self._keeper.save(secrets)

    def _now(self) -> int:
        return self._started_at + int(time.monotonic() - self._started)


def lifetime_s(token: str) -> int:
    """Seconds between a JWT's `iat` and `exp`, bounded; the default if it does not say."""
    parts = token.split(".")
    if len(parts) != 3:
        return LIFETIME_DEFAULT_S
    payload = parts[1].replace("-", "+").replace("_", "/")
    try:
        claims = json_text.decode(binascii.a2b_base64(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return LIFETIME_DEFAULT_S
    issued = claims.get("iat") if isinstance(claims, dict) else None
    expires = claims.get("exp") if isinstance(claims, dict) else None
    if not isinstance(issued, int) or not isinstance(expires, int) or not 0 < expires - issued <= LIFETIME_MOST_S:
        return LIFETIME_DEFAULT_S
    return expires - issued


def _usable(token: str) -> bool:
    """Whether a token can stand in a header line."""
    return 0 < len(token) <= TOKEN_MAX_CHARS and token.isascii() and token.isprintable() and " " not in token


def _object(body: bytes) -> dict[str, Json]:
    try:
        value = json_text.decode(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
