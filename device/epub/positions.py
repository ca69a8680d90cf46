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

from device.epub import cfi as cfis
from device.epub import text_search, xpointer
from device.epub.archive import Archive, Unreadable
from device.epub.engine_styles import styles_in
from device.epub.joining import Chapter, Joined, Unusable, open_chapter
from device.epub.spine import RELAXED_DOM, read_spine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from device.epub.joining import Span
    from device.epub.spine import Fragment, SpineItem
    from device.epub.xpointer import XPointer

CONVERTER = 1  # raised when it improves: then what was approximate is tried again
EXACT, REPAIRED, APPROXIMATE = "exact", "repaired", "approximate"

DOM_DEFAULT = 20240114  # of a book whose DOM version is not known: the numbering that holds since then
DOM_BEFORE_RELAXED = 20210903
DOM_LEAST, DOM_MOST = 20000101, 99991231
NEIGHBOURS = 3  # chapters on either side that are searched; documents that come and go shift by one or two
PARTS_MOST = 8  # chapters that a highlight over several of them may begin with without having a word in them

# Why a result is what it is.
NO_POINTER, NO_CFI = "no-pointer", "no-cfi"  # cannot be read
NO_DOCUMENT = "no-document"  # the place is in no chapter of this book
NO_PLACE = "no-place"  # ... or not in its chapter
NO_TEXT = "no-text"  # nothing to prove it with
ENGINE_TEXT = "engine-text"  # words that only KOReader has: its notes for what it cannot show, pictures in the spine
UNUSABLE = "unusable"  # the chapter is damaged, missing or too large
NOT_FOUND, AMBIGUOUS = "not-found", "ambiguous"
READERS_DIFFER = "readers-differ"  # the web reader shows other characters there
TOO_DEEP = "too-deep"  # the CFI would be longer than the server takes
HIDDEN = "hidden"  # KOReader does not show these words
MOVED, OTHER_DOCUMENT = "moved", "other-document"  # repaired: found near the place, or in another chapter
CROSS_DOCUMENT = "cross-document"  # repaired: the part in the first chapter that has words of it
BROWSERS_DIFFER = "browsers-differ"  # right, but Chromium has other words there: the file is not UTF-8
PARTLY_HIDDEN = "partly-hidden"  # what KOReader shows of it
DANGLING = "dangling-entry"  # right, but the web reader opens the wrong chapter (its own mistake)


class Wanted:
    """A highlight as KOReader keeps it; without `pos1` a page bookmark. `dom`: with which DOM version it was made."""

    __slots__ = ("dom", "pos0", "pos1", "text")

    def __init__(self, pos0: str, pos1: str | None, text: str | None, dom: int | None = None) -> None:
        self.pos0 = pos0
        self.pos1 = pos1
        self.text = text
        self.dom = dom


class Cfi:
    """`cfi` is None if approximate; `text`: what the web reader shows there, None for a place."""

    __slots__ = ("cfi", "reason", "status", "text")

    def __init__(self, cfi: str | None, status: str, text: str | None, reason: str) -> None:
        self.cfi = cfi
        self.status = status
        self.text = text
        self.reason = reason


class Pointers:
    """`pos0` is None if approximate, `pos1` also for a place without extent."""

    __slots__ = ("pos0", "pos1", "reason", "status", "text")

    def __init__(self, pos0: str | None, pos1: str | None, text: str | None, status: str, reason: str) -> None:
        self.pos0 = pos0
        self.pos1 = pos1
        self.text = text
        self.status = status
        self.reason = reason


class _Attempt:
    """A chapter to look in. `first`, `last`: the fragments in it where the highlight begins and ends; None if it does
    so in another chapter."""

    __slots__ = ("first", "is_certain", "is_part", "is_plain", "item", "last")

    def __init__(self, item: SpineItem, first: int | None, last: int | None, is_certain: bool, is_part: bool) -> None:
        self.item = item
        self.first = first
        self.last = last
        self.is_certain = is_certain  # the place names this chapter, so that words may have moved within it
        self.is_part = is_part  # the highlight goes on in the next chapter, or comes from the one before
        self.is_plain = False  # without the book's styles, which the reader may have switched off


class _Task:
    __slots__ = ("attempts", "cfi", "dom", "end", "is_cut_off", "number", "reason", "start", "words")

    def __init__(self, number: int, start: XPointer, end: XPointer | None, words: str, dom: int) -> None:
        self.number = number
        self.start = start
        self.end = end
        self.words = words
        self.dom = dom
        self.attempts: list[_Attempt] = []
        self.is_cut_off = False  # a chapter before had words that were not those of the highlight
        self.cfi: Cfi | None = None
        self.reason = NO_DOCUMENT


