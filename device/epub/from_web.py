"""The web reader's CFIs as KOReader's places.

A CFI is followed as the web reader follows it. What it selects is the place if these are the words that the server
keeps with it, or if it keeps none; words that KOReader hides are left out of it. If they are others, the CFI has lost
where in an element it ends (the web reader writes such), or the book is another edition: then the words are looked for,
near the place and only if that is certain.

Promises: a pointer leads to a visible character of the book, proved by going back. Each chapter is read once.
Called by: `positions.py`.
"""

from __future__ import annotations

from device.epub import cfi as cfis
from device.epub import text_search, xpointer
from device.epub.browser_nodes import units_of
from device.epub.joining import Chapter, Unusable
from device.epub.opened_book import DOM_DEFAULT, OpenedBook
from device.epub.outcomes import (
    AMBIGUOUS,
    APPROXIMATE,
    EXACT,
    HIDDEN,
    MOVED,
    NO_CFI,
    NO_DOCUMENT,
    NO_PLACE,
    NO_TEXT,
    NOT_FOUND,
    PARTLY_HIDDEN,
    READERS_DIFFER,
    REPAIRED,
    UNUSABLE,
    Pointers,
)
from device.epub.xpointer import Step, XPointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.epub.cfi import Point
    from device.epub.joining import Span
    from device.epub.spine import SpineItem

CUT_OFF_UNITS = 4_990  # the server keeps 5,000 UTF-16 units of a text; a sign that would be cut in half goes as a whole


class _Asked:
    __slots__ = ("cfi", "number", "text")

    def __init__(self, number: int, cfi: cfis.Cfi, text: str) -> None:
        self.number = number
        self.cfi = cfi
        self.text = text


class _Stretch:
    """From one visible character up to another; without extent a place."""

    __slots__ = ("begin", "end", "reason", "status", "text")

    def __init__(self, begin: int, end: int, text: str | None, status: str, reason: str) -> None:
        self.begin = begin
        self.end = end
        self.text = text
        self.status = status
        self.reason = reason


def to_pointers(
    book: OpenedBook, wanted: list[tuple[str, str | None]], explicit_ones: bool, dom: int | None
) -> list[Pointers]:
    """In the same order; each is a CFI and the words that the server keeps with it, if it does."""
    dom = dom or book.dom or (xpointer.EXPLICIT_ONES_DOM if explicit_ones else DOM_DEFAULT)
    results = [Pointers(None, None, None, APPROXIMATE, NO_CFI) for _ in wanted]
    by_step: dict[int, list[_Asked]] = {}
    for number, (text, words) in enumerate(wanted):
        try:
            read = cfis.parse(text)
        except cfis.Invalid:
            continue
        results[number].reason = NO_DOCUMENT
        if len(read.package) == 2 and read.package[0][0] == book.spine.step:
            by_step.setdefault(read.package[1][0], []).append(_Asked(number, read, words or ""))
    for step in sorted(by_step):
        asked = by_step[step]
        for item in _items_meant(book, step):
            if asked:
                asked = _place(book, item, asked, results, explicit_ones, dom)
    return results


def _items_meant(book: OpenedBook, step: int) -> list[SpineItem]:
    """The entry that a CFI names; behind an entry that leads nowhere also the one that the web reader, which counts
    without it, has taken for that."""
    items = book.spine.items
    shown = [item for item in items if item.href]
    for number, item in enumerate(items):
        if item.step == step:
            meant = [item] if item.href else []
            if number < len(shown) and shown[number] is not item:
                meant.append(shown[number])
            return meant
    return []


def _place(
    book: OpenedBook, item: SpineItem, asked: list[_Asked], results: list[Pointers], explicit_ones: bool, dom: int
) -> list[_Asked]:
    """Fills in what is found in this chapter; gives back what is not."""
    try:
        chapter = book.chapter(item, dom)
    except Unusable:
        for one in asked:
            results[one.number].reason = UNUSABLE
        return asked
    left: list[_Asked] = []
    for one in asked:
        found = _in_chapter(chapter, one)
        if isinstance(found, str):
            results[one.number].reason = found
            left.append(one)
            continue
        if not chapter.words:
            pos0 = _beginning(book, item, explicit_ones, dom)
            if pos0 is not None:
                results[one.number] = Pointers(pos0, None, None, REPAIRED, NO_TEXT)
            continue
        has_extent = found.end > found.begin
        pos0 = _written(book, chapter, found.begin, False, explicit_ones, dom)
        pos1 = _written(book, chapter, found.end - 1, True, explicit_ones, dom) if has_extent else None
        if pos0 is None or (has_extent and pos1 is None):
            results[one.number].reason = READERS_DIFFER
            continue
        results[one.number] = Pointers(pos0, pos1, found.text, found.status, found.reason)
    return left


