"""Hardcover in the menu and in the status report: what waits, for which book, and what the reader can do about it.

Called by: `device/hardcover.py`, where there is a token. Pure: what waits in, items and lines out.
"""

from __future__ import annotations

from device.ui import hardcover_texts as texts
from device.ui.menu import action, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

BOOKS_MOST = 20  # more would be pages of menu
ANSWERS_MOST = 20  # of a question, with those that are always there


class Waiting:
    """What waits of one book. `why`: for the reader; `needs_reader`: no run goes on without her."""

    __slots__ = ("book_id", "counts", "needs_reader", "title", "why")

    def __init__(self, book_id: int, title: str, counts: dict[str, int], why: str, needs_reader: bool) -> None:
        self.book_id = book_id
        self.title = title
        self.counts = counts  # by field
        self.why = why
        self.needs_reader = needs_reader


def section(waiting: list[Waiting], problem: str) -> Json:
    """The submenu. `problem`: what keeps everything from going out, or empty."""
    items: list[Json] = [_of_open_book(), text("hardcover-state", state(waiting, problem))]
    mine = [one for one in waiting if one.needs_reader]
    for one in mine[:BOOKS_MOST]:
        item = action(f"hardcover-{one.book_id}", texts.choose(one.title), one.why, True, "hardcover")
        item["arguments"] = {"book_id": one.book_id}
        items.append(item)
    if len(mine) > BOOKS_MOST:
        items.append(text("hardcover-more", texts.more(len(mine) - BOOKS_MOST)))
    return {"id": "hardcover", "kind": "menu", "label": texts.NAME, "items": items}


def _of_open_book() -> Json:
    item = action("hardcover-book", texts.THIS_BOOK, texts.THIS_BOOK_HELP, True, "hardcover")
    item["needs"] = "book"
    return item


def state(waiting: list[Waiting], problem: str) -> str:
    """All of it in one line."""
    if not waiting:
        return problem or texts.ALL_THERE
    total: dict[str, int] = {}
    for one in waiting:
        for field, count in one.counts.items():
            total[field] = total.get(field, 0) + count
    reasons = {one.why for one in waiting}
    return texts.waits(total, problem or (reasons.pop() if len(reasons) == 1 else texts.SEVERAL_REASONS))


def report(waiting: list[Waiting], problem: str) -> list[str]:
    """Lines for the terminal."""
    if not waiting:
        return [f"{texts.NAME}: {problem}"] if problem else []
    return [texts.waits_of_book(one.counts, one.title, one.why) for one in waiting] + (
        [f"{texts.NAME}: {problem}"] if problem else []
    )


def question(book_id: int, title: str, candidates: list[tuple[int, str]]) -> Json:
    """Which one is it? `candidates`: number at Hardcover and label, the best first."""
    answers: list[Json] = [texts.answer(label, book_id, id) for id, label in candidates[: ANSWERS_MOST - 2]]
    other = texts.answer(texts.OTHER_TITLE, book_id, None)
    other["arguments"] = {"book_id": book_id}
    other["input"] = "text"
    other["hint"] = texts.OTHER_TITLE_HINT
    answers += [other, texts.answer(texts.NOT_THERE, book_id, "none")]
    return {"id": f"hardcover-{book_id}", "text": texts.question(title), "when": "now", "answers": answers}