def spells_every_index(dom: int) -> bool:
    """Whether KOReader writes `[1]` on every step in a book of that DOM version."""
    return dom >= xpointer.EXPLICIT_ONES_DOM


class Positions:
    """An open book; to be closed, best as a context. `dom`: the DOM version that KOReader keeps for it, if known.

    Raises archive.Unreadable, OSError.
    """

    __slots__ = ("_archive", "_numbering", "_spine", "_styles", "dom")

    def __init__(self, path: str, dom: int | None) -> None:
        self.dom = dom
        self._archive = Archive(path)
        self._styles = styles_in(self._archive)
        self._numbering: dict[bool, list[Fragment]] = {}
        try:
            self._spine = read_spine(self._archive)
            if not self._spine.items:
                raise Unreadable("its package document names no chapters")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._archive.__exit__(None, None, None)

    def __enter__(self) -> Positions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def to_cfis(self, wanted: list[Wanted]) -> list[Cfi]:
        """In the same order."""
        results: list[Cfi] = []
        tasks: list[_Task] = []
        for number, one in enumerate(wanted):
            task = self._task(number, one)
            results.append(Cfi(None, APPROXIMATE, None, task if isinstance(task, str) else task.reason))
            if not isinstance(task, str):
                tasks.append(task)
        waiting = tasks
        while waiting:
            self._try_next(waiting)
            waiting = [task for task in waiting if task.cfi is None and task.attempts]
        for task in tasks:
            results[task.number] = task.cfi or Cfi(None, APPROXIMATE, None, task.reason)
        return results

    def to_pointers(
        self, wanted: list[tuple[str, str | None]], explicit_ones: bool, dom: int | None = None
    ) -> list[Pointers]:
        """In the same order; each is a CFI and the words that the server keeps with it, if it does."""
        dom = dom or self.dom or (xpointer.EXPLICIT_ONES_DOM if explicit_ones else DOM_DEFAULT)
        results = [Pointers(None, None, None, APPROXIMATE, NO_CFI) for _ in wanted]
        by_step: dict[int, list[tuple[int, cfis.Cfi, str | None]]] = {}
        for number, (text, words) in enumerate(wanted):
            try:
                read = cfis.parse(text)
            except cfis.Invalid:
                continue
            results[number].reason = NO_DOCUMENT
            if len(read.package) == 2 and read.package[0][0] == self._spine.step:
                by_step.setdefault(read.package[1][0], []).append((number, read, words))
        for step in sorted(by_step):
            asked = by_step[step]
            for item in self._items_meant(step):
                asked = self._place_back(item, asked, results, explicit_ones, dom)
        return results

    def fraction(self, pos: str) -> float | None:
        """Roughly how far into the book a place is, 0..1; by the sizes of the chapters, and within one by its text."""
        pointer = xpointer.parse(pos)
        if pointer is None:
            return None
        if pointer.fragment == 0:
            return 1.0 if pointer.offset else 0.0
        dom = self.dom or (xpointer.EXPLICIT_ONES_DOM if xpointer.has_explicit_ones(pos) else DOM_DEFAULT)
        fragments = self._fragments(dom)
        if pointer.fragment > len(fragments):
            return None
        fragment = fragments[pointer.fragment - 1]
        sizes = [self._archive.size_bytes(item.href) or 0 if item.href else 0 for item in self._spine.items]
        at = self._spine.items.index(fragment.item)
        within = 0.0
        if fragment.in_item is not None:
            try:
                chapter = open_chapter(self._archive, self._spine, fragment.item, dom, self._styles)
                found = chapter.find(fragment.in_item, pointer)
                within = found.index / len(chapter.words) if found is not None and chapter.words else 0.0
            except Unusable:
                within = 0.0
        total = sum(sizes)
        return (sum(sizes[:at]) + sizes[at] * within) / total if total else None

    # --- from KOReader --------------------------------------------------------------------------------------------

    def _task(self, number: int, wanted: Wanted) -> _Task | str:
        """What is to be done for it, or why nothing can be."""
        start = xpointer.parse(wanted.pos0)
        end = xpointer.parse(wanted.pos1) if wanted.pos1 is not None else None
        if start is None or (end is None and wanted.pos1 is not None):
            return NO_POINTER
        words = text_search.bare(wanted.text or "")
        if end is not None and not words:
            if wanted.pos0 != wanted.pos1:
                return NO_TEXT
            end = None
        known_dom = wanted.dom or self.dom
        explicit = xpointer.has_explicit_ones(wanted.pos0)
        dom = known_dom or (xpointer.EXPLICIT_ONES_DOM if explicit else DOM_DEFAULT)
        task = _Task(number, start, end, words if end is not None else "", dom)
        task.attempts = self._attempts(start, end, dom)
        if not task.attempts and self._is_engines_own(start.fragment, dom):
            task.reason = ENGINE_TEXT
        if end is not None:
            self._add_plain(task)
            if known_dom is None and not explicit:
                self._add(task, self._attempts(start, end, DOM_BEFORE_RELAXED))
            if len(words) >= text_search.ELSEWHERE_CHARS:
                self._add(task, self._neighbours(start, dom))
        return task

    def _attempts(self, start: XPointer, end: XPointer | None, dom: int) -> list[_Attempt]:
        fragments = self._fragments(dom)
        first = start.fragment if start.fragment else (0 if start.offset else 1)
        last = first if end is None else (end.fragment or len(fragments))
        first = first or last  # the end of the book is where nothing begins
        if not 1 <= first <= last <= len(fragments):
            return []
        if any(fragment.in_item is None for fragment in fragments[first - 1 : last]):
            return []  # some of the words are the engine's own
        if end is None or fragments[first - 1].item is fragments[last - 1].item:
            one = fragments[first - 1]
            return [_Attempt(one.item, one.in_item, fragments[last - 1].in_item, True, False)]
        attempts: list[_Attempt] = []
        for number in range(first, min(last, first + PARTS_MOST) + 1):
            item = fragments[number - 1].item
            if attempts and attempts[-1].item is item:
                continue
            begins = fragments[first - 1].in_item if number == first else None
            ends = fragments[last - 1].in_item if item is fragments[last - 1].item else None
            attempts.append(_Attempt(item, begins, ends, True, True))
        return attempts

    def _neighbours(self, start: XPointer, dom: int) -> list[_Attempt]:
        fragments = self._fragments(dom)
        found: list[_Attempt] = []
        for distance in range(1, NEIGHBOURS + 1):
            for number in (start.fragment + distance, start.fragment - distance):
                if 1 <= number <= len(fragments) and fragments[number - 1].in_item is not None:
                    found.append(_Attempt(fragments[number - 1].item, None, None, False, False))
        return found

    def _add_plain(self, task: _Task) -> None:
        for attempt in task.attempts[:1]:
            plain = _Attempt(attempt.item, attempt.first, attempt.last, True, attempt.is_part)
            plain.is_plain = True
            if not attempt.is_part:
                task.attempts.append(plain)

    def _is_engines_own(self, number: int, dom: int) -> bool:
        fragments = self._fragments(dom)
        return 1 <= number <= len(fragments) and fragments[number - 1].in_item is None

    def _add(self, task: _Task, attempts: list[_Attempt]) -> None:
        for attempt in attempts:
            attempt.is_certain = attempt.is_part = False
            if attempt.item not in [known.item for known in task.attempts]:
                task.attempts.append(attempt)

    def _try_next(self, tasks: list[_Task]) -> None:
        """The next attempt of each; those in the same chapter together."""
        groups: dict[tuple[int, bool, bool], list[_Task]] = {}
        for task in tasks:
            if task.attempts:
                attempt = task.attempts[0]
                key = (attempt.item.step, task.dom >= RELAXED_DOM, attempt.is_plain)
                groups.setdefault(key, []).append(task)
        for key in sorted(groups):
            together = groups[key]
            item = together[0].attempts[0].item
            styles = None if together[0].attempts[0].is_plain else self._styles
            try:
                chapter = open_chapter(self._archive, self._spine, item, together[0].dom, styles)
            except Unusable:
                for task in together:
                    attempt = task.attempts.pop(0)
                    task.is_cut_off = True
                    if attempt.is_certain:
                        task.reason = UNUSABLE
                continue
            for task in together:
                attempt = task.attempts.pop(0)
                task.cfi = self._in_chapter(chapter, task, attempt)

    def _in_chapter(self, chapter: Chapter, task: _Task, attempt: _Attempt) -> Cfi | None:
        if task.end is None:
            return self._point(chapter, task, attempt)
        if attempt.is_part and not task.is_cut_off:
            part = self._part(chapter, task, attempt)
            if part is not None:
                return part
        first = None if attempt.first is None else chapter.find(attempt.first, task.start)
        last = None if attempt.last is None else chapter.find(attempt.last, task.end)
        begin = first.index if first is not None and first.fits else None
        end = last.index if last is not None and last.fits else None
        length = len(task.words)
        if begin is not None and end is not None and chapter.words[begin:end] == task.words:
            return self._proved(chapter, task, begin, end, EXACT, "")
        if begin is not None and last is not None and chapter.words[begin : last.behind] == task.words:
            return self._proved(chapter, task, begin, last.behind, EXACT, "")
        if attempt.first is not None and attempt.last is not None:
            joined = chapter.range_between(attempt.first, task.start, attempt.last, task.end, task.words)
            if joined is not None:
                return self._sent(chapter, joined, EXACT, "")
        if not attempt.is_certain:
            found = text_search.only_one(chapter.words, task.words)
            reason = OTHER_DOCUMENT
        else:
            near = begin if begin is not None else (None if end is None else max(0, end - length))
            found = text_search.nearest(chapter.words, task.words, near)
            reason = MOVED
            if found is None:
                task.reason = AMBIGUOUS if task.words in chapter.words else NOT_FOUND
        return None if found is None else self._proved(chapter, task, found, found + length, REPAIRED, reason)

    def _part(self, chapter: Chapter, task: _Task, attempt: _Attempt) -> Cfi | None:
        """Of a highlight that goes on in the next chapter, what is in this one."""
        begin, end = 0, len(chapter.words)
        if attempt.first is not None:
            first = chapter.find(attempt.first, task.start)
            if first is None or not first.fits:
                task.is_cut_off = True
                return None
            begin = first.index
        if attempt.last is not None and task.end is not None:
            last = chapter.find(attempt.last, task.end)
            if last is None or not last.fits:
                task.is_cut_off = True
                return None
            end = last.index
        part = chapter.words[begin:end]
        if not part:
            return None  # it begins in the next one
        task.is_cut_off = True
        if not task.words.startswith(part):
            task.reason = NOT_FOUND
            return None
        if part == task.words:
            return self._proved(chapter, task, begin, end, EXACT, "")
        return self._proved(chapter, task, begin, end, REPAIRED, CROSS_DOCUMENT)

    def _proved(self, chapter: Chapter, task: _Task, begin: int, end: int, status: str, reason: str) -> Cfi | None:
        joined = chapter.range_at(begin, end)
        if joined is None:
            task.reason = READERS_DIFFER
            return None
        return self._sent(chapter, joined, status, reason)

    def _sent(self, chapter: Chapter, joined: Joined, status: str, reason: str) -> Cfi:
        if not reason and not chapter.is_same_everywhere(joined):
            status, reason = REPAIRED, BROWSERS_DIFFER
        return Cfi(joined.cfi, status, joined.text, self._with_warning(chapter.item, reason))

    def _point(self, chapter: Chapter, task: _Task, attempt: _Attempt) -> Cfi | None:
        found = None if attempt.first is None else chapter.find(attempt.first, task.start)
        if found is None or not found.fits:
            task.reason = NO_PLACE
            return None
        joined: Joined | None
        status, reason = EXACT, ""
        if chapter.words:
            joined = chapter.point_at(found.index)
        else:
            joined = chapter.point_without_text()
            status, reason = REPAIRED, NO_TEXT
        if joined is None:
            task.reason = READERS_DIFFER
            return None
        return Cfi(joined.cfi, status, None, self._with_warning(chapter.item, reason))

    def _with_warning(self, item: SpineItem, reason: str) -> str:
        if reason or not self._spine.has_dangling():
            return reason
        for other in self._spine.items:
            if other is item:
                return ""
            if not other.href:
                return DANGLING
        return ""

    # --- from the web reader --------------------------------------------------------------------------------------

    def _items_meant(self, step: int) -> list[SpineItem]:
        """The entry that a CFI names; behind an entry that leads nowhere also the one that the web reader, which counts
        without it, has taken for that."""
        items = self._spine.items
        for number, item in enumerate(items):
            if item.step == step:
                shown = [one for one in items if one.href]
                also = shown[number] if number < len(shown) else item
                return [one for one in ((item,) if also is item else (item, also)) if one.href]
        return []

    def _place_back(
        self,
        item: SpineItem,
        asked: list[tuple[int, cfis.Cfi, str | None]],
        results: list[Pointers],
        explicit_ones: bool,
        dom: int,
    ) -> list[tuple[int, cfis.Cfi, str | None]]:
        """Fills in what is found in this chapter; gives back what is not."""
        if not asked:
            return []
        try:
            chapter = open_chapter(self._archive, self._spine, item, dom, self._styles)
        except Unusable:
            for number, _, _ in asked:
                results[number].reason = UNUSABLE
            return asked
        left: list[tuple[int, cfis.Cfi, str | None]] = []
        for number, read, text in asked:
            found = _place_in_chapter(chapter, read, text)
            if isinstance(found, str):
                results[number].reason = found
                left.append((number, read, text))
                continue
            begin, end, shown, status, reason = found
            pos0 = self._written(chapter, begin, False, explicit_ones, dom)
            pos1 = self._written(chapter, end - 1, True, explicit_ones, dom) if end > begin else None
            if pos0 is None or (pos1 is None and end > begin):
                results[number].reason = READERS_DIFFER
                continue
            results[number] = Pointers(pos0, pos1, shown, status, reason)
        return left

    def _written(self, chapter: Chapter, index: int, after: bool, explicit_ones: bool, dom: int) -> str | None:
        count = len(chapter.words)
        if index >= count > 0:
            index, after = count - 1, True  # behind the last word
        found = chapter.pointer_at(index, after)
        if found is None:
            return None
        in_item, pointer = found
        fragments = self._fragments(dom)
        for number, fragment in enumerate(fragments, 1):
            if fragment.item is chapter.item and fragment.in_item == in_item:
                return xpointer.written(pointer.in_fragment(number, bare=len(fragments) == 1), explicit_ones)
        return None

    def _fragments(self, dom: int) -> list[Fragment]:
        is_relaxed = dom >= RELAXED_DOM
        if is_relaxed not in self._numbering:
            self._numbering[is_relaxed] = self._spine.fragments(self._archive, dom)
        return self._numbering[is_relaxed]


