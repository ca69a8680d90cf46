"""The server's library: all of it, its newest part, or one book, as far as matching needs it.

Promises: memory does not grow with the library; what is too long or of another kind is left out, and a book that has
no usable number altogether.
Never: decides which book is which.
Called by: `device/sending/reading_library.py`, `device/sending/finding_books.py`, `device/verbs/matching.py`.
Source: `BookController` of BookLore 2.3.0 and Grimmory 3.2.4; the image's `GET /api/v1/books/by-hash/{hash}`.
"""

from __future__ import annotations

from device.core.isbn import isbn13
from device.core.matching import ServerBook
from device.server.answers import decoded, is_own_error
from device.server.book_state import hardcover_id
from device.server.errors import ServerFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.json_text import Json
    from device.server.client import Client
    from device.server.http import Answer

BOOKS = "/api/v1/books?stripForListView=true"  # Grimmory leaves out what lists do not show; BookLore ignores it
BOOK = "/api/v1/books/"
BY_HASH = "/api/v1/books/by-hash/"
NEWEST = "/api/v1/books/page"  # the servers that have the app's list have this one as well, and it tells more
PAGE_SIZE = 100  # books; what Grimmory gives at most

ID_MOST = 2**53
TEXT_MOST_CHARS = 500
LIST_MOST = 30  # authors or files of one book
SIZE_MOST_KB = 2**40


class Page:
    """One page of the newest books, and how many books there are in all."""

    __slots__ = ("books", "total")

    def __init__(self, books: list[ServerBook], total: int) -> None:
        self.books = books
        self.total = total


def all_books(client: Client) -> Iterator[ServerBook]:
    """Everything that the account sees, in no particular order. Raises ServerError."""
    for element in client.elements(BOOKS):
        book = server_book(element)
        if book is not None:
            yield book


def newest(client: Client, number: int) -> Page | None:
    """A page of the library, the newest books first; None if the server does not give one. Raises ServerError."""
    reply = _in_json(client.answer(f"{NEWEST}?page={number}&size={PAGE_SIZE}&sort=addedOn,desc"))
    if not isinstance(reply, dict):
        return None
    content, about = reply.get("content"), reply.get("page")
    total = about.get("totalElements") if isinstance(about, dict) else reply.get("totalElements")
    if not isinstance(content, list) or not isinstance(total, int):
        return None
    books = [book for book in (server_book(element) for element in content) if book is not None]
    return Page(books, total)


def with_fingerprint(client: Client, fingerprint: str) -> ServerBook | None:
    """The book whose file has this fingerprint, at the one dialect that tells. Raises ServerError."""
    return server_book(_in_json(client.answer(BY_HASH + fingerprint)))


def one(client: Client, server_id: int) -> ServerBook | None:
    """None if the server says that it has no such book, or does not let the reader see it. Raises ServerError."""
    answer = client.answer(f"{BOOK}{server_id}")
    if answer.status >= 500 or (answer.status != 200 and not is_own_error(answer)):
        raise ServerFailed(f"the server did not say which book number {server_id} is (HTTP {answer.status})")
    book = server_book(_in_json(answer))
    return book if book is not None and book.server_id == server_id else None


def _in_json(answer: Answer) -> Json:
    return decoded(answer) if answer.status == 200 and answer.is_json() else None


def server_book(element: Json) -> ServerBook | None:
    if not isinstance(element, dict):
        return None
    server_id = element.get("id")
    if not isinstance(server_id, int) or isinstance(server_id, bool) or not 0 < server_id < ID_MOST:
        return None
    metadata = element.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    book = ServerBook(server_id, _text(metadata.get("title")) or _text(element.get("title")))
    book.subtitle = _text(metadata.get("subtitle"))
    authors = metadata.get("authors")
    if isinstance(authors, list):
        book.authors = [name for name in (_text(author) for author in authors[:LIST_MOST]) if name]
    book.series = _text(metadata.get("seriesName"))
    book.series_index = _number(metadata.get("seriesNumber"))
    book.language = _text(metadata.get("language"))
    for name in ("isbn13", "isbn10"):
        number = isbn13(_text(metadata.get(name)))
        if number is not None and number not in book.isbns:
            book.isbns.append(number)
    others = element.get("alternativeFormats")
    for item in (element.get("primaryFile"), *(others[:LIST_MOST] if isinstance(others, list) else ())):
        file = _file(item)
        if file is not None:
            book.files.append(file)
    book.hardcover_id = hardcover_id(metadata.get("hardcoverBookId"))
    return book


def _file(item: Json) -> tuple[str, int] | None:
    if not isinstance(item, dict):
        return None
    name, size_kb = _text(item.get("fileName")), item.get("fileSizeKb")
    if not name:
        return None
    known = isinstance(size_kb, int) and not isinstance(size_kb, bool) and 0 <= size_kb < SIZE_MOST_KB
    return name, size_kb if known and isinstance(size_kb, int) else -1


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < ID_MOST:
        return None
    return float(value)


def _text(value: Json) -> str:
    """One line of it, as a database can hold it."""
    if not isinstance(value, str):
        return ""
    return " ".join(value[:TEXT_MOST_CHARS].split()).encode("utf-8", "replace").decode("utf-8")
