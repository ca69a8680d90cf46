"""HTTP/1.1 over one kept-alive connection, for small JSON requests and one long list.

Promises: every wait is bounded by the run's deadline and by `IDLE_S`; every length is bounded before it is allocated; a
request that may change something is sent at most once. Whatever goes wrong after its first byte has left is
`ReplyLost`; `NotReached`, `Untrusted` and `OutOfTime` mean that nothing has.
Never: follows redirects, decides about status codes, retries a request that changes something.
Called by: `account.py` and `client.py`.
Source: RFC 9112. Host names are passed to the resolver as bytes, so no IDNA codec is needed in the image.
"""

from __future__ import annotations

import _socket
import time
import zlib

from device.core.instants import from_http_date
from device.server import tls
from device.server.errors import NotReached, OutOfTime, ReplyLost
from device.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.server.address import Address
    from device.server.tls import Trust

CONNECT_S = 10.0  # one address of the server; a dead host costs this once per run
IDLE_S = 30.0  # no byte for this long is a lost answer; a big library takes BookLore some seconds to begin with
CHUNK_BYTES = 16_384
HEAD_MAX_BYTES = 32_768
BODY_MAX_BYTES = 1_048_576  # answers are small; only a book list is longer, and that is streamed
STREAM_MAX_BYTES = 256 * 1_048_576  # more than any library: 20,000 books make 20 MB
INTERIM_MAX = 8  # 1xx answers before the real one

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


