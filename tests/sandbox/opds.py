"""OPDS accounts, and the catalogue they are for.

Promises: a reader who may use OPDS makes accounts of her own; a name that anybody has is a data conflict; the
catalogue lists what the account's owner may see, twenty at a time, and searches title, subtitle, series and author,
but no ISBN.
Never: tells a password again once it is set.
Called by: `routes`; `dispatch` for `opds_account`.
Law: the API map §3, §5.3 and §9. Imperfect: of the catalogue only the search and its entries are modelled.
"""

from __future__ import annotations

import json
import sqlite3
from xml.sax.saxutils import escape, quoteattr

from tests.sandbox.accounts import reader_with_id
from tests.sandbox.bodies import TEXT, Field
from tests.sandbox.calls import Call, OpdsAccount
from tests.sandbox.java_values import instant
from tests.sandbox.messages import Response, empty_response, json_response, unexpected

FEED_TYPE = "application/atom+xml;profile=opds-catalog;kind=acquisition;charset=utf-8"
LARGEST_PAGE = 100
DEFAULT_PAGE = 50
ACCOUNT_FIELDS = (
    Field("username", TEXT, not_blank=True, longest=100),
    Field("password", TEXT, not_blank=True, longest=72),
    Field("sortOrder", TEXT),
)
CATALOGUE = """
    SELECT book.*, file_name, size_kb FROM book JOIN book_file ON book_file.book_id = book.id AND book_file.is_primary
    WHERE (:admin OR EXISTS (SELECT 1 FROM user_library WHERE user_id = :reader AND library_id = book.library_id))
      AND (:words = '' OR instr(lower(coalesce(title, '') || ' ' || coalesce(subtitle, '') || ' '
          || coalesce(series_name, '') || ' ' || authors), lower(:words)) > 0)
    ORDER BY book.id LIMIT :size OFFSET :skipped
"""


def create_opds_account(database: sqlite3.Connection, user_id: int, username: str, password: str) -> int:
    row = database.execute(
        "INSERT INTO opds_user (user_id, username, password) VALUES (?, ?, ?) RETURNING id",
        (user_id, username, password),
    ).fetchone()
    return int(row["id"])


def opds_account(database: sqlite3.Connection, username: str, password: str) -> OpdsAccount | None:
    row = database.execute("SELECT * FROM opds_user WHERE username = ?", (username,)).fetchone()
    if row is None or row["password"] != password:
        return None
    reader = reader_with_id(database, row["user_id"])
    return None if reader is None else OpdsAccount(row["id"], row["username"], reader)


def list_accounts(call: Call) -> Response:
    call.demand("canAccessOpds")
    rows = call.database.execute("SELECT * FROM opds_user WHERE user_id = ? ORDER BY id", (call.reader.id,))
    return json_response([_account_record(row) for row in rows])


def create_account(call: Call) -> Response:
    call.demand("canAccessOpds")
    values = call.read(ACCOUNT_FIELDS)
    account_id = create_opds_account(
        call.database, call.reader.id, values.need_text("username"), values.need_text("password")
    )
    row = call.database.execute("SELECT * FROM opds_user WHERE id = ?", (account_id,)).fetchone()
    return json_response(_account_record(row))


def delete_account(call: Call) -> Response:
    call.demand("canAccessOpds")
    row = call.database.execute("SELECT user_id FROM opds_user WHERE id = ?", (call.number("id"),)).fetchone()
    if row is None:
        raise unexpected()
    if row["user_id"] != call.reader.id:
        raise call.denied()
    call.database.execute("DELETE FROM opds_user WHERE id = ?", (call.number("id"),))
    return empty_response(200)


def show_catalogue(call: Call) -> Response:
    call.demand("canAccessOpds")
    size = min(max(call.query_number("size", DEFAULT_PAGE), 1), LARGEST_PAGE)
    page = max(call.query_number("page", 1), 1)
    rows = call.database.execute(
        CATALOGUE,
        {
            "admin": call.reader.is_admin,
            "reader": call.reader.id,
            "words": call.request.query.get("q", ""),
            "size": size,
            "skipped": (page - 1) * size,
        },
    )
    entries = "".join(_entry(row) for row in rows)
    feed = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc'
        f'/terms/"><id>urn:booklore:catalog</id><title>Booklore Catalog</title>{entries}</feed>'
    )
    return Response(200, feed.encode(), FEED_TYPE)


def _entry(row: sqlite3.Row) -> str:
    authors = "".join(f"<author><name>{escape(name)}</name></author>" for name in json.loads(row["authors"]))
    isbn = f"<dc:identifier>urn:isbn:{escape(row['isbn10'])}</dc:identifier>" if row["isbn10"] else ""
    href = quoteattr(f"/api/v1/opds/{row['id']}/download")
    return (
        f"<entry><title>{escape(row['title'] or '')}</title><id>urn:booklore:book:{row['id']}</id>"
        f"<updated>{instant(row['added_at'])}</updated>{authors}{isbn}"
        f'<link href={href} rel="http://opds-spec.org/acquisition" type="application/epub+zip"/></entry>'
    )


def _account_record(row: sqlite3.Row) -> dict[str, object]:
    return {
        "id": row["id"],
        "userId": row["user_id"],
        "username": row["username"],
        "sortOrder": row["sort_order"],
    }
