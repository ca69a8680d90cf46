"""One client for BookLore, Grimmory and the WorldTeacher image: the requests that sync needs.

Promises: only JSON counts as an answer where one is expected (unknown paths answer 200 with a web page). A question
that is answered with 401 is asked once more with a new token; a delivery is not, because its caller has to write down
when the second one begins.
Never: decides what is sent or what an answer means for the outbox.
Called by: `device/sending/sender.py`, `device/sending/reading_back.py`.
Source: the controllers of BookLore 2.3.0 and Grimmory 3.2.4. `tests/sandbox/` answers as they do.
"""

from __future__ import annotations

from device import json_text
from device.core.instants import from_iso
from device.server import strangers
from device.server.answers import decoded, is_own_error, message
from device.server.deliveries import SESSIONS
from device.server.errors import BookGone, LoginRefused, NotAllowed, NotBookLore, ServerFailed, TryLater
from device.server.json_stream import elements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.core.read_back import Span
    from device.json_text import Json
    from device.server.account import Account
    from device.server.deliveries import Kind, Request
    from device.server.http import Answer, Connection

BOOK = "/api/v1/books/"
HEALTH = "/api/v1/healthcheck"
BY_HASH = "/api/v1/books/by-hash/" + "0" * 32  # no book has it: JSON where there is such an endpoint, a web page else

PAGE_SIZES = (100, 89, 71)  # BookLore gives 100 at most; the others cut the same list in other places
PAGES_MOST = 300  # more than 20,000 sessions of one book
PAUSE_AFTER_429_S = 900


class Page:
    """One page of the server's sessions: (id, span) of each, and how many rows it says that there are in all."""

    __slots__ = ("is_last", "rows", "total")

    def __init__(self, rows: list[tuple[int | None, Span | None]], total: int | None, is_last: bool) -> None:
        self.rows = rows
        self.total = total
        self.is_last = is_last


