"""Server account: from `setup.txt`, a named file, or the terminal.

The file holds `key = value` lines; `#` begins a comment line. Keys: `server`, `user`, `password`, and optionally
`ca_file`, a PEM file beside it with the reader's own authority.

Promises: the old account stays until the new one is complete and durable; after that the setup file in the data folder
is removed, because it holds the password.
Called by: `device/worker.py`.
"""

from __future__ import annotations

import posix

from device.secrets import Keeper, Secrets
from device.server import address
from device.store import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.folder import Folder
    from device.store.database import Store

SETUP_MAX_BYTES = 65_536
CA_FILE_MAX_BYTES = 262_144
VALUE_MAX_CHARS = 1_000
REQUIRED = ("server", "user", "password")
KEYS = (*REQUIRED, "ca_file")
PEM_MARK = "-----BEGIN CERTIFICATE-----"


class SetupProblem(ValueError):
    """What is wrong with a setup file or an answer, in the reader's words."""


class Setup:
    """A whole account as the reader gave it, and the file to remove once it is stored."""

    __slots__ = ("account", "used_up")

    def __init__(self, account: Secrets, used_up: str | None) -> None:
        self.account = account
        self.used_up = used_up


def collect(folder: Folder, setup_path: str | None) -> Setup:
    """The account of `setup_path`, of the data folder's setup.txt, or typed in at the terminal. Changes nothing.

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
        server = str(address.parse(values["server"]))
    except ValueError as problem:
        raise SetupProblem(str(problem)) from problem
    account = Secrets(server, values["user"], values["password"], certificates)
    return Setup(account, folder.setup if content is not None and setup_path is None else None)


def store_account(folder: Folder, store: Store, setup: Setup) -> None:
    """Makes it the account of this device."""
    keeper = Keeper(folder.disk, folder.secrets)
    setup.account.keep_others_of(keeper.load_all())
    keeper.save(setup.account)
    with store.transaction():
        settings.forget_problems(store)
    if setup.used_up is not None:
        folder.disk.remove(setup.used_up)


def parse(content: bytes, name: str) -> dict[str, str]:
    """The values of a setup file, all required ones present. Raises SetupProblem naming the line.

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
        if len(value) > VALUE_MAX_CHARS:
            raise SetupProblem(f"{name}, line {number}: the value is too long")
        values[key] = value
    missing = [key for key in REQUIRED if not values.get(key)]
    if missing:
        raise SetupProblem(f"{name} lacks {' and '.join(missing)}")
    return values


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
