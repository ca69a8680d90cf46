"""What a mark becomes on the server: in which of its lists, with which fields, and what of it the server can hold.

    mark                                        becomes
    -----------------------------------------   ---------------------------------------------------------------
    highlight without a note                    a highlight at its place
    highlight with a note, notes go “in book”   a highlight that carries the note, or an in-book note (preference)
      “BookLore”                                a book note: the note, the quotation, chapter and page
      “both”                                    both
    highlight without a place that can be       a book note, whether it has a note or not: a position that is not
      named (not exact; FB2, MOBI, AZW3, PDF,   exact is never sent as one
      DJVU, comics)
    a second highlight of the very same words   nothing, the server has one already; with a note, a book note
    bookmark                                    a bookmark at its place
      on fixed pages                            a bookmark of that page, where the server keeps pages; else one that
                                                says the page in its title
      in flowing text, without a place          a book note that names chapter and page: a bookmark that leads nowhere
                                                would look like one that leads somewhere

What is there stays what it is when the preferences change: a note that was sent once is not sent again elsewhere. A
highlight that gets a note later takes it along where it is, unless notes go to the book's page.

A highlight's own note and its title are the server's `note` and `title`; of a bookmark the title is the note, or
KOReader's label of the place while it has none.

Called by: `merge.py`, `calls.py`, `hearing.py`, `server_rows.py`, and `device/sending/` for the wishes.
Source: the requests' limits in BookLore 2.3.0 and Grimmory 3.2.4.
"""

from __future__ import annotations

from device.core import preferences
from device.core.annotations import book_notes, colours
from device.core.annotations.marks import ROWS, DeviceMark, ServerMark
from device.core.annotations.words import clean, same_note
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.preferences import Preferences
    from device.json_text import Json

    Fields = dict[str, Json]

# What the server holds of a text: UTF-16 units, or bytes where a text column is the limit.
_UNITS_MOST = {
    (HIGHLIGHT, "text"): 5_000,
    (HIGHLIGHT, "note"): 5_000,
    (HIGHLIGHT, "title"): 500,
    (IN_BOOK_NOTE, "text"): 5_000,
    (IN_BOOK_NOTE, "title"): 500,
    (BOOK_NOTE, "title"): 255,
    (BOOKMARK, "title"): 255,
}
_BYTES_MOST = {(IN_BOOK_NOTE, "note"): 65_535, (BOOK_NOTE, "note"): 65_535}

PAGE_PLACE = "page "  # and its number: the place of a bookmark on fixed pages


class Wishes:
    """What the reader wants, and what server and book make possible. `has_pages`: the server keeps a bookmark's page.
    `fixed_pages`: the book's pages are those of the file. `spelt`: a CFI in the form in which two spellings are one."""

    __slots__ = ("fixed_pages", "has_pages", "notes_in_book", "notes_to", "spelt")

    def __init__(
        self,
        notes_to: str = preferences.IN_BOOK,
        notes_in_book: str = preferences.AS_HIGHLIGHT,
        has_pages: bool = False,
        fixed_pages: bool = False,
        spelt: Callable[[str], str] = str,
    ) -> None:
        self.notes_to = notes_to
        self.notes_in_book = notes_in_book
        self.has_pages = has_pages
        self.fixed_pages = fixed_pages
        self.spelt = spelt


def wishes_of(stored: Preferences, has_pages: bool, fixed_pages: bool, spelt: Callable[[str], str]) -> Wishes:
    return Wishes(
        str(stored.get(preferences.NOTES_TO)),
        str(stored.get(preferences.NOTES_IN_BOOK)),
        has_pages,
        fixed_pages,
        spelt,
    )


def page_place(page: int) -> str:
    return f"{PAGE_PLACE}{page}"


def place_of_row(row: ServerMark, spelt: Callable[[str], str]) -> str:
    """Where a row of the server's stands; "" if it has no place."""
    if row.cfi:
        return spelt(row.cfi)
    return "" if row.page is None else page_place(row.page)


def main_kind(mark: DeviceMark, wishes: Wishes) -> str:
    """In which list it goes, at its place."""
    if mark.kind == BOOKMARK:
        return BOOKMARK
    return IN_BOOK_NOTE if wishes.notes_in_book == preferences.AS_NOTE and clean(mark.note) else HIGHLIGHT


