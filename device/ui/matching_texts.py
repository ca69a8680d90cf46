"""Texts about which book on the server a file is: of the menu, of questions, and of what came of them.

Called by: `unmatched.py`, `device/verbs/matching.py`, `device/sending/finding_books.py`. Law: what `texts.py` says.
"""

from __future__ import annotations

from device.core import matching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.store.books import MatchedBook

AUTHORS_MOST = 2  # named in a label; more do not fit on a button
LABEL_MOST_CHARS = 160
MORE_BOOKS = "More wait; they come when these are settled."

WHICH_BOOK = "Which book is this?"
WHICH_BOOK_HELP = "Says which book of the server this one is taken for, and lets you choose another."
UNMATCHED_HELP = "What you read in these waits, until it is known which books of the server they are."
LOOK_FOR_TITLE = "Look for a title…"
TITLE_HINT = "A title, or words of it"
BY_NUMBER = "By number…"
NUMBER_HINT = "The book's number: the last part of its address on the server"
UNDO = "It is not that book"
LOOK_AGAIN = "Look again"
LEAVE = "Leave it for now"
WHAT_BOOK = "match needs a book: --book FILE, or a book that is open"
UNKNOWN_BOOK = "This book has not been read with BookLore Sync yet."

NOT_LOOKED_FOR_YET = "it has not been looked for yet"
UNDONE = "you have said that it is not the book it was taken for"

_RULES = {
    "hand": "you chose it",
    matching.BY_HASH: "it is the same file",
    matching.BY_FILE: "the file has the same name and size",
    matching.BY_ISBN: "it has the same ISBN",
    matching.BY_TITLE: "it has the same title and authors",
}
_FACTS = {
    matching.SAME_HASH: "same file",
    matching.SAME_FILE: "same file name and size",
    matching.SAME_ISBN: "same ISBN",
    matching.SAME_TITLE: "same title",
    matching.LIKE_TITLE: "almost the same title",
    matching.SAME_AUTHOR: "same author",
    matching.SAME_SIZE: "same size",
    matching.OTHER_LANGUAGE: "another language",
    matching.OTHER_VOLUME: "another volume",
    matching.OTHER_FORMAT: "another format",
    matching.OTHER_ISBN: "another ISBN",
    matching.OTHER_AUTHOR: "another author",
}


def unmatched_menu(count: int) -> str:
    return f"Unmatched books ({count})"


def unmatched_item(title: str, reason: str) -> str:
    return f"{title}: {reason}"


def matched(title: str, server_title: str | None, server_id: int, rule: str | None) -> str:
    name = f"“{server_title}”, number {server_id}" if server_title else f"number {server_id}"
    why = _RULES.get(rule or "", f"by {rule}" if rule else "")
    return f"{title} is {name} on the server: {why}." if why else f"{title} is {name} on the server."


def known(book: MatchedBook) -> str:
    if book.server_id is None:
        return unmatched(book.title, book.unmatched_reason)
    return matched(book.title, book.server_title, book.server_id, book.matched_by)


def unmatched(title: str, reason: str | None) -> str:
    return f"{title} is not matched: {reason or NOT_LOOKED_FOR_YET}."


def undone(title: str, was_sent: bool) -> str:
    said = f"{title} waits now and is not looked for by itself; “{LOOK_AGAIN}” or a number ends that."
    return f"{said} What was already sent stays where it is." if was_sent else said


def candidate(title: str, authors: Sequence[str], facts: Sequence[str], server_id: int) -> str:
    """`Emma, Jane Austen (same title, another language; number 12)`."""
    name = ", ".join([title or "without a title", *authors[:AUTHORS_MOST]])
    known = ", ".join(_FACTS[fact] for fact in facts if fact in _FACTS)
    told = f"{known}; number {server_id}" if known else f"number {server_id}"
    return f"{name[: LABEL_MOST_CHARS - len(told) - 3]} ({told})"


def chosen_is_gone(server_id: int) -> str:
    return f"the server does not have the book that you chose, number {server_id}, any more"


def found_nothing(words: str) -> str:
    return f"No book of the server's has “{words}” in its title, its series or its authors."


def no_such_number(server_id: int) -> str:
    return f"The server has no book with the number {server_id}, or you may not see it. Nothing was changed."


def cannot_be_checked(server_id: int) -> str:
    return (
        f"Number {server_id} is not in the list that was read last, and the server cannot be asked now."
        " Nothing was changed; try again when you are online."
    )


def no_list_yet() -> str:
    return "The server's library has not been read yet, and cannot be read now. Try again when you are online."


def not_a_number(value: object) -> str:
    return f"{value} is no number that a book can have"


def reading_library(done: int, total: int) -> str:
    if total > done:
        return f"Reading the server's library: {done:,} of about {total:,} books"
    return f"Reading the server's library: {done:,} books"
