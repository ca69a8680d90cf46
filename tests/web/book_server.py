"""The loopback server behind the browser: its pages, foliate-js' files, the files in a book, tasks and their results.

Promises: every file of an archive under its own address, undecoded, with no type that the reader could lean on.
Never: listens on anything but loopback; serves a file from outside its three places; writes anything.
Called by: `browser`.
"""

from __future__ import annotations

import contextlib
import json
import queue
import sys
import threading
import zipfile
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).parent
PAGES = HERE / "pages"
LIBRARY = HERE / "node_modules" / "foliate-js"
TASK_WAIT_S = 20  # then the page asks again
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css"}
UNKNOWN_TYPE = "application/octet-stream"


class BookServer:
    def __init__(self) -> None:
        self.tasks: queue.Queue[dict[str, object]] = queue.Queue()
        self.results: queue.Queue[dict[str, Any]] = queue.Queue()
        self.has_called = False  # whether the page has asked for a task yet
        self.stopped = False
        self._books: list[Path] = []
        self._archives: dict[int, zipfile.ZipFile] = {}
        self._reading = threading.Lock()  # an archive has one position
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.books = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @staticmethod
    def has_library() -> bool:
        return (LIBRARY / "view.js").exists()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopped = True
        self._http.shutdown()
        self._http.server_close()
        for archive in self._archives.values():
            archive.close()

    def add(self, book: Path) -> int:
        """The number under which the files of this book have their addresses."""
        if book not in self._books:
            self._books.append(book)
            self._archives[len(self._books) - 1] = zipfile.ZipFile(book)
        return self._books.index(book)

    def file(self, path: str) -> bytes | None:
        """What lies at an address; None: nothing."""
        first, _, rest = path.lstrip("/").partition("/")
        if first == "books":
            number, _, name = rest.partition("/")
            return self._member(int(number), name) if number.isdigit() else None
        root, name = (LIBRARY, rest) if first == "foliate" else (PAGES, path.lstrip("/"))
        found = (root / name).resolve()
        return found.read_bytes() if found.is_relative_to(root.resolve()) and found.is_file() else None

    def _member(self, number: int, name: str) -> bytes | None:
        archive = self._archives.get(number)
        if archive is None:
            return None
        try:
            with self._reading:
                return archive.read(name)
        except (KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
            return None


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
        body = self.server.books.file(path)
        if body is None:
            self._answer(404)
        else:
            self._answer(200, body, TYPES.get(Path(path).suffix, UNKNOWN_TYPE) if _is_ours(path) else UNKNOWN_TYPE)

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


def _is_ours(path: str) -> bool:
    return not path.startswith("/books/")
