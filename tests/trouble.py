"""The troubles that a reader meets, as worlds: what stands between her device and her server, and how it goes away.

Promises: each trouble takes the server away in its own way for one run, then gives it back; what arrived by then, and
after, is counted at a server that keeps its data all along. Nothing is sped up: a run has the limits that it has.
Called by: `tests/contract/test_trouble.py`, which checks; `tests/trouble_report.py`, which prints wall times.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device.store import settings
from tests.contract.forward_proxy import ForwardProxy
from tests.contract.one_answer_server import OneAnswerServer
from tests.contract.plain_client import PlainClient
from tests.reader import EMMA, MOBY, Reader
from tests.sandbox import StandIn
from tests.sandbox.certificates import (
    make_authority,
    make_expired_certificate,
    make_self_signed_certificate,
    make_server_certificate,
    make_wrong_host_certificate,
)

LOGIN = "/api/v1/auth/login"
PORTAL_PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 24\r\nConnection: close\r\n\r\n"
    b"<h1>Harbour Wi-Fi</h1>\r\n"
)
PORTAL_REDIRECT = (
    b"HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/welcome\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
SESSIONS = 4  # of two books; what is to arrive in the end, each once


@dataclass
class World:
    """One reader, one server that keeps its data in a file, and a port that one or the other has."""

    folder: Path
    port: int
    reader: Reader
    dialect: str = "booklore"
    job: dict[str, Any] = field(default_factory=dict)  # further fields of the job
    requests: int = 0  # that reached a server, or what stood in its place, in the troubled run

    @contextlib.contextmanager
    def server(self, tls: tuple[Path, Path] | None = None) -> Iterator[StandIn]:
        with StandIn(self.dialect, self.folder / "server.sqlite", tls, port=self.port) as started:
            if not started.has_user("anna"):
                started.add_user("anna", "secret")
                started.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
                started.add_book(title="Emma", authors=["Jane Austen"], isbn13="9780141439587")
            before = len(started.requests)
            yield started
            self.requests = len(started.requests) - before

    def edit_account(self, **fields: Any) -> None:
        path = self.reader.data / "secrets.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | fields))

    def url(self, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Trouble:
    """`begin` is the trouble while its block lasts; `says` is in what the reader is told who asked for the run."""

    name: str
    begin: Callable[[World], contextlib.AbstractContextManager[None]]
    outcome: str
    says: str
    most_s: float  # of wall time, with the run's own limit where it is a host that is silent
    most_requests: int
    is_silent_unasked: bool = False  # a run that nobody asked for says nothing
    scheme: str = "http"
    asks: bool = False  # about a certificate


@dataclass(frozen=True)
class Course:
    """What came of a troubled run, and of the one after it."""

    result: dict[str, Any]
    wall_s: float
    requests: int
    arrived_in_trouble: int
    arrived: int
    doubled: int
    after: dict[str, Any]


@contextlib.contextmanager
def dead(world: World) -> Iterator[None]:
    yield  # nobody listens on its port: the kernel answers with a reset


@contextlib.contextmanager
def black_hole(world: World) -> Iterator[None]:
    """Its queue is full and nobody takes from it: further connections are dropped without a word."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", world.port))
        listener.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", world.port))
        time.sleep(0.05)
        yield


@contextlib.contextmanager
def hanging(world: World) -> Iterator[None]:
    with world.server() as server:
        server.fault(when=lambda method, path, count: True, do="hang", times=None, seconds=600)
        yield


@contextlib.contextmanager
def portal(world: World, answer: bytes) -> Iterator[None]:
    with OneAnswerServer(world.port, answer) as page:
        yield
    world.requests = len(page.requests)


@contextlib.contextmanager
def certificate(world: World, kind: str) -> Iterator[None]:
    authority = make_authority(world.folder)
    if kind == "self-signed":
        files = make_self_signed_certificate(world.folder)
    elif kind == "expired":
        files = make_expired_certificate(world.folder, authority)
    else:
        files = make_wrong_host_certificate(world.folder, authority)
    with world.server(files):
        yield


@contextlib.contextmanager
def wrong_password(world: World) -> Iterator[None]:
    world.edit_account(password="mistyped")
    with world.server():
        yield
    world.reader.configure(world.url())


@contextlib.contextmanager
def locked(world: World) -> Iterator[None]:
    with world.server() as server:
        client = PlainClient(server)
        for _ in range(5):
            client.log_in("anna", "guessed")
        client.close()
        before = len(server.requests)
        yield
        failed = len(server.requests) - before
    world.requests = failed


@contextlib.contextmanager
def no_permissions(world: World) -> Iterator[None]:
    """An account to which the administrator has given nothing yet, not even the library."""
    with world.server() as server:
        server.set_permissions("anna", ())
        _assign_library(server, False)
        yield
        server.set_permissions("anna", ("canDownload", "canSyncKoReader"))
        _assign_library(server, True)
    with contextlib.closing(sqlite3.connect(world.reader.data / "state.sqlite")) as store, store:
        # A library that has just been read is not read again within a minute.
        store.execute("UPDATE setting SET value = value - 120 WHERE key = ?", (settings.LIBRARY_READ_AT,))


