"""Highlights and bookmarks in KOReader's own words → marks: of a journal's lines, and of its records of every age.

    since 2024-07   `annotations`: one list; what belongs to the other kind of engine stands aside in
                    `annotations_rolling` or `annotations_paging`, and is still the reader's
    before          `bookmarks`, a list of everything, and `highlight`, lists by page with the looks of the highlights;
                    aside in the same way. They stay in the record afterwards, and then say nothing any more

Promises: whatever the values are, a mark comes out whole or not at all; those that do not are counted. One mark has one
form, whether it comes from a journal or a record: numbers have the 14 digits that KOReader writes.
Never: reads files; knows which mark is which (`identity.py`).
Called by: `device/annotation_ingest.py`, `device/importing/plugin_marks.py`.
Law: KOReader's `readerannotation.lua` and `readerbookmark.lua` of 2026-08.
"""

from __future__ import annotations

from device import json_text
from device.core.annotations.marks import (
    BOXES_MAX_CHARS,
    NAME_MAX_CHARS,
    POSITION_MAX_CHARS,
    WORD_MAX_CHARS,
    WORDS_MAX_CHARS,
    DeviceMark,
    bounded,
    whole,
)
from device.core.outbox import BOOKMARK, HIGHLIGHT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.koreader.lua_literals import Table

    Item = dict[object, object]

MARKS_MOST = 20_000  # of one record; the largest seen has 4,000
BOXES_MOST = 100
LISTS = ("annotations", "annotations_rolling", "annotations_paging")
OLD_LISTS = (
    ("bookmarks", "highlight"),
    ("bookmarks_rolling", "highlight_rolling"),
    ("bookmarks_paging", "highlight_paging"),
)
DEFAULT_DRAWER = "lighten"  # of a highlight whose looks are lost
NUMBER_MOST = 1e9  # pixels
_POINT = ("page", "x", "y", "zoom", "rotation")
_BOX = ("x", "y", "w", "h")


class Found:
    """`broken`: how many could not be used. `says`: the record has a list, so that what is not in it is not there."""

    __slots__ = ("broken", "marks", "says")

    def __init__(self) -> None:
        self.marks: list[DeviceMark] = []
        self.broken = 0
        self.says = False

    def take(self, mark: DeviceMark | None) -> None:
        if len(self.marks) >= MARKS_MOST or mark is None:
            self.broken += 1
        else:
            self.marks.append(mark)


def from_record(table: Table) -> Found:
    """All marks of a book, from KOReader's record of it."""
    found = Found()
    dom = whole(table.get("cre_dom_version"))
    for name in LISTS:
        items = table.get(name)
        found.says = found.says or isinstance(items, dict)
        entries = _sequence(items)
        for item in entries:
            found.take(from_item(item, dom))
        if isinstance(items, dict):
            found.broken += len(items) - len(entries)  # behind a gap
    if isinstance(table.get(LISTS[0]), dict):
        return found
    for bookmarks, highlights in OLD_LISTS:
        found.says = found.says or isinstance(table.get(bookmarks), dict)
        _take_old(found, table.get(bookmarks), table.get(highlights), dom)
    return found


def _sequence(value: object) -> list[object]:
    """The entries 1, 2, … of a Lua table, or a list."""
    if isinstance(value, list):
        return value
    entries: list[object] = []
    if isinstance(value, dict):
        while len(entries) + 1 in value:
            entries.append(value[len(entries) + 1])
    return entries


def from_item(item: object, dom: int | None) -> DeviceMark | None:
    """A mark in KOReader's form of today; None if it has no place. `dom`: of its book."""
    if not isinstance(item, dict):
        return None
    drawer = _text(item.get("drawer"), WORD_MAX_CHARS)
    mark = DeviceMark(HIGHLIGHT if drawer else BOOKMARK, _text(item.get("datetime"), WORD_MAX_CHARS))
    mark.drawer = drawer
    if not _take_place(mark, item, dom):
        return None
    mark.changed_at = _text(item.get("datetime_updated"), WORD_MAX_CHARS)
    mark.pageref = _text(item.get("pageref"), WORD_MAX_CHARS)
    mark.text = _text(item.get("text"), WORDS_MAX_CHARS)
    mark.note = _text(item.get("note"), WORDS_MAX_CHARS)
    mark.chapter = _text(item.get("chapter"), NAME_MAX_CHARS)
    if drawer:
        mark.color = _text(item.get("color"), WORD_MAX_CHARS)
        mark.boxes = _boxes(item.get("pboxes"))
    return mark