def as_sent(kind: str, mark: DeviceMark, cfi: str, with_note: bool, wishes: Wishes) -> ServerMark:
    """A mark as it is created on the server."""
    row = ServerMark(kind)
    if kind == BOOK_NOTE:
        row.title = held(kind, "title", book_notes.title_of(mark))
    elif kind == BOOKMARK:
        row.cfi = cfi
        if not cfi and wishes.has_pages and mark.page:
            row.page = mark.page
    else:
        row.cfi = cfi
        row.text = held(kind, "text", mark.text)
        row.color = colours.hex_of(mark.color)
        row.title = held(kind, "title", clean(mark.chapter))
        if kind == HIGHLIGHT:
            row.style = colours.style_of(mark.drawer)
    if with_note or kind in (IN_BOOK_NOTE, BOOK_NOTE, BOOKMARK):
        set_note(row, mark)
    return row


def set_note(row: ServerMark, mark: DeviceMark) -> None:
    """The mark's note, as a row of that kind has it."""
    if row.kind == BOOK_NOTE:
        row.note = held(row.kind, "note", book_notes.written(mark))
    elif row.kind == BOOKMARK:
        row.title = held(row.kind, "title", " ".join(mark.note.split()) or label(mark))
    else:
        row.note = held(row.kind, "note", clean(mark.note))


def note_of(row: ServerMark, mark: DeviceMark) -> str:
    """The note in a row of the server's, for a mark that stands at those words."""
    if row.kind == BOOK_NOTE:
        return book_notes.note_in(row.note, mark)
    if row.kind == BOOKMARK:
        is_label = not clean(mark.note) and clean(row.title) == clean(held(BOOKMARK, "title", label(mark)))
        return "" if is_label else clean(row.title)
    return clean(row.note)


def note_after(row: ServerMark, agreed_server: ServerMark, agreed: DeviceMark) -> str:
    """The note in a row that has changed since. What the server could not hold of the old one is still behind it."""
    note = note_of(row, agreed)
    had, whole = note_of(agreed_server, agreed), clean(agreed.note)
    if had and len(had) < len(whole) and whole.startswith(had) and not same_note(note, had):
        return note + whole[len(had) :]
    return note


def label(mark: DeviceMark) -> str:
    """What a bookmark without a note is called."""
    where = clean(mark.chapter).replace("\n", " ")
    page = mark.pageref or ("" if mark.page is None else str(mark.page))
    if mark.drawer or not clean(mark.text):
        return ", ".join(part for part in (f"Page {page}" if page else "", where) if part)
    return clean(mark.text).replace("\n", " ")


def new_fields(row: ServerMark) -> Fields:
    """The fields of the request that creates it."""
    fields: Fields = {"cfi": row.cfi} if row.cfi else {}
    texts = row.texts()
    for name, theirs in ROWS[row.kind].items():
        if texts[name] and not (row.kind == BOOKMARK and name != "title"):
            fields[theirs] = texts[name]
    if row.page is not None:
        fields["pageNumber"] = row.page
    return fields


# Besides what has changed, the request has to have these.
_ALWAYS: dict[str, tuple[str, ...]] = {
    HIGHLIGHT: (), IN_BOOK_NOTE: ("note",), BOOK_NOTE: ("note", "title"), BOOKMARK: ("title",),
}  # fmt: skip


def changed_fields(old: ServerMark, new: ServerMark) -> Fields:
    """The fields of the request that makes the one of the other; empty if they are the same."""
    before, after = old.texts(), new.texts()
    names = ROWS[new.kind]
    changed = [name for name in names if before[name] != after[name]]
    if not changed:
        return {}
    return {names[name]: after[name] for name in names if name in changed or name in _ALWAYS[new.kind]}


def same_content(one: ServerMark, other: ServerMark) -> bool:
    """Whether two rows say the same to the reader; their ids and times aside."""
    before, after = one.texts(), other.texts()
    return one.kind == other.kind and all(
        before[name].upper() == after[name].upper() if name == "color" else same_note(before[name], after[name])
        for name in ROWS[one.kind]
        if name in ("note", "color", "style") or (name == "title" and one.kind == BOOKMARK)
    )


def held(kind: str, name: str, text: str) -> str:
    """As much of a text as the server holds."""
    bytes_most, units_most = _BYTES_MOST.get((kind, name)), _UNITS_MOST.get((kind, name))
    if bytes_most is not None and len(text) * 4 > bytes_most:
        return text.encode("utf-8")[:bytes_most].decode("utf-8", "ignore")
    if units_most is None or len(text) * 2 <= units_most:
        return text
    units = 0
    for at, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1  # as Java counts
        if units > units_most:
            return text[:at]
    return text