def _assign_library(server: StandIn, on: bool) -> None:
    with server._database.transaction() as database:
        database.execute("DELETE FROM user_library")
        if on:
            database.execute(
                "INSERT INTO user_library (user_id, library_id) SELECT user.id, library.id FROM user, library"
            )


@contextlib.contextmanager
def restarting(world: World) -> Iterator[None]:
    """It goes down when the second reading session comes in, stores it, and is there again two seconds later."""
    seen: list[str] = []

    def second_session(method: str, path: str, count: int) -> bool:
        if method == "POST" and path.startswith("/api/v1/reading-sessions"):
            seen.append(path)
        return len(seen) == 2

    with world.server() as server:
        server.fault(when=second_session, do="restart_after_commit", times=1, seconds=2)
        yield


@contextlib.contextmanager
def proxy_down(world: World) -> Iterator[None]:
    world.edit_account(server="http://books.test", known_as=world.url())
    world.job["proxy"] = "http://127.0.0.1:9"
    yield
    world.job.clear()
    world.edit_account(server=world.url())


@contextlib.contextmanager
def proxy_refuses(world: World) -> Iterator[None]:
    world.edit_account(server="http://books.test", known_as=world.url())
    with ForwardProxy(world.port, credentials="somebody:else") as proxy:
        world.job["proxy"] = proxy.url
        yield
    world.requests = len(proxy.lines)
    world.job.clear()
    world.edit_account(server=world.url())


def _with(begin: Callable[..., Any], *arguments: Any) -> Callable[[World], contextlib.AbstractContextManager[None]]:
    return lambda world: begin(world, *arguments)


TROUBLES = (
    Trouble("dead host", dead, "offline", "cannot be reached (Connection refused)", 5, 0, True),
    Trouble("black hole", black_hole, "offline", "cannot be reached (no answer)", 14, 0, True),
    Trouble("hanging host", hanging, "offline", "did not answer|broke off (no answer)", 36, 1, True),
    Trouble("captive portal: a page", _with(portal, PORTAL_PAGE), "offline", "the login page of this network", 5, 1),
    Trouble("captive portal: a redirect", _with(portal, PORTAL_REDIRECT), "offline", "to portal.invalid", 5, 1),
    Trouble(
        "wrong name in the certificate", _with(certificate, "wrong host"), "failed", "is for another", 5, 0,
        scheme="https", asks=True,
    ),
    Trouble(
        "self-signed certificate", _with(certificate, "self-signed"), "failed", "signed its certificate itself", 5, 0,
        scheme="https", asks=True,
    ),
    Trouble(
        "expired certificate", _with(certificate, "expired"), "failed", "its certificate has expired", 5, 0,
        scheme="https", asks=True,
    ),
    Trouble("wrong password", wrong_password, "failed", "check user and password in setup.txt", 5, 1),
    Trouble("locked account", locked, "offline", "takes no logins for a quarter of an hour", 5, 1),
    Trouble("account without permissions", no_permissions, "done", "has no library assigned", 8, 8),
    Trouble("server restarting in mid-run", restarting, "offline", "", 60, 12, True),
    Trouble("proxy down", proxy_down, "offline", "The proxy 127.0.0.1:9 cannot be reached", 5, 0, True),
    Trouble("proxy that wants a password", proxy_refuses, "offline", "wants a user and a password", 5, 1, True),
)  # fmt: skip


def course(trouble: Trouble, folder: Path, reason: str = "tap", job: dict[str, int] | None = None) -> Course:
    """A run in trouble with four reading sessions to send, then one with the server as it should be.

    `job`: further fields of the job of the first.
    """
    world = World(folder, _free_port(), Reader(folder / "bookloresync"))
    ca_file = make_authority(folder).certificate if trouble.scheme == "https" else None
    world.reader.configure(world.url(trouble.scheme), ca_file=ca_file)
    for number in range(SESSIONS):
        world.reader.reads(start=1_795_000_000 + number * 1000, **(MOBY if number % 2 else EMMA))
    world.job = dict(job or {})
    with trouble.begin(world):
        started_s = time.monotonic()
        result = world.reader.run_job("sync", reason=reason, **world.job)
        wall_s = time.monotonic() - started_s
    requests = world.requests
    good = make_server_certificate(folder, make_authority(folder)) if trouble.scheme == "https" else None
    with world.server(good) as server:
        arrived_in_trouble = len(server.sessions())
        world.reader.let_intents_settle()
        after = world.reader.run_job("sync", reason="tap")
        rows = [(row["bookId"], row["startTime"]) for row in server.sessions()]
    return Course(result, wall_s, requests, arrived_in_trouble, len(set(rows)), len(rows) - len(set(rows)), after)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
