"""The account at the server: a valid access token whenever one is asked for, with as few logins as possible.

A reader whose account has no password of its own (OIDC) gives a token instead. It is tried as a refresh token first; if
it is none, it serves as an access token until it expires. A password that is not to be kept goes with the first login;
from then on the refresh token has to last. If its last use got lost on the way, it still serves as an access token.

Promises: never two token calls in one second (tokens of one second are identical, and the server's unique key refuses
the second). The expiry comes from the token itself, counted from when it was obtained, so that a device with a wrong
clock renews in time as well. New tokens are on disk before they are used.
Never: shows or logs a secret, gives one up for what something in front of the server or another BookLore says.
Called by: `client.py`.
"""

from __future__ import annotations

import time

from device import json_text
from device.server import strangers
from device.server.answers import is_own_error, message
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
INVALID = "invalid credentials"


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
        # Set in the run in which nothing can renew the login any more: until when it serves, in epoch seconds.
        self.serves_until: int | None = None

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
            if not secrets.refresh_token:
                self._connection.avoid_doubt()  # it may be a refresh token that serves on, for weeks
            return secrets.access_token
        return self.renew()

    def renew(self) -> str:
        """A new access token, by the refresh token if the server still takes it, else by the token that the reader
        gave, else by logging in."""
        secrets = self._secrets
        for token in (secrets.refresh_token, secrets.token):
            if token and self._ask(REFRESH, {"refreshToken": token}):
                return secrets.access_token
        if secrets.token:
            # What is no refresh token may be one that a browser uses.
            return self._use_while_it_lasts(secrets.token)
        if secrets.password:
            if self._ask(LOGIN, {"username": secrets.user, "password": secrets.password}):
                return secrets.access_token
            secrets.forget_tokens()
            self._keeper.save(secrets)
            raise LoginRefused(self._refusal)
        if secrets.refresh_token:
            self.serves_until = _end_of(secrets.refresh_token)
            return self._use_while_it_lasts(secrets.refresh_token)
        self.serves_until = None
        if self._connection.is_unproven():
            raise self._not_proven()
        raise LoginRefused(self._without_anything())

    def _use_while_it_lasts(self, token: str) -> str:
        """Servers take any token of theirs that has not run out, also a refresh token that was used up by a call whose
        answer got lost. Only they know whether it has: a 401 tells. Nothing can renew it, so it serves to its end."""
        secrets = self._secrets
        secrets.token = secrets.refresh_token = ""
        secrets.access_token = token
        secrets.obtained_at = self._now()
        secrets.access_expires_at = secrets.obtained_at + lifetime_s(token) + RENEW_EARLY_S
        self._keeper.save(secrets)
        self._connection.avoid_doubt()
        return token

    def _without_anything(self) -> str:
        place = self._connection.address
        if not self._secrets.access_token:
            return f"there is neither a password nor a token for {place}: put one into setup.txt"
        if self._secrets.keep_password:
            return f"{place} does not take the token any more: put a new one into setup.txt, or user and password"
        return f"the login at {place} has run out and the password is not kept: put it into setup.txt again"

    def _not_proven(self) -> NotBookLore:
        """What refuses may be another BookLore: its word is nothing to give a password or a token up for."""
        return NotBookLore(
            f"{self._connection.address} does not know this account, and may be another server in this network. If it"
            " is yours, check user and password in setup.txt"
        )

    def _ask(self, path: str, fields: dict[str, Json]) -> bool:
        """Whether the server gave new tokens; False if it refused the credentials, in its own words: what something in
        front of it says is no reason to give them up."""
        body = json_text.encode(fields)
        for _ in range(COLLISION_TRIES):
            self._wait_for_the_next_second()
            try:
                answer = self._connection.request_in_secret("POST", path, {}, body)
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
            if answer.status == 200:
                self._keep(_object(answer.body))
                self._connection.prove()
                return True
            told = message(answer).lower()
            if COLLISION in told:
                continue
            if not is_own_error(answer) or not _refuses(path, answer.status, told):
                if path == REFRESH and self._secrets.password and answer.status in (400, 401, 403):
                    return False  # whoever says that, the login is asked next, and costs no token either
                raise NotBookLore(strangers.words(self._connection.address, answer))
            if self._connection.is_unproven():
                raise self._not_proven()
            self._refusal = _refusal(str(self._connection.address), answer.status)
            return False
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


def _end_of(token: str) -> int:
    """When a token ends by the server's clock, in epoch seconds; 0 if it does not say."""
    expires = claims(token).get("exp")
    return expires if isinstance(expires, int) else 0


def _refuses(path: str, status: int, told: str) -> bool:
    """Whether it is the credentials that an error of the server's own is about."""
    if path == REFRESH:
        return status == 401 or (status == 400 and INVALID in told)
    return status in (400, 401, 403)


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
