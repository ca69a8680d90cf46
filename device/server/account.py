"""The account at the server: a valid access token whenever one is asked for, with as few logins as possible.

A reader whose account has no password of its own (OIDC) gives a token instead. It is tried as a refresh token first; if
it is none, it serves as an access token until it expires. A password that is not to be kept goes with the first login;
from then on the refresh token has to last.

Promises: never two token calls in one second (tokens of one second are identical, and the server's unique key refuses
the second). The expiry comes from the token itself, counted from when it was obtained, so that a device with a wrong
clock renews in time as well. New tokens are on disk before they are used.
Never: shows or logs a secret.
Called by: `client.py`.
"""

from __future__ import annotations

import time

from device import json_text
from device.server import strangers
from device.server.errors import LoginRefused, NotBookLore, NotReached, TryLater
from device.server.tokens import claims

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
        self._refusal = ""  # of the last login, for the reader

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
        """A new access token, by the refresh token if the server still takes it, else by the token that the reader
        gave, else by logging in."""
        secrets = self._secrets
        had_token = bool(secrets.refresh_token or secrets.access_token or secrets.token)
        for token in (secrets.refresh_token, secrets.token):
            if token and self._ask(REFRESH, {"refreshToken": token}):
                return secrets.access_token
        if secrets.token and self._take_for_an_access_token(secrets.token):
            return secrets.access_token
        secrets.forget_tokens()
        if not secrets.password:
            self._keeper.save(secrets)
            raise LoginRefused(self._without_password(had_token))
        if not self._ask(LOGIN, {"username": secrets.user, "password": secrets.password}):
            self._keeper.save(secrets)
            raise LoginRefused(self._refusal)
        return secrets.access_token

    def _take_for_an_access_token(self, token: str) -> bool:
        """What is no refresh token may be one that a browser uses. False if it is over; the rest will show."""
        now = self._now()
        found = claims(token)
        issued, expires = found.get("iat"), found.get("exp")
        left_s = LIFETIME_DEFAULT_S
        if isinstance(issued, int) and isinstance(expires, int):
            # A clock that is before the token's beginning cannot say how much of it is over.
            left_s = expires - max(now, issued)
        self._secrets.token = ""
        if not 0 < left_s <= LIFETIME_MOST_S:
            return False
        self._secrets.access_token = token
        self._secrets.obtained_at = now
        self._secrets.access_expires_at = now + left_s + RENEW_EARLY_S  # nothing can renew it: it serves to its end
        self._keeper.save(self._secrets)
        return True

    def _without_password(self, had_token: bool) -> str:
        place = self._connection.address
        if had_token and self._secrets.keep_password:
            return f"{place} does not take the token any more: put a new one into setup.txt, or user and password"
        if had_token:
            return f"the login at {place} has run out and the password is not kept: put it into setup.txt again"
        return f"there is neither a password nor a token for {place}: put one into setup.txt"

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
                raise TryLater(
                    f"{self._connection.address} takes no logins for a quarter of an hour, as too many have failed",
                    PAUSE_AFTER_429_S,
                )
            if answer.status >= 500:
                raise NotReached(strangers.words(self._connection.address, answer))
            if not answer.is_json() or answer.status == 203:
                raise NotBookLore(strangers.words(self._connection.address, answer))
            reply = _object(answer.body)
            if answer.status == 200:
                self._keep(reply)
                return True
            message = str(reply.get("message", "")).lower()
            if COLLISION in message:
                continue
            if answer.status in (400, 401) or (answer.status == 403 and message):
                self._refusal = _refusal(str(self._connection.address), answer.status)
                return False
            raise NotReached(strangers.words(self._connection.address, answer))
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
            if not secrets.keep_password:
                secrets.password = ""  # it has served; the refresh token serves from here on
        secrets.token = ""
        secrets.obtained_at = self._now()
        secrets.access_expires_at = secrets.obtained_at + lifetime_s(access)
        self._keeper.save(secrets)

    def _now(self) -> int:
        return self._started_at + int(time.monotonic() - self._started)


def lifetime_s(token: str) -> int:
    """Seconds between a JWT's `iat` and `exp`, bounded; the default if it does not say."""
    found = claims(token)
    issued, expires = found.get("iat"), found.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int) or not 0 < expires - issued <= LIFETIME_MOST_S:
        return LIFETIME_DEFAULT_S
    return expires - issued


def _refusal(address: str, status: int) -> str:
    if status == 403:
        return (
            f"{address} lets this account not log in with a password (HTTP 403). If you sign in on a page of another"
            " service (OIDC), put a token into setup.txt, or ask for a password of your own on the server"
        )
    return f"{address} refused the login: check user and password in setup.txt"


def _usable(token: str) -> bool:
    """Whether a token can stand in a header line."""
    return 0 < len(token) <= TOKEN_MAX_CHARS and token.isascii() and token.isprintable() and " " not in token


def _object(body: bytes) -> dict[str, Json]:
    try:
        value = json_text.decode(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
