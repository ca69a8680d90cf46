"""Books: the library's shelves of rows, and the ways a client can list and find them.

Promises: the `Book` record with nulls left out and no hash anywhere in it; BookLore gives its whole library in one
array, Grimmory also pages of it and the app's summaries; the WorldTeacher image finds a book by hash or by words.
Never: changes anything.
Called by: `routes`, `book_state` and `koreader_sync` for the record.
Law: the API map §5.1, §5.2, and §9 for the app's list.
"""

from __future__ import annotations

import json
import sqlite3
from difflib import SequenceMatcher

from tests.sandbox.calls import SPRING_PAGE_SIZE, Call, page_of
from tests.sandbox.java_values import instant, one_decimal
from tests.sandbox.messages import ApiError, Response, json_response, unexpected, without_nulls

LARGEST_PAGE = 100  # books of GET /books/page
LARGEST_APP_PAGE = 50  # books of GET /app/books
SEARCH_RESULTS = 50
STRIPPED_FROM_LISTS = ("subtitle", "hardcoverId", "hardcoverBookId")
WORST_SEARCH_SCORE = 0.3  # below this two titles have hardly a word in common

SELECT = """
    SELECT book.*, library.name AS library_name, book_file.id AS file_id, file_name, book_type, size_kb, current_hash,
           book_file.added_at AS file_added_at, personal_rating, read_status, date_finished, last_read_at, epub_cfi,
           epub_href, epub_percent, pdf_page, pdf_percent, cbx_page, cbx_percent, koreader_fraction
    FROM book
    JOIN library ON library.id = book.library_id
    JOIN book_file ON book_file.book_id = book.id AND book_file.is_primary
    LEFT JOIN user_book ON user_book.book_id = book.id AND user_book.user_id = :reader
"""
VISIBLE = "(:admin OR EXISTS (SELECT 1 FROM user_library WHERE user_id = :reader AND library_id = book.library_id))"


def list_books(call: Call) -> Response:
    rows = call.database.execute(f"{SELECT} WHERE {VISIBLE} ORDER BY book.id", _asking(call))
    return json_response([_listed(call, row) for row in rows])


def page_books(call: Call) -> Response:
    page, size = call.page_and_size(SPRING_PAGE_SIZE, LARGEST_PAGE)
    rows, total = _page_of_rows(call, page, size, "1", {})
    return json_response(page_of([_listed(call, row) for row in rows], page, size, total))


