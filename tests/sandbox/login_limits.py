"""How many failed logins and refreshes a server bears.

Promises: after `FAILURES` failures of one key (an address, a user name) every further attempt is refused until
`WINDOW_S` after the first of them, right password or not. A success forgets the key.
Never: tells when to come back; the servers send no Retry-After.
Called by: `authentication`.
Law: the API map §3.
"""

from __future__ import annotations

from tests.sandbox.messages import ApiError

FAILURES = 5
WINDOW_S = 15 * 60


def login_key(username: str) -> str:
    return f"login of {username.lower()}"


class LoginLimits:
    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}  # key: (time of the first failure, failures)

    def check(self, keys: list[str], now: float) -> None:
        if any(self._failures(key, now) >= FAILURES for key in keys):
            raise ApiError(429, "Too many failed attempts. Please try again later.")

    def fail(self, keys: list[str], now: float) -> None:
        for key in keys:
            failures = self._failures(key, now)
            first_at = self._windows[key][0] if failures else now
            self._windows[key] = (first_at, failures + 1)

    def succeed(self, keys: list[str]) -> None:
        for key in keys:
            self._windows.pop(key, None)

    def _failures(self, key: str, now: float) -> int:
        first_at, failures = self._windows.get(key, (now, 0))
        return failures if now - first_at < WINDOW_S else 0
