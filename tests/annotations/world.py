"""The book, the server with its web reader, and KOReader, as far as highlights are concerned.

The server does what BookLore does: no two marks of a kind at one place, compared without regard to case; words and
place cannot be changed; what is not there is a 500; there is no “only if unchanged”. Who writes what is remembered, so
that a history can tell what may be missing in the end and what must not be there.
"""

from __future__ import annotations

from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE

WORDS = tuple(f"word-number-{number}" for number in range(24))
PLACELESS_FROM = 20  # behind this word no position can be named
RANGES = ((0, 1), (0, 2), (1, 2), (3, 4), (5, 8), (6, 7), (9, 10), (11, 12), (21, 22))
POINTS = (2, 8, 13)

DEVICE_COLOURS = ("yellow", "red", "olive", "gray", "blue")
DEVICE_DRAWERS = ("lighten", "underscore", "strikeout", "invert")
WEB_COLOURS = ("#FACC15", "#4ADE80", "#F472B6", "#1E90FF")
WEB_STYLES = ("highlight", "underline", "strikethrough", "squiggly")


def text_of(span: tuple[int, int]) -> str:
    return " ".join(WORDS[span[0] : span[1]])


def cfi_of(kind: str, span: tuple[int, int]) -> str:
    if span[0] >= PLACELESS_FROM:
        return ""
    if kind == BOOKMARK:
        return f"epubcfi(/6/4!/4/2/1:{span[0]})"
    return f"epubcfi(/6/4!/4/2,/1:{span[0]},/1:{span[1]})"


def span_of_cfi(cfi: str) -> tuple[int, int]:
    parts = cfi.removesuffix(")").split(":")
    start = int(parts[1].split(",")[0])
    return start, int(parts[-1]) if len(parts) > 2 else start


def pointer(word: int, is_explicit: bool) -> str:
    one = "[1]" if is_explicit else ""
    return f"/body{one}/DocFragment[2]/body{one}/p{one}/text(){one}.{word}"


def spelt_pointer(xpointer: str) -> str:
    return xpointer.replace("[1]", "")


def spelt_cfi(cfi: str) -> str:
    return cfi.replace("[Chapter]", "")


def span_of(mark: DeviceMark) -> tuple[int, int]:
    start = int(mark.pos0.rpartition(".")[2])
    return start, int(mark.pos1.rpartition(".")[2]) if mark.pos1 else start


class Clock:
    """Every moment is another second."""

    def __init__(self) -> None:
        self.seconds = 0

    def now(self) -> str:
        self.seconds += 1
        return f"2026-01-01 {self.seconds // 3600:02d}:{self.seconds // 60 % 60:02d}:{self.seconds % 60:02d}"


class Witness:
    """What was written and where something was done since the last time that all agreed, and what was ever given up by
    somebody who saw it."""

    def __init__(self) -> None:
        self.tokens = 0
        self.given_up: set[str] = set()
        self.begin()

    def begin(self) -> None:
        self.written: set[str] = set()
        self.done_at: dict[tuple[str, tuple[int, int]], set[str]] = {}

    def token(self) -> str:
        self.tokens += 1
        self.written.add(f"n{self.tokens}.")
        return f"n{self.tokens}."

    def writes_again(self, tokens: set[str], is_to_stay: bool) -> None:
        """`is_to_stay`: from now on they must not be lost, either."""
        self.written |= tokens
        if is_to_stay:
            self.given_up -= tokens

    def gives_up(self, note: str) -> None:
        self.given_up.update(tokens_in(note))

    def did(self, kind: str, span: tuple[int, int], what: str) -> None:
        self.done_at.setdefault((kind, span), set()).add(what)


def note_shown(mark: DeviceMark) -> str:
    """A bookmark shows its label while it has no note."""
    return mark.note or (mark.text if mark.kind == BOOKMARK else "")


def tokens_in(text: str) -> set[str]:
    return {word for word in text.split() if word[0] == "n" and word[-1] == "." and word[1:-1].isdigit()}