class Client:
    def __init__(self, connection: Connection, account: Account) -> None:
        self._connection = connection
        self._account = account
        self._spoke = False  # it has answered in this run, as far as one can tell: over TLS nobody else can

    @property
    def connection(self) -> Connection:
        return self._connection

    @property
    def account(self) -> Account:
        return self._account

    def token(self) -> str:
        """A valid access token. Raises what a login raises."""
        return self._account.token()

    def log_in(self) -> None:
        """Makes sure of a valid token and a connection, so that what fails there fails before anything is begun."""
        self._account.token()
        self._connection.connect()

    def renew(self) -> None:
        self._account.renew()
        self._connection.connect()

    def rest(self) -> None:
        """Nothing will be asked for a while; servers close what is idle, and a request must not meet that."""
        self._connection.close()

    def has_spoken(self) -> bool:
        """Whether BookLore itself has answered in this run, rather than something in between."""
        return self._spoke

    def server_now(self) -> int | None:
        return self._connection.server_now()

    def hear(self) -> int | None:
        """What BookLore itself says the time is: at the login, if this run needed one, else when asked for its health.

        To be called before anything else is asked. None if it does not say.
        """
        self.log_in()
        if self.server_now() is None:
            answer = self._ask(HEALTH)
            if answer.status != 200 or not answer.is_json():
                return None
        return self.server_now()

    def make_sure(self) -> None:
        """Some networks' login pages answer everything with an empty 204: before one is believed, BookLore must have
        spoken. Over TLS nobody else can. Raises NotBookLore."""
        if not self._spoke and self._connection.address.scheme == "http":
            self._json(self._ask(HEALTH))

    def deliver(self, request: Request) -> Answer:
        """Sends what may change something, once; the answer's status says what became of it. 401: nothing did.

        Raises what `Connection` raises, and TryLater.
        """
        return self._once(request.method, request.path, request.body)

    def still_refused(self) -> LoginRefused:
        return LoginRefused(f"{self._connection.address} does not accept the token that it has just given")

    def stranger(self, answer: Answer) -> NotBookLore:
        return NotBookLore(strangers.words(self._connection.address, answer))

    def failing(self, words: str) -> ServerFailed:
        return ServerFailed(f"{self._connection.address} {words}")

    def session_pages(self, server_id: int, size: int) -> Iterator[Page]:
        """What the server has of a book, the newest first. Raises BookGone, ServerFailed, NotBookLore."""
        for number in range(PAGES_MOST):
            answer = self._ask(f"{SESSIONS}/book/{server_id}?page={number}&size={size}")
            if answer.status == 404 and is_own_error(answer):
                raise BookGone(f"{self._connection.address} does not have the book any more")
            page = _page(self._json(answer), number)
            if page is None:
                raise NotBookLore(f"{self._connection.address} answered a list of sessions with something else")
            yield page
            if page.is_last:
                return
        raise NotBookLore(f"{self._connection.address} has more sessions of a book than can be compared")

    def marks(self, kind: Kind, server_id: int) -> Iterator[Json]:
        """Every row of a kind that the server has of a book."""
        return self._elements(f"{kind.list_path}{server_id}")

    def has_book(self, server_id: int) -> bool | None:
        """None if the server does not say."""
        answer = self._ask(f"{BOOK}{server_id}")
        if is_own_error(answer):
            return {404: False, 403: True}.get(answer.status)
        book = decoded(answer) if answer.status == 200 else None
        return True if isinstance(book, dict) and book.get("id") == server_id else None

    def takes_batches(self) -> bool | None:
        """Whether this is an image with batches, which also finds books by hash. None if the server does not say."""
        answer = self._ask(BY_HASH)
        if is_own_error(answer):
            return True if answer.status == 404 else None
        return False if answer.status in (200, 404) and not answer.is_json() else None

    def get(self, path: str) -> Json:
        """The JSON that a path answers with. Raises NotBookLore, ServerFailed."""
        return self._json(self._ask(path))

    def json_of(self, answer: Answer) -> Json:
        """The JSON of an answer. Raises as `get` does."""
        return self._json(answer)

    def answer(self, path: str) -> Answer:
        """Whatever a path answers, with a valid token; for endpoints that not every server has."""
        return self._ask(path)

    def elements(self, path: str) -> Iterator[Json]:
        """The members of a long JSON list, in bounded memory."""
        return self._elements(path)

    def _elements(self, path: str) -> Iterator[Json]:
        answer, body = self._connection.stream(path, _bearer(self._account.token()))
        if answer.status == 401:
            for _ in body:
                continue
            answer, body = self._connection.stream(path, _bearer(self._account.renew()))
        if answer.status != 200 or not answer.is_json():
            self._connection.close()  # what is left of its body is not wanted
        self._expect_json(answer)
        try:
            yield from elements(body)
        except NotBookLore:
            self._connection.close()
            raise
        self._spoke = True

    def _ask(self, path: str) -> Answer:
        answer = self._once("GET", path, None)
        if answer.status == 401:
            self._account.renew()
            answer = self._once("GET", path, None)
        if answer.status == 401:
            raise self.still_refused()
        return answer

    def _once(self, method: str, path: str, body: bytes | None) -> Answer:
        answer = self._connection.request(method, path, _bearer(self._account.token()), body)
        if answer.status == 429:
            raise TryLater(strangers.words(self._connection.address, answer), PAUSE_AFTER_429_S)
        if answer.status == 202 or answer.is_json() or self._connection.address.scheme == "https":
            self._spoke = True
        return answer

    def _json(self, answer: Answer) -> Json:
        self._expect_json(answer)
        try:
            value = json_text.decode(answer.body)
        except ValueError as problem:
            raise NotBookLore(f"{self._connection.address} sent JSON that cannot be read") from problem
        return value

    def _expect_json(self, answer: Answer) -> None:
        if answer.status == 401:
            raise self.still_refused()
        if answer.status >= 500:
            raise ServerFailed(strangers.words(self._connection.address, answer))
        if answer.status == 403 and is_own_error(answer):
            raise NotAllowed(f"{self._connection.address} does not allow this account to see that ({message(answer)})")
        if answer.status != 200 or not answer.is_json():
            raise self.stranger(answer)


def _page(reply: Json, number: int) -> Page | None:
    """Spring tells the numbers of a list in `page`, older versions beside the rows."""
    if not isinstance(reply, dict):
        return None
    content = reply.get("content")
    if not isinstance(content, list):
        return None
    about = reply.get("page")
    counts = about if isinstance(about, dict) else reply
    total, pages = counts.get("totalElements"), counts.get("totalPages")
    is_last = not content or (isinstance(pages, int) and number + 1 >= pages)
    rows = [(_id(item), _span(item)) for item in content]
    return Page(rows, total if isinstance(total, int) else None, is_last)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _id(item: Json) -> int | None:
    id = item.get("id") if isinstance(item, dict) else None
    return id if isinstance(id, int) else None


def _span(item: Json) -> Span | None:
    if not isinstance(item, dict):
        return None
    start, end, duration_s = item.get("startTime"), item.get("endTime"), item.get("durationSeconds")
    if not isinstance(start, str) or not isinstance(end, str) or not isinstance(duration_s, int):
        return None
    try:
        return from_iso(start), from_iso(end), duration_s
    except ValueError:
        return None
