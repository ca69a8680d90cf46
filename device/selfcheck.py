"""What works on this device and what does not: store, clock, CA list, server, account.

Promises: touches neither the real store nor the outbox; every line says what was tried and what came of it.
Called by: `device/worker.py`, for a reader who wonders why nothing arrives, and on a device model nobody has tried yet.
"""

from __future__ import annotations

import posix
import sys
import time

from device.core.instants import CLOCK_TOLERANCE_S, EARLIEST_PLAUSIBLE_S, to_iso
from device.server.errors import ServerError
from device.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.folder import Folder
    from device.secrets import Secrets

GOOD, BAD = "good", "bad"
HERE, AT_HOME, ACCOUNT = "server", "server at home", "account"


class Finding:
    __slots__ = ("text", "verdict", "what")

    def __init__(self, what: str, verdict: str, text: str) -> None:
        self.what = what
        self.verdict = verdict
        self.text = text

    def line(self) -> str:
        return f"{self.what}: {self.verdict}, {self.text}"


def selfcheck(folder: Folder, secrets: Secrets | None, deadline: float, proxy: str = "") -> list[Finding]:
    """Everything that can be tried, the server last; without an account no server. `proxy`: KOReader's, as a URL."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("program", _program),
        ("store", lambda: _store(folder)),
        ("clock", _clock),
        ("certificates", lambda: _certificates(secrets)),
        ("chapters", _chapters),
    ]
    if secrets is not None:
        if secrets.home_network:
            checks.append(("network", lambda: _network(secrets.home_network)))
        checks.append((HERE, lambda: _server(secrets, secrets.server, deadline, proxy)))
        if secrets.local_server:
            checks.append((AT_HOME, lambda: _server(secrets, secrets.local_server, deadline, proxy)))
    findings = []
    for what, check in checks:
        try:
            findings.append(Finding(what, GOOD, check()))
        except (OSError, ValueError, ServerError) as problem:
            findings.append(Finding(what, BAD, str(problem)))
    if secrets is None:
        findings.append(Finding(HERE, BAD, "no account is set up yet"))
    elif places := _that_answered(secrets, findings):
        try:
            findings.append(_account(folder, secrets, places, deadline, proxy))
        except (ValueError, ServerError) as problem:
            findings.append(Finding(ACCOUNT, BAD, str(problem)))
    return findings


def _that_answered(secrets: Secrets, findings: list[Finding]) -> list[str]:
    """One dead host has cost its time already."""
    good = [finding.what for finding in findings if finding.verdict == GOOD]
    return [place for what, place in ((HERE, secrets.server), (AT_HOME, secrets.local_server)) if what in good]


def _program() -> str:
    machine = posix.uname()
    bits = 64 if sys.maxsize > 2**32 else 32
    return f"booklore-sync {VERSION}, {bits} bit, on {machine.sysname} {machine.release} {machine.machine}"


def _store(folder: Folder) -> str:
    import _sqlite3

    from device.store import database, settings

    path = folder.path + "/selfcheck.sqlite"
    started = time.monotonic()
    try:
        store = database.open_store(folder.disk, path, 0)
        with store.transaction():
            settings.put(store, "probe", "1")
        store.close()
        store = database.open_store(folder.disk, path, 0)
        kept = settings.get(store, "probe")
        store.close()
    except _sqlite3.Error as problem:
        raise ValueError(f"SQLite failed in {folder.path}: {problem}") from problem
    finally:
        for suffix in ("", "-journal"):
            folder.disk.remove(path + suffix)
    if kept != "1":
        raise ValueError(f"what was written in {folder.path} did not come back")
    return f"SQLite {_sqlite3.sqlite_version} wrote and read back in {int((time.monotonic() - started) * 1000)} ms"


def _clock() -> str:
    now = int(time.time())
    if now < EARLIEST_PLAUSIBLE_S:
        raise ValueError(f"this device thinks it is {to_iso(max(now, 0))}; set its date")
    return to_iso(now)


def _certificates(secrets: Secrets | None) -> str:
    import _ssl

    from device.server import tls

    trust = tls.Trust(secrets.extra_ca_pem if secrets else "", int(time.time()))
    trust.ask_all = True
    context = tls.make_context(trust)
    count = context.cert_store_stats()["x509_ca"]
    return f"{count} authorities, {_ssl.OPENSSL_VERSION}"


def _chapters() -> str:
    """Whether the parts that read a book's chapters are in this program, for strict ones and for others."""
    import pyexpat

    from device.epub import browser_dom

    strict, other = '<html xmlns="http://www.w3.org/1999/xhtml"><p>a<b/>&#233;</p></html>', "<p>a<b></b>&eacute;</p>"
    for source, type, steps in ((strict, browser_dom.XHTML, (2, 3)), (other, browser_dom.HTML, (4, 2, 3))):
        found = browser_dom.read_item(source, type).source_at(steps, 0)
        if found != source.index("&"):
            raise ValueError(f"{pyexpat.EXPAT_VERSION} found text at {found} of {source}")
    return f"{pyexpat.EXPAT_VERSION} reads them"


