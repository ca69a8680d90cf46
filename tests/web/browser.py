"""Headless Chromium with foliate-js in it: which words a CFI means in the web reader, and where they are drawn.

Promises: one browser for as many books as wanted; what it finds comes back as plain values; it ends with its `with`
block, and its profile goes with it. A browser that dies or hangs is an error that says what it said.
Never: reaches anything but this process's own loopback server. Decides whether an answer is right; the tests do.
Called by: tests/web, tests/conformance, and other tests that need the web reader's own view.
"""

from __future__ import annotations

import itertools
import queue
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.web.book_files import has_library
from tests.web.book_server import BookServer
from tests.web.chromium import BrowserFailed, Chromium

START_LIMIT_S = 60  # a cold start on a slow machine takes about ten
TASK_LIMIT_S = 300  # the largest book with some hundred places takes a few seconds


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of one text node that lies in a range; `hidden` says why KOReader does not show it, empty if it does."""

    text: str
    hidden: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the web reader makes of a CFI: an error that it would throw, or the section and its text."""

    error: str | None = None
    section: int = -1
    pieces: tuple[Piece, ...] = field(default=())

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Highlight:
    """An annotation as the server has it."""

    cfi: str
    color: str = "#ffff00"
    style: str = "highlight"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A highlight as it is drawn on the page, and the text nodes under it."""

    error: str | None = None
    section: int = -1
    rectangles: int = 0
    on_page: bool = False  # whether it begins on the page that the reader shows
    pieces: tuple[Piece, ...] = field(default=())

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


class Browser:
    def __init__(self) -> None:
        self._server = BookServer()
        self._numbers = itertools.count(1)
        self.chromium = Chromium()

    def __enter__(self) -> Browser:
        self._server.start()
        try:
            self.chromium.start(f"{self._server.url}/driver.html")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def resolve(self, book: Path, cfis: Sequence[str], by_the_standards: bool = False) -> list[Resolved]:
        """What the reader makes of each CFI, in their order; without Chromium's own ways with files that are not UTF-8
        if `by_the_standards` (pages/book.js says which)."""
        answers = self._do("resolve", book, cfis=list(cfis), byTheStandards=by_the_standards)
        return [_resolved(answer) for answer in answers]

    def read(self, book: Path, by_the_standards: bool = False) -> list[tuple[Piece, ...]]:
        """The text nodes of each section of the book."""
        answers = self._do("read", book, byTheStandards=by_the_standards)
        return [() if "error" in answer else _pieces(answer) for answer in answers]

    def draw(self, book: Path, highlights: Sequence[Highlight]) -> list[Drawn]:
        """What lies under each highlight when the reader has drawn it, in their order."""
        wanted = [{"cfi": each.cfi, "color": each.color, "style": each.style} for each in highlights]
        return [_drawn(answer) for answer in self._do("draw", book, highlights=wanted)]

    def _do(self, kind: str, book: Path, **fields: object) -> Any:
        task = {"number": next(self._numbers), "kind": kind, "book": self._server.add(book), **fields}
        self._server.tasks.put(task)
        waited_s = 0.0
        while True:
            try:
                result = self._server.results.get(timeout=0.5)
                break
            except queue.Empty:
                waited_s += 0.5
            if not self.chromium.is_running():
                raise BrowserFailed(f"Chromium ended by itself:\n{self.chromium.log()}")
            if not self._server.has_called and waited_s > START_LIMIT_S:
                raise BrowserFailed(f"Chromium has not opened the page in {START_LIMIT_S} s:\n{self.chromium.log()}")
            if waited_s > TASK_LIMIT_S:
                raise BrowserFailed(f"no answer for {book.name} in {TASK_LIMIT_S} s:\n{self.chromium.log()}")
        if result.get("number") != task["number"]:
            raise BrowserFailed(f"an answer to another question: {result}")
        if "error" in result:
            raise BrowserFailed(f"{book.name}: {result['error']}")
        return result["answer"]

    def _stop(self) -> None:
        self.chromium.stop()
        self._server.stop()


def is_there() -> bool:
    """Whether this machine has the browser and the library."""
    return Chromium.is_there() and has_library()


def resolve(book: Path, cfis: Sequence[str]) -> list[Resolved]:
    """The same for one book, in a browser of its own."""
    with Browser() as browser:
        return browser.resolve(book, cfis)


def _resolved(answer: dict[str, Any]) -> Resolved:
    if "error" in answer:
        return Resolved(error=str(answer["error"]))
    return Resolved(section=int(answer["index"]), pieces=_pieces(answer))


def _drawn(answer: dict[str, Any]) -> Drawn:
    if "error" in answer:
        return Drawn(error=str(answer["error"]))
    return Drawn(
        section=int(answer["index"]),
        rectangles=int(answer["rectangles"]),
        on_page=bool(answer["onPage"]),
        pieces=_pieces(answer),
    )


def _pieces(answer: dict[str, Any]) -> tuple[Piece, ...]:
    return tuple(Piece(str(text), str(hidden)) for text, hidden in answer["pieces"])


__all__ = ["Browser", "BrowserFailed", "Drawn", "Highlight", "Piece", "Resolved", "is_there", "resolve"]
