"""A mark as the device has it and as the server has it: one highlight, with or without a note, or one page bookmark.

Promises: both have a JSON form, in which they are stored; reading it back gives the same mark. What is read, from the
store or from a server, is bounded, and a field of the wrong type counts as not said; only a text that is no mark at all
raises ValueError.
Never: compares, decides, maps the one to the other (`identity.py`, `merge.py`, `destinations.py`).
Called by: everything that touches marks.
Source: KOReader's readerannotation.lua of 2026-08; the server's `AnnotationDTO`, `BookNoteV2DTO`, `BookNoteDTO`,
`BookMarkDTO` (BookLore 2.3.0, Grimmory 3.2.4).
"""

from __future__ import annotations

from device import json_text
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

    Fields = dict[str, Json]

DEVICE_KINDS = (HIGHLIGHT, BOOKMARK)
SERVER_KINDS = (HIGHLIGHT, IN_BOOK_NOTE, BOOK_NOTE, BOOKMARK)

WORDS_MAX_CHARS = 65_536  # a text or a note: ten times what the server takes of one, as much as its text column holds
POSITION_MAX_CHARS = 4_096  # an xpointer or a CFI; twice as long as the deepest one seen
BOXES_MAX_CHARS = 65_536  # the rectangles of a highlight over many lines, as JSON
NAME_MAX_CHARS = 1_000  # chapters, titles
WORD_MAX_CHARS = 40  # dates, colours, styles, page labels
NUMBER_MOST = 2**53  # ids, pages, dates as numbers

# Fields of a DeviceMark in its JSON form, with their bounds. What is empty is left out.
_DEVICE_TEXTS = (
    ("made_at", WORD_MAX_CHARS),
    ("changed_at", WORD_MAX_CHARS),
    ("pos0", POSITION_MAX_CHARS),
    ("pos1", POSITION_MAX_CHARS),
    ("pageref", WORD_MAX_CHARS),
    ("text", WORDS_MAX_CHARS),
    ("note", WORDS_MAX_CHARS),
    ("color", WORD_MAX_CHARS),
    ("drawer", WORD_MAX_CHARS),
    ("chapter", NAME_MAX_CHARS),
    ("boxes", BOXES_MAX_CHARS),
)
_SERVER_TEXTS = (
    ("cfi", POSITION_MAX_CHARS),
    ("text", WORDS_MAX_CHARS),
    ("note", WORDS_MAX_CHARS),
    ("color", WORD_MAX_CHARS),
    ("style", WORD_MAX_CHARS),
    ("title", NAME_MAX_CHARS),
    ("created_at", WORD_MAX_CHARS),
    ("updated_at", WORD_MAX_CHARS),
)

# What the server calls the fields of a ServerMark, by kind; a field that is missing here it does not have.
ROWS = {
    HIGHLIGHT: {"text": "text", "note": "note", "color": "color", "style": "style", "title": "chapterTitle"},
    IN_BOOK_NOTE: {"text": "selectedText", "note": "noteContent", "color": "color", "title": "chapterTitle"},
    BOOK_NOTE: {"note": "content", "title": "title"},
    BOOKMARK: {"note": "notes", "color": "color", "title": "title"},
}


class DeviceMark:
    """One mark as KOReader has it.

    `made_at` and `changed_at` are KOReader's own words for a local time without a zone (“2026-01-31 09:05:00”), the
    latter empty if it was never changed. `pos0` and `pos1` are xpointers, or on fixed pages the JSON of KOReader's
    position tables; a page bookmark has its place in `pos0` alone, on fixed pages in `page` alone. `page` is the number
    by which KOReader sorts and shows it, None where it is not known. `drawer` is empty for a bookmark. `boxes` is the
    JSON of the rectangles on a fixed page. `dom` is the version of the engine's rules by which the xpointers are spelt;
    None on fixed pages or where it is not known.
    """

    __slots__ = (
        "boxes",
        "changed_at",
        "chapter",
        "color",
        "dom",
        "drawer",
        "kind",
        "made_at",
        "note",
        "page",
        "pageref",
        "pos0",
        "pos1",
        "text",
    )

    def __init__(self, kind: str, made_at: str) -> None:
        self.kind = kind
        self.made_at = made_at
        self.changed_at = ""
        self.pos0 = ""
        self.pos1 = ""
        self.page: int | None = None
        self.pageref = ""
        self.text = ""
        self.note = ""
        self.color = ""
        self.drawer = ""
        self.chapter = ""
        self.boxes = ""
        self.dom: int | None = None

    def texts(self) -> dict[str, str]:
        """Its fields that are text."""
        return {
            "made_at": self.made_at,
            "changed_at": self.changed_at,
            "pos0": self.pos0,
            "pos1": self.pos1,
            "pageref": self.pageref,
            "text": self.text,
            "note": self.note,
            "color": self.color,
            "drawer": self.drawer,
            "chapter": self.chapter,
            "boxes": self.boxes,
        }

    def to_json(self) -> str:
        fields: Fields = {"kind": self.kind}
        fields.update((name, value) for name, value in self.texts().items() if value)
        if self.page is not None:
            fields["page"] = self.page
        if self.dom is not None:
            fields["dom"] = self.dom
        return json_text.encode(fields).decode("utf-8")

    def is_same(self, other: DeviceMark) -> bool:
        """In every field."""
        return (self.kind, self.page, self.dom) == (other.kind, other.page, other.dom) and self.texts() == other.texts()

    def copy(self) -> DeviceMark:
        mark = DeviceMark(self.kind, self.made_at)
        mark.changed_at = self.changed_at
        mark.pos0, mark.pos1, mark.dom = self.pos0, self.pos1, self.dom
        mark.page, mark.pageref = self.page, self.pageref
        mark.text, mark.note, mark.chapter = self.text, self.note, self.chapter
        mark.color, mark.drawer, mark.boxes = self.color, self.drawer, self.boxes
        return mark

    @staticmethod
    def from_json(text: str) -> DeviceMark:
        """Raises ValueError if it is no mark."""
        fields = json_text.decode(text)
        if not isinstance(fields, dict) or fields.get("kind") not in DEVICE_KINDS:
            raise ValueError("no mark of a device")
        values = {name: bounded(fields.get(name), most) for name, most in _DEVICE_TEXTS}
        mark = DeviceMark(str(fields["kind"]), values["made_at"])
        mark.changed_at = values["changed_at"]
        mark.pos0, mark.pos1 = values["pos0"], values["pos1"]
        mark.page, mark.pageref = whole(fields.get("page")), values["pageref"]
        mark.text, mark.note = values["text"], values["note"]
        mark.color, mark.drawer = values["color"], values["drawer"]
        mark.chapter, mark.boxes = values["chapter"], values["boxes"]
        mark.dom = whole(fields.get("dom"))
        return mark


