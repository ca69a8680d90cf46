"""Texts about collecting highlights, notes and bookmarks from KOReader's records of books.

Called by: `device/verbs/collecting.py`, `menu.py`. Law: what `texts.py` says of texts.
"""

from __future__ import annotations

from device.ui.annotation_texts import marks
from device.ui.texts import book_count

LOOK = "Look for highlights in all books"
LOOK_HELP = (
    "Reads what KOReader has saved of all books that you have opened, also before BookLore Sync was installed."
    " KOReader's own files stay as they are."
)
LOOK_CONFIRM = "Look for highlights and bookmarks in all books and send them with the next sync?"
ARE_OFF = "Highlights and bookmarks are switched off in the settings; nothing was looked for."
NOTHING_FOUND = "There are no highlights or bookmarks in the books that you have opened."
TIME_IS_UP = "The time was up before all books had been looked at; do it again to go on."
FILES_SHOWN = 5  # by name; the log has all


def progress(done: int, total: int) -> str:
    return f"{done:,} of {book_count(total)} looked at"


def found(highlights: int, bookmarks: int, books: int, new: int) -> str:
    news = "none of them new" if not new else "all of them new" if new == highlights + bookmarks else f"{new:,} new"
    return f"{marks(highlights, bookmarks)} in {book_count(books)}, {news}."


def unreadable(names: list[str]) -> str:
    return f"What KOReader has saved of {_named(names)} cannot be read. It is looked at again when it has changed."


def foreign(names: list[str]) -> str:
    return (
        f"What KOReader has saved beside {_named(names)} belongs to another book and was not taken."
        " If it is the right one after all, open the book in KOReader once."
    )


def lost(count: int) -> str:
    return f"{count:,} that were known before are not in KOReader's records any more; nothing is deleted because of it."


def _named(names: list[str]) -> str:
    shown = [f"“{name}”" for name in names[:FILES_SHOWN]]
    if len(names) > len(shown):
        shown.append(f"{len(names) - len(shown):,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
