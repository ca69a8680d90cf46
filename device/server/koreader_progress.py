"""Where another KOReader is in a book, as the server's own endpoint for KOReader tells.

Promises: only asks. What this device read never goes there, because the server then sets the read status anew, from
“read” or “abandoned” down to “reading” or “unread”.
Called by: whoever wants the exact position; how far a book is read is told by the book itself.
Source: `KoreaderController` of BookLore 2.3.0 and Grimmory 3.2.4. The account is `provisioning.koreader_account`'s.
"""

from __future__ import annotations

from device.server.answers import decoded
from device.server.errors import ServerFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.server.http import Connection

PROGRESS = "/api/koreader/syncs/progress/"
POSITION_MAX_CHARS = 1_000  # what the server keeps
LATEST_S = 253_402_300_799  # the end of the year 9999


class Position:
    """`progress`: an xpointer, or the number of a page. `at`: epoch seconds by the server's clock."""

    __slots__ = ("at", "fraction", "progress")

    def __init__(self, fraction: float, progress: str, at: int) -> None:
        self.fraction = fraction
        self.progress = progress
        self.at = at


def koreader_position(connection: Connection, user: str, key: str, fingerprint: str) -> Position | None:
    """None if there is none, or this account may not ask. Raises ServerFailed, and what a request raises."""
    answer = connection.request("GET", PROGRESS + fingerprint, {"x-auth-user": user, "x-auth-key": key})
    if answer.status == 429 or answer.status >= 500:
        raise ServerFailed(f"{connection.address} failed to tell a position (HTTP {answer.status})")
    reply = decoded(answer) if answer.status == 200 else None
    if not isinstance(reply, dict):
        return None
    fraction, progress, at = reply.get("percentage"), reply.get("progress"), reply.get("timestamp")
    if not isinstance(fraction, (int, float)) or not isinstance(progress, str) or not isinstance(at, int):
        return None
    if not 0 <= fraction <= 1 or not 0 < len(progress) <= POSITION_MAX_CHARS or not 0 <= at <= LATEST_S:
        return None
    return Position(float(fraction), progress, at)
