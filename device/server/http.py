"""HTTP/1.1 over one kept-alive connection, for small JSON requests and one long list.

Promises: every wait is bounded by the run's deadline and by `IDLE_S`; every length is bounded before it is allocated; a
request that may change something reaches a server that could act on it at most once. Whatever goes wrong after its
first byte has left is `ReplyLost`; `NotReached`, `Untrusted` and `OutOfTime` mean that nothing has been done.
A server may be known by several addresses (`ways`): one that does not answer is given up for the rest of the run, so
that it costs one time-out. Where a redirect leads is remembered for the run, so that it costs one request.
In another network the address at home may be another BookLore's. Until a request with our token was accepted there it
is unproven: password and refresh token go by another way as long as one is left (`request_in_secret`), and a refusal
gives the unproven way up.
Never: decides about other status codes, retries a request that changes something.
Called by: `account.py`, `client.py`, `device/sending/connecting.py` and `selfcheck.py`.
Source: RFC 9112; framing, proxies and redirects have modules of their own beside this one.
"""

from __future__ import annotations

import time
import zlib

from device import json_text
from device.core.instants import from_http_date
from device.server import proxy as proxies
from device.server import redirects, strangers
from device.server.dialing import Places, dial
from device.server.errors import LoginPage, NotBookLore, NotReached, OutOfTime, ReplyLost, Untrusted
from device.server.framing import CHUNK_BYTES, IDLE_S, words
from device.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.server.address import Address
    from device.server.framing import Head, Stream
    from device.server.proxy import Proxy
    from device.server.tls import Trust

__all__ = ["CONNECT_S", "IDLE_S", "Answer", "Connection", "Way"]

CONNECT_S = 10.0  # one address of the server; a dead host costs this once per run
CONNECT_LOCALLY_S = 3.0  # an address at home answers at once, or this is another network
PROBE_S = 5.0  # for the answer of an address that may be somebody else's here
BODY_MAX_BYTES = 1_048_576  # answers are small; only a book list is longer, and that is streamed
STREAM_MAX_BYTES = 256 * 1_048_576  # more than any library: 20,000 books make 20 MB
PROBE_MAX_BYTES = 65_536
HEALTH = "/api/v1/healthcheck"
REFUSALS = (400, 401, 403)  # by which another BookLore says that it does not know our token
AUTHORIZATION = "Authorization"

# A wait that ended without a byte, a connection that broke, and (Linux) a stale one that was reset.
_BROKEN = (OSError, EOFError)


