"""A chapter from both sides: as KOReader's engine has it and as the web reader does, joined at the source they share.

Promises: a CFI leaves here only after the web reader's own rules have been followed along it and have led to exactly
the words that were asked for; a pointer only after the engine's rules have led back to where it was taken from. `None`
or an empty text says that there is no such place, never a place that is nearly it.
Never: reads the archive beyond the one member; keeps a chapter longer than its caller does.
Called by: `positions.py`.
"""

from __future__ import annotations

from device.epub import browser_dom, cfi, engine_tree, source_text, text_search
from device.epub.archive import Archive, Unreadable
from device.epub.browser_nodes import TooComplex, units_of
from device.epub.cfi import Point

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.epub.browser_dom import BrowserItem, Place
    from device.epub.cfi import Steps
    from device.epub.engine_item import EngineItem, Found
    from device.epub.engine_styles import Styles
    from device.epub.source_text import SourceText
    from device.epub.spine import Spine, SpineItem
    from device.epub.xpointer import XPointer


DECLARATION_MOST_CHARS = 200
WINDOW_UNITS, WINDOW_PER_CHAR = 2_000, 4  # in which words are read: sources are indented, and soft hyphens left out


class Unusable(Exception):
    """The chapter is missing, damaged, or beyond the limits of one side."""


class Joined:
    """A CFI that was proved, and the words that the web reader has there."""

    __slots__ = ("cfi", "text")

    def __init__(self, cfi: str, text: str) -> None:
        self.cfi = cfi
        self.text = text


class Span:
    """What a CFI means: `begin` and `end` among the visible characters, `text` as the web reader has it, `pieces` the
    same cut at its text nodes."""

    __slots__ = ("begin", "end", "pieces", "text")

    def __init__(self, begin: int, end: int, text: str, pieces: list[str]) -> None:
        self.begin = begin
        self.end = end
        self.text = text
        self.pieces = pieces


