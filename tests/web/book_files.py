"""What a page with the web reader in it loads: its own scripts, foliate-js' files, and the files in a book.

Promises: every file of an archive under its own address, undecoded, with no type that the reader could lean on.
Never: gives a file from outside these three places; writes anything.
Called by: `book_server`, and the stand-in's reader.
"""

from __future__ import annotations

import threading
import zipfile
import zlib
from pathlib import Path

HERE = Path(__file__).parent
PAGES = HERE / "pages"
LIBRARY = HERE / "node_modules" / "foliate-js"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css"}
UNKNOWN_TYPE = "application/octet-stream"


def has_library() -> bool:
    return (LIBRARY / "view.js").exists()


class BookFiles:
    """`books/NUMBER/NAME` is a file in a book, `foliate/NAME` one of the library's, anything else a page's."""

    def __init__(self) -> None:
        self._archives: dict[int, zipfile.ZipFile] = {}
        self._reading = threading.Lock()  # an archive has one position

    def add(self, number: int, book: Path) -> None:
        self._archives[number] = zipfile.ZipFile(book)

    def has(self, number: int) -> bool:
        return number in self._archives

    def close(self) -> None:
        for archive in self._archives.values():
            archive.close()

    def find(self, path: str) -> tuple[bytes, str] | None:
        """Content and type of what lies at a path without a slash in front; None: nothing."""
        first, _, rest = path.partition("/")
        if first == "books":
            number, _, name = rest.partition("/")
            found = self._member(int(number), name) if number.isdecimal() else None
            return None if found is None else (found, UNKNOWN_TYPE)
        root, name = (LIBRARY, rest) if first == "foliate" else (PAGES, path)
        file = (root / name).resolve()
        if not file.is_relative_to(root.resolve()) or not file.is_file():
            return None
        return file.read_bytes(), TYPES.get(file.suffix, UNKNOWN_TYPE)

    def _member(self, number: int, name: str) -> bytes | None:
        archive = self._archives.get(number)
        if archive is None:
            return None
        try:
            with self._reading:
                return archive.read(name)
        except (KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
            return None