class Answer:
    """A whole answer. Header names are in lower case."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def is_json(self) -> bool:
        return self.headers.get("content-type", "").lower().startswith("application/json")


class _Stale(ReplyLost):
    """A kept connection ended before the first byte of an answer, as servers end what was idle."""


class Way:
    """One address of the server, and where a redirect of it has led. `is_doubtful`: in this network it may be somebody
    else's. Over http:// it then has to say first that it is BookLore (`wants_a_look`), and is unproven until it has
    taken our token."""

    __slots__ = ("address", "connect_s", "is_doubtful", "is_unproven", "leads_to", "wants_a_look")

    def __init__(self, address: Address, connect_s: float = CONNECT_S, is_doubtful: bool = False) -> None:
        self.address = address
        self.leads_to = address
        self.connect_s = connect_s
        self.is_doubtful = is_doubtful
        self.wants_a_look = self.is_unproven = is_doubtful and address.scheme == "http"


class Connection:
    """One server, at most one open connection. `deadline` is on the monotonic clock, in seconds.

    `address` is where it is spoken to now: that of the way in use, or where a redirect of it has led. `ways` are tried
    in their order.
    """

    def __init__(
        self,
        address: Address,
        trust: Trust,
        deadline: float,
        ways: list[Way] | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        self._ways = ways or [Way(address)]  # what is left of them; the one in use comes first
        self._known = [way.address for way in self._ways]
        self._places = Places()
        self._put_off: Way | None = None  # unproven, and so passed over for something secret
        self._refused: Exception | None = None  # what went wrong with a way that is not in doubt
        self._proxy = proxy
        self._server_date: tuple[int, float] | None = None  # by the last `Date` header, and when it came
        self._trust = trust
        self._deadline = deadline
        self._stream: Stream | None = None

    @property
    def address(self) -> Address:
        return self._ways[0].leads_to

    def way(self) -> Way:
        """The one in use."""
        return self._ways[0]

    def is_unproven(self) -> bool:
        """Whether what answers may still be another BookLore than ours."""
        return self._ways[0].is_unproven and self.address.scheme == "http"

    def prove(self) -> None:
        """What answers has shown that it is our server."""
        self._ways[0].is_unproven = False

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """Sends one request and reads its whole answer.

        Raises NotReached, Untrusted, OutOfTime, ReplyLost, LoginPage.
        """
        self._come_back()
        return self._whole(method, path, headers, body)

    def request_in_secret(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The same for what nobody else may read, a password or a refresh token: by an unproven way only where no other
        is left. Afterwards `address` is where it went; the next request goes by the first way again."""
        way = self._ways[0]
        put_off = self._put_off
        self.avoid_doubt()
        self._put_off = put_off if self._ways[0] is way else way
        return self._whole(method, path, headers, body)

    def avoid_doubt(self) -> None:
        """All that follows is secret: an unproven way comes last from here on."""
        self._put_off = None
        if self.is_unproven() and len(self._ways) > 1:
            self.close()
            self._ways.append(self._ways.pop(0))

    def _come_back(self) -> None:
        way, self._put_off = self._put_off, None
        if way is not None and way in self._ways and self._ways[0] is not way:
            self.close()
            self._ways.remove(way)
            self._ways.insert(0, way)

    def _whole(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
        head = self._begin(method, path, headers, body)
        parts: list[bytes] = []
        length = 0
        for part in self._body(head, method):
            length += len(part)
            if length > BODY_MAX_BYTES:
                self.close()
                raise ReplyLost(f"{self.address} answered with more than {BODY_MAX_BYTES} bytes")
            parts.append(part)
        return Answer(head.status, head.headers, b"".join(parts))

    def stream(self, path: str, headers: dict[str, str]) -> tuple[Answer, Iterator[bytes]]:
        """GETs something long: the answer without its body, and the body in pieces, which must be read to its end."""
        self._come_back()
        head = self._begin("GET", path, headers, None)
        return Answer(head.status, head.headers, b""), self._body(head, "GET")

    def connect(self) -> None:
        """Makes sure of a connection, so that what fails in getting one fails before anything is begun."""
        self._come_back()
        self._open_stream()

    def server_now(self) -> int | None:
        """What the server's clock says, in epoch seconds; None if it has not said yet."""
        if self._server_date is None:
            return None
        date, came_at = self._server_date
        return date + int(time.monotonic() - came_at)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _note_date(self, text: str) -> None:
        try:
            self._server_date = from_http_date(text), time.monotonic()
        except ValueError:
            return  # a server without a clock of its own need not send one

    # Requests

    def _begin(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Head:
        is_secret = method != "GET" or AUTHORIZATION in headers
        followed = 0
        while followed <= redirects.REDIRECTS_MOST:
            head = self._ask(method, path, headers, body)
            if head.status in redirects.REDIRECTS:
                self._follow(head, method, path, is_secret)
                followed += 1
            elif self._is_refused_in_doubt(head, headers):
                self._give_up(self._ways[0])
            else:
                return head
        raise LoginPage(f"{self.address} redirects in a circle", True)

    def _follow(self, head: Head, method: str, path: str, is_secret: bool) -> None:
        self.close()  # its page is not wanted, and the next connection may be another
        way, here = self._ways[0], self.address
        way.leads_to = redirects.target(head.status, head.headers.get("location", ""), method, path, here, self._known)
        if is_secret and redirects.leads_to_another_program(here, way.leads_to, self._known):
            way.wants_a_look = True

    def _is_refused_in_doubt(self, head: Head, headers: dict[str, str]) -> bool:
        """Whether another BookLore seems to answer, and there is another way to ours. A token that was taken proves
        that it is ours."""
        if not self.is_unproven() or not headers.get(AUTHORIZATION, "").startswith("Bearer "):
            return False
        if 200 <= head.status < 300 and head.status != 203:
            self.prove()
        return head.status in REFUSALS and len(self._ways) > 1

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Head:
        kept = self._stream is not None
        try:
            return self._exchange(method, path, headers, body)
        except _Stale:
            # The server may close a kept connection at any time; only a GET may simply be sent once more.
            if not kept or method != "GET":
                raise
        return self._exchange(method, path, headers, body)

    def _exchange(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Head:
        stream = self._open_stream()
        try:
            stream.send(self._message(method, path, headers, body))
            head = stream.head()
        except OutOfTime:
            self.close()
            raise ReplyLost(f"{self.address} did not answer before the run's time was up") from None
        except _BROKEN as problem:
            self.close()
            is_stale = not stream.is_answered and not isinstance(problem, TimeoutError)
            lost = _Stale if is_stale else ReplyLost
            raise lost(f"{self.address} broke off ({words(problem)})") from problem
        except ValueError as problem:
            self.close()
            raise ReplyLost(f"{self.address} does not speak HTTP: {problem}") from problem
        proxy = self._proxy_for_http()
        if proxy is not None and head.status == proxies.AUTHENTICATION_REQUIRED:
            self.close()
            raise proxy.trouble(head.status, self.address)
        if head.status not in redirects.REDIRECTS:
            self._note_date(head.headers.get("date", ""))
        return head

    def _message(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> bytes:
        proxy = self._proxy_for_http()
        origin = "" if proxy is None else f"http://{self.address.host_header()}"
        lines = [
            f"{method} {origin}{self.address.base}{path} HTTP/1.1",
            f"Host: {self.address.host_header()}",
            f"User-Agent: booklore-sync/{VERSION}",
            "Accept: application/json",
            "Accept-Encoding: gzip",
        ]
        if proxy is not None:
            lines.extend(proxy.headers())
        lines.extend(f"{name}: {value}" for name, value in headers.items())
        if body is not None:
            lines.append("Content-Type: application/json")
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + (body or b"")

    # Connections

    def _open_stream(self) -> Stream:
        while self._stream is None:
            way = self._ways[0]
            shown, self._trust.presented = self._trust.presented, None
            try:
                self._stream = self._reached(way)
                way.is_doubtful = False
            except (NotReached, Untrusted, NotBookLore) as problem:
                self.close()
                if way.is_doubtful:
                    # Whether it is a stranger's certificate only the reader knows; and what went wrong with the way
                    # that is not in doubt is the news.
                    self._trust.presented_in_doubt = self._trust.presented
                    self._trust.presented = None
                else:
                    self._refused = problem
                if len(self._ways) == 1:
                    if self._refused is None or self._refused is problem:
                        raise
                    raise self._refused from problem
                self._give_up(way)
            finally:
                self._trust.presented = self._trust.presented or shown
        return self._stream

    def _give_up(self, way: Way) -> None:
        """It does not lead to the server: the next one, for the rest of the run."""
        self.close()
        self._ways.remove(way)
        self._trust.ask_all = False

    def _reached(self, way: Way) -> Stream:
        for _ in range(redirects.REDIRECTS_MOST + 1):
            stream = self._dialed(way)
            if not way.wants_a_look:
                return stream
            if self._is_sure(stream, way):
                way.wants_a_look = False
                # It may close after each answer.
                return self._stream or self._dialed(way)
        raise LoginPage(f"{self.address} redirects in a circle", True)

    def _dialed(self, way: Way) -> Stream:
        return dial(self.address, self._trust, self._proxy_here(), way.connect_s, self._deadline, self._places)

    def _is_sure(self, stream: Stream, way: Way) -> bool:
        """Whether BookLore answers here; False if it redirects. Raises NotReached or NotBookLore for what is none.
        It is told nothing that is secret."""
        self._stream = stream
        stream.deadline = min(self._deadline, time.monotonic() + PROBE_S)
        try:
            stream.send(self._message("GET", HEALTH, {}, None))
            head = stream.head()
            if head.status in redirects.REDIRECTS:
                was_open = self.address.scheme == "http"
                self._follow(head, "GET", HEALTH, True)
                if was_open and self.address.scheme == "https":
                    way.wants_a_look = False  # its certificate tells
                return False
            body = b""
            for part in self._body(head, "GET"):
                body += part
                if len(body) > PROBE_MAX_BYTES:
                    raise ValueError("a health that long")
            reply = json_text.decode(body) if head.status == 200 else None
        except (*_BROKEN, ReplyLost, OutOfTime) as problem:
            raise NotReached(f"{self.address} does not answer as BookLore does ({words(problem)})") from problem
        except ValueError:
            reply = None
        if not strangers.is_booklore(reply):
            raise NotBookLore(f"what answers at {self.address} is not BookLore")
        stream.deadline = self._deadline
        return True

    def _proxy_here(self) -> Proxy | None:
        return self._proxy if proxies.is_used_for(self.address) else None

    def _proxy_for_http(self) -> Proxy | None:
        """The proxy if it reads what is sent; what goes through its tunnel it does not."""
        return self._proxy_here() if self.address.scheme == "http" else None

    def _body(self, head: Head, method: str) -> Iterator[bytes]:
        stream = self._stream
        if stream is None:
            return
        gzip = head.headers.get("content-encoding", "").lower() == "gzip"
        unzip = zlib.decompressobj(31) if gzip else None  # 31: gzip framing, largest window
        total = 0
        try:
            for part in stream.body(head, method):
                pieces = [part] if unzip is None else _unzipped(unzip, part)
                for piece in pieces:
                    total += len(piece)
                    if total > STREAM_MAX_BYTES:
                        raise ValueError("an endless answer")
                    yield piece
            if unzip is not None and not unzip.eof and total:
                raise EOFError("a compressed answer was cut off")
        except OutOfTime:
            self.close()
            raise ReplyLost(f"{self.address} did not finish its answer before the run's time was up") from None
        except (ValueError, zlib.error) as problem:
            self.close()
            raise ReplyLost(f"{self.address} sent a garbled answer: {problem}") from problem
        except _BROKEN as problem:
            self.close()
            raise ReplyLost(f"{self.address} broke off in mid-answer ({words(problem)})") from problem
        if head.last:
            self.close()


def _unzipped(unzip: zlib._Decompress, part: bytes) -> Iterator[bytes]:
    while part:
        yield unzip.decompress(part, CHUNK_BYTES)
        part = unzip.unconsumed_tail