def _take_place(mark: DeviceMark, item: Item, dom: int | None) -> bool:
    """Whether it has one. Of text that flows a place is an xpointer, of fixed pages a page and points on it."""
    page, pos0, pos1 = item.get("page"), item.get("pos0"), item.get("pos1")
    is_fixed = isinstance(pos0, dict) or (mark.kind == BOOKMARK and not isinstance(page, str))
    if is_fixed:
        mark.page = whole(page)
        if mark.kind == HIGHLIGHT:
            mark.pos0, mark.pos1 = _point(pos0, mark.page), _point(pos1, mark.page)
        return bool(mark.page) and (mark.kind == BOOKMARK or bool(mark.pos0 and mark.pos1))
    mark.page = whole(item.get("pageno"))
    mark.dom = dom
    if mark.kind == BOOKMARK:
        mark.pos0 = _xpointer(page)
        return bool(mark.pos0)
    mark.pos0, mark.pos1 = _xpointer(pos0), _xpointer(pos1)
    return bool(mark.pos0 and mark.pos1)


def _xpointer(value: object) -> str:
    """Whole or not at all: half a place is another place."""
    text = _text(value, POSITION_MAX_CHARS + 1)
    return text if len(text) <= POSITION_MAX_CHARS else ""


def _point(value: object, page: int | None) -> str:
    """Old highlights of one page do not name it in their points."""
    if not isinstance(value, dict):
        return ""
    fields = {name: _number(value.get(name)) for name in _POINT}
    if fields["page"] is None:
        fields["page"] = page
    if any(fields[name] is None for name in ("page", "x", "y")):
        return ""
    return _json({name: number for name, number in fields.items() if number is not None})


def _boxes(value: object) -> str:
    boxes: list[Json] = []
    for box in _sequence(value)[:BOXES_MOST]:
        fields = {name: _number(box.get(name)) for name in _BOX} if isinstance(box, dict) else {"x": None}
        if any(number is None for number in fields.values()):
            return ""
        boxes.append(dict(fields))
    text = _json(boxes) if boxes else ""
    return text if len(text) <= BOXES_MAX_CHARS else ""


def _number(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= NUMBER_MOST:
        return None
    number = float(f"{value:.14g}")
    return int(number) if number == int(number) else number


def _json(value: Json) -> str:
    return json_text.encode(value).decode("utf-8")


def _text(value: object, most_chars: int) -> str:
    # JSON escapes can spell half a surrogate pair, which no UTF-8 file or database can hold.
    return bounded(value, most_chars).encode("utf-8", "replace").decode("utf-8")


# The form before 2024-07


def _take_old(found: Found, bookmarks: object, highlights: object, dom: int | None) -> None:
    looks: dict[tuple[str, str], list[dict[object, object]]] = {}
    lists = list(highlights.items())[:MARKS_MOST] if isinstance(highlights, dict) else []
    for page, entries in lists:
        for entry in _sequence(entries)[:MARKS_MOST]:
            if isinstance(entry, dict):
                looks.setdefault(_key(entry), []).append({"page": page, **entry})
    for bookmark in _sequence(bookmarks):
        if not isinstance(bookmark, dict):
            found.broken += 1
            continue
        known = looks.pop(_key(bookmark), [{}])[0] if bookmark.get("highlighted") else {}
        found.take(from_item(_as_item(bookmark, known), dom))
    for entries in looks.values():  # before 2014 they were in no list of bookmarks
        for entry in entries:
            item = {**entry, "drawer": entry.get("drawer") or DEFAULT_DRAWER}
            if isinstance(item.get("pos0"), str):
                item["page"] = item["pos0"]
            found.take(from_item(item, dom))


def _key(item: dict[object, object]) -> tuple[str, str]:
    pos0 = item.get("pos0")
    place = _point(pos0, 0) if isinstance(pos0, dict) else _text(pos0, POSITION_MAX_CHARS)
    return _text(item.get("datetime"), WORD_MAX_CHARS), place


def _as_item(bookmark: dict[object, object], looks: dict[object, object]) -> dict[str, object]:
    """`notes` are the words of the highlight, `text` is what the reader wrote, or a label that KOReader made."""
    item: dict[str, object] = {
        name: bookmark.get(name) for name in ("datetime", "page", "pos0", "pos1", "chapter", "pboxes")
    }
    item["text"] = bookmark.get("notes")
    if not _is_made_by_koreader(bookmark):
        item["note"] = bookmark.get("text")
    if bookmark.get("highlighted"):
        item["drawer"] = looks.get("drawer") or DEFAULT_DRAWER
        item["color"] = looks.get("color")
        item["pboxes"] = looks.get("pboxes") or item["pboxes"]
        item["chapter"] = item["chapter"] or looks.get("chapter")
    return item


def _is_made_by_koreader(bookmark: dict[object, object]) -> bool:
    """“Page 7 Call me Ishmael @ 2020-01-31 20:15:00”, in the language that KOReader had then."""
    text, words, date = (_text(bookmark.get(name), WORDS_MAX_CHARS) for name in ("text", "notes", "datetime"))
    return text in ("", words) or (bool(date) and text.endswith(date) and words in text)
