"""An HTTP proxy that brings every request to one server, whatever name was asked for, for tests of KOReader's proxy.

Promises: absolute-form for http, CONNECT for https; what it was asked for is in `lines`; with `credentials` it wants
them; with `refuses` it answers every CONNECT with that status.
Called by: `test_transport.py`, `test_trouble.py`.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from types import TracebackType

REQUEST_MAX_BYTES = 65_536
IDLE_S = 20.0


class ForwardProxy:
    def __init__(self, target_port: int, credentials: str = "", refuses: int | None = None) -> None:
        self.lines: list[str] = []  # the first lines of requests
        self._target_port = target_port
        self._credentials = credentials
        self._refuses = refuses
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> ForwardProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(IDLE_S)
            head = b""
            while b"\r\n\r\n" not in head and len(head) < REQUEST_MAX_BYTES:
                part = client.recv(REQUEST_MAX_BYTES)
                if not part:
                    return
                head += part
            line = head.split(b"\r\n", 1)[0].decode("latin-1")
            self.lines.append(line)
            wanted = base64.b64encode(self._credentials.encode()).decode()
            if self._credentials and f"Proxy-Authorization: Basic {wanted}".encode() not in head:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            is_tunnel = line.startswith("CONNECT ")
            if is_tunnel and self._refuses is not None:
                client.sendall(b"HTTP/1.1 %d Refused\r\nContent-Length: 0\r\n\r\n" % self._refuses)
                return
            with socket.create_connection(("127.0.0.1", self._target_port)) as server:
                self._open.append(server)
                if is_tunnel:
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    thread = threading.Thread(target=_pump, args=(client, server), daemon=True)
                else:
                    server.sendall(_own_form(head))
                    thread = threading.Thread(target=_pump, args=(client, server, True), daemon=True)
                thread.start()
                _pump(server, client)


def _pump(source: socket.socket, sink: socket.socket, is_http: bool = False) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(REQUEST_MAX_BYTES):
            sink.sendall(_own_form(part) if is_http else part)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def _own_form(request: bytes) -> bytes:
    """`GET http://name/path HTTP/1.1` as the server behind wants it; small requests come in one piece."""
    method, _, rest = request.partition(b" ")
    if not rest.startswith(b"http://"):
        return request
    return method + b" /" + rest.removeprefix(b"http://").partition(b"/")[2]
