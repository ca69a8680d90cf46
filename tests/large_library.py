"""A server that has nothing but a large library, as fast as it can be had: for measuring what reading it costs.

Used by `tests/bench.py`. The stand-in would be measured with the worker: it makes its list anew for each request.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

from tests.matching import works

TOKENS = {"accessToken": "e30.e30.e30", "refreshToken": "r"}
PADDING_CHARS = 480  # of what matching does not read, so that a book takes a kilobyte as on a real server


def made_library(count: int, seed: int = 1) -> list[dict[str, Any]]:
    random = Random(seed)
    words = [*works.PLACES, *works.THINGS, *works.PEOPLE, *works.ADJECTIVES]
    books = []
    for id in range(1, count + 1):
        title = "The " + " ".join(random.choice(words) for _ in range(3))
        author = f"{random.choice(works.GIVEN)} {random.choice(works.FAMILY)}"
        file = {"id": id, "fileName": f"{title} - {author}.epub", "fileSizeKb": 300 + id % 3000, "bookType": "EPUB"}
        metadata = {"bookId": id, "title": title, "authors": [author], "language": "en", "categories": ["Fiction"] * 5}
        books.append(
            {"id": id, "title": title, "primaryFile": file, "metadata": metadata, "description": "x" * PADDING_CHARS}
        )
    return books


class OneListServer:
    def __init__(self, books: list[dict[str, Any]]) -> None:
        self._books = books
        content = json.dumps(books).encode()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *values: object) -> None:
                return

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                if "login" in self.path:
                    self._answer(200, "application/json", json.dumps(TOKENS).encode())
                else:
                    self._answer(202, "application/json", b"")

            def do_GET(self) -> None:
                if self.path.startswith("/api/v1/books?"):
                    self._answer(200, "application/json", content)
                elif "by-hash" in self.path:
                    self._answer(200, "text/html", b"<html>")
                elif "healthcheck" in self.path:
                    self._answer(200, "application/json", b'{"data":{"version":"v2.3.0"}}')
                elif "/reading-sessions/" in self.path:
                    self._answer(200, "application/json", b'{"content":[],"page":{"totalElements":0,"totalPages":0}}')
                else:
                    self._answer(200, "application/json", b"[]")

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def named(self, number: int) -> tuple[str, str]:
        """Title and author of a book."""
        return self._books[number]["title"], self._books[number]["metadata"]["authors"][0]

    def __enter__(self) -> OneListServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        self._server.server_close()
