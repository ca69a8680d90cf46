"""KOReader's places as CFIs: where each highlight is looked for, and what is believed.

In the chapter that its place names: there if the words are there, else where they stand nearest, if that is certain;
then the same without the book's styles, which the reader may have switched off. Where the numbering of the chapters is
not known for certain, in the chapter of the other numbering. Then in the chapters around it, but there only words that
are long and stand once in all of them.

Promises: each of these chapters is read once for all highlights together. What is placed was proved by `joining.py`.
Called by: `positions.py`.
"""

from __future__ import annotations

from device.epub import text_search, xpointer
from device.epub.joining import Chapter, Joined, Unusable
from device.epub.opened_book import DOM_BEFORE_RELAXED, OpenedBook
from device.epub.outcomes import (
    AMBIGUOUS,
    APPROXIMATE,
    BROWSERS_DIFFER,
    CROSS_DOCUMENT,
    DANGLING,
    ENGINE_TEXT,
    EXACT,
    MOVED,
    NO_DOCUMENT,
    NO_PLACE,
    NO_POINTER,
    NO_TEXT,
    NOT_FOUND,
    OTHER_DOCUMENT,
    READERS_DIFFER,
    REPAIRED,
    UNUSABLE,
    Cfi,
    Wanted,
)
from device.epub.spine import RELAXED_DOM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.epub.spine import SpineItem
    from device.epub.xpointer import XPointer

NEIGHBOURS = 3  # chapters on either side that are searched; documents that come and go shift by one or two
PARTS_MOST = 8  # chapters that a highlight over several of them may begin with without having a word in them


class _Attempt:
    """A chapter to look in. `first`, `last`: the fragments in it where the highlight begins and ends; None if it does
    so in another chapter."""

    __slots__ = ("first", "is_certain", "is_part", "is_plain", "item", "last")

    def __init__(self, item: SpineItem, first: int | None, last: int | None, is_part: bool) -> None:
        self.item = item
        self.first = first
        self.last = last
        self.is_part = is_part  # the highlight goes on in the next chapter, or comes from the one before
        self.is_certain = True  # the place names this chapter, so that words may have moved within it
        self.is_plain = False  # without the book's styles


class _Task:
    __slots__ = (
        "attempts",
        "dom",
        "elsewhere",
        "end",
        "found",
        "found_elsewhere",
        "is_cut_off",
        "number",
        "reason",
        "start",
        "words",
    )

    def __init__(self, number: int, start: XPointer, end: XPointer | None, words: str, dom: int) -> None:
        self.number = number
        self.start = start
        self.end = end
        self.words = words
        self.dom = dom
        self.attempts: list[_Attempt] = []
        self.elsewhere: list[SpineItem] = []
        self.is_cut_off = False  # a chapter before had words that were not those of the highlight
        self.found: Cfi | None = None
        self.found_elsewhere: list[Cfi] = []
        self.reason = NO_DOCUMENT


def to_cfis(book: OpenedBook, wanted: list[Wanted]) -> list[Cfi]:
    """In the same order."""
    results: list[Cfi] = []
    tasks: list[_Task] = []
    for number, one in enumerate(wanted):
        task = _task(book, number, one)
        results.append(Cfi(None, APPROXIMATE, None, task if isinstance(task, str) else task.reason))
        if not isinstance(task, str):
            tasks.append(task)
    waiting = tasks
    while waiting:
        _try_next(book, waiting)
        waiting = [task for task in waiting if task.found is None and task.attempts]
    _look_elsewhere(book, [task for task in tasks if task.found is None and task.elsewhere])
    for task in tasks:
        results[task.number] = task.found or Cfi(None, APPROXIMATE, None, task.reason)
    return results


def _task(book: OpenedBook, number: int, wanted: Wanted) -> _Task | str:
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
    dom = book.dom_of(wanted.pos0, wanted.dom)
    task = _Task(number, start, end, words if end is not None else "", dom)
    task.attempts = _attempts(book, start, end, dom)
    if not task.attempts and _is_engines_own(book, start.fragment, dom):
        task.reason = ENGINE_TEXT
    if end is not None:
        _add_plain(task)
        if not wanted.dom and not book.dom and dom < xpointer.EXPLICIT_ONES_DOM:
            _add_other_numbering(task, _attempts(book, start, end, DOM_BEFORE_RELAXED))
        if len(words) >= text_search.ELSEWHERE_CHARS:
            task.elsewhere = _neighbours(book, task)
    return task


