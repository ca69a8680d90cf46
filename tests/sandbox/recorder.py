"""What the stand-in was asked, so that a test can count requests, bytes and connections.

Promises: a request is recorded before its handler runs, and its status before the first byte of the answer leaves; a
client that has its answer can be sure that the record is complete.
Never: keeps a body; keeps more than `LONGEST_RECORD` requests.
Called by: `connection`, and by tests through `server.requests`.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

LONGEST_RECORD = 100_000  # requests; about 100 MB, far above what a proof of 20,000 entries needs


@dataclass(slots=True)
class RecordedRequest:
    number: int  # from 1
    connection: int  # from 1
    at: float  # epoch seconds of the stand-in's clock
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    bytes_in: int
    bytes_out: int = 0
    status: int | None = None  # None: nothing was answered (yet)
    fault: str | None = None

    def summary(self) -> dict[str, object]:
        """The record without headers, which hold credentials."""
        return {
            "number": self.number,
            "connection": self.connection,
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "bytesIn": self.bytes_in,
            "bytesOut": self.bytes_out,
            "fault": self.fault,
        }


@dataclass(slots=True)
class Recorder:
    connections: int = 0
    failed_handshakes: int = 0
    _requests: deque[RecordedRequest] = field(default_factory=lambda: deque(maxlen=LONGEST_RECORD))
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open_connection(self) -> int:
        with self._lock:
            self.connections += 1
            return self.connections

    def fail_handshake(self) -> None:
        with self._lock:
            self.failed_handshakes += 1

    def begin(
        self,
        connection: int,
        at: float,
        method: str,
        path: str,
        query: dict[str, str],
        headers: dict[str, str],
        bytes_in: int,
    ) -> RecordedRequest:
        with self._lock:
            self._count += 1
            record = RecordedRequest(self._count, connection, at, method, path, query, headers, bytes_in)
            self._requests.append(record)
            return record

    def requests(self) -> list[RecordedRequest]:
        with self._lock:
            return list(self._requests)
