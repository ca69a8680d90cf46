"""Which text lies between two xpointers, by the project's own reading of KOReader's engine.

Promises: the visible text without whitespace; None where one of them names no place, or they lie in two documents.
Never: knows more of the engine than `device/epub/` does: it is the converter's own knowledge, see `reverse`.
Called by: `reverse`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from device.epub.archive import Archive
from device.epub.engine_item import EngineItem
from device.epub.engine_styles import styles_in
from device.epub.engine_tree import parse_item
from device.epub.source_text import DOCUMENT_MOST_BYTES, decoded
from device.epub.spine import read_spine
from device.epub.xpointer import XPointer, parse


class EngineText:
    def __init__(self, book: Path, dom: int) -> None:
        self._dom = dom
        self._archive = Archive(str(book))
        self._styles = styles_in(self._archive)
        self._fragments = read_spine(self._archive).fragments(self._archive, dom)
        self._item = cache(self._read)

    def __enter__(self) -> EngineText:
        return self

    def __exit__(self, *error: object) -> None:
        self._archive.__exit__(None, None, None)

    def between(self, pos0: str, pos1: str) -> str | None:
        start, end = parse(pos0), parse(pos1)
        if start is None or end is None or self._document(start) != self._document(end):
            return None
        first, last = self._index(start), self._index(end)
        item = self._item(self._document(start))
        return None if first is None or last is None else item.visible[first:last]

    def _document(self, pointer: XPointer) -> str:
        known = 1 <= pointer.fragment <= len(self._fragments)
        return self._fragments[pointer.fragment - 1].item.href if known else ""

    def _index(self, pointer: XPointer) -> int | None:
        href = self._document(pointer)
        in_item = self._fragments[pointer.fragment - 1].in_item if href else None
        return None if in_item is None else self._item(href).index_at(in_item, pointer)

    def _read(self, href: str) -> EngineItem:
        source = decoded(self._archive.member(href, DOCUMENT_MOST_BYTES) or b"")
        return parse_item(source.engine, self._dom, self._styles, href)