class Chapter:
    """One entry of the spine. `words`: its visible text, bare, as `text_search` compares."""

    __slots__ = ("_browser", "_caseless", "_in_chromium", "_package", "_source", "engine", "item", "words")

    def __init__(
        self, package: Steps, item: SpineItem, source: SourceText, engine: EngineItem, browser: BrowserItem
    ) -> None:
        self._package = package
        self._source = source
        self._browser = browser
        self._in_chromium: BrowserItem | None = None
        self._caseless = ""
        self.item = item
        self.engine = engine
        self.words = text_search.plain(engine.visible)

    def caseless(self) -> str:
        """The words in small letters, place for place."""
        if not self._caseless:
            self._caseless = text_search.caseless(self.words)
        return self._caseless

    def find(self, fragment_in_item: int, pointer: XPointer) -> Found | None:
        return self.engine.find(fragment_in_item, pointer)

    def range_at(self, begin: int, end: int) -> Joined | None:
        """The CFI of the visible characters from `begin` up to `end`, which may not be empty."""
        first, last = self._place(begin), self._place(end - 1)
        return None if first is None or last is None else self._proved(first, last, self.words[begin:end])

    def range_between(self, first: int, start: XPointer, last: int, end: XPointer, words: str) -> Joined | None:
        """The CFI of the words between two places in texts, which KOReader may leave out of what it calls visible."""
        begin = self.engine.source_in_text(first, start, before=False)
        behind = self.engine.source_in_text(last, end, before=True)
        if begin is None or behind is None:
            return None
        place = self._browser.place_of(self._source.to_browser(begin))
        last_place = self._browser.place_of(self._source.to_browser(behind))
        return None if place is None or last_place is None else self._proved(place, last_place, words)

    def _proved(self, first: Place, last: Place, words: str) -> Joined | None:
        written = cfi.format_range(self._package, _before(first), _behind(last))
        if written is None:
            return None
        read = cfi.parse(written)
        units = self._browser.resolve(read.start, read.end)
        if units is None or not text_search.shows(self._browser.pieces(*units), words):
            return None
        return Joined(written, self._browser.text_of(*units))

    def is_same_everywhere(self, found: Joined) -> bool:
        """Whether Chromium shows the same words there. In files that are not UTF-8 it has ways of its own."""
        if "\0" in self._source.browser:
            return False
        if not _names_encoding(self._source.browser):
            return True
        try:
            if self._in_chromium is None:
                self._in_chromium = browser_dom.read_item(self._source.browser, self.item.media_type, in_chromium=True)
        except TooComplex:
            return False
        read = cfi.parse(found.cfi)
        units = self._in_chromium.resolve(read.start, read.end)
        return units is not None and self._in_chromium.text_of(*units) == found.text

    def point_at(self, index: int) -> Joined | None:
        """The CFI of the place before a visible character, or behind the last one."""
        count = len(self.words)
        place = self._place(index if index < count else count - 1) if count else None
        if place is None:
            return None
        point = _before(place) if index < count else _behind(place)
        written = cfi.format_point(self._package, point)
        units = None if written is None else self._browser.resolve(cfi.parse(written).start, None)
        if written is None or units is None or units != self._browser.resolve(point, None):
            return None
        return Joined(written, "")

    def point_without_text(self) -> Joined | None:
        """The CFI of the whole chapter, for one that is nothing but pictures."""
        step = self._browser.last_child_step()
        point = Point(((step, ""),), None)
        written = cfi.format_point(self._package, point) if step else None
        if written is None or self._browser.resolve(point, None) is None:
            return None
        return Joined(written, "")

    def span_of(self, start: Point, end: Point) -> Span | None:
        """What the web reader selects with that CFI; None where it throws."""
        units = self._browser.resolve(start, end)
        if units is None:
            return None
        return self._span(*units)

    def span_reading(self, start: Point, words: str) -> Span | None:
        """What the web reader has from a place on, as far as it reads as these words, bare; None if it does not."""
        units = self._browser.resolve(start, None)
        if units is None:
            return None
        window = self._browser.text_of(units[0], units[0] + WINDOW_UNITS + WINDOW_PER_CHAR * len(words))
        length = text_search.length_reading(window, words)
        return None if length is None else self._span(units[0], units[0] + units_of(window[:length]))

    def index_of(self, point: Point) -> int | None:
        """The first visible character at or behind a place in the web reader; None where it throws."""
        units = self._browser.resolve(point, None)
        return None if units is None else self._index(units[0])

    def pointer_at(self, index: int, after: bool) -> tuple[int, XPointer] | None:
        """(fragment in this chapter, pointer) before or just behind a visible character, proved by going back."""
        try:
            fragment, pointer = self.engine.pointer_at(index, after)
        except IndexError:
            return None
        found = self.engine.index_at(fragment, pointer)
        return (fragment, pointer) if found == index + after else None

    def _span(self, first: int, last: int) -> Span:
        begin, behind = self._index(first), self._index(last)
        return Span(begin, max(begin, behind), self._browser.text_of(first, last), self._browser.pieces(first, last))

    def _place(self, index: int) -> Place | None:
        return self._browser.place_of(self._source.to_browser(self.engine.source_of(index)))

    def _index(self, unit: int) -> int:
        return self.engine.index_of_source(self._source.to_engine(self._browser.source_of(unit)))


def open_chapter(archive: Archive, spine: Spine, item: SpineItem, dom: int, styles: Styles | None) -> Chapter:
    """`styles`: those of the book, if they are to be followed. Raises Unusable with the reason, OSError."""
    try:
        data = archive.member(item.href, source_text.DOCUMENT_MOST_BYTES)
        if data is None:
            raise Unusable("it is not in the archive")
        source = source_text.decoded(data)
        del data
        engine = engine_tree.parse_item(source.engine, dom, styles, item.href)
        browser = browser_dom.read_item(source.browser, item.media_type)
    except (Unreadable, TooComplex, engine_tree.TooLarge) as problem:
        raise Unusable(str(problem)) from problem
    return Chapter(((spine.step, spine.id), (item.step, item.id)), item, source, engine, browser)


def _names_encoding(text: str) -> bool:
    """Whether it declares to be anything but UTF-8 and has characters for which that matters."""
    head = text[:DECLARATION_MOST_CHARS].lower()
    declaration = head[: head.find("?>")] if head.lstrip("\ufeff").startswith("<?xml") else ""
    if "encoding" not in declaration or "utf-8" in declaration:
        return False
    return not text.isascii() or "&" in text  # a reference may stand for any character


def _before(place: Place) -> Point:
    return Point((*place.steps, (place.chunk, "")), place.offset)


def _behind(place: Place) -> Point:
    return Point((*place.steps, (place.chunk, "")), place.offset + place.units)
