"""A book that is open for looking places up in it: its archive, the order of its chapters, its styles.

Promises: a chapter is read when it is asked for, and kept by nobody here; nothing but the book's own file is read.
Called by: `positions.py`, `from_koreader.py`, `from_web.py`.
"""

from __future__ import annotations

from device.epub import xpointer
from device.epub.archive import Archive, Unreadable
from device.epub.engine_styles import styles_in
from device.epub.joining import Chapter, open_chapter
from device.epub.spine import RELAXED_DOM, read_spine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.epub.spine import Fragment, SpineItem

DOM_DEFAULT = 20240114  # of a book whose DOM version is not known: the numbering that holds since then
DOM_BEFORE_RELAXED = 20210903


class OpenedBook:
    """To be closed. `dom`: the DOM version that KOReader keeps for it, if known. Raises Unreadable, OSError."""

    __slots__ = ("_archive", "_numbering", "_styles", "dom", "spine")

    def __init__(self, path: str, dom: int | None) -> None:
        self.dom = dom
        self._archive = Archive(path)
        self._styles = styles_in(self._archive)
        self._numbering: dict[bool, list[Fragment]] = {}
        try:
            self.spine = read_spine(self._archive)
            if not self.spine.items:
                raise Unreadable("its package document names no chapters")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._archive.__exit__(None, None, None)

    def dom_of(self, pointer: str, dom: int | None = None) -> int:
        """With which DOM version a pointer was made, as far as can be told."""
        if dom or self.dom:
            return dom or self.dom or 0
        return xpointer.EXPLICIT_ONES_DOM if xpointer.has_explicit_ones(pointer) else DOM_DEFAULT

    def fragments(self, dom: int) -> list[Fragment]:
        is_relaxed = dom >= RELAXED_DOM
        if is_relaxed not in self._numbering:
            self._numbering[is_relaxed] = self.spine.fragments(self._archive, dom)
        return self._numbering[is_relaxed]

    def chapter(self, item: SpineItem, dom: int, with_styles: bool = True) -> Chapter:
        """`with_styles`: as KOReader shows it unless its reader has switched the book's styles off. Raises Unusable."""
        return open_chapter(self._archive, self.spine, item, dom, self._styles if with_styles else None)

    def is_behind_dangling(self, item: SpineItem) -> bool:
        """Whether an entry before it leads nowhere: then the web reader opens another chapter for it."""
        if not self.spine.has_dangling():
            return False
        for other in self.spine.items:
            if other is item:
                return False
            if not other.href:
                return True
        return False

    def sizes(self) -> list[int]:
        """Of each entry of the spine, in bytes."""
        return [self._archive.size_bytes(item.href) or 0 if item.href else 0 for item in self.spine.items]