def _attempts(book: OpenedBook, start: XPointer, end: XPointer | None, dom: int) -> list[_Attempt]:
    fragments = book.fragments(dom)
    first = start.fragment if start.fragment else (0 if start.offset else 1)
    last = first if end is None else (end.fragment or len(fragments))
    first = first or last  # the end of the book is where nothing begins
    if not 1 <= first <= last <= len(fragments):
        return []
    if any(fragment.in_item is None for fragment in fragments[first - 1 : last]):
        return []  # some of the words are the engine's own
    begins, ends = fragments[first - 1], fragments[last - 1]
    if end is None or begins.item is ends.item:
        return [_Attempt(begins.item, begins.in_item, ends.in_item, is_part=False)]
    attempts: list[_Attempt] = []
    for fragment in fragments[first - 1 : min(last, first + PARTS_MOST)]:
        if not attempts or attempts[-1].item is not fragment.item:
            in_first = begins.in_item if fragment is begins else None
            in_last = ends.in_item if fragment.item is ends.item else None
            attempts.append(_Attempt(fragment.item, in_first, in_last, is_part=True))
    return attempts


def _is_engines_own(book: OpenedBook, number: int, dom: int) -> bool:
    fragments = book.fragments(dom)
    return 1 <= number <= len(fragments) and fragments[number - 1].in_item is None


def _add_plain(task: _Task) -> None:
    if len(task.attempts) == 1:
        first = task.attempts[0]
        plain = _Attempt(first.item, first.first, first.last, is_part=False)
        plain.is_plain = True
        task.attempts.append(plain)


def _add_other_numbering(task: _Task, attempts: list[_Attempt]) -> None:
    known = [attempt.item for attempt in task.attempts]
    for attempt in attempts:
        if attempt.item not in known:
            attempt.is_certain = attempt.is_part = False
            task.attempts.append(attempt)


def _neighbours(book: OpenedBook, task: _Task) -> list[SpineItem]:
    fragments = book.fragments(task.dom)
    tried = [attempt.item for attempt in task.attempts]
    found: list[SpineItem] = []
    for number in range(max(1, task.start.fragment - NEIGHBOURS), task.start.fragment + NEIGHBOURS + 1):
        fragment = fragments[number - 1] if number <= len(fragments) else None
        if fragment is not None and fragment.in_item is not None and fragment.item not in tried + found:
            found.append(fragment.item)
    return found


def _try_next(book: OpenedBook, tasks: list[_Task]) -> None:
    """The next attempt of each; those in the same chapter together."""
    groups: dict[tuple[int, bool, bool], list[_Task]] = {}
    for task in tasks:
        if task.attempts:
            attempt = task.attempts[0]
            key = (attempt.item.step, task.dom >= RELAXED_DOM, attempt.is_plain)
            groups.setdefault(key, []).append(task)
    for key in sorted(groups):
        together = groups[key]
        first = together[0].attempts[0]
        try:
            chapter = book.chapter(first.item, together[0].dom, with_styles=not first.is_plain)
        except Unusable:
            for task in together:
                task.is_cut_off = True
                if task.attempts[0].is_certain:
                    task.reason = UNUSABLE
                task.attempts = [attempt for attempt in task.attempts if attempt.item is not first.item]
            continue
        for task in together:
            task.found = _in_chapter(book, chapter, task, task.attempts.pop(0))


def _look_elsewhere(book: OpenedBook, tasks: list[_Task]) -> None:
    """In the chapters around those that were named; what stands in two of them is not believed."""
    groups: dict[int, list[_Task]] = {}
    items: dict[int, SpineItem] = {}
    for task in tasks:
        for item in task.elsewhere:
            items[item.step] = item
            groups.setdefault(item.step, []).append(task)
    for step in sorted(groups):
        try:
            chapter = book.chapter(items[step], groups[step][0].dom)
        except Unusable:
            continue
        for task in groups[step]:
            index = text_search.only_one(chapter.words, task.words)
            if index is not None:
                found = _proved(book, chapter, task, index, index + len(task.words), REPAIRED, OTHER_DOCUMENT)
                task.found_elsewhere += [] if found is None else [found]
    for task in tasks:
        if len(task.found_elsewhere) == 1:
            task.found = task.found_elsewhere[0]
        elif task.found_elsewhere:
            task.reason = AMBIGUOUS