def _network(home: str) -> str:
    from device.server import wifi

    found = wifi.network()
    if found is None:
        raise ValueError("this device does not say in which Wi-Fi it is; the address that worked last is tried first")
    return f"{found!r}, " + ("the home network" if found == home else f"not the home network {home!r}")


def _server(secrets: Secrets, server: str, deadline: float, proxy: str) -> str:
    from device.server import address, answers, http, strangers, tls
    from device.server import proxy as proxies
    from device.server.errors import Untrusted

    place = address.parse(server)
    now = int(time.time())
    trust = tls.Trust(secrets.extra_ca_pem, now, "", secrets.pins)
    connect_s = http.CONNECT_S if server == secrets.server else http.CONNECT_LOCALLY_S
    connection = http.Connection(place, trust, deadline, [http.Way(place, connect_s)], proxies.parse(proxy))
    try:
        answer = connection.request("GET", http.HEALTH, {})
    except Untrusted as problem:
        if trust.presented is None:
            raise
        shown = tls.fingerprint_for_eyes(trust.presented.fingerprint)
        raise ValueError(f"{problem} The SHA-256 fingerprint of its certificate is {shown}") from problem
    finally:
        connection.close()
    if answer.status != 200 or not answer.is_json():
        raise ValueError(strangers.words(connection.address, answer))
    if not strangers.is_booklore(answers.decoded(answer)):
        raise ValueError(f"what answers at {connection.address} is not BookLore")
    server_now = connection.server_now()
    if server_now is not None and abs(server_now - int(time.time())) > CLOCK_TOLERANCE_S:
        difference_s = server_now - int(time.time())
        raise ValueError(f"{place} answers, but its clock and this device's differ by {difference_s} s")
    by = "" if str(connection.address) == str(place) else f", by way of {connection.address}: name that in setup.txt"
    pinned = ", with the certificate that you have trusted" if trust.pin(place.host) else ""
    note = ", but what is sent to it is not encrypted" if address.is_unencrypted(str(connection.address)) else ""
    return f"{place} answers{by}{pinned}{note}"


def _account(folder: Folder, secrets: Secrets, places: list[str], deadline: float, proxy: str) -> Finding:
    """Logs in, if there is no token, and asks what the account may not do; at `places`, with a sync's own caution."""
    from device.core.addresses import REMOTE
    from device.secrets import Keeper
    from device.sending.connecting import ways
    from device.server import http, permissions, tls
    from device.server import proxy as proxies
    from device.server.account import Account
    from device.server.client import Client
    from device.ui import dialect_texts

    now = int(time.time())
    trust = tls.Trust(secrets.extra_ca_pem, now, "", secrets.pins)
    found = [way for way in ways(secrets, REMOTE) if str(way.address) in places]
    connection = http.Connection(found[0].address, trust, deadline, found, proxies.parse(proxy))
    keeper = Keeper(folder.disk, folder.secrets)
    try:
        me = Client(connection, Account(connection, keeper, secrets, now)).get(permissions.ME)
    finally:
        connection.close()
    lacking = permissions.lacking(me)
    words = " ".join(dialect_texts.lacking(lacking)) or dialect_texts.ALLOWED
    return Finding(ACCOUNT, BAD if permissions.LIBRARY in lacking else GOOD, words)
