"""Texts about highlights, notes and bookmarks: of settings, the menu, questions and messages.

Called by: `settings_menu.py`, `menu.py`, `device/sending/`, `device/verbs/annotation_results.py`. Law: what `texts.py`
says of texts.
"""

from __future__ import annotations

MARKS = "Highlights, notes, bookmarks"
HIGHLIGHTS_ON = "Sync highlights and notes both ways"
HIGHLIGHTS_ON_HELP = (
    "A highlight goes to exactly the same words on the web. Where they cannot be found for certain it becomes a note on"
    " the book's page that names its chapter and page."
)
HIGHLIGHTS_OFF = "Leave highlights and notes alone"
BOOKMARKS_ON = "Sync bookmarks both ways"
BOOKMARKS_OFF = "Leave bookmarks alone"
NOTES_IN_BOOK = "Notes go to their place in the book"
NOTES_TO_BOOKLORE = "Notes go to the book's page"
NOTES_TO_BOTH = "Notes go to both"
NOTES_WITH_HIGHLIGHT = "In the book: a note of its highlight"
NOTES_ON_THEIR_OWN = "In the book: a note of its own"
UPLOAD_AFTER_SESSION = "Send them when a book is closed"
UPLOAD_WHEN_FINISHED = "Send them when a book is finished"


def _counted(forms: tuple[str, str], count: int) -> str:
    return forms[0] if count == 1 else forms[1].replace("{}", f"{count:,}")


_KINDS = {"highlight": ("1 highlight", "{} highlights"), "bookmark": ("1 bookmark", "{} bookmarks")}


def marks(highlights: int, bookmarks: int) -> str:
    """So many of each; what there is none of is not named."""
    parts = [_counted(_KINDS[kind], n) for kind, n in (("highlight", highlights), ("bookmark", bookmarks)) if n]
    return " and ".join(parts) or "no highlights"


def on_device(highlights: int, bookmarks: int) -> str:
    return f"On this device: {marks(highlights, bookmarks)}"


def not_exact(count: int) -> str:
    is_or_are = "It is on the book's page as a note" if count == 1 else "They are on the books' pages as notes"
    return f"{_counted(_KINDS['highlight'], count)} could not be placed exactly. {is_or_are}."


def sent_as_notes(title: str, count: int) -> str:
    """Said once, when they go out."""
    goes = "It goes" if count == 1 else "They go"
    return (
        f"“{title}”: {_counted(_KINDS['highlight'], count)} could not be placed exactly. {goes} to the book's page as"
        f" {'a note' if count == 1 else 'notes'} and will be placed when a later version can."
    )


def not_placed_here(title: str, count: int) -> str:
    """Made on the web, and not found in the file that lies here."""
    forms = ("1 highlight made on the web could not", "{} highlights made on the web could not")
    return f"“{title}”: {_counted(forms, count)} be found in the book on this device. Nothing was changed."


def cannot_be_read(title: str, count: int, cause: str) -> str:
    """`cause`: what is wrong with the book's file."""
    waits = "waits" if count == 1 else "wait"
    return f"“{title}”: {_counted(_KINDS['highlight'], count)} {waits}, because the book cannot be read ({cause})."


FILE_IS_GONE = "its file is not there"


# Both sides changed the same: which, and what became of it. `words` are the beginning of the highlight.

_QUOTE_MAX_CHARS = 40


def _quoted(words: str) -> str:
    line = " ".join(words.split())
    return f"“{line if len(line) <= _QUOTE_MAX_CHARS else line[:_QUOTE_MAX_CHARS].rstrip() + '…'}”"


_SAID = {
    "both_kept": "its note was changed here and on the server. Both texts are kept.",
    "edit_won": "it was deleted on one side and changed on the other. It stays.",
    "look_ours": "its colour or style was changed here and on the server. This device's stays.",
}


def said(code: str, title: str, words: str) -> str:
    """`code`: of `device/core/annotations/hearing.py`."""
    about = f", {_quoted(words)}" if words.strip() else ""
    return f"“{title}”{about}: {_SAID[code]}"


# Many at once that are gone on one side: why, as `device/core/annotations/book.py` calls it.

_MASS = {
    "gone_here": "{} of “{title}” were deleted on this device. On the server, too?",
    "gone_there": "{} of “{title}” are not on the server any more. Delete them here?",
    "record_lost": "KOReader has lost its record of “{title}”, with {}. Bring back what was in it?",
}
MASS_ANSWERS = {  # (go ahead, restore)
    "gone_here": ("Delete them there", "Bring them back here"),
    "gone_there": ("Delete them here", "Keep them, and send them again"),
    "record_lost": ("Delete them on the server, too", "Bring them back"),
}


def mass_deletion(why: str, title: str, count: int) -> str:
    counted = _counted(("1 highlight or bookmark", "{} highlights and bookmarks"), count)
    return _MASS.get(why, _MASS["gone_here"]).replace("{}", counted).replace("{title}", title)


ANSWER_HOW = "name the book with --book FILE, and say delete or restore"
NOTHING_ASKED = "Nothing is to be decided about this book's highlights any more."