def _place_in_chapter(
    chapter: Chapter, read: cfis.Cfi, text: str | None
) -> tuple[int, int, str | None, str, str] | str:
    """(first visible character, the one behind the last, words, status, reason), or why there is no place."""
    if read.end is None:
        index = chapter.index_of(read.start)
        if index is None:
            return NO_PLACE
        return (index, index, None, EXACT, "") if chapter.words else HIDDEN
    span = chapter.span_of(read.start, read.end)
    words = text_search.bare(text or "")
    if span is None:
        found = text_search.only_one(chapter.words, words)
        return NO_PLACE if found is None else (found, found + len(words), text, REPAIRED, MOVED)
    shown = chapter.words[span.begin : span.end]
    if words and shown == words:
        return span.begin, span.end, text, EXACT, ""
    if not words or text_search.bare(span.text) == words:
        return _as_selected(span, shown, text)
    return _near(chapter, read, span, words, text or "")


def _as_selected(
    span: Span, shown: str, text: str | None, moved: str = ""
) -> tuple[int, int, str | None, str, str] | str:
    """The CFI leads to the words that are known of it, or none are known: what KOReader shows of them is the place."""
    if not shown:
        return HIDDEN if text_search.bare(span.text) else NO_TEXT
    words = text if text and text_search.bare(text) == shown else ""
    words = words or " ".join((text_search.seen_of(span.pieces, shown) or span.text).split())
    if text_search.shows(span.pieces, shown):
        return span.begin, span.end, words, REPAIRED if moved else EXACT, moved
    if text_search.shows_within(span.pieces, shown):
        return span.begin, span.end, words, REPAIRED, PARTLY_HIDDEN
    return READERS_DIFFER


def _near(
    chapter: Chapter, read: cfis.Cfi, span: Span, words: str, text: str
) -> tuple[int, int, str | None, str, str] | str:
    """The words are others than the CFI leads to: it has lost where in an element it ends, or the book has changed."""
    length = len(words)
    start = chapter.index_of(read.start)
    end = None if read.end is None else chapter.index_of(read.end)
    if start is not None and chapter.words.startswith(words, start) and read.start.steps[-1][0] % 2:
        return start, start + length, text, REPAIRED, MOVED
    if end is not None and end >= length and chapter.words.endswith(words, end - length, end):
        return end - length, end, text, REPAIRED, MOVED
    found = text_search.nearest(chapter.words, words, start if read.start.steps[-1][0] % 2 else span.begin)
    if found is not None:
        return found, found + length, text, REPAIRED, MOVED
    if words in chapter.words:
        return AMBIGUOUS
    reading = chapter.span_reading(read.start, words) if read.start.steps[-1][0] % 2 else None
    if reading is None:
        return NOT_FOUND
    return _as_selected(reading, chapter.words[reading.begin : reading.end], text, MOVED)