class ServerMark:
    """One row of the server's. `kind`: in which of its four lists it stands.

    `note` is what the reader wrote: of a book note its whole content. `title` is the chapter's name, of a bookmark or a
    book note its title. `color` is `#RRGGBB`. `created_at` and `updated_at` are the server's words for its own local
    time; they are good only for telling whether something changed. `id` is 0 for what the server has not named yet.
    """

    __slots__ = ("cfi", "color", "created_at", "id", "kind", "note", "page", "style", "text", "title", "updated_at")

    def __init__(self, kind: str, id: int = 0) -> None:
        self.kind = kind
        self.id = id
        self.cfi = ""
        self.page: int | None = None
        self.text = ""
        self.note = ""
        self.color = ""
        self.style = ""
        self.title = ""
        self.created_at = ""
        self.updated_at = ""

    def texts(self) -> dict[str, str]:
        """Its fields that are text."""
        return {
            "cfi": self.cfi,
            "text": self.text,
            "note": self.note,
            "color": self.color,
            "style": self.style,
            "title": self.title,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }

    def to_json(self) -> str:
        fields: Fields = {"kind": self.kind, "id": self.id}
        fields.update((name, value) for name, value in self.texts().items() if value)
        if self.page is not None:
            fields["page"] = self.page
        return json_text.encode(fields).decode("utf-8")

    def copy(self) -> ServerMark:
        mark = ServerMark(self.kind, self.id)
        mark.cfi, mark.page = self.cfi, self.page
        mark.text, mark.note, mark.title = self.text, self.note, self.title
        mark.color, mark.style = self.color, self.style
        mark.created_at, mark.updated_at = self.created_at, self.updated_at
        return mark

    def _take(self, values: dict[str, str], page: Json) -> None:
        self.cfi, self.page = values["cfi"], whole(page)
        self.text, self.note = values["text"], values["note"]
        self.color, self.style, self.title = values["color"], values["style"], values["title"]
        self.created_at, self.updated_at = values["created_at"], values["updated_at"]

    @staticmethod
    def from_json(text: str) -> ServerMark:
        """Raises ValueError if it is no mark."""
        fields = json_text.decode(text)
        if not isinstance(fields, dict) or fields.get("kind") not in SERVER_KINDS:
            raise ValueError("no mark of a server")
        mark = ServerMark(str(fields["kind"]), whole(fields.get("id")) or 0)
        mark._take({name: bounded(fields.get(name), most) for name, most in _SERVER_TEXTS}, fields.get("page"))
        return mark

    @staticmethod
    def from_row(kind: str, row: Json) -> ServerMark:
        """`row`: an element of the server's list of that kind. Raises ValueError if it has no id."""
        id = whole(row.get("id")) if isinstance(row, dict) else None
        if not isinstance(row, dict) or kind not in ROWS or not id:
            raise ValueError("no row of a mark")
        names = {"cfi": "cfi", "created_at": "createdAt", "updated_at": "updatedAt"}
        names.update(ROWS[kind])
        mark = ServerMark(kind, id)
        mark._take(
            {name: bounded(row.get(names[name]), most) if name in names else "" for name, most in _SERVER_TEXTS},
            row.get("pageNumber"),
        )
        return mark


def bounded(value: object, most_chars: int) -> str:
    """A text of at most so many characters; empty for what is none. Half a character, as a cut through UTF-16 leaves
    it, becomes a question mark, because nothing could write it."""
    if not isinstance(value, str):
        return ""
    text = value[:most_chars]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def whole(value: object) -> int | None:
    """A number from 0 to `NUMBER_MOST`; None for what is none. A fraction loses its rest."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= NUMBER_MOST:
        return None
    return int(value)
