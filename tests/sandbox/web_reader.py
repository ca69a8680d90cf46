"""The stand-in's own web reader: a page that shows a book with the highlights that have arrived, drawn by foliate-js.

Promises: the book file, the library and the page come from this server and nowhere else; a book without a file, or a
machine without the library, has no such page.
Never: part of any server's API.
Called by: `web_page`.
"""

from __future__ import annotations

from pathlib import Path

from tests.sandbox.messages import Response
from tests.web.book_files import BookFiles, has_library

PREFIX = "/sandbox/reader/"


class WebReader:
    def __init__(self) -> None:
        self._files = BookFiles()

    def add(self, book_id: int, file: Path) -> None:
        self._files.add(book_id, file)

    def address(self, book_id: object) -> str | None:
        """Of the page that shows this book, if it can be shown."""
        if not isinstance(book_id, int) or not self._files.has(book_id) or not has_library():
            return None
        return f"{PREFIX}reader.html?book={book_id}"

    def answer(self, path: str) -> Response:
        """`path` is that of the request."""
        found = self._files.find(path.removeprefix(PREFIX))
        return Response(404) if found is None else Response(200, *found, {"Cache-Control": "no-store"})
