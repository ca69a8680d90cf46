"""One client for BookLore and Grimmory: the requests that sync needs.

Promises: only JSON counts as an answer where one is expected (unknown paths answer 200 with a web page). A 401 is
answered with one new token and one more try: it comes from a filter, before the server has done anything.
Never: decides what is sent or what an answer means for the outbox.
Called by: `device/sync.py`.
Source: the controllers of BookLore 2.3.0 and Grimmory 3.2.4. `tests/sandbox/` answers as they do.
"""

from __future__ import annotations

from device import json_text
from device.core import matching
from device.core.instants import from_iso, to_iso
from device.server.errors import BookGone, LoginRefused, NotBookLore, NotReached, TryLater

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.json_text import Json
    from device.server.account import Account
    from device.server.http import Answer, Connection
    from device.store.outbox import Entry

BOOKS = "/api/v1/books?stripForListView=true"  # Grimmory leaves out what lists do not show; BookLore ignores it
SESSIONS = "/api/v1/reading-sessions"

PAGE_SIZE = 100  # the most that BookLore gives; asking for more is answered with 400
PAGES_MAX = 200  # 20,000 sessions of one book
SPACE = " \t\r\n"
SEPARATORS = "," + SPACE
ELEMENT_MAX_CHARS = 1_048_576  # one book with all its metadata; the longest seen are some 20 KB

# The server's BookFileType by file suffix. It has no type for the others: EPUB is the nearest for what flows, PDF for
# what has fixed pages. All of them refuse a session without a type.
BOOK_TYPES = {
    "epub": "EPUB",
    "kepub": "EPUB",
    "pdf": "PDF",
    "djvu": "PDF",
    "djv": "PDF",
    "xps": "PDF",
    "cbz": "CBX",
    "cbr": "CBX",
    "cb7": "CBX",
    "cbt": "CBX",
    "fb2": "FB2",
    "mobi": "MOBI",
    "prc": "MOBI",
    "azw": "AZW3",
    "azw3": "AZW3",
}
BOOK_TYPE_DEFAULT = "EPUB"


class Client:
    def __init__(self, connection: Connection, account: Account) -> None:
        self._connection = connection
        self._account = account

    def log_in(self) -> None:
        """Makes sure of a valid token, so that what fails in getting one fails before anything is begun."""
        self._account.token()

    def post_session(self, entry: Entry) -> Answer:
        """Sends one reading session; the answer's status says what became of it. Raises what `Connection` raises."""
        return self._send("POST", SESSIONS, json_text.encode(session_fields(entry)))

    def session_keys(self, server_id: int) -> Iterator[tuple[int, int, int]]:
        """(started_at, ended_at, duration_s) of every session that the server has of a book.

        Raises BookGone; NotBookLore also when there are more than can be read, because then nothing is proven.
        """
        for page in range(PAGES_MAX):
            answer = self._send("GET", f"{SESSIONS}/book/{server_id}?page={page}&size={PAGE_SIZE}", None)
            if answer.status == 404 and answer.is_json():
                raise BookGone(f"{self._connection.address} does not have the book any more")
            reply = self._json(answer)
            content = reply.get("content") if isinstance(reply, dict) else None
            if not isinstance(content, list):
                raise NotBookLore(f"{self._connection.address} answered a list of sessions with something else")
            for item in content:
                key = _session_key(item)
                if key is not None:
                    yield key
            if not content or page + 1 >= _total_pages(reply):
                return
        raise NotBookLore(f"{self._connection.address} has more sessions of a book than can be compared")

    def books(self) -> Iterator[matching.ServerBook]:
        """The whole library that the account sees, one book after the other, in bounded memory."""
        token = self._account.token()
        answer, body = self._connection.stream(BOOKS, _bearer(token))
        if answer.status == 401:
            for _ in body:
                continue
            answer, body = self._connection.stream(BOOKS, _bearer(self._account.renew()))
        self._expect_json(answer)
        for element in elements(body):
            book = _server_book(element)
            if book is not None:
                yield book

    def _send(self, method: str, path: str, body: bytes | None) -> Answer:
        answer = self._connection.request(method, path, _bearer(self._account.token()), body)
        if answer.status == 401:
            answer = self._connection.request(method, path, _bearer(self._account.renew()), body)
        if answer.status == 401:
            raise LoginRefused(f"{self._connection.address} does not accept the token that it has just given")
        if answer.status == 429:
            raise TryLater(f"{self._connection.address} asks for a pause", 900)
        return answer

    def _json(self, answer: Answer) -> Json:
        self._expect_json(answer)
        try:
            return json_text.decode(answer.body)
        except ValueError as problem:
            raise NotBookLore(f"{self._connection.address} sent JSON that cannot be read") from problem

    def _expect_json(self, answer: Answer) -> None:
        if answer.status >= 500:
            raise NotReached(f"{self._connection.address} failed (HTTP {answer.status})")
        if answer.status != 200 or not answer.is_json():
            raise NotBookLore(f"{self._connection.address} answered HTTP {answer.status} where JSON was expected")


