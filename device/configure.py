"""Server account: from `setup.txt`, a named file, or the terminal.

The file holds `key = value` lines; `#` begins a comment line. What each key means is in docs/protocol.md, “setup.txt”.
A file with a `server` sets up an account; one without changes what it names of the account that is there, and a key
without a value takes it away.

Promises: the old account stays until the new one is complete and durable; after that the setup file in the data folder
is removed, because it holds the password.
Called by: `device/worker.py`, `device/verbs/`.
"""

from __future__ import annotations

import posix

from device.secrets import Keeper, Secrets
from device.server import address, tls
from device.server.tokens import claims
from device.store import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.folder import Folder
    from device.json_text import Json
    from device.store.database import Store

SETUP_MAX_BYTES = 65_536
CA_FILE_MAX_BYTES = 262_144
VALUE_MAX_CHARS = 1_000
TOKEN_MAX_CHARS = 8_192  # some servers' tokens list all that their user may do
REQUIRED = ("server", "user", "password")
CREDENTIALS = ("password", "token")  # one of them is enough
OF_THE_ACCOUNT = ("ca_file", "certificate", "local_server", "home_network", "keep_password")
OTHER_ACCOUNTS = ("koreader_user", "koreader_password", "opds_user", "opds_password", "hardcover_token")
KEYS = (*REQUIRED, "token", *OF_THE_ACCOUNT, *OTHER_ACCOUNTS)
YES_AND_NO = {"yes": True, "no": False, "on": True, "off": False, "true": True, "false": False}
NETWORK_MAX_BYTES = 32  # of a Wi-Fi network's name
PEM_MARK = "-----BEGIN CERTIFICATE-----"


class SetupProblem(ValueError):
    """What is wrong with a setup file or an answer, in the reader's words."""


class Setup:
    """What the reader gave, checked: `values` by key, the PEM text of `ca_file`, and the file to remove afterwards."""

    __slots__ = ("certificates", "used_up", "values")

    def __init__(self, values: dict[str, str], certificates: str, used_up: str | None) -> None:
        self.values = values
        self.certificates = certificates
        self.used_up = used_up

    def is_an_account(self) -> bool:
        return bool(self.values.get("server"))


def collect(folder: Folder, setup_path: str | None) -> Setup:
    """What stands in `setup_path`, in the data folder's setup.txt, or is typed in at the terminal. Changes nothing.

    Asking may take a person any time, so it happens before the run takes its lock. Raises SetupProblem, OSError.
    """
    path = setup_path or folder.setup
    content = folder.disk.read(path, SETUP_MAX_BYTES)
    if content is None and setup_path is not None:
        raise SetupProblem(f"{setup_path} is missing")
    if content is None and not posix.isatty(0):
        raise SetupProblem(f"there is no setup file {folder.setup}, and no terminal to ask on")
    values = parse(content, path) if content is not None else _asked()
    certificates = _certificates(folder, path, values.get("ca_file"))
    try:
        for key in ("server", "local_server"):
            if values.get(key):
                values[key] = str(address.parse(values[key]))
        if values.get("certificate"):
            values["certificate"] = tls.fingerprint_in(values["certificate"])
    except ValueError as problem:
        raise SetupProblem(str(problem)) from problem
    is_partial = not values.get("server") and any(key not in OTHER_ACCOUNTS for key in values)
    if is_partial:
        there = Keeper(folder.disk, folder.secrets).load_all()
        if not there.has_account():
            raise SetupProblem(f"{path} lacks server: there is no account yet that it could change")
        if not _is_of(there.user, values.get("token", "")):
            raise SetupProblem(
                f"the token in {path} is not {there.user}'s: to change to that account, write server and token into it"
            )
    return Setup(values, certificates, folder.setup if content is not None and setup_path is None else None)


def store_account(folder: Folder, store: Store, setup: Setup) -> Secrets:
    """Makes it the account of this device, or changes the one that is there; the account as it is then."""
    keeper = Keeper(folder.disk, folder.secrets)
    before = keeper.load_all()
    if setup.is_an_account():
        values = setup.values
        account = Secrets(values["server"], values["user"], values.get("password", ""), setup.certificates)
        account.local_server = values.get("local_server", "")
        account.keep_others_of(before)
        account.stay_the_owner(settings.get(store, settings.MATCHES_OF) or "")
    else:
        account = before
    _change(account, setup)
    keeper.save(account)
    with store.transaction():
        settings.forget_problems(store)
    if setup.used_up is not None:
        folder.disk.remove(setup.used_up)
    return account