def _written(book: OpenedBook, chapter: Chapter, index: int, after: bool, explicit_ones: bool, dom: int) -> str | None:
    count = len(chapter.words)
    if index >= count > 0:
        index, after = count - 1, True  # behind the last word
    found = chapter.pointer_at(index, after)
    if found is None:
        return None
    in_item, pointer = found
    fragments = book.fragments(dom)
    for number, fragment in enumerate(fragments, 1):
        if fragment.item is chapter.item and fragment.in_item == in_item:
            return xpointer.written(pointer.in_fragment(number, bare=len(fragments) == 1), explicit_ones)
    return None


def _beginning(book: OpenedBook, item: SpineItem, explicit_ones: bool, dom: int) -> str | None:
    """Of a chapter that is nothing but pictures."""
    fragments = book.fragments(dom)
    for number, fragment in enumerate(fragments, 1):
        if fragment.item is item and fragment.in_item == 0:
            pointer = XPointer(number, [Step("body", 1, alone=True)], 0, bare=len(fragments) == 1)
            return xpointer.written(pointer, explicit_ones)
    return None


def _in_chapter(chapter: Chapter, asked: _Asked) -> _Stretch | str:
    """Where it is, or why it is nowhere."""
    start, end = asked.cfi.start, asked.cfi.end
    if end is None:
        index = chapter.index_of(start)
        if index is None:
            return NO_PLACE
        return _Stretch(index, index, None, EXACT, "")
    span = chapter.span_of(start, end)
    words = text_search.bare(asked.text)
    if span is None:
        at = text_search.only_one(chapter.words, words)
        return NO_PLACE if at is None else _Stretch(at, at + len(words), asked.text, REPAIRED, MOVED)
    if words and chapter.words[span.begin : span.end] == words:
        return _Stretch(span.begin, span.end, asked.text, EXACT, "")
    if not words or text_search.bare(span.text) == words:
        return _as_selected(chapter, span, asked.text, "")
    if text_search.shows([piece.casefold() for piece in span.pieces], words.casefold()):
        return _as_selected(chapter, span, "", "")  # a stylesheet shows other letters than the text has, or hides some
    if units_of(asked.text) >= CUT_OFF_UNITS and text_search.bare(span.text).startswith(words):
        return _as_selected(chapter, span, "", "")  # the server has cut off the rest of the words
    found = _near(chapter, asked, span, chapter.words, words)
    if found is None:
        found = _as_written(chapter, _near(chapter, asked, span, chapter.caseless(), text_search.caseless(words)))
    if found is not None:
        return found
    if words in chapter.words:
        return AMBIGUOUS
    reading = chapter.span_reading(start, words) if _is_in_text(start) else None
    return NOT_FOUND if reading is None else _as_selected(chapter, reading, asked.text, MOVED)


def _as_selected(chapter: Chapter, span: Span, text: str, moved: str) -> _Stretch | str:
    """The CFI leads to the words that are known of it, or none are known: what KOReader shows of them is the place."""
    shown = chapter.words[span.begin : span.end]
    if not shown:
        return HIDDEN if text_search.bare(span.text) else NO_TEXT
    if not text_search.shows_within(span.pieces, shown):
        return READERS_DIFFER
    if text_search.bare(text) != shown:
        text = " ".join((text_search.seen_of(span.pieces, shown) or span.text).split())
    if text_search.shows(span.pieces, shown):
        return _Stretch(span.begin, span.end, text, REPAIRED if moved else EXACT, moved)
    return _Stretch(span.begin, span.end, text, REPAIRED, PARTLY_HIDDEN)


def _near(chapter: Chapter, asked: _Asked, span: Span, all_words: str, words: str) -> _Stretch | None:
    """The words are others than the CFI leads to."""
    length = len(words)
    start = chapter.index_of(asked.cfi.start) if _is_in_text(asked.cfi.start) else None
    end = None if asked.cfi.end is None else chapter.index_of(asked.cfi.end)
    if start is not None and all_words.startswith(words, start):
        return _Stretch(start, start + length, asked.text, REPAIRED, MOVED)
    if end is not None and end >= length and all_words.endswith(words, end - length, end):
        return _Stretch(end - length, end, asked.text, REPAIRED, MOVED)
    found = text_search.nearest(all_words, words, span.begin if start is None else start)
    return None if found is None else _Stretch(found, found + length, asked.text, REPAIRED, MOVED)


def _as_written(chapter: Chapter, found: _Stretch | None) -> _Stretch | None:
    """With the letters that the book has."""
    joined = None if found is None else chapter.range_at(found.begin, found.end)
    if found is None or joined is None:
        return None
    return _Stretch(found.begin, found.end, " ".join(joined.text.split()), found.status, found.reason)


def _is_in_text(point: Point) -> bool:
    """If not, it is an element, and may have lost where in it the selection begins."""
    return point.steps[-1][0] % 2 == 1
