"""The account's secrets in `secrets.json`: user, password, tokens.

Promises: a file of its own with mode 0600, replaced as a whole; what is unreadable counts as absent. Nothing in it is
ever logged or shown.
Called by: `device/configure.py` writes the account, `device/server/account.py` (through `Keeper`) the tokens.
"""

from __future__ import annotations

from device import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.disk import Disk

SECRETS_MAX_BYTES = 65_536
TEXT_MAX_CHARS = 8_192  # a JWT is a few hundred characters


class Secrets:
    """Instants in epoch seconds by the device's clock; 0 = never."""

    __slots__ = ("access_expires_at", "access_token", "obtained_at", "password", "refresh_token", "token_call_at", "user")

    def __init__(self, user: str, password: str) -> None:
        self.user = user
        self.password = password
        self.access_token = ""
        self.refresh_token = ""
        self.obtained_at = 0
        self.access_expires_at = 0
        self.token_call_at = 0

    def forget_tokens(self) -> None:
        self.access_token = ""
        self.refresh_token = ""
        self.access_expires_at = 0


class Keeper:
    """Loads and saves the secrets of one data folder."""

    __slots__ = ("_disk", "_path")

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk = disk
        self._path = path

    def load(self) -> Secrets | None:
        content = self._disk.read(self._path, SECRETS_MAX_BYTES)
        if content is None:
            return None
        try:
            fields = json_text.decode(content)
        except ValueError:
            return None
        if not isinstance(fields, dict):
            return None
        secrets = Secrets(_text(fields.get("user")), _text(fields.get("password")))
        secrets.access_token = _text(fields.get("access_token"))
        secrets.refresh_token = _text(fields.get("refresh_token"))
        secrets.obtained_at = _instant(fields.get("obtained_at"))
        secrets.access_expires_at = _instant(fields.get("access_expires_at"))
        secrets.token_call_at = _instant(fields.get("token_call_at"))
        return secrets if secrets.user else None

    def save(self, secrets: Secrets) -> None:
        content = json_text.encode(
            {
                "user": secrets.user,
                "password": secrets.password,
                "access_token": secrets.access_token,
                "refresh_token": secrets.refresh_token,
                "obtained_at": secrets.obtained_at,
                "access_expires_at": secrets.access_expires_at,
                "token_call_at": secrets.token_call_at,
            }
        )
        self._disk.write(self._path, content, 0o600)


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= TEXT_MAX_CHARS else ""


def _instant(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= 2**53 else 0