class Connection:
    """One server, at most one open connection. `deadline` is on the monotonic clock, in seconds."""

    def __init__(self, address: Address, trust: Trust, deadline: float) -> None:
        self.address = address
        self._server_date: tuple[int, float] | None = None  # by the last `Date` header, and when it came
        self._trust = trust
        self._deadline = deadline
        self._stream: _Stream | None = None

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """Sends one request and reads its whole answer.

        Raises NotReached, Untrusted, OutOfTime, ReplyLost.
        """
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
        head = self._begin("GET", path, headers, None)
        return Answer(head.status, head.headers, b""), self._body(head, "GET")

    def connect(self) -> None:
        """Makes sure of a connection, so that what fails in getting one fails before anything is begun."""
        if self._stream is None:
            self._stream = self._connect()

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

    def _begin(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> _Head:
        message = self._message(method, path, headers, body)
        kept = self._stream is not None
        try:
            return self._exchange(message)
        except ReplyLost:
            # The server may close a kept connection at any time; only a GET may simply be sent once more.
            if not kept or method != "GET":
                raise
        return self._exchange(message)

    def _message(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> bytes:
        lines = [
            f"{method} {self.address.base}{path} HTTP/1.1",
            f"Host: {self.address.host_header()}",
            f"User-Agent: booklore-sync/{VERSION}",
            "Accept: application/json",
            "Accept-Encoding: gzip",
        ]
        lines.extend(f"{name}: {value}" for name, value in headers.items())
        if body is not None:
            lines.append("Content-Type: application/json")
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + (body or b"")

    def _exchange(self, message: bytes) -> _Head:
        if self._stream is None:
            self._stream = self._connect()
        stream = self._stream
        try:
            stream.send(message)
            head = stream.head()
        except OutOfTime:
            self.close()
            raise ReplyLost(f"{self.address} did not answer before the run's time was up") from None
        except _BROKEN as problem:
            self.close()
            raise ReplyLost(f"{self.address} broke off ({_words(problem)})") from problem
        except ValueError as problem:
            self.close()
            raise ReplyLost(f"{self.address} does not speak HTTP: {problem}") from problem
        self._note_date(head.headers.get("date", ""))
        return head

    def _connect(self) -> _Stream:
        try:
            return _connect(self.address, self._trust, self._deadline)
        except tls.FewNotEnough:
            return _connect(self.address, self._trust, self._deadline)

    def _body(self, head: _Head, method: str) -> Iterator[bytes]:
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
            raise ReplyLost(f"{self.address} broke off in mid-answer ({_words(problem)})") from problem
        if head.last:
            self.close()


def _unzipped(unzip: zlib._Decompress, part: bytes) -> Iterator[bytes]:
    while part:
        yield unzip.decompress(part, CHUNK_BYTES)
        part = unzip.unconsumed_tail


class _Socket(_socket.socket):
    """`_ssl` keeps a weak reference to the socket below it, which the C type alone does not allow."""

    __slots__ = ("__weakref__",)


class _Head:
    __slots__ = ("headers", "last", "status")

    def __init__(self, status: int, headers: dict[str, str], last: bool) -> None:
        self.status = status
        self.headers = headers
        self.last = last  # the server closes the connection behind this answer


class _Stream:
    """Bytes over a connected socket, with time limits, and HTTP's framing on top of them."""

    def __init__(self, socket: _socket.socket, channel: tls.Channel, deadline: float) -> None:
        self._socket = socket
        self._channel = channel
        self._deadline = deadline
        self._buffer = b""

    def close(self) -> None:
        self._socket.close()

    def send(self, message: bytes) -> None:
        view = memoryview(message)
        while view:
            self._limit()
            view = view[self._channel.send(view) :]

    def head(self) -> _Head:
        for _ in range(INTERIM_MAX):
            head = _parse_head(self._until(b"\r\n\r\n", HEAD_MAX_BYTES))
            if head.status >= 200:
                return head
        raise ValueError("nothing but interim answers")

    def body(self, head: _Head, method: str) -> Iterator[bytes]:
        if method == "HEAD" or head.status in (204, 304):
            return
        if "chunked" in head.headers.get("transfer-encoding", "").lower():
            yield from self._chunks()
        elif "content-length" in head.headers:
            yield from self._exactly(_number(head.headers["content-length"], 10))
        else:
            head.last = True
            while part := self._buffer or self._receive():
                self._buffer = b""
                yield part

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size = _number(self._until(b"\r\n", 256).partition(b";")[0].strip().decode("latin-1"), 16)
            if size == 0:
                break
            yield from self._exactly(size)
            if self._until(b"\r\n", 2):
                raise ValueError("a chunk longer than it says")
        while self._until(b"\r\n", HEAD_MAX_BYTES):
            continue  # trailers

    def _exactly(self, length: int) -> Iterator[bytes]:
        while length:
            if not self._buffer:
                self._buffer = self._receive()
                if not self._buffer:
                    raise EOFError("the answer was cut off")
            part = self._buffer[:length]
            self._buffer = self._buffer[length:]
            length -= len(part)
            yield part

    def _until(self, mark: bytes, limit: int) -> bytes:
        while True:
            found, separator, rest = self._buffer.partition(mark)
            if separator:
                self._buffer = rest
                return found
            if len(self._buffer) > limit + len(mark):
                raise ValueError("a line without an end")
            part = self._receive()
            if not part:
                raise EOFError("the connection was closed")
            self._buffer += part

    def _receive(self) -> bytes:
        self._limit()
        return self._channel.receive(CHUNK_BYTES)

    def _limit(self) -> None:
        self._socket.settimeout(_time_left(self._deadline, IDLE_S))


def _time_left(deadline: float, most: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise OutOfTime("the run's time is up")
    return min(left, most)


def _connect(address: Address, trust: Trust, deadline: float) -> _Stream:
    try:
        found = _socket.getaddrinfo(address.host.encode("ascii"), address.port, 0, _socket.SOCK_STREAM)
    except OSError as problem:
        raise NotReached(f"{address.host} is not known in this network ({_words(problem)})") from problem
    problem_found: OSError | None = None
    for family, kind, protocol, _name, place in found:
        socket = _Socket(family, kind | _socket.SOCK_CLOEXEC, protocol)
        try:
            socket.settimeout(_time_left(deadline, CONNECT_S))
            socket.connect(place)
            socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            channel = tls.open_channel(socket, address, trust)
            return _Stream(socket, channel, deadline)
        except OSError as problem:
            socket.close()
            problem_found = problem
        except BaseException:
            socket.close()
            raise
    raise NotReached(f"{address} cannot be reached ({_words(problem_found)})") from problem_found


def _words(problem: Exception | None) -> str:
    if problem is None:
        return "it has no address"
    if isinstance(problem, TimeoutError):
        return "no answer"
    return str(problem.strerror or problem) if isinstance(problem, OSError) else str(problem)


def _parse_head(block: bytes) -> _Head:
    lines = block.decode("latin-1").split("\r\n")
    protocol, _, rest = lines[0].partition(" ")
    status = rest[:3]
    if protocol not in ("HTTP/1.1", "HTTP/1.0") or not status.isdigit() or rest[3:4] not in ("", " "):
        raise ValueError(f"no HTTP status line: {lines[0][:40]!r}")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise ValueError(f"no HTTP header: {line[:40]!r}")
        headers[name.lower()] = value.strip()
    connection = headers.get("connection", "").lower()
    last = "close" in connection or (protocol == "HTTP/1.0" and "keep-alive" not in connection)
    return _Head(int(status), headers, last)


def _number(text: str, base: int) -> int:
    if not text.isalnum() or len(text) > 12:
        raise ValueError(f"not a length: {text[:20]!r}")
    return int(text, base)