def session_fields(entry: Entry) -> dict[str, Json]:
    """The body of `POST /api/v1/reading-sessions`. Progress is 0..100 there, with two decimals as the web reader's."""
    session = entry.session
    assert session is not None
    fields: dict[str, Json] = {
        "bookId": entry.server_id,
        "bookType": BOOK_TYPES.get(entry.format, BOOK_TYPE_DEFAULT),
        "startTime": to_iso(session.started_at),
        "endTime": to_iso(session.ended_at),
        "durationSeconds": session.duration_s,
        "durationFormatted": duration_text(session.duration_s),
    }
    start, end = percent(session.start_fraction), percent(session.end_fraction)
    if start is not None:
        fields["startProgress"] = start
    if end is not None:
        fields["endProgress"] = end
    if start is not None and end is not None:
        fields["progressDelta"] = round(end - start, 2)
    if session.start_page is not None:
        fields["startLocation"] = str(session.start_page)
    if session.end_page is not None:
        fields["endLocation"] = str(session.end_page)
    return fields


def percent(fraction: float | None) -> float | None:
    """0..1 → 0..100 with two decimals, half up: `round` would go to the even digit."""
    return None if fraction is None else int(fraction * 10_000 + 0.5) / 100


def duration_text(duration_s: int) -> str:
    """3723 → `1h 2m 3s`, as the web reader writes it."""
    minutes, seconds = divmod(duration_s, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}m {seconds}s"
    return f"{minutes}m {seconds}s" if minutes else f"{seconds}s"


def elements(pieces: Iterator[bytes]) -> Iterator[Json]:
    """The elements of one top-level JSON array, read piecewise. Raises NotBookLore if it is something else."""
    text = ""
    undecoded = b""
    opened = closed = False
    for piece in pieces:
        undecoded += piece
        # A piece may end within a character: hold back the last bytes until the rest of it has come.
        whole = _whole_characters(undecoded)
        text = (text + undecoded[:whole].decode("utf-8", "replace")).lstrip(SPACE)
        undecoded = undecoded[whole:]
        if not opened and text:
            if text[0] != "[":
                raise NotBookLore("the list of books is no list")
            opened = True
            text = text[1:]
        at = 0
        while opened and not closed:
            while at < len(text) and text[at] in SEPARATORS:
                at += 1
            if at == len(text):
                break
            if text[at] == "]":
                closed = True
                at += 1
                break
            try:
                element, at = json_text.decode_from(text, at)
            except ValueError:
                if len(text) - at > ELEMENT_MAX_CHARS:
                    raise NotBookLore("the list of books cannot be read") from None
                break
            yield element
        text = text[at:]
        if closed and text.strip(SPACE):
            raise NotBookLore("something follows the list of books")
    if not closed:
        raise NotBookLore("the list of books was cut off")


def _whole_characters(data: bytes) -> int:
    """How many bytes at the beginning of `data` are whole UTF-8 characters, as far as its last four bytes tell."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            return len(data)
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) if back >= needed else len(data) - back
    return len(data)


def _total_pages(reply: Json) -> int:
    """How many pages a list has; where the server does not say, one that is empty ends it."""
    page = reply.get("page") if isinstance(reply, dict) else None
    total = page.get("totalPages") if isinstance(page, dict) else None
    return total if isinstance(total, int) else PAGES_MAX + 1


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _session_key(item: Json) -> tuple[int, int, int] | None:
    if not isinstance(item, dict):
        return None
    start, end, duration_s = item.get("startTime"), item.get("endTime"), item.get("durationSeconds")
    if not isinstance(start, str) or not isinstance(end, str) or not isinstance(duration_s, int):
        return None
    try:
        return from_iso(start), from_iso(end), duration_s
    except ValueError:
        return None


def _server_book(element: Json) -> matching.ServerBook | None:
    if not isinstance(element, dict):
        return None
    server_id = element.get("id")
    if not isinstance(server_id, int):
        return None
    metadata = element.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    authors = metadata.get("authors")
    title = metadata.get("title") or element.get("title")
    others = element.get("alternativeFormats")
    files = [element.get("primaryFile"), *(others if isinstance(others, list) else [])]
    return matching.ServerBook(
        server_id,
        title if isinstance(title, str) else "",
        [author for author in authors if isinstance(author, str)] if isinstance(authors, list) else [],
        [isbn for isbn in (metadata.get("isbn13"), metadata.get("isbn10")) if isinstance(isbn, str)],
        [file for file in (_file(item) for item in files) if file is not None],
    )


def _file(item: Json) -> tuple[str, int] | None:
    if not isinstance(item, dict):
        return None
    name, size_kb = item.get("fileName"), item.get("fileSizeKb")
    return (name, size_kb) if isinstance(name, str) and isinstance(size_kb, int) else None
