"""The account at the server in `secrets.json`: addresses, user, password, tokens, whom to believe; beside it the
reader's other accounts: KOReader's own sync, OPDS, Hardcover.

Promises: a file of its own with mode 0600, replaced as a whole, so that a password can never meet another server's
address; what is unreadable counts as absent. No password or token is ever logged or shown.
Called by: `device/configure.py` and `device/importing/plugin_import.py` write the account,
`device/server/account.py` (through `Keeper`) the tokens, `device/verbs/account.py` removes it all.
"""

from __future__ import annotations

from device import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.disk import Disk

SECRETS_MAX_BYTES = 524_288
TEXT_MAX_CHARS = 8_192  # a JWT is a few hundred characters
PINS_MOST = 8  # a server has one or two addresses
EXTRA_CA_MAX_CHARS = 262_144  # as much as configure.py takes


class Secrets:
    """Instants in epoch seconds by the device's clock; 0 = never."""

    __slots__ = (
        "access_expires_at",
        "access_token",
        "anchor_pem",
        "extra_ca_pem",
        "hardcover_token",
        "home_network",
        "keep_password",
        "known_as",
        "koreader_password",
        "koreader_user",
        "local_server",
        "obtained_at",
        "opds_password",
        "opds_user",
        "password",
        "pins",
        "refresh_token",
        "server",
        "token",
        "token_call_at",
        "user",
    )

    def __init__(self, server: str, user: str, password: str, extra_ca_pem: str = "") -> None:
        self.server = server
        self.user = user
        self.password = password
        self.extra_ca_pem = extra_ca_pem
        self.known_as = ""  # the server's name in `owner`, where it is not its present address
        self.local_server = ""  # another address of the server, in the reader's own network
        self.home_network = ""  # the name of that network
        self.pins: dict[str, str] = {}  # by host: the fingerprint of the one certificate that is believed there
        self.token = ""  # given by the reader instead of a password, not tried yet
        self.keep_password = True  # else it goes when it has served its first login
        self.anchor_pem = ""  # the authority that vouched for the server last time
        self.access_token = ""
        self.refresh_token = ""
        self.obtained_at = 0
        self.access_expires_at = 0
        self.token_call_at = 0
        self.koreader_user = ""  # the account of KOReader's own progress sync
        self.koreader_password = ""
        self.hardcover_token = ""
        self.opds_user = ""  # the account of OPDS and Komga's list, at the same server
        self.opds_password = ""

    def has_account(self) -> bool:
        return bool(self.server and self.user)

    def keep_others_of(self, before: Secrets) -> None:
        """A new account at the server leaves those elsewhere as they were."""
        self.koreader_user = before.koreader_user
        self.koreader_password = before.koreader_password
        self.hardcover_token = before.hardcover_token
        if self._is_another_address_of(before.server):
            self.pins = before.pins
            if not self.opds_user:
                self.opds_user = before.opds_user
                self.opds_password = before.opds_password
            if before.user == self.user:
                self.known_as = before.known_as or before.server

    def stay_the_owner(self, earlier: str) -> None:
        """The store's matches are `earlier`'s (see `owner`): they stay if that is this account by another address, also
        after signing out."""
        user, separator, server = earlier.rpartition(" at ")
        if separator and user == self.user and self._is_another_address_of(server):
            self.known_as = server

    def _is_another_address_of(self, server: str) -> bool:
        from device.server.address import is_same_server

        return any(is_same_server(place, server) for place in self.addresses())

    def owner(self) -> str:
        """Whose ids the store's matches are: the same book has another id on another server or for another user.

        It does not depend on which address is used.
        """
        return f"{self.user} at {self.known_as or self.server}"

    def addresses(self) -> list[str]:
        """The server's, the one for everywhere first."""
        return [address for address in (self.server, self.local_server) if address]

    def has_others(self) -> bool:
        """Whether there is an account elsewhere than at a server."""
        return bool(self.koreader_user or self.opds_user or self.hardcover_token)

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
        """None if there is no account at a server."""
        secrets = self.load_all()
        return secrets if secrets.has_account() else None

    def load_all(self) -> Secrets:
        """Everything that is kept, which may be without an account at a server."""
        content = self._disk.read(self._path, SECRETS_MAX_BYTES)
        try:
            fields = json_text.decode(content or b"")
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            return Secrets("", "", "")
        secrets = Secrets(
            _text(fields.get("server")),
            _text(fields.get("user")),
            _text(fields.get("password")),
            _text(fields.get("extra_ca_pem"), EXTRA_CA_MAX_CHARS),
        )
        secrets.anchor_pem = _text(fields.get("anchor_pem"))
        secrets.known_as = _text(fields.get("known_as"))
        secrets.local_server = _text(fields.get("local_server"))
        secrets.home_network = _text(fields.get("home_network"))
        secrets.pins = _pins(fields.get("pins"))
        secrets.token = _text(fields.get("token"))
        secrets.keep_password = fields.get("keep_password") is not False
        secrets.access_token = _text(fields.get("access_token"))
        secrets.refresh_token = _text(fields.get("refresh_token"))
        secrets.obtained_at = _instant(fields.get("obtained_at"))
        secrets.access_expires_at = _instant(fields.get("access_expires_at"))
        secrets.token_call_at = _instant(fields.get("token_call_at"))
        secrets.koreader_user = _text(fields.get("koreader_user"))
        secrets.koreader_password = _text(fields.get("koreader_password"))
        secrets.hardcover_token = _text(fields.get("hardcover_token"))
        secrets.opds_user = _text(fields.get("opds_user"))
        secrets.opds_password = _text(fields.get("opds_password"))
        return secrets

    def save(self, secrets: Secrets) -> None:
        content = json_text.encode(
            {
                "server": secrets.server,
                "user": secrets.user,
                "password": secrets.password,
                "extra_ca_pem": secrets.extra_ca_pem,
                "known_as": secrets.known_as,
                "local_server": secrets.local_server,
                "home_network": secrets.home_network,
                "pins": dict(secrets.pins),
                "token": secrets.token,
                "keep_password": secrets.keep_password,
                "anchor_pem": secrets.anchor_pem,
                "access_token": secrets.access_token,
                "refresh_token": secrets.refresh_token,
                "obtained_at": secrets.obtained_at,
                "access_expires_at": secrets.access_expires_at,
                "token_call_at": secrets.token_call_at,
                "koreader_user": secrets.koreader_user,
                "koreader_password": secrets.koreader_password,
                "hardcover_token": secrets.hardcover_token,
                "opds_user": secrets.opds_user,
                "opds_password": secrets.opds_password,
            }
        )
        self._disk.write(self._path, content, 0o600)

    def forget(self) -> None:
        """Everything, also what a run that was killed has left half written."""
        self._disk.remove(self._path)


def _text(value: object, most_chars: int = TEXT_MAX_CHARS) -> str:
    return value if isinstance(value, str) and len(value) <= most_chars else ""


def _pins(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > PINS_MOST:
        return {}
    return {host: _text(pin) for host, pin in value.items() if isinstance(host, str) and _text(pin)}


def _instant(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= 2**53 else 0
