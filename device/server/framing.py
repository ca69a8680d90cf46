"""HTTP/1.1's framing over a connected channel: heads, lengths, chunks.

Promises: every wait is bounded by the deadline and by `IDLE_S`; every length is bounded before it is allocated.
Never: connects, decides what an answer means, turns a failure into an error of ours: OSError, EOFError, ValueError and
OutOfTime are its caller's to name.
Called by: `http.py`, `dialing.py` (for a proxy's CONNECT).
Source: RFC 9112.
"""

from __future__ import annotations

import time

from device.server.errors import OutOfTime

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Iterator

    from device.server.tls import Channel

IDLE_S = 30.0  # no byte for this long is a lost answer; a big library takes BookLore some seconds to begin with
CHUNK_BYTES = 16_384
HEAD_MAX_BYTES = 32_768
INTERIM_MAX = 8  # 1xx answers before the real one


class Head:
    """Status and headers of an answer; names of headers are in lower case."""

    __slots__ = ("headers", "last", "status")

    def __init__(self, status: int, headers: dict[str, str], last: bool) -> None:
        self.status = status
        self.headers = headers
        self.last = last  # the server closes the connection behind this answer


class Stream:
    """Bytes over a connected socket, with time limits, and HTTP's framing on top of them."""

    def __init__(self, socket: _socket.socket, channel: Channel, deadline: float) -> None:
        self.deadline = deadline
        self._socket = socket
        self._channel = channel
        self._buffer = b""
        self.is_answered = False  # something has come since the last message went

    def close(self) -> None:
        self._socket.close()

    def has_more(self) -> bool:
        """Whether something came behind what was read."""
        return bool(self._buffer)

    def send(self, message: bytes) -> None:
        self.is_answered = False
        view = memoryview(message)
        while view:
            self._limit()
            view = view[self._channel.send(view) :]

    def head(self) -> Head:
        for _ in range(INTERIM_MAX):
            head = parse_head(self._until(b"\r\n\r\n", HEAD_MAX_BYTES))
            if head.status >= 200:
                return head
        raise ValueError("nothing but interim answers")

    def body(self, head: Head, method: str) -> Iterator[bytes]:
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
        part = self._channel.receive(CHUNK_BYTES)
        self.is_answered = self.is_answered or bool(part)
        return part

    def _limit(self) -> None:
        self._socket.settimeout(time_left(self.deadline, IDLE_S))


def time_left(deadline: float, most: float) -> float:
    """Seconds that a wait may take. Raises OutOfTime."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise OutOfTime("the run's time is up")
    return min(left, most)


def words(problem: Exception | None) -> str:
    """What broke off or failed, for the reader."""
    if problem is None:
        return "it has no address"
    if isinstance(problem, TimeoutError):
        return "no answer"
    return str(problem.strerror or problem) if isinstance(problem, OSError) else str(problem)


def parse_head(block: bytes) -> Head:
    """Raises ValueError for what is no head of an HTTP answer."""
    lines = block.decode("latin-1").split("\r\n")
    protocol, _, rest = lines[0].partition(" ")
    status = rest[:3]
    is_status = len(status) == 3 and status.isascii() and status.isdigit() and rest[3:4] in ("", " ")
    if protocol not in ("HTTP/1.1", "HTTP/1.0") or not is_status:
        raise ValueError(f"no HTTP status line: {lines[0][:40]!r}")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise ValueError(f"no HTTP header: {line[:40]!r}")
        headers[name.lower()] = value.strip()
    connection = headers.get("connection", "").lower()
    last = "close" in connection or (protocol == "HTTP/1.0" and "keep-alive" not in connection)
    return Head(int(status), headers, last)


def _number(text: str, base: int) -> int:
    if not text.isalnum() or len(text) > 12:
        raise ValueError(f"not a length: {text[:20]!r}")
    return int(text, base)
