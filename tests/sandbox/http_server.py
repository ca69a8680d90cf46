"""Listening, TLS, and one thread for each connection.

Promises: a stopped server has closed its port and all connections, and starts again on the same port; a handshake that
fails ends that connection and is counted, nothing more.
Never: knows HTTP; that is `connection`.
Called by: `StandIn`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from tests.sandbox.clock import Clock
from tests.sandbox.connection import Closed, Connection
from tests.sandbox.faults import FaultPlan
from tests.sandbox.messages import Request, Response
from tests.sandbox.recorder import Recorder

IDLE_S = 60.0  # a connection silent for so long is closed
BACKLOG = 64
STOP_WAIT_S = 5.0  # for threads to end; they are daemons, a stuck one does no harm

Answer = Callable[[Request], Response]


class HttpServer:
    def __init__(
        self, answer: Answer, plan: FaultPlan, recorder: Recorder, clock: Clock, tls: tuple[Path, Path] | None
    ) -> None:
        self.answer = answer
        self.plan = plan
        self.recorder = recorder
        self.clock = clock
        self.idle_s = IDLE_S
        self.requests_per_connection: int | None = None  # then the connection is closed, as some servers do
        self.stopping = threading.Event()
        self._stopped_for_good = threading.Event()  # rather than between two lives
        self._restart: threading.Thread | None = None
        self.on_restart: Callable[[], None] = lambda: None  # what is in memory only is gone
        self._tls = _tls_context(*tls) if tls is not None else None
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self, host: str, port: int) -> int:
        """Listens, and tells on which port."""
        self._stopped_for_good.clear()
        self.stopping.clear()
        self._listener = socket.create_server((host, port), backlog=BACKLOG)
        self._run(self._accept, self._listener)
        return int(self._listener.getsockname()[1])

    def is_quiet(self) -> bool:
        """Whether every connection that was accepted so far has ended."""
        with self._lock:
            return sum(thread.is_alive() for thread in self._threads) <= 1  # the one that accepts

    def stop(self) -> None:
        self._stopped_for_good.set()
        restart = self._restart
        if restart is not None:
            restart.join(STOP_WAIT_S)
        self._close()

    def _close(self) -> None:
        self.stopping.set()
        with self._lock:
            sockets, threads = list(self._open), self._threads
            self._threads = []
        for open_socket in ([self._listener] if self._listener else []) + sockets:
            # A shutdown wakes the thread that waits in accept or recv; a close alone does not.
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(STOP_WAIT_S)
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def restart(self, down_s: float) -> None:
        """From within one of its own threads: all connections end at once, and after `down_s` it listens again."""
        with self._lock:
            if self._restart is None:
                self._restart = threading.Thread(target=self._go_and_come_back, args=(down_s,), daemon=True)
                self._restart.start()

    def _go_and_come_back(self, down_s: float) -> None:
        assert self._listener is not None
        host, port = self._listener.getsockname()[:2]
        self._close()
        stopped = self._stopped_for_good.wait(down_s)
        with self._lock:
            self._restart = None
        if not stopped:
            self.on_restart()
            self.start(host, port)

    def _run(self, target: Callable[[socket.socket], None], argument: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(argument,), daemon=True)
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive()] + [thread]
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self.stopping.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._run(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        number = self.recorder.open_connection()
        with self._lock:
            self._open.add(client)
        try:
            with contextlib.suppress(OSError, Closed):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.settimeout(self.idle_s)
                if self._tls is None:
                    Connection(self, client, number).serve()
                else:
                    self._serve_tls(self._tls, client, number)
        finally:
            with self._lock:
                self._open.discard(client)
            client.close()

    def _serve_tls(self, context: ssl.SSLContext, client: socket.socket, number: int) -> None:
        try:
            secured = context.wrap_socket(client, server_side=True)
        except OSError:
            self.recorder.fail_handshake()
            return
        with self._lock:
            self._open.discard(client)
            self._open.add(secured)
        try:
            Connection(self, secured, number).serve()
        finally:
            with self._lock:
                self._open.discard(secured)
            secured.close()


def _tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context
