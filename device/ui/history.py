"""What an import of KOReader's history would bring, and what it brought, in lines for the reader.

Called by: `device/importing/history.py` for its problems, `device/verbs/` for the lines. Pure.
"""

from __future__ import annotations

from device.core.history import REASONS
from device.core.instants import to_iso
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.history import Tally
    from device.importing.history import BookTally, Outcome

BOOKS_SHOWN = 200  # of a preview; the sum is of all
NAME_MAX_CHARS = 120  # of a title or its authors: a result has its limit
DAY_CHARS = 10  # of an instant


def preview_lines(outcome: Outcome) -> list[str]:
    """The first line sums it up."""
    count = sum(1 for book in outcome.books if book.tally.sessions)
    total = outcome.total
    lines = [texts.history_preview(_sum(total), texts.book_count(count)) if count else texts.HISTORY_NOTHING_NEW]
    lines.append(texts.history_records(outcome.path, outcome.records))
    shown = outcome.books[:BOOKS_SHOWN]
    for book in shown:
        lines += _book_lines(book)
    if len(outcome.books) > len(shown):
        lines.append(f"… and {texts.book_count(len(outcome.books) - len(shown))} more")
    if len(shown) > 1:
        lines += _left_out(total, texts.HISTORY_IN_ALL)
    unmatched = [book for book in shown if book.tally.sessions and book.server_id is None]
    if unmatched:
        lines.append(texts.HISTORY_UNMATCHED)
        lines += [f"  {_name(book)}: {book.unmatched_reason or texts.HISTORY_LOOKED_FOR}" for book in unmatched]
    if not outcome.complete:
        lines.append(texts.HISTORY_TIME_UP)
    return [*lines, texts.HISTORY_ONLY_SHOWN]


def import_lines(outcome: Outcome) -> list[str]:
    """The first line sums it up."""
    total = outcome.total
    if total.sessions:
        books = sum(1 for book in outcome.books if book.tally.sessions)
        lines = [texts.history_imported(total.sessions, texts.hours(total.duration_s), books)]
    else:
        lines = [texts.HISTORY_UNCHANGED if outcome.unchanged else texts.HISTORY_NOTHING_NEW]
    if not outcome.complete:
        lines.append(texts.HISTORY_TIME_UP)
    return lines + _left_out(total)


def _book_lines(book: BookTally) -> list[str]:
    tally = book.tally
    if not tally.sessions:
        return [f"{_name(book)}: {texts.sessions(0)}", *_left_out(tally)]
    known = texts.HISTORY_LOOKED_FOR if book.server_id is None else texts.HISTORY_ON_SERVER
    return [f"{_name(book)}: {_sum(tally)}; {known}", *_left_out(tally)]


def _name(book: BookTally) -> str:
    if not book.has_name():
        return texts.HISTORY_NO_BOOK
    title = f"“{(book.title or str(book.fingerprint))[:NAME_MAX_CHARS]}”"
    return f"{title} by {', '.join(book.authors)[:NAME_MAX_CHARS]}" if book.authors else title


def _sum(tally: Tally) -> str:
    days = [to_iso(instant)[:DAY_CHARS] for instant in (tally.first_at, tally.last_at)]
    when = days[0] if days[0] == days[1] else f"{days[0]} to {days[1]}"
    return f"{texts.sessions(tally.sessions)}, {texts.hours(tally.duration_s)}, {texts.pages(tally.pages)}, {when}"


def _left_out(tally: Tally, what: str = "  ") -> list[str]:
    """One line, or none."""
    parts = []
    for reason in REASONS:
        if reason in tally.left_out:
            records, seconds = tally.left_out[reason]
            time_of_them = f" ({texts.hours(seconds)})" if seconds else ""
            parts.append(f"{texts.pages(records)} {texts.HISTORY_LEFT_OUT[reason]}{time_of_them}")
    return [f"{what}left out: {'; '.join(parts)}"] if parts else []
