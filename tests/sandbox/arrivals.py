"""What has arrived at the stand-in, gathered book by book for people to look at.

Promises: one record of plain values that the page and `/sandbox/state.json` both show, over all readers.
Never: part of any server's API; a client under test does not see it.
Called by: `web_page`.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict

from tests.sandbox.java_values import instant, one_decimal
from tests.sandbox.reading_sessions import all_sessions

BOOKS = """
    SELECT book.id, title, authors, series_name, isbn13, max(file_name) AS file_name, max(book_type) AS book_type
    FROM book JOIN book_file ON book_file.book_id = book.id GROUP BY book.id ORDER BY book.id
"""
STATES = "SELECT * FROM user_book ORDER BY last_read_at"
HIGHLIGHTS = "SELECT * FROM annotation ORDER BY id"


def gather(database: sqlite3.Connection, dialect: str, utc_offset_s: int) -> dict[str, object]:
    sessions = all_sessions(database, None, utc_offset_s)
    sessions_of: dict[object, list[dict[str, object]]] = defaultdict(list)
    for session in sessions:
        sessions_of[session["bookId"]].append(session)
    states = {row["book_id"]: row for row in database.execute(STATES)}
    highlights_of: dict[int, list[dict[str, object]]] = defaultdict(list)
    for row in database.execute(HIGHLIGHTS):
        highlights_of[row["book_id"]].append(_highlight(row))
    books = [
        _book(row, sessions_of[row["id"]], states.get(row["id"]), highlights_of[row["id"]])
        for row in database.execute(BOOKS)
    ]
    return {
        "dialect": dialect,
        "totals": {
            "books": len(books),
            "booksRead": sum(bool(sessions_of[book["id"]]) for book in books),
            "sessions": len(sessions),
            "secondsRead": sum(seconds(session) for session in sessions),
            "highlights": sum(len(marks) for marks in highlights_of.values()),
        },
        "books": books,
    }


def seconds(session: dict[str, object]) -> int:
    duration = session["durationSeconds"]
    return duration if isinstance(duration, int) else 0


def _book(
    row: sqlite3.Row,
    sessions: list[dict[str, object]],
    state: sqlite3.Row | None,
    highlights: list[dict[str, object]],
) -> dict[str, object]:
    return {
        "id": row["id"],
        "title": row["title"],
        "authors": json.loads(row["authors"]),
        "series": row["series_name"],
        "isbn13": row["isbn13"],
        "fileName": row["file_name"],
        "format": row["book_type"],
        "progressPercent": _progress(sessions, state),
        "readStatus": None if state is None else state["read_status"],
        "personalRating": None if state is None else state["personal_rating"],
        "lastReadAt": None if state is None else instant(state["last_read_at"]),
        "secondsRead": sum(seconds(session) for session in sessions),
        "sessions": sessions,
        "highlights": highlights,
    }


def _progress(sessions: list[dict[str, object]], state: sqlite3.Row | None) -> float | None:
    """The progress that was synced, else where the last reading session ended."""
    if state is not None:
        if state["koreader_fraction"] is not None:
            return one_decimal(state["koreader_fraction"] * 100)
        for column in ("epub_percent", "pdf_percent", "cbx_percent"):
            if state[column] is not None:
                return one_decimal(state[column])
    ends = [(str(session["endTime"]), session["endProgress"]) for session in sessions]
    latest = max(ends, default=("", None), key=lambda end: end[0])[1]
    return one_decimal(latest) if isinstance(latest, float) else None


def _highlight(row: sqlite3.Row) -> dict[str, object]:
    return {
        "text": row["text"],
        "note": row["note"],
        "color": row["color"],
        "style": row["style"],
        "chapter": row["chapter_title"],
        "cfi": row["cfi"],
    }
