"""A mark as a note on the book's page: the reader's note, the words it is about, and where they stand.

    What a beginning!

    “Call me Ishmael.”
    — Loomings, page 13

Promises: from what was written here, `note_in` finds the note again, whatever it contains; and where somebody edited
the text on the server, it finds what is the note in it as far as the quotation can still be told from it.
Never: sends. Called by: `destinations.py`, `server_rows.py`.
"""

from __future__ import annotations

from device.core.annotations.marks import DeviceMark
from device.core.annotations.words import BLOCK, clean, same_note, squeezed

OPEN_QUOTE, CLOSE_QUOTE = "\u201c", "\u201d"
DASH = "\u2014 "
PAGE = "page"
SOMEWHERE = "somewhere in this book"  # a place that nobody could name; the server takes no empty text


def written(mark: DeviceMark) -> str:
    note, tail = clean(mark.note), _tail(mark)
    return f"{note}{BLOCK}{tail}" if note else tail


def note_in(content: str, mark: DeviceMark) -> str:
    """The note in a content that was once written of this mark, and may have been edited since."""
    text, tail = clean(content), _tail(mark)
    if text == tail:
        return ""
    if text.endswith(BLOCK + tail):
        return text[: -len(BLOCK + tail)]
    quotation = OPEN_QUOTE + clean(mark.text) + CLOSE_QUOTE
    before, found, after = text.rpartition(quotation) if clean(mark.text) else (text, "", "")
    if found:
        lines = after.strip("\n").split("\n")
        rest = "\n".join(lines[1:] if lines[0].startswith(DASH) else lines)
        return clean(f"{clean(before)}{BLOCK}{clean(rest)}")
    before, _, where = text.rpartition("\n")
    if not where.startswith(DASH):
        return text
    if before.endswith(CLOSE_QUOTE):  # of other words: another device had moved the highlight, or has moved it since
        return clean(before.rpartition(OPEN_QUOTE)[0])
    return clean(before) if where == _where(mark) else text


def is_of(content: str, mark: DeviceMark) -> bool:
    """Whether this was written of this mark as it is now, perhaps by another device, for which the page is another."""
    if clean(content) == written(mark):
        return True
    return quotes(content, mark) and same_note(note_in(content, mark), mark.note)


def quotes(content: str, mark: DeviceMark) -> bool:
    """Whether it ends as what is written here does, with the words of this mark; what comes before may be another's."""
    words = squeezed(mark.text) if mark.drawer else ""
    return (
        bool(words) and OPEN_QUOTE in content and OPEN_QUOTE + words + CLOSE_QUOTE + DASH.strip() in squeezed(content)
    )


def title_of(mark: DeviceMark) -> str:
    return clean(mark.chapter).replace("\n", " ")


def _tail(mark: DeviceMark) -> str:
    text = clean(mark.text) if mark.drawer else ""  # a bookmark's text is only KOReader's label of its place
    return f"{OPEN_QUOTE}{text}{CLOSE_QUOTE}\n{_where(mark)}" if text else _where(mark)


def _where(mark: DeviceMark) -> str:
    page = mark.pageref or ("" if mark.page is None else str(mark.page))
    parts = [part for part in (title_of(mark), f"{PAGE} {page}" if page else "") if part]
    return DASH + (", ".join(parts) or SOMEWHERE)
