"""A server that gives every request the same answer: what a portal or a firewall does.

Used by the tests where the stand-in would be too much of a BookLore.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class OneAnswerServer:
    """Answers whatever it is asked with `always`, one connection for each request; `requests` are what it was asked."""

    def __init__(self, port: int = 0, always: bytes = b"") -> None:
        self.always = always
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
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
            with peer:
                asked = peer.recv(65_536)
                if asked:
                    self.requests.append(asked)
                    with contextlib.suppress(OSError):
                        peer.sendall(self.answer(asked))

    def answer(self, asked: bytes) -> bytes:
        return self.always
