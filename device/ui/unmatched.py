"""The menu of books that are not matched, and the question which book one is.

Called by: `device/verbs/matching.py`. Pure: the store's rows in, items and questions out.
"""

from __future__ import annotations

from device.ui import matching_texts as texts
from device.ui.menu import action, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.store.books import MatchedBook

ANSWERS_MOST = 20  # of a question, in the launcher


def items(unmatched: list[MatchedBook], count: int) -> list[Json]:
    """The item for the open book and, if there are any, the submenu of those that wait for a match."""
    of_open_book = action("match", texts.WHICH_BOOK, texts.WHICH_BOOK_HELP, True)
    of_open_book["needs"] = "book"
    found: list[Json] = [of_open_book]
    if unmatched:
        inner: list[Json] = []
        for book in unmatched:
            label = texts.unmatched_item(book.title, book.unmatched_reason or texts.NOT_LOOKED_FOR_YET)
            one = action(f"match-{book.id}", label, texts.UNMATCHED_HELP, True, "match")
            one["arguments"] = {"book_id": book.id}
            inner.append(one)
        if count > len(unmatched):
            inner.append(text("match-more", texts.MORE_BOOKS))
        found.append({"id": "unmatched", "kind": "menu", "label": texts.unmatched_menu(count), "items": inner})
    return found


def question(book: MatchedBook, candidates: list[tuple[int, str]]) -> Json:
    """What is known, and what it could be. `candidates`: number on the server and label, the best first."""
    answers: list[Json] = [_answer(book, label, server_id) for server_id, label in candidates]
    by_title = _answer(book, texts.LOOK_FOR_TITLE, None)
    by_title["input"], by_title["hint"] = "text", texts.TITLE_HINT
    by_number = _answer(book, texts.BY_NUMBER, None)
    by_number["input"], by_number["hint"] = "number", texts.NUMBER_HINT
    further: list[Json] = [by_title, by_number]
    if book.server_id is not None:
        further.append(_answer(book, texts.UNDO, "none"))
    further += [_answer(book, texts.LOOK_AGAIN, "again"), {"label": texts.LEAVE}]
    return {
        "id": f"match-{book.id}",
        "text": texts.known(book),
        "when": "now",
        "answers": [*answers[: ANSWERS_MOST - len(further)], *further],
    }


def _answer(book: MatchedBook, label: str, value: int | str | None) -> dict[str, Json]:
    arguments: dict[str, Json] = {"book_id": book.id}
    if value is not None:
        arguments["value"] = value
    return {"label": label, "verb": "match", "arguments": arguments}
