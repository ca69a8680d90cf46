"""What the server says of the reader's own copy of a book: rating, read status, how far it is read.

Promises: a field that is not there, or not what it should be, is none.
Called by: `device/sending/book_states.py`. Never: decides.
Source: the `Book` record of BookLore 2.3.0, Grimmory 3.2.4 and the WorldTeacher image; percentages are 0 to 100 there.
"""

from __future__ import annotations

from device.core import shared_values
from device.core.instants import from_iso
from device.core.progress import Heard
from device.server.answers import is_own_error
from device.server.errors import BookGone
from device.server.session_body import book_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.server.client import Client

BOOK = "/api/v1/books/"
BOOKS = "/api/v1/books/batch?ids="
ANSWER_MOST = 50  # books of one request: with their descriptions 10 kB each

CFI_MAX_CHARS = 1_000  # of the server's column
PAGES_MOST = 1_000_000
ID_LIMIT = 2**53

WEB, KOREADER, KOBO = "web", "koreader", "kobo"
_WEB_FIELDS = {"PDF": "pdfProgress", "CBX": "cbxProgress"}
_EPUB_FIELD = "epubProgress"


class BookState:
    """`file_id`: which of the book's files on the server is of the device's format. `finished_at`: epoch seconds.

    `page`: where the web reader is in a book of pages; `cfi`: where it is in text. `size_kib`: of that file, if it is
    of our format.
    """

    __slots__ = (
        "cfi", "file_id", "finished_at", "hardcover_id", "heard", "page", "rating", "server_id", "size_kib", "status",
    )  # fmt: skip

    def __init__(self, server_id: int, rating: str | None, status: str | None, heard: Heard) -> None:
        self.server_id = server_id
        self.rating = rating
        self.status = status
        self.heard = heard
        self.file_id: int | None = None
        self.page: int | None = None
        self.cfi: str | None = None
        self.size_kib: int | None = None
        self.hardcover_id: int | None = None  # which the servers' lists leave out
        self.finished_at: int | None = None


def ask_one(client: Client, server_id: int) -> Json:
    """The server's record of a book. Raises BookGone, ServerError."""
    answer = client.answer(f"{BOOK}{server_id}")
    if answer.status == 404 and is_own_error(answer):
        raise BookGone("the server does not have this book any more")
    record = client.json_of(answer)
    if _id(record) != server_id:
        raise client.failing("answered for a book with something else")
    return record


def ask(client: Client, server_ids: list[int]) -> dict[int, Json]:
    """The server's records of these books; those that it does not have, or does not show, are left out.

    Raises ServerError.
    """
    ids = ",".join(str(id) for id in server_ids[:ANSWER_MOST])
    records = client.get(f"{BOOKS}{ids}")
    if not isinstance(records, list):
        raise client.failing("answered for a list of books with something else")
    found: dict[int, Json] = {}
    for record in records:
        id = _id(record)
        if id is not None:
            found[id] = record
    return found


def _id(record: Json) -> int | None:
    return _whole(record.get("id")) if isinstance(record, dict) else None


def read(record: Json, file: str, format: str) -> BookState:
    """The state in a server's record of a book whose file here is `file`."""
    if not isinstance(record, dict):
        record = {}
    ours = book_type(file, format)
    server_file = _file(record, ours)
    kind = server_file.get("bookType") if isinstance(server_file, dict) else ours
    fractions: dict[str, float] = {}
    web = _WEB_FIELDS.get(str(kind), _EPUB_FIELD)
    for name, field in ((WEB, web), (KOREADER, "koreaderProgress"), (KOBO, "koboProgress")):
        fraction = _fraction(record.get(field))
        if fraction is not None:
            fractions[name] = fraction
    heard = Heard(fractions, _instant(record.get("lastReadTime")))
    state = BookState(_whole(record.get("id")) or 0, _rating(record), _status(record), heard)
    state.file_id = _whole(server_file.get("id")) if isinstance(server_file, dict) else None
    state.page = _page(record.get(web)) if kind == ours else None
    if kind == ours and isinstance(server_file, dict):
        state.cfi, state.size_kib = _cfi(record.get(web)), _whole(server_file.get("fileSizeKb"))
    metadata = record.get("metadata")
    state.hardcover_id = hardcover_id(metadata.get("hardcoverBookId")) if isinstance(metadata, dict) else None
    state.finished_at = _instant(record.get("dateFinished"))
    return state


def _file(record: dict[str, Json], ours: str) -> Json:
    """The file of our format, else the first."""
    others = record.get("alternativeFormats")
    files = [record.get("primaryFile"), *(others if isinstance(others, list) else [])]
    for file in files:
        if isinstance(file, dict) and file.get("bookType") == ours:
            return file
    return files[0]


def _rating(record: dict[str, Json]) -> str | None:
    rating = _whole(record.get("personalRating"))
    return str(rating) if rating is not None and 1 <= rating <= shared_values.RATING_MOST else None


def _status(record: dict[str, Json]) -> str | None:
    status = record.get("readStatus")
    return status if isinstance(status, str) and shared_values.is_status(status) else None


def _fraction(progress: Json) -> float | None:
    percent = progress.get("percentage") if isinstance(progress, dict) else None
    if isinstance(percent, bool) or not isinstance(percent, (int, float)) or not 0 <= percent <= 100:
        return None
    return percent / 100


def hardcover_id(value: Json) -> int | None:
    """A book's number at Hardcover, which the servers tell as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < ID_LIMIT else None


def _page(progress: Json) -> int | None:
    page = _whole(progress.get("page")) if isinstance(progress, dict) else None
    return page if page is not None and 1 <= page <= PAGES_MOST else None


def _cfi(progress: Json) -> str | None:
    cfi = progress.get("cfi") if isinstance(progress, dict) else None
    return cfi if isinstance(cfi, str) and 0 < len(cfi) <= CFI_MAX_CHARS else None


def _whole(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _instant(value: Json) -> int | None:
    try:
        return from_iso(value) if isinstance(value, str) else None
    except ValueError:
        return None
