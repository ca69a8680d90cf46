"""The list that Komga's own clients would ask for: the only place where the servers tell a file's hash.

Promises: any OPDS account may list the books of all libraries, whatever its owner may see; the hash is the current one
of the primary file; pages are cut out of the whole library, with no limit to their size. Grimmory's downloads and
thumbnails here fail, because its code takes the caller for another kind of user.
Never: writes anything. There is no progress to be written here.
Called by: `routes`, for requests with the name and password of an OPDS account; `dispatch` has refused them if the
administrator's switch is off.
Law: the API map §5.3 and §9, and the servers' `KomgaMapper`. Imperfect: series, thumbnails, pages and BookLore's
download are not modelled.
"""

from __future__ import annotations

import json
import sqlite3

from tests.sandbox.calls import Call
from tests.sandbox.java_values import instant
from tests.sandbox.messages import ApiError, Response, json_response, unexpected, without_nulls

PAGE_SIZE = 20  # if the request does not say
MEDIA_TYPES = {
    "PDF": "application/pdf",
    "EPUB": "application/epub+zip",
    "CBX": "application/x-cbz",
    "FB2": "application/fictionbook2+zip",
    "MOBI": "application/x-mobipocket-ebook",
    "AZW3": "application/vnd.amazon.ebook",
    "AUDIOBOOK": "audio/mp4",
}
SELECT = """
    SELECT book.*, file_name, book_type, size_kb, current_hash
    FROM book JOIN book_file ON book_file.book_id = book.id AND book_file.is_primary
    WHERE :library IS NULL OR library_id = :library ORDER BY book.id
"""


def list_books(call: Call) -> Response:
    page, size = call.query_number("page", 0), call.query_number("size", PAGE_SIZE)
    if size < 1 or page < 0:
        raise unexpected()  # a division by zero, or a list cut at a negative place
    library = call.query_number("library_id", 0) or None
    rows = call.database.execute(SELECT, {"library": library}).fetchall()
    pages = -(-len(rows) // size)
    content = [_book_record(row) for row in rows[page * size : (page + 1) * size]]
    return json_response(
        {
            "content": content,
            "number": page,
            "size": size,
            "numberOfElements": len(content),
            "totalElements": len(rows),
            "totalPages": pages,
            "first": page == 0,
            "last": not rows or page >= pages - 1,
            "empty": not content,
        }
    )


def show_book(call: Call) -> Response:
    book_id = call.number("id")
    for row in call.database.execute(SELECT, {"library": None}):
        if row["id"] == book_id:
            return json_response(_book_record(row))
    raise unexpected()


def download(call: Call) -> Response:
    if call.dialect.komga_downloads_fail:
        raise ApiError(409, call.dialect.conflict_text or "")
    raise unexpected()  # not modelled


def show_me(call: Call) -> Response:
    account = call.opds
    if account is None:
        raise unexpected()
    return json_response(
        {
            "id": str(account.id),
            "email": f"{account.username}@booklore.local",
            "roles": ["USER"],
            "sharedAllLibraries": True,
        }
    )


def _book_record(row: sqlite3.Row) -> dict[str, object]:
    number = row["series_number"] if row["series_number"] is not None else 1.0
    return without_nulls(
        {
            "id": str(row["id"]),
            "seriesTitle": row["series_name"] or row["title"],
            "libraryId": str(row["library_id"]),
            "name": row["title"] or row["file_name"],
            "url": f"/komga/api/v1/books/{row['id']}",
            "number": int(number),
            "created": instant(row["added_at"]),
            "lastModified": instant(row["added_at"]),
            "fileLastModified": instant(row["added_at"]),
            "sizeBytes": row["size_kb"] * 1024,
            "size": f"{row['size_kb']} KB",
            "media": {
                "status": "READY",
                "mediaType": MEDIA_TYPES[row["book_type"]],
                "pagesCount": row["page_count"] or 0,
            },
            "metadata": {
                "title": row["title"] or "",
                "summary": "",
                "number": str(float(number)),
                "numberSort": number,
                "releaseDate": row["published_date"],
                "authors": [{"name": name, "role": "writer"} for name in json.loads(row["authors"])],
                "tags": [],
                "isbn": row["isbn13"] or row["isbn10"],
            },
            "deleted": False,
            "fileHash": row["current_hash"],
            "oneshot": False,
        }
    )
