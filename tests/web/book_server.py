"""The loopback server behind the browser: the files of its pages, its tasks, and their results.

Never: listens on anything but loopback.
Called by: `browser`.
"""

from __future__ import annotations

import contextlib
import json
import queue
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.web.book_files import BookFiles

TASK_WAIT_S = 20  # then the page asks again


class BookServer:
    def __init__(self) -> None:
        self.tasks: queue.Queue[dict[str, object]] = queue.Queue()
        self.results: queue.Queue[dict[str, Any]] = queue.Queue()
        self.files = BookFiles()
        self.has_called = False  # whether the page has asked for a task yet
        self._books: list[Path] = []
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.books = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self.files.close()

    def add(self, book: Path) -> int:
        """The number under which the files of this book have their addresses."""
        if book not in self._books:
            self.files.add(len(self._books), book)
            self._books.append(book)
        return self._books.index(book)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    books: BookServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that is killed leaves its connections broken; anything else is a fault of this module."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/task":
            self._give_task()
            return
        found = self.server.books.files.find(path.lstrip("/"))
        if found is None:
            self._answer(404)
        else:
            self._answer(200, *found)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.books.results.put(json.loads(body))
        self._answer(204)

    def _give_task(self) -> None:
        self.server.books.has_called = True
        try:
            task = self.server.books.tasks.get(timeout=TASK_WAIT_S)
        except queue.Empty:
            self._answer(204)
            return
        self._answer(200, json.dumps(task).encode(), "application/json")

    def _answer(self, status: int, body: bytes = b"", content_type: str | None = None) -> None:
        with contextlib.suppress(OSError):  # the browser may have gone
            self.send_response(status)
            if content_type is not None:
                self.send_header("Content-Type", content_type)
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the tests say what matters."""