class Refused(Exception):
    """`status`: what the server says."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Server:
    """The rows of one account."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rows: dict[tuple[str, int], ServerMark] = {}
        self.last_id = 0
        self.requests = 0

    def listed(self) -> list[ServerMark]:
        return [row.copy() for row in self.rows.values()]

    def create(self, row: ServerMark) -> ServerMark:
        if row.kind != BOOK_NOTE and row.cfi and self._at(row.kind, row.cfi):
            raise Refused(409)
        self.last_id += 1
        made = row.copy()
        made.id = self.last_id
        made.created_at = made.updated_at = self.clock.now().replace(" ", "T")
        self.rows[made.kind, made.id] = made
        return made.copy()

    def _at(self, kind: str, cfi: str) -> bool:
        return any(row.kind == kind and row.cfi.casefold() == cfi.casefold() for row in self.rows.values())

    def edit(self, kind: str, id: int, wanted: ServerMark) -> ServerMark:
        row = self.rows.get((kind, id))
        if row is None:
            raise Refused(500)
        row.note, row.color, row.title = wanted.note, wanted.color, wanted.title
        if kind == HIGHLIGHT:
            row.style = wanted.style
        row.updated_at = self.clock.now()
        return row.copy()

    def delete(self, kind: str, id: int) -> None:
        if self.rows.pop((kind, id), None) is None:
            raise Refused(500)


class Reader:
    """KOReader with the book: its list of marks, and what becomes of its record."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.marks: list[DeviceMark] = []
        self.is_explicit = False
        self.backup: list[DeviceMark] = []
        self.record_is_old = False  # the file's date says so
        self.record_is_lost = False
        self.brought_back: set[str] = set()  # what is written in the backups that were restored
        self.deleted: list[DeviceMark] = []  # what the launcher saw go since its last journal
        self.is_journalled = True

    def delete(self, mark: DeviceMark) -> None:
        self.marks.remove(mark)
        self.deleted.append(mark)

    def add(self, kind: str, span: tuple[int, int], note: str, color: str, drawer: str) -> None:
        mark = DeviceMark(kind, self.clock.now())
        mark.pos0 = pointer(span[0], self.is_explicit)
        mark.page = span[0] + 1
        mark.chapter = "Chapter"
        if kind == HIGHLIGHT:
            mark.pos1 = pointer(span[1], self.is_explicit)
            mark.text, mark.color, mark.drawer = text_of(span), color, drawer
        else:
            mark.text = f"in Chapter at {span[0]}"
        mark.note = note
        self.marks.append(mark)

    def touch(self, mark: DeviceMark) -> None:
        mark.changed_at = self.clock.now()

    def move(self, mark: DeviceMark, span: tuple[int, int]) -> None:
        mark.pos0, mark.pos1 = pointer(span[0], self.is_explicit), pointer(span[1], self.is_explicit)
        mark.text, mark.page = text_of(span), span[0] + 1
        self.touch(mark)

    def respell(self) -> None:
        """Another version of the engine."""
        self.is_explicit = not self.is_explicit
        for mark in self.marks:
            start, end = span_of(mark)
            mark.pos0 = pointer(start, self.is_explicit)
            if mark.pos1:
                mark.pos1 = pointer(end, self.is_explicit)

    def save_backup(self) -> None:
        self.backup = [mark.copy() for mark in self.marks]

    def restore_backup(self) -> None:
        self.marks = [mark.copy() for mark in self.backup]
        self.record_is_old = True
        self.brought_back.update(*(tokens_in(mark.note) for mark in self.backup))

    def lose_record(self) -> None:
        self.marks = []
        self.record_is_lost = True

    def find(self, like: DeviceMark) -> DeviceMark | None:
        for mark in self.marks:
            if mark.made_at == like.made_at and span_of(mark) == span_of(like):
                return mark
        return None


__all__ = ("BOOKMARK", "BOOK_NOTE", "HIGHLIGHT", "IN_BOOK_NOTE")
