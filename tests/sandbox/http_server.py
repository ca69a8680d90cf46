"""HTTP/1.1 over TCP or TLS: one thread for each connection.

Promises: keep-alive, chunked and length-bounded bodies in both directions, gzip for JSON above `GZIP_FROM_BYTES`, a
`Date` header by the stand-in's clock; every request is recorded before its answer leaves. JSON goes out in chunks, as
the servers' own software does it.
Never: knows what a path means. A handshake that fails ends that connection and is counted, nothing more.
Called by: `StandIn`.
Law: RFC 9112; the API map §2 on gzip.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.sandbox.clock import Clock
from tests.sandbox.faults import FAULTS, FaultPlan
from tests.sandbox.messages import JSON_TYPE, Request, Response
from tests.sandbox.recorder import RecordedRequest, Recorder

GZIP_FROM_BYTES = 1024
CHUNK_BYTES = 8192  # the output buffer of the servers' software
LARGEST_HEAD_BYTES = 64 * 1024
LARGEST_BODY_BYTES = 64 * 1024 * 1024  # the servers set no limit; this one only guards the machine of the tests
IDLE_S = 60.0  # a connection silent for so long is closed
BACKLOG = 64
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, zero seconds
STOP_WAIT_S = 5.0  # for threads to end; they are daemons, a stuck one does no harm

Answer = Callable[[Request], Response]


class Closed(Exception):
    """The client is gone, or said something that is not HTTP."""


class HttpServer:
    def __init__(
        self, answer: Answer, plan: FaultPlan, recorder: Recorder, clock: Clock, tls: tuple[Path, Path] | None
    ) -> None:
        self.answer = answer
        self.plan = plan
        self.recorder = recorder
        self.clock = clock
        self.idle_s = IDLE_S
        self.requests_per_connection: int | None = None  # then the connection is closed, as some servers do
        self.stopping = threading.Event()
        self._tls = _tls_context(*tls) if tls is not None else None
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self, host: str, port: int) -> int:
        """Listens, and tells on which port."""
        self.stopping.clear()
        self._listener = socket.create_server((host, port), backlog=BACKLOG)
        self._run(self._accept, self._listener)
        return int(self._listener.getsockname()[1])

    def stop(self) -> None:
        self.stopping.set()
        with self._lock:
            sockets, threads = list(self._open), self._threads
            self._threads = []
        for open_socket in ([self._listener] if self._listener else []) + sockets:
            # A shutdown wakes the thread that waits in accept or recv; a close alone does not.
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(STOP_WAIT_S)
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _run(self, target: Callable[[socket.socket], None], argument: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(argument,), daemon=True)
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive()] + [thread]
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self.stopping.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._run(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        number = self.recorder.open_connection()
        with self._lock:
            self._open.add(client)
        try:
            with contextlib.suppress(OSError, Closed):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.settimeout(self.idle_s)
                if self._tls is None:
                    Connection(self, client, number).serve()
                else:
                    self._serve_tls(self._tls, client, number)
        finally:
            with self._lock:
                self._open.discard(client)
            client.close()

    def _serve_tls(self, context: ssl.SSLContext, client: socket.socket, number: int) -> None:
        try:
            secured = context.wrap_socket(client, server_side=True)
        except OSError:
            self.recorder.fail_handshake()
            return
        with self._lock:
            self._open.discard(client)
            self._open.add(secured)
        try:
            Connection(self, secured, number).serve()
        finally:
            with self._lock:
                self._open.discard(secured)
            secured.close()


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


def _tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context