def _change(account: Secrets, setup: Setup) -> None:
    """Takes over what was given; what was not stays as it is."""
    values = setup.values
    account.password = values.get("password", account.password)
    account.local_server = values.get("local_server", account.local_server)
    account.home_network = values.get("home_network", account.home_network)
    account.koreader_user = values.get("koreader_user", account.koreader_user)
    account.koreader_password = values.get("koreader_password", account.koreader_password)
    account.opds_user = values.get("opds_user", account.opds_user)
    account.opds_password = values.get("opds_password", account.opds_password)
    account.hardcover_token = values.get("hardcover_token", account.hardcover_token)
    if "keep_password" in values:
        account.keep_password = YES_AND_NO.get(values["keep_password"].lower(), True)
    if "certificate" in values:
        account.pins = {tls.EVERY_HOST: values["certificate"]} if values["certificate"] else {}
    if "ca_file" in values:
        account.extra_ca_pem = setup.certificates
    if "token" in values:
        account.forget_tokens()
        account.token = values["token"].removeprefix("Bearer ")
    elif values.get("password"):
        account.forget_tokens()
    if account.refresh_token and not account.keep_password:
        account.password = ""  # it has served already


def parse(content: bytes, name: str) -> dict[str, str]:
    """The values of a setup file; an account in it is whole. Raises SetupProblem naming the line.

    Written on any computer: a byte order mark and CRLF line ends are fine.
    """
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        raise SetupProblem(f"{name} is not UTF-8 text") from None
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        key, separator, value = line.partition("=")
        key, value = key.strip().lower(), value.strip()
        if not separator or key not in KEYS:
            raise SetupProblem(f"{name}, line {number}: expected one of {', '.join(KEYS)}, then = and a value")
        if len(value) > (TOKEN_MAX_CHARS if key.endswith("token") else VALUE_MAX_CHARS):
            raise SetupProblem(f"{name}, line {number}: the value is too long")
        problem = _problem_with(key, value)
        if problem:
            raise SetupProblem(f"{name}, line {number}: {problem}")
        values[key] = value
    missing = _missing(values)
    if values.get("server") and not _is_of(values.get("user", ""), values.get("token", "")):
        raise SetupProblem(f"{name}: the token is not {values['user']}'s; leave user out, and the token names it")
    if missing:
        raise SetupProblem(f"{name} lacks {' and '.join(missing)}")
    return values


def _problem_with(key: str, value: str) -> str:
    if key == "keep_password" and value.lower() not in YES_AND_NO:
        return "expected yes or no"
    if key.endswith("token") and not (value.isascii() and value.isprintable()):
        return "a token holds letters, digits and punctuation only"
    if key == "home_network" and len(value.encode("utf-8")) > NETWORK_MAX_BYTES:
        return f"a Wi-Fi network's name has at most {NETWORK_MAX_BYTES} bytes"
    return ""


def _missing(values: dict[str, str]) -> list[str]:
    """What an account lacks; nothing, if the values are none and only change one. A token names its user itself."""
    if values and "server" not in values and "user" not in values:
        return []
    user = values.get("user") or _user_of(values.get("token", ""))
    if isinstance(user, str) and user.isprintable() and len(user) <= VALUE_MAX_CHARS:
        values["user"] = user
    missing = [key for key in ("server", "user") if not values.get(key)]
    return missing if any(values.get(key) for key in CREDENTIALS) else [*missing, "password"]


def _user_of(token: str) -> Json:
    return claims(token.removeprefix("Bearer ")).get("sub")


def _is_of(user: str, token: str) -> bool:
    """Whether a token is a user's, as far as it says so. Servers do not tell capitals in a name apart."""
    named = _user_of(token)
    return not isinstance(named, str) or not user or named.lower() == user.lower()


def _certificates(folder: Folder, setup_path: str, ca_file: str | None) -> str:
    if not ca_file:
        return ""
    path = ca_file if ca_file.startswith("/") else f"{setup_path.rpartition('/')[0] or '.'}/{ca_file}"
    content = folder.disk.read(path, CA_FILE_MAX_BYTES)
    if content is None:
        raise SetupProblem(f"the certificate file {path} is missing")
    text = content.decode("ascii", "ignore")  # comments in it may be in any language
    if PEM_MARK not in text:
        raise SetupProblem(f"{path} holds no PEM certificate (a line {PEM_MARK!r})")
    try:
        tls.check_pem(text)
    except ValueError as problem:
        raise SetupProblem(f"what {path} holds is no whole certificate: copy the file once more") from problem
    return text


def _asked() -> dict[str, str]:
    try:
        values = {"server": input("server: ").strip(), "user": input("user: ").strip(), "password": _asked_in_silence()}
    except (EOFError, KeyboardInterrupt):
        raise SetupProblem("nothing was changed") from None
    missing = [key for key in REQUIRED if not values[key]]
    if missing:
        raise SetupProblem(f"no {missing[0]} was given")
    return values


def _asked_in_silence() -> str:
    import termios

    before = termios.tcgetattr(0)
    quiet = [*before]
    quiet[3] &= ~termios.ECHO
    try:
        termios.tcsetattr(0, termios.TCSADRAIN, quiet)
        return input("password: ").strip()
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        posix.write(1, b"\n")
