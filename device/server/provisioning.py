"""The accounts beside the account: those for OPDS (and Komga's list) and for KOReader's own sync, made when needed.

Promises: a name and a password that nobody could guess, known to this device alone; they are on disk before the server
hears of them, so that a lost answer leaves no account behind that nobody can use. A KOReader account that is there
already is used as it is.
Never: changes or removes an account; switches on what changes read statuses or web progress.
Called by: `device/sending/dialect.py`; whoever wants to read another KOReader's position.
Source: `OpdsUserV2Controller` and `KoreaderUserController` of BookLore 2.3.0 and Grimmory 3.2.4.
"""

from __future__ import annotations

import binascii
import posix

from device.server.answers import decoded, is_own_error, message
from device.server.deliveries import Request
from device.server.errors import NotBookLore, ServerError, ServerFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.server.client import Client
    from device.server.http import Answer

OPDS_USERS = "/api/v2/opds-users"
KOREADER_USER = "/api/v1/koreader-users/me"
KOREADER_SYNC = KOREADER_USER + "/sync?enabled=true"

NAME_PREFIX = "booklore-sync-"
NAME_BYTES = 4  # random; people see the name in the server's settings
PASSWORD_BYTES = 24  # random; written as 48 characters, of which BCrypt takes 72
HEADER_MAX_CHARS = 255  # of a name in a header line


class NotAllowed(ServerError):
    """The account lacks the permission for it."""

    nothing_was_done = True


def make_opds_account(client: Client) -> None:
    """Raises NotAllowed, and what a request raises. Afterwards the secrets hold it."""
    secrets = client.account.secrets
    secrets.opds_user, secrets.opds_password = _fresh()
    client.account.keep()
    fields: dict[str, Json] = {"username": secrets.opds_user, "password": secrets.opds_password}
    answer = _deliver(client, Request("POST", OPDS_USERS, fields))
    if answer.status not in (200, 201) or not answer.is_json():
        forget_opds_account(client)
        _refuse(client, answer, "an OPDS account")


def forget_opds_account(client: Client) -> None:
    """The server does not know it."""
    client.account.secrets.opds_user = client.account.secrets.opds_password = ""
    client.account.keep()


def is_own(user: str) -> bool:
    """Whether we made the account, rather than the reader."""
    return user.startswith(NAME_PREFIX)


def koreader_account(client: Client) -> tuple[str, str] | None:
    """Name and key of the reader's KOReader account, which is made if there is none: what `x-auth-user` and
    `x-auth-key` say. The key is the MD5 of its password, which the server tells.

    None if she has one whose sync she has switched off. Raises NotAllowed, and what a request raises.
    """
    answer = client.answer(KOREADER_USER)
    there = decoded(answer) if answer.status == 200 else None
    if isinstance(there, dict):
        return _used(client, there)
    if not (answer.status == 404 and is_own_error(answer)):
        _refuse(client, answer, "a KOReader account")
    return _made_koreader_account(client)


def _used(client: Client, there: dict[str, Json]) -> tuple[str, str] | None:
    account = _name_and_key(there)
    if account is None:
        return None
    if there.get("syncEnabled") is not True:
        if not is_own(account[0]):
            return None
        _change(client, Request("PATCH", KOREADER_SYNC, {}))  # a run that ended early has not come to it
    return account


def _made_koreader_account(client: Client) -> tuple[str, str] | None:
    user, password = _fresh()
    made = _change(client, Request("PUT", KOREADER_USER, {"username": user, "password": password}))
    _change(client, Request("PATCH", KOREADER_SYNC, {}))
    return _name_and_key(decoded(made))


def _name_and_key(there: Json) -> tuple[str, str] | None:
    user = there.get("username") if isinstance(there, dict) else None
    key = there.get("passwordMD5") if isinstance(there, dict) else None
    if not isinstance(user, str) or not isinstance(key, str) or not _fits_a_header(user) or not _fits_a_header(key):
        return None
    return user, key


def _fits_a_header(text: str) -> bool:
    return 0 < len(text) <= HEADER_MAX_CHARS and text.isascii() and text.isprintable()


def _change(client: Client, request: Request) -> Answer:
    answer = _deliver(client, request)
    if not 200 <= answer.status < 300 or (answer.body and not answer.is_json()):
        _refuse(client, answer, "a KOReader account")
    return answer


def _deliver(client: Client, request: Request) -> Answer:
    answer = client.deliver(request)
    if answer.status == 401:
        client.renew()
        answer = client.deliver(request)
    return answer


def _refuse(client: Client, answer: Answer, what: str) -> None:
    address = client.connection.address
    if answer.status == 403:
        raise NotAllowed(f"{address} does not let this account have {what}")
    if is_own_error(answer):
        raise ServerFailed(f"{address} did not make {what} (HTTP {answer.status}: {message(answer)})")
    raise NotBookLore(f"{address} answered HTTP {answer.status} where {what} was asked for")


def _fresh() -> tuple[str, str]:
    """A user name and a password that are nobody's yet."""
    name = binascii.hexlify(posix.urandom(NAME_BYTES)).decode("ascii")
    return NAME_PREFIX + name, binascii.hexlify(posix.urandom(PASSWORD_BYTES)).decode("ascii")
