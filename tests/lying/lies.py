"""What may come between the worker and the server: one lie for each request.

Promises: each lie is one small function over a `Delivery`, which says whether the server has acted. The worker sees
what `device.server.http.Connection` would give it: an `Answer`, or one of its errors. After the last lie comes truth.

What five tries do not bring to the server is poison by the outbox's own rule, except a session. So of anything else no
more than four tries meet a lie.

What is not here, because no client can undo it: a proxy that delivers a request twice although the server took the
first one (for what the server inserts each time; for what has a place, or is the last of its kind, `twice` is here), a
server that stores a request more than `SETTLE_S` after it was sent, and one that says that it has stored what it has
not.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from device.core.outbox import SETTLE_S, TRIES_MOST
from device.server import address
from device.server.errors import NotReached, ReplyLost
from device.server.http import CONNECT_S, IDLE_S, Answer
from tests.lying.counts import COUNTS
from tests.lying.model_server import Hangs, ModelServer, Reply, own_error
from tests.lying.world import BEGAN_AT, World

REQUEST_S = 0.05
TRUTH = "truth"
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html;charset=UTF-8"}
BAD_GATEWAY = Answer(502, HTML, b"<html>502 Bad Gateway</html>")
BOOKS_ID = re.compile(rb'"(bookId|ids|bookIds)":\[?[0-9]+')  # another one, when the book was removed and added again
INSERTED_EACH_TIME = ("/api/v1/reading-sessions", "/api/v1/book-notes")


class Delivery:
    """One request on its way; `arrive` lets the server act and gives its answer."""

    def __init__(self, world: World, server: ModelServer, method: str, path: str, body: bytes | None) -> None:
        self.world = world
        self.server = server
        self.method = method
        self.path = path
        self.body = body

    def arrive(self) -> Answer:
        self.world.advance(REQUEST_S)
        self.server.now_s = int(self.world.time_s)
        try:
            reply = self.server.handle(self.method, self.path, self.body)
        except Hangs:
            self.be_silent()
        self.world.step()
        return _encoded(reply)

    def be_silent(self) -> None:
        self.world.advance(IDLE_S)
        raise ReplyLost("the server broke off (no answer)")

    def break_off(self) -> Answer:
        raise ReplyLost("the server broke off")


def _lost_before(delivery: Delivery) -> Answer:
    return delivery.break_off()


def _lost_after(delivery: Delivery) -> Answer:
    delivery.arrive()
    return delivery.break_off()


def _lost_and_stored_later(delivery: Delivery) -> Answer:
    def store() -> None:
        try:
            delivery.server.handle(delivery.method, delivery.path, delivery.body)
        except Hangs:
            return

    delivery.world.later(SETTLE_S - 1, store)
    return delivery.break_off()


def _silent_before(delivery: Delivery) -> Answer:
    delivery.be_silent()
    raise AssertionError


def _silent_after(delivery: Delivery) -> Answer:
    delivery.arrive()
    delivery.be_silent()
    raise AssertionError


def _no_connection(delivery: Delivery) -> Answer:
    delivery.world.advance(CONNECT_S)
    raise NotReached("the server cannot be reached (no answer)")


def _error_before(delivery: Delivery) -> Answer:
    return _encoded(own_error(500, "An unexpected error occurred."))


def _error_after(delivery: Delivery) -> Answer:
    delivery.arrive()
    return _encoded(own_error(500, "An unexpected error occurred."))


def _proxy_error_before(delivery: Delivery) -> Answer:
    return BAD_GATEWAY


def _proxy_error_after(delivery: Delivery) -> Answer:
    delivery.arrive()
    return BAD_GATEWAY


def _json_of_a_proxy(delivery: Delivery) -> Answer:
    delivery.arrive()
    return Answer(504, JSON, b'{"message":"Endpoint request timed out"}')


def _retried(delivery: Delivery) -> Answer:
    """A proxy's second try of a request whose first one did not arrive."""
    return delivery.arrive()


def _twice(delivery: Delivery) -> Answer:
    """Both tries arrived; the second one's answer comes. Only for what the server does not insert each time."""
    answer = delivery.arrive()
    if delivery.method == "POST" and delivery.path.startswith(INSERTED_EACH_TIME):
        return answer
    if delivery.body is not None and b'"pageNumber"' in delivery.body:
        return answer  # BookLore ignores the page, and inserts it each time
    return delivery.arrive()


def _login_page(delivery: Delivery) -> Answer:
    return Answer(200, HTML, b"<html>Welcome to Harbour Wi-Fi</html>")


def _login_page_after(delivery: Delivery) -> Answer:
    delivery.arrive()
    return Answer(200, HTML, b"<html>Welcome to Harbour Wi-Fi</html>")


def _redirect(delivery: Delivery) -> Answer:
    return Answer(302, {"location": "http://portal.invalid"}, b"")