def _in_chapter(book: OpenedBook, chapter: Chapter, task: _Task, attempt: _Attempt) -> Cfi | None:
    if task.end is None:
        return _point(book, chapter, task, attempt)
    if attempt.is_part and not task.is_cut_off:
        part = _part(book, chapter, task, attempt)
        if part is not None:
            return part
    first = None if attempt.first is None else chapter.find(attempt.first, task.start)
    last = None if attempt.last is None else chapter.find(attempt.last, task.end)
    begin = first.index if first is not None and first.fits else None
    end = last.index if last is not None and last.fits else None
    if begin is not None and last is not None:
        for behind in (last.index, last.behind):
            if chapter.words[begin:behind] == task.words:
                return _proved(book, chapter, task, begin, behind, EXACT, "")
    if attempt.first is not None and attempt.last is not None:
        joined = chapter.range_between(attempt.first, task.start, attempt.last, task.end, task.words)
        if joined is not None:
            return _sent(book, chapter, joined, EXACT, "")
    length = len(task.words)
    if not attempt.is_certain:
        found = text_search.only_one(chapter.words, task.words)
        return None if found is None else _proved(book, chapter, task, found, found + length, REPAIRED, OTHER_DOCUMENT)
    near = begin if begin is not None else (None if end is None else max(0, end - length))
    found = text_search.nearest(chapter.words, task.words, near)
    if found is None:
        task.reason = AMBIGUOUS if task.words in chapter.words else NOT_FOUND
        return None
    return _proved(book, chapter, task, found, found + length, REPAIRED, MOVED)


def _part(book: OpenedBook, chapter: Chapter, task: _Task, attempt: _Attempt) -> Cfi | None:
    """Of a highlight that goes on in the next chapter, what is in this one."""
    begin, end = 0, len(chapter.words)
    task.is_cut_off = True  # unless there is nothing of it in this chapter
    if attempt.first is not None:
        first = chapter.find(attempt.first, task.start)
        if first is None or not first.fits:
            return None
        begin = first.index
    if attempt.last is not None and task.end is not None:
        last = chapter.find(attempt.last, task.end)
        if last is None or not last.fits:
            return None
        end = last.index
    part = chapter.words[begin:end]
    if not part:
        task.is_cut_off = False
        return None
    if part == task.words:
        return _proved(book, chapter, task, begin, end, EXACT, "")
    if not task.words.startswith(part):
        task.reason = NOT_FOUND
        return None
    return _proved(book, chapter, task, begin, end, REPAIRED, CROSS_DOCUMENT)


def _proved(
    book: OpenedBook, chapter: Chapter, task: _Task, begin: int, end: int, status: str, reason: str
) -> Cfi | None:
    joined = chapter.range_at(begin, end)
    if joined is None:
        task.reason = READERS_DIFFER
        return None
    return _sent(book, chapter, joined, status, reason)


def _sent(book: OpenedBook, chapter: Chapter, joined: Joined, status: str, reason: str) -> Cfi:
    if not reason and not chapter.is_same_everywhere(joined):
        status, reason = REPAIRED, BROWSERS_DIFFER
    if not reason and book.is_behind_dangling(chapter.item):
        reason = DANGLING
    return Cfi(joined.cfi, status, joined.text, reason)


def _point(book: OpenedBook, chapter: Chapter, task: _Task, attempt: _Attempt) -> Cfi | None:
    found = None if attempt.first is None else chapter.find(attempt.first, task.start)
    if found is None or not found.fits:
        task.reason = NO_PLACE
        return None
    joined = chapter.point_at(found.index) if chapter.words else chapter.point_without_text()
    if joined is None:
        task.reason = READERS_DIFFER
        return None
    if not chapter.words:
        return Cfi(joined.cfi, REPAIRED, None, NO_TEXT)
    return Cfi(joined.cfi, EXACT, None, DANGLING if book.is_behind_dangling(chapter.item) else "")
