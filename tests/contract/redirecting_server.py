"""A server that redirects every request to the same path elsewhere, or to a page of its own.

Used by the tests of redirects; `requests` are the first lines of what it was asked.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class RedirectingServer:
    """`to`: what comes before the path in its `Location`; `page`: the whole of it instead."""

    def __init__(self, to: str = "", status: int = 302, page: str | None = None) -> None:
        self.to = to
        self.status = status
        self.page = page
        self.requests: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> RedirectingServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError):
                asked = peer.recv(65_536)
                if asked:
                    peer.sendall(self._answer(asked))

    def _answer(self, asked: bytes) -> bytes:
        line = asked.split(b"\r\n", 1)[0].decode("latin-1")
        self.requests.append(line)
        location = self.page if self.page is not None else self.to + line.split(" ")[1]
        return (
            f"HTTP/1.1 {self.status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ).encode("latin-1")
