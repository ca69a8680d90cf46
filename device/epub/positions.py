"""Where highlights are: from KOReader's places to the web reader's and back, each result proved or called approximate.

    exact        the place says it, and the words there are those of the highlight
    repaired     the place is a little off, or in another chapter, or only its first part can be given; the words there
                 are those of the highlight all the same
    approximate  nothing that could be sent as a position; `reason` says why

Promises: nothing is called exact or repaired whose words were not found on both sides, and no CFI among them makes the
web reader throw. A page bookmark has no words: it is exact if its place is there. Each chapter is read once for all
questions about it and let go; memory is that of the largest chapter.
Never: guesses. Words that stand twice, with nothing that tells which, are approximate.
Called by: whoever sends or places highlights; `device/verbs/positions.py`.
Law: EPUB CFI 1.1, and `engine_tree.py`, `browser_dom.py` for the two readers.
"""

from __future__ import annotations

from device.epub import from_koreader, from_web, xpointer
from device.epub.joining import Unusable
from device.epub.opened_book import DOM_DEFAULT, OpenedBook
from device.epub.outcomes import APPROXIMATE, CONVERTER, EXACT, REPAIRED, Cfi, Pointers, Wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

__all__ = [
    "APPROXIMATE",
    "CONVERTER",
    "DOM_DEFAULT",
    "DOM_LEAST",
    "DOM_MOST",
    "EXACT",
    "REPAIRED",
    "Cfi",
    "Pointers",
    "Positions",
    "Wanted",
    "spells_every_index",
]

DOM_LEAST, DOM_MOST = 20000101, 99991231  # dates


def spells_every_index(dom: int) -> bool:
    """Whether KOReader writes `[1]` on every step in a book of that DOM version."""
    return dom >= xpointer.EXPLICIT_ONES_DOM


class Positions:
    """An open book; to be closed, best as a context. `dom`: the DOM version that KOReader keeps for it, if known.

    Raises archive.Unreadable, OSError.
    """

    __slots__ = ("_book",)

    def __init__(self, path: str, dom: int | None) -> None:
        self._book = OpenedBook(path, dom)

    def close(self) -> None:
        self._book.close()

    def __enter__(self) -> Positions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def to_cfis(self, wanted: list[Wanted]) -> list[Cfi]:
        """In the same order."""
        return from_koreader.to_cfis(self._book, wanted)

    def to_pointers(
        self, wanted: list[tuple[str, str | None]], explicit_ones: bool, dom: int | None = None
    ) -> list[Pointers]:
        """In the same order; each is a CFI and the words that the server keeps with it, if it does."""
        return from_web.to_pointers(self._book, wanted, explicit_ones, dom)

    def fraction(self, pos: str) -> float | None:
        """Roughly how far into the book a place is, 0..1; by the sizes of the chapters, and within one by its text."""
        book, pointer = self._book, xpointer.parse(pos)
        if pointer is None:
            return None
        if pointer.fragment == 0:
            return 1.0 if pointer.offset else 0.0
        dom = book.dom_of(pos)
        fragments = book.fragments(dom)
        if pointer.fragment > len(fragments):
            return None
        fragment = fragments[pointer.fragment - 1]
        within = 0.0
        if fragment.in_item is not None:
            try:
                chapter = book.chapter(fragment.item, dom)
                found = chapter.find(fragment.in_item, pointer)
                within = found.index / len(chapter.words) if found is not None and chapter.words else 0.0
            except Unusable:
                within = 0.0
        sizes, at = book.sizes(), book.spine.items.index(fragment.item)
        total = sum(sizes)
        return (sum(sizes[:at]) + sizes[at] * within) / total if total else None