def _ok_without_a_body(delivery: Delivery) -> Answer:
    delivery.arrive()
    return Answer(200, {}, b"")


def _garbled_json(delivery: Delivery) -> Answer:
    answer = delivery.arrive()
    return Answer(200, JSON, (answer.body or b"{}")[:-1] + b"\x00")


def _token_refused(delivery: Delivery) -> Answer:
    return Answer(401, {}, b"")


def _too_many(delivery: Delivery) -> Answer:
    return Answer(429, {}, b"")


def _part_of_a_batch(delivery: Delivery) -> Answer:
    """All of it is stored, but the answer names only some, in another order, and one that nobody sent."""
    answer = delivery.arrive()
    if not delivery.path.endswith("/batch") or answer.status != 200:
        return answer
    reply: dict[str, Any] = json.loads(answer.body)
    reply["results"] = [
        {"sessionId": 1, "startTime": "2001-01-01T00:00:00Z", "endTime": "2001-01-01T00:01:00Z"},
        *reply["results"][::-2],
    ]
    return _encoded(Reply(200, reply))


def _half_a_batch(delivery: Delivery) -> Answer:
    """Only its first half is stored, and that is what the answer names."""
    if delivery.path.endswith("/batch") and delivery.body is not None:
        fields = json.loads(delivery.body)
        fields["sessions"] = fields["sessions"][: len(fields["sessions"]) // 2 or 1]
        delivery.body = json.dumps(fields).encode()
    return delivery.arrive()


LIES: dict[str, Callable[[Delivery], Answer]] = {
    TRUTH: Delivery.arrive,
    "lost before": _lost_before,
    "lost after": _lost_after,
    "lost, and stored later": _lost_and_stored_later,
    "silent before": _silent_before,
    "silent after": _silent_after,
    "no connection": _no_connection,
    "error before": _error_before,
    "error after": _error_after,
    "proxy's error before": _proxy_error_before,
    "proxy's error after": _proxy_error_after,
    "proxy's error in JSON after": _json_of_a_proxy,
    "retried by a proxy": _retried,
    "twice": _twice,
    "login page": _login_page,
    "login page after": _login_page_after,
    "redirect": _redirect,
    "200 without a body": _ok_without_a_body,
    "garbled JSON": _garbled_json,
    "token refused": _token_refused,
    "too many requests": _too_many,
    "part of a batch": _part_of_a_batch,
    "half a batch": _half_a_batch,
}


class LyingConnection:
    """Stands where `device.server.http.Connection` stands."""

    def __init__(self, world: World, server: ModelServer, lies: deque[str], lies_to_questions: deque[str]) -> None:
        self.address = address.parse("http://server")
        self._world = world
        self._server = server
        self._lies = lies
        self._lies_to_questions = lies_to_questions
        self.requests = 0
        self._last_sent = ""

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        self._world.step()
        self.requests += 1
        lie = self._next_lie(method, path, body)
        COUNTS["requests"] += 1
        COUNTS["lies to questions" if method == "GET" else "lies about what is sent"] += lie != TRUTH
        answer = LIES[lie](Delivery(self._world, self._server, method, path, body))
        self._world.step()
        return answer

    def _next_lie(self, method: str, path: str, body: bytes | None) -> str:
        lies = self._lies_to_questions if method == "GET" else self._lies
        if method != "GET":
            self._last_sent = f"{method} {path} {BOOKS_ID.sub(b'', body or b'')!r}"
        lie = lies.popleft() if lies else TRUTH
        may_count = method != "GET" or path.startswith("/api/v1/books/")  # whether there is a book is part of a try
        if lie == TRUTH or not may_count or " /api/v1/reading-sessions" in self._last_sent:
            return lie
        self._world.troubles[self._last_sent] += 1
        return lie if self._world.troubles[self._last_sent] < TRIES_MOST else TRUTH

    def stream(self, path: str, headers: dict[str, str]) -> tuple[Answer, Iterator[bytes]]:
        answer = self.request("GET", path, headers)
        middle = len(answer.body) // 2
        return Answer(answer.status, answer.headers, b""), iter([answer.body[:middle], answer.body[middle:]])

    def connect(self) -> None:
        return

    def close(self) -> None:
        return

    def server_now(self) -> int | None:
        """The server's clock is right."""
        return BEGAN_AT + int(self._world.time_s) if self.requests else None


class Account:
    """Logging in has its own tests; here a token is there, and a new one costs a request."""

    def __init__(self, connection: LyingConnection) -> None:
        self._connection = connection

    def token(self) -> str:
        return "token"

    def renew(self) -> str:
        self._connection.request("GET", "/api/v1/healthcheck", {})
        return "token"


def _encoded(reply: Reply) -> Answer:
    if reply.html:
        return Answer(reply.status, HTML, b"<!DOCTYPE html><html>the web app</html>")
    if reply.value is None:
        return Answer(reply.status, {}, b"")
    return Answer(reply.status, JSON, json.dumps(reply.value).encode())
