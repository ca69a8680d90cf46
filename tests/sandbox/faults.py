"""Faults that tests put between a client and the stand-in.

Promises: each fault is one small function over an `Exchange`, which can run the handler (and so commit), send, and
hang up; whether the server has done its work before the client is cheated can be read off the function.
Never: hits a request that its predicate did not choose, or more often than `times`.
Called by: `connection`; tests ask for faults by `StandIn.fault`.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tests.sandbox.messages import Response, error_response, html_response, unexpected

When = Callable[[str, str, int], bool]  # method, path, how many requests of both there were, this one included

CAPTIVE_PORTAL = """<!DOCTYPE html><html><head><title>Welcome to Harbour Wi-Fi</title></head>
<body><h1>Welcome</h1><p>Accept the terms to go online.</p></body></html>"""
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
PORTAL_ADDRESS = "http://portal.invalid/welcome"
NOT_A_CHUNK = b"zz\r\nthis is no chunk size\r\n"


class Exchange(Protocol):
    """One request and the ways to answer it."""

    def handle(self) -> Response:
        """Runs the handler; what it did is committed when this returns."""

    def encode(self, response: Response) -> bytes:
        """The bytes of an answer, as they would go over the wire."""

    def head_of_chunked_answer(self) -> bytes:
        """A sound status line and header that announce a chunked JSON body."""

    def send(self, response: Response) -> None: ...

    def send_bytes(self, data: bytes) -> None: ...

    def hang_up(self) -> None:
        """Closes the connection in the ordinary way."""

    def reset(self) -> None:
        """Cuts the connection so that the client sees a reset."""

    def pause(self, seconds: float) -> None:
        """Waits, but not longer than the server lives."""

    def restart(self, seconds: float) -> None:
        """Takes the server away for so long; this connection and all others end."""


@dataclass(slots=True)
class Fault:
    when: When
    do: str
    times: int | None = 1  # None: every time
    seconds: float = 30.0  # of a pause, or of the whole slow answer
    status: int = 500
    location: str = PORTAL_ADDRESS


def _drop_request(fault: Fault, exchange: Exchange) -> None:
    exchange.hang_up()


def _reset(fault: Fault, exchange: Exchange) -> None:
    exchange.reset()


def _lose_reply(fault: Fault, exchange: Exchange) -> None:
    exchange.handle()
    exchange.hang_up()


def _reset_after_commit(fault: Fault, exchange: Exchange) -> None:
    exchange.handle()
    exchange.reset()


def _error_before(fault: Fault, exchange: Exchange) -> None:
    exchange.send(_error(fault))


def _error_after_commit(fault: Fault, exchange: Exchange) -> None:
    exchange.handle()
    exchange.send(_error(fault))


def _proxy_error_before(fault: Fault, exchange: Exchange) -> None:
    exchange.send(html_response(BAD_GATEWAY, 502))


def _proxy_error_after_commit(fault: Fault, exchange: Exchange) -> None:
    exchange.handle()
    exchange.send(html_response(BAD_GATEWAY, 502))


def _retry_by_proxy(fault: Fault, exchange: Exchange) -> None:
    exchange.handle()
    exchange.send(exchange.handle())


def _hang(fault: Fault, exchange: Exchange) -> None:
    exchange.pause(fault.seconds)
    exchange.send(exchange.handle())


def _hang_after_commit(fault: Fault, exchange: Exchange) -> None:
    response = exchange.handle()
    exchange.pause(fault.seconds)
    exchange.send(response)


def _truncate(fault: Fault, exchange: Exchange) -> None:
    answer = exchange.encode(exchange.handle())
    exchange.send_bytes(answer[: -max(1, len(answer) // 8)])
    exchange.hang_up()


def _garbage_chunk(fault: Fault, exchange: Exchange) -> None:
    exchange.handle()
    exchange.send_bytes(exchange.head_of_chunked_answer() + NOT_A_CHUNK)
    exchange.hang_up()


def _html(fault: Fault, exchange: Exchange) -> None:
    exchange.send(html_response(CAPTIVE_PORTAL))


def _redirect(fault: Fault, exchange: Exchange) -> None:
    exchange.send(Response(302, headers={"Location": fault.location}))


def _slow(fault: Fault, exchange: Exchange) -> None:
    answer = exchange.encode(exchange.handle())
    for byte in answer:
        exchange.send_bytes(bytes([byte]))
        exchange.pause(fault.seconds / len(answer))


def _restart(fault: Fault, exchange: Exchange) -> None:
    exchange.restart(fault.seconds)


def _restart_after_commit(fault: Fault, exchange: Exchange) -> None:
    exchange.handle()
    exchange.restart(fault.seconds)


def _error(fault: Fault) -> Response:
    error = unexpected()
    error.status = fault.status
    return error_response(error, "")


FAULTS: dict[str, Callable[[Fault, Exchange], None]] = {
    "drop_request": _drop_request,  # before the handler: nothing happened, no answer
    "reset": _reset,  # before the handler: connection reset
    "lose_reply": _lose_reply,  # after commit: done, but no answer
    "reset_after_commit": _reset_after_commit,
    "error_before": _error_before,  # nothing happened, an error is answered (`status`)
    "error_after_commit": _error_after_commit,  # done, but an error is answered (`status`)
    "proxy_error_before": _proxy_error_before,  # nothing happened; the proxy says so in HTML, with 502
    "proxy_error_after_commit": _proxy_error_after_commit,
    "retry_by_proxy": _retry_by_proxy,  # done twice, answered once: only what is idempotent survives it
    "hang": _hang,  # `seconds` of silence, then everything as usual
    "hang_after_commit": _hang_after_commit,
    "truncate": _truncate,  # done, but the answer ends early
    "garbage_chunk": _garbage_chunk,  # done, but the body is not what its header says
    "html": _html,  # a captive portal: 200 with a page
    "redirect": _redirect,  # a captive portal: 302 to `location`
    "restart": _restart,  # nothing happened; the server is gone for `seconds`, then there again
    "restart_after_commit": _restart_after_commit,
    "slow": _slow,  # done, and answered byte by byte over `seconds`
}


class FaultPlan:
    """The faults that wait for their request."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        if fault.do not in FAULTS:
            raise ValueError(f"no such fault: {fault.do} (there are: {', '.join(FAULTS)})")
        with self._lock:
            self._faults.append(fault)

    def forget(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Counts a request and gives the first fault that wants it."""
        with self._lock:
            self._seen[method, path] += 1
            for fault in self._faults:
                if fault.times != 0 and fault.when(method, path, self._seen[method, path]):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None
