"""Which text lies between two xpointers, by the project's own reading of KOReader's engine.

Promises: the visible text without whitespace, across spine items too; None where there is no such place.
Never: knows more of the engine than `device/epub/` does: it is the converter's own knowledge, see `reverse`.
Called by: `reverse`.
"""

from __future__ import annotations

from pathlib import Path


class EngineText:
    def __init__(self, book: Path, dom: int) -> None:
        self._book, self._dom = book, dom

    def between(self, pos0: str, pos1: str) -> str | None:
        raise NotImplementedError((self._book, self._dom, pos0, pos1))
