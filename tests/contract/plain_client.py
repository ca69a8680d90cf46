"""A client with no opinion, for asking the stand-in questions: one request in, status, header and body out.

Promises: keeps one connection as long as the server does; hides nothing and retries nothing.
Never: the product's own client; that one is tested against the stand-in, not used to test it.
Called by: the tests of the stand-in.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Any

from tests.sandbox import StandIn

USER, PASSWORD = "anna", "secret"
NOON = 1_795_348_800  # epoch seconds: 22 November 2026, 12:00 UTC
TIMEOUT_S = 10


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Message
    raw: bytes

    @property
    def body(self) -> bytes:
        return gzip.decompress(self.raw) if self.headers["Content-Encoding"] == "gzip" else self.raw

    @property
    def is_json(self) -> bool:
        return self.headers.get_content_type() == "application/json"

    @property
    def json(self) -> Any:
        assert self.is_json, self.body
        return json.loads(self.body)


class PlainClient:
    def __init__(self, server: StandIn, context: ssl.SSLContext | None = None) -> None:
        if context is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
        else:
            self._connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=TIMEOUT_S, context=context)
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: object = None, raw: bytes | None = None) -> Reply:
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        headers = self.headers if data is None else {"Content-Type": "application/json", **self.headers}
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        return Reply(response.status, response.headers, response.read())

    def get(self, path: str) -> Reply:
        return self.ask("GET", path)

    def post(self, path: str, body: object = None) -> Reply:
        return self.ask("POST", path, body)

    def put(self, path: str, body: object = None) -> Reply:
        return self.ask("PUT", path, body)

    def delete(self, path: str) -> Reply:
        return self.ask("DELETE", path)

    def log_in(self, user: str = USER, password: str = PASSWORD) -> Reply:
        return self.post("/api/v1/auth/login", {"username": user, "password": password})

    def use_token(self, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}

    def sign_in(self, user: str = USER, password: str = PASSWORD) -> None:
        reply = self.log_in(user, password)
        assert reply.status == 200, reply.body
        self.use_token(reply.json["accessToken"])

    def use_koreader_key(self, user: str = USER, password: str = PASSWORD) -> None:
        key = hashlib.md5(password.encode()).hexdigest()
        self.headers = {"x-auth-user": user, "x-auth-key": key}

    def use_basic(self, user: str = USER, password: str = PASSWORD) -> None:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}"}

    def close(self) -> None:
        self._connection.close()


@contextmanager
def serving(dialect: str = "booklore") -> Iterator[tuple[StandIn, PlainClient]]:
    """A running server with one ordinary user, whose clock stands still, and a client that is not signed in."""
    server = StandIn(dialect)
    server.clock.stop(NOON)
    server.add_user(USER, PASSWORD)
    with server:
        client = PlainClient(server)
        try:
            yield server, client
        finally:
            client.close()


@contextmanager
def signed_in(dialect: str = "booklore") -> Iterator[tuple[StandIn, PlainClient]]:
    with serving(dialect) as (server, client):
        client.sign_in()
        yield server, client
