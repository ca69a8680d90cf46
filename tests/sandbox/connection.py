"""HTTP/1.1 on one connection: requests in, answers out.

Promises: keep-alive, chunked and length-bounded bodies in both directions, gzip for JSON above `GZIP_FROM_BYTES`, a
`Date` header by the stand-in's clock; every request is recorded before its answer leaves. JSON goes out in chunks, as
the servers' own software does it.
Never: knows what a path means.
Called by: `http_server`, in a thread for each connection.
Law: RFC 9112; the API map §2 on gzip.
"""

from __future__ import annotations

import gzip
import socket
import struct
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.sandbox.faults import FAULTS
from tests.sandbox.messages import JSON_TYPE, Request, Response
from tests.sandbox.recorder import RecordedRequest

if TYPE_CHECKING:
    from tests.sandbox.http_server import HttpServer

GZIP_FROM_BYTES = 1024
CHUNK_BYTES = 8192  # the output buffer of the servers' software
LARGEST_HEAD_BYTES = 64 * 1024
LARGEST_BODY_BYTES = 64 * 1024 * 1024  # the servers set no limit; this one only guards the machine of the tests
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, zero seconds


class Closed(Exception):
    """The client is gone, or said something that is not HTTP."""


class Connection:
    """One client, one request after the other; is the `Exchange` that faults act on."""

    def __init__(self, server: HttpServer, client: socket.socket, number: int) -> None:
        self._server = server
        self._client = client
        self._number = number
        self._buffer = b""
        self._request: Request | None = None
        self._record: RecordedRequest | None = None
        self._is_open = True
        self._served = 0

    def serve(self) -> None:
        while self._is_open and not self._server.stopping.is_set():
            self._request = self._receive()
            self._served += 1
            fault = self._server.plan.take(self._request.method, self._request.path)
            if fault is None:
                self.send(self.handle())
            else:
                assert self._record is not None
                self._record.fault = fault.do
                FAULTS[fault.do](fault, self)
            self._is_open = self._is_open and self._keeps_alive(self._request)

    # The exchange

    def handle(self) -> Response:
        assert self._request is not None
        return self._server.answer(self._request)

    def send(self, response: Response) -> None:
        assert self._record is not None
        self._record.status = response.status
        self.send_bytes(self.encode(response))

    def send_bytes(self, data: bytes) -> None:
        assert self._record is not None
        self._record.bytes_out += len(data)
        self._client.sendall(data)

    def hang_up(self) -> None:
        self._is_open = False

    def reset(self) -> None:
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._is_open = False

    def pause(self, seconds: float) -> None:
        if self._server.stopping.wait(seconds):
            raise Closed

    def restart(self, seconds: float) -> None:
        self._server.restart(seconds)
        raise Closed

    def encode(self, response: Response) -> bytes:
        assert self._request is not None
        body, headers = response.body, dict(response.headers)
        if response.content_type is not None:
            headers["Content-Type"] = response.content_type
        if response.content_type == JSON_TYPE and len(body) > GZIP_FROM_BYTES and self._request.accepts_gzip:
            body = gzip.compress(body)
            headers |= {"Content-Encoding": "gzip", "Vary": "accept-encoding"}
        if response.content_type == JSON_TYPE and self._request.speaks_http_1_1:
            headers["Transfer-Encoding"] = "chunked"
            body = _chunked(body)
        elif response.status != 204:
            headers["Content-Length"] = str(len(body))
        head = self._head(response, headers)
        return head if self._request.method == "HEAD" else head + body

    def head_of_chunked_answer(self) -> bytes:
        return self._head(Response(200), {"Content-Type": JSON_TYPE, "Transfer-Encoding": "chunked"})

    def _head(self, response: Response, headers: dict[str, str]) -> bytes:
        assert self._request is not None
        headers["Date"] = formatdate(self._server.clock.now(), usegmt=True)
        if not self._keeps_alive(self._request):
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {response.status} {response.reason}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _keeps_alive(self, request: Request) -> bool:
        limit = self._server.requests_per_connection
        return request.keeps_alive and (limit is None or self._served < limit)

    # Reading

    def _receive(self) -> Request:
        head = self._read_until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        try:
            method, target, version = lines[0].split(" ")
            headers = dict(_header(line) for line in lines[1:] if line)
        except ValueError:
            raise Closed from None
        if headers.get("expect", "").lower() == "100-continue":
            self._client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body, body_bytes_in = self._read_body(headers)
        address = urlsplit(target)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        connection = headers.get("connection", "").lower()
        is_1_1 = version == "HTTP/1.1"
        request = Request(
            method,
            unquote(address.path),
            query,
            headers,
            body,
            self._client.getpeername()[0],
            keeps_alive=connection != "close" if is_1_1 else connection == "keep-alive",
            speaks_http_1_1=is_1_1,
        )
        self._record = self._server.recorder.begin(
            self._number, self._server.clock.now(), method, request.path, query, headers, len(head) + body_bytes_in
        )
        return request

    def _read_body(self, headers: dict[str, str]) -> tuple[bytes, int]:
        """The body, and how many bytes it took on the wire."""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._read_chunks()
        try:
            length = int(headers.get("content-length", "0"))
        except ValueError:
            raise Closed from None
        body = self._read_exactly(length)
        return body, length

    def _read_chunks(self) -> tuple[bytes, int]:
        body, wire_bytes = b"", 0
        while True:
            size_line = self._read_until(b"\r\n")
            try:
                size = int(size_line.split(b";")[0], 16)
            except ValueError:
                raise Closed from None
            chunk = self._read_exactly(size + 2)[:size]
            wire_bytes += len(size_line) + size + 2
            if size == 0:
                return body, wire_bytes
            body += chunk
            if len(body) > LARGEST_BODY_BYTES:
                raise Closed

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            if len(self._buffer) > LARGEST_HEAD_BYTES:
                raise Closed
            self._buffer += self._read_some()
        end = self._buffer.index(mark) + len(mark)
        taken, self._buffer = self._buffer[:end], self._buffer[end:]
        return taken

    def _read_exactly(self, length: int) -> bytes:
        if not 0 <= length <= LARGEST_BODY_BYTES:
            raise Closed
        received = bytearray(self._buffer)
        while len(received) < length:
            received += self._read_some()
        self._buffer = bytes(received[length:])
        return bytes(received[:length])

    def _read_some(self) -> bytes:
        data = self._client.recv(64 * 1024)
        if not data:
            raise Closed
        return data


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError(line)
    return name.strip().lower(), value.strip()


def _chunked(body: bytes) -> bytes:
    chunks = [body[start : start + CHUNK_BYTES] for start in range(0, len(body), CHUNK_BYTES)]
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
