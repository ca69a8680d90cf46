"""Texts about Hardcover: of messages, questions and the menu.

Called by: `device/sending/hardcover.py`, `device/hardcover.py`, `hardcover_menu.py`.
Law: what `texts.py` says of texts. Never: a token.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

NAME = "Hardcover"
TOKEN_TAKEN = "The Hardcover token is kept; ratings and read status go to Hardcover with the next sync."
NO_TOKEN_IN_FILE = "hardcover_token.txt holds no token: one word, as hardcover.app shows it in its API settings."
NO_TOKEN = "There is no Hardcover token: copy one into hardcover_token.txt in the bookloresync folder."
WHICH_BOOK = "hardcover needs a book"
UNKNOWN_BOOK = "BookLore Sync does not know this book yet: it does once it has been read and closed."
ALL_THERE = "Everything that waited is at Hardcover."
THIS_BOOK = "Which book this is at Hardcover"
THIS_BOOK_HELP = "Shows what is known of it, and lets you choose another."
OTHER_TITLE = "Search for another title…"
OTHER_TITLE_HINT = "Title, and author if you like"
NOT_THERE = "It is not at Hardcover"
NEXT_SYNC = "sent with the next sync"
SWITCHED_OFF = "sending to Hardcover is switched off"
SEVERAL_REASONS = "for several reasons"
WAITS_FOR_CHOICE = "choose which book it is"
NOT_FOUND = "not found at Hardcover; search for it by another title"
CONTRADICTED = "Hardcover kept something else than was sent"

_THINGS = {"rating": ("1 rating", "{} ratings"), "status": ("1 read status", "{} read statuses")}


def things(counts: dict[str, int]) -> str:
    """So many wishes, by field."""
    parts = []
    for field, (one, many) in _THINGS.items():
        count = counts.get(field, 0)
        if count:
            parts.append(one if count == 1 else many.replace("{}", str(count)))
    return " and ".join(parts)


def sent(counts: dict[str, int]) -> str:
    return f"{things(counts)} sent to Hardcover."


def waits(counts: dict[str, int], why: str) -> str:
    verb = "waits" if sum(counts.values()) == 1 else "wait"
    return f"Hardcover: {things(counts)} {verb}: {why}"


def waits_of_book(counts: dict[str, int], title: str, why: str) -> str:
    return f"Hardcover: {things(counts)} of “{title}”: {why}"


def choose(title: str) -> str:
    return f"Which one is “{title}”?"


def question(title: str) -> str:
    return f"Which book at Hardcover is “{title}”?"


def refused(title: str, reason: str) -> str:
    return f"Hardcover did not take what you gave “{title}”: {reason}"


def no_number(value: int) -> str:
    return f"{value} is no number of a book at Hardcover"


def more(count: int) -> str:
    return f"… and {count} more: booklore-sync status names them"


def is_book(title: str, id: int, label: str) -> str:
    if label:
        return f"“{title}” is “{label}” at Hardcover, number {id}."
    return f"“{title}” is number {id} at Hardcover."


def is_no_book(title: str) -> str:
    return f"Nothing of “{title}” goes to Hardcover any more."


def no_hits(text: str) -> str:
    return f"Hardcover finds nothing for “{text}”."


def candidate(id: int, label: str) -> str:
    return f"{id}  {label}"


def not_a_server(problem: object) -> str:
    return f"hardcover_token.txt: {problem}"


def answer(label: str, book_id: int, value: Json) -> dict[str, Json]:
    """A button of the question which book it is."""
    return {"label": label, "verb": "hardcover", "arguments": {"book_id": book_id, "value": value}}