def page_app_books(call: Call) -> Response:
    """The app's own list: flat paging, summaries, and a search over title, series and author."""
    page, size = call.page_and_size(SPRING_PAGE_SIZE, LARGEST_APP_PAGE)
    words = call.request.query.get("search", "")
    matches = "instr(lower(title || ' ' || coalesce(series_name, '') || ' ' || authors), lower(:words)) > 0"
    rows, total = _page_of_rows(call, page, size, f"(:words = '' OR {matches})", {"words": words})
    pages = -(-total // size)
    return json_response(
        {
            "content": [_app_summary(call, row) for row in rows],
            "page": page,
            "size": size,
            "totalElements": total,
            "totalPages": pages,
            "hasNext": page + 1 < pages,
            "hasPrevious": page > 0,
        }
    )


def show_book(call: Call) -> Response:
    book_id = call.number("id")
    call.visible_book(book_id)
    return json_response(book_record(call, _row(call, book_id)))


def show_books(call: Call) -> Response:
    """The books of `ids`; those the reader may not see are left out without a word."""
    try:
        ids = [int(text) for text in call.request.query["ids"].split(",") if text]
    except KeyError:
        raise unexpected() from None
    except ValueError:
        raise call.wrong_type(call.request.query["ids"]) from None
    rows = call.database.execute(
        f"{SELECT} WHERE {VISIBLE} AND book.id IN (SELECT value FROM json_each(:ids)) ORDER BY book.id",
        _asking(call) | {"ids": json.dumps(ids)},
    )
    return json_response([book_record(call, row) for row in rows])


def records_of_books(call: Call, ids: list[int]) -> list[dict[str, object]]:
    return [book_record(call, _row(call, book_id)) for book_id in ids]


def books_of_shelf(call: Call, shelf_id: int) -> list[dict[str, object]]:
    """The books on a shelf: without progress, and whether the reader may open them or not."""
    rows = call.database.execute(
        f"{SELECT} WHERE book.id IN (SELECT book_id FROM shelf_book WHERE shelf_id = :shelf) ORDER BY book.id",
        _asking(call) | {"shelf": shelf_id},
    )
    return [
        {name: value for name, value in book_record(call, row).items() if not name.endswith("Progress")} for row in rows
    ]


def show_book_by_hash(call: Call) -> Response:
    digest = call.variables["hash"]
    found = call.database.execute("SELECT book_id FROM book_file WHERE current_hash = ?", (digest,)).fetchone()
    if found is None:
        raise call.missing(f"Book not found for hash {digest}")
    book = call.existing_book(found["book_id"])
    if not call.is_member_of(book["library_id"]):
        raise call.denied()
    return json_response(book_record(call, _row(call, found["book_id"])))


def search_books(call: Call) -> Response:
    title, isbn = call.request.query.get("title"), call.request.query.get("isbn")
    if not title and not isbn:
        raise ApiError(400, "At least one of title and isbn is required")
    results = []
    for row in call.database.execute(f"{SELECT} WHERE {VISIBLE}", _asking(call)):
        score = 1.0 if isbn and isbn in (row["isbn13"], row["isbn10"]) else _similarity(title, row["title"])
        if score >= WORST_SEARCH_SCORE:
            results.append((score, row))
    results.sort(key=lambda result: (-result[0], result[1]["id"]))
    return json_response(
        [
            {"id": row["id"], "title": row["title"], "hash": row["current_hash"], "matchScore": round(score, 4)}
            for score, row in results[:SEARCH_RESULTS]
        ]
    )


# The records


def book_record(call: Call, row: sqlite3.Row) -> dict[str, object]:
    """One book as the API shows it to the reader who asks."""
    return without_nulls(
        {
            "id": row["id"],
            "libraryId": row["library_id"],
            "libraryName": row["library_name"],
            "primaryFile": _file_record(row),
            "title": row["title"],
            "lastReadTime": instant(row["last_read_at"]),
            "addedOn": instant(row["added_at"]),
            "metadata": {
                "bookId": row["id"],
                "title": row["title"],
                "subtitle": row["subtitle"],
                "authors": json.loads(row["authors"]),
                "isbn13": row["isbn13"],
                "isbn10": row["isbn10"],
                "seriesName": row["series_name"],
                "seriesNumber": row["series_number"],
                "pageCount": row["page_count"],
                "language": row["language"],
                "publisher": row["publisher"],
                "publishedDate": row["published_date"],
                "hardcoverId": row["hardcover_id"],
                "hardcoverBookId": row["hardcover_book_id"],
            },
            "epubProgress": _progress_record(row["epub_percent"], {"cfi": row["epub_cfi"], "href": row["epub_href"]}),
            "pdfProgress": _progress_record(row["pdf_percent"], {"page": row["pdf_page"]}),
            "cbxProgress": _progress_record(row["cbx_percent"], {"page": row["cbx_page"]}),
            "koreaderProgress": _progress_record(_percent(row["koreader_fraction"]), {}),
            "personalRating": row["personal_rating"],
            "shelves": _shelf_records(call, row["id"]),
            "readStatus": row["read_status"] or call.dialect.unset_read_status,
            "dateFinished": instant(row["date_finished"]),
            "alternativeFormats": _alternative_formats(call, row["id"]),
            "supplementaryFiles": [],
            "isPhysical": False,
        }
    )


def file_suffix(file_name: str) -> str:
    return file_name.rpartition(".")[2].lower()


def _listed(call: Call, row: sqlite3.Row) -> dict[str, object]:
    """A book as it appears in a list, which leaves out its subtitle and what other services call it."""
    record = book_record(call, row)
    metadata = record["metadata"]
    assert isinstance(metadata, dict)
    for name in STRIPPED_FROM_LISTS:
        metadata.pop(name, None)
    return record


def _alternative_formats(call: Call, book_id: int) -> list[dict[str, object]]:
    rows = call.database.execute(
        "SELECT book_id AS id, id AS file_id, file_name, book_type, size_kb, added_at AS file_added_at"
        " FROM book_file WHERE book_id = ? AND NOT is_primary ORDER BY id",
        (book_id,),
    )
    return [_file_record(row) for row in rows]


def _file_record(row: sqlite3.Row) -> dict[str, object]:
    return {
        "id": row["file_id"],
        "bookId": row["id"],
        "fileName": row["file_name"],
        "filePath": f"/books/{row['file_name']}",
        "fileSubPath": "",
        "book": True,
        "folderBased": False,
        "bookType": row["book_type"],
        "fileSizeKb": row["size_kb"],
        "extension": file_suffix(row["file_name"]),
        "addedOn": instant(row["file_added_at"]),
    }


def _progress_record(percent: float | None, position: dict[str, object]) -> dict[str, object] | None:
    if percent is None and all(value is None for value in position.values()):
        return None
    return position | {"percentage": one_decimal(percent)}


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else fraction * 100


def _shelf_records(call: Call, book_id: int) -> list[dict[str, object]]:
    rows = call.database.execute(
        "SELECT shelf.id, shelf.name FROM shelf JOIN shelf_book ON shelf_id = shelf.id"
        " WHERE book_id = ? AND shelf.user_id = ? ORDER BY shelf.id",
        (book_id, call.reader.id),
    )
    return [{"id": row["id"], "name": row["name"], "userId": call.reader.id} for row in rows]


def _app_summary(call: Call, row: sqlite3.Row) -> dict[str, object]:
    # The server mixes scales here: KOReader's fraction comes first, then the web reader's percentage.
    fraction_or_percent = row["koreader_fraction"]
    for column in ("epub_percent", "pdf_percent", "cbx_percent"):
        if fraction_or_percent is None:
            fraction_or_percent = row[column]
    return without_nulls(
        {
            "id": row["id"],
            "title": row["title"],
            "authors": json.loads(row["authors"]),
            "libraryId": row["library_id"],
            "seriesName": row["series_name"],
            "seriesNumber": row["series_number"],
            "primaryFileId": row["file_id"],
            "primaryFileName": row["file_name"],
            "primaryFileType": row["book_type"],
            "fileSizeKb": row["size_kb"],
            "isbn13": row["isbn13"],
            "isbn10": row["isbn10"],
            "readStatus": row["read_status"] or call.dialect.unset_read_status,
            "personalRating": row["personal_rating"],
            "readProgress": fraction_or_percent,
            "lastReadTime": instant(row["last_read_at"]),
            "addedOn": instant(row["added_at"]),
        }
    )


def _asking(call: Call) -> dict[str, object]:
    return {"reader": call.reader.id, "admin": call.reader.is_admin}


def _row(call: Call, book_id: int) -> sqlite3.Row:
    row: sqlite3.Row = call.database.execute(
        f"{SELECT} WHERE book.id = :book", _asking(call) | {"book": book_id}
    ).fetchone()
    return row


def _page_of_rows(
    call: Call, page: int, size: int, condition: str, values: dict[str, object]
) -> tuple[list[sqlite3.Row], int]:
    bound = _asking(call) | values
    total = call.database.execute(f"SELECT count(*) AS n FROM book WHERE {VISIBLE} AND {condition}", bound).fetchone()[
        "n"
    ]
    rows = call.database.execute(
        f"{SELECT} WHERE {VISIBLE} AND {condition} ORDER BY {_order(call)}, book.id LIMIT :size OFFSET :skipped",
        bound | {"size": size, "skipped": page * size},
    ).fetchall()
    return rows, total


def _order(call: Call) -> str:
    """The columns for Spring's `sort=metadata.title,asc` and the app's `sort=title&dir=asc`; other keys sort by id."""
    key, _, direction = call.request.query.get("sort", "").partition(",")
    column = {"title": "title COLLATE NOCASE", "addedOn": "book.added_at"}.get(key.rpartition(".")[2], "book.id")
    downwards = (direction or call.request.query.get("dir", "")).lower() == "desc"
    return f"{column} {'DESC' if downwards else 'ASC'}"


def _similarity(wanted: str | None, title: str | None) -> float:
    if not wanted or not title:
        return 0.0
    return SequenceMatcher(None, wanted.casefold(), title.casefold()).ratio()
