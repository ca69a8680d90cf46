"""From a request to an answer: credentials, route, handler, errors.

Promises: what the handler changed is committed before the answer is given back; every error has the shape and status
of the dialect. An unknown GET under /api answers 200 with the index page, any other unknown request a 500.
Never: touches a socket. A bug of the stand-in itself is answered like the servers' own 500, but kept in `defects`, and
`StandIn` does not let it pass unseen.
Called by: `connection`, once for each request.
Law: the API map §1 (the trap) and §2.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import traceback

from tests.sandbox import web_page
from tests.sandbox.accounts import koreader_account, reader_with_id
from tests.sandbox.calls import Call, KoreaderAccount, Reader, ServerSettings
from tests.sandbox.clock import Clock
from tests.sandbox.database import Database
from tests.sandbox.dialects import Dialect
from tests.sandbox.java_values import local_date_time
from tests.sandbox.login_limits import FAILURES, LoginLimits, login_key
from tests.sandbox.messages import (
    JSON_TYPE,
    TEXT_TYPE,
    ApiError,
    Request,
    Response,
    data_conflict,
    empty_response,
    error_response,
    filter_error_response,
    html_response,
    unexpected,
)
from tests.sandbox.opds import opds_account
from tests.sandbox.recorder import Recorder
from tests.sandbox.routes import Credentials, Missing, Route, find
from tests.sandbox.tokens import user_of_token
from tests.sandbox.web_reader import WebReader

API = "/api/"
KOREADER_API = "/api/koreader/"
KOMGA_API = "/komga/api/"
OPDS_API = "/api/v1/opds/"
BEARER = "Bearer "
BASIC = "Basic "
REALMS = {KOMGA_API: "Booklore Komga API", OPDS_API: "Booklore OPDS"}


class Refused(Exception):
    """The filters before all handlers turned the request away."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Switched(Refused):
    """Turned away behind the filters, where an error always has a body: the administrator has switched this off."""


class NotSignedIn(Exception):
    """No OPDS account of this name and password; `realm` is what the browser would show."""

    def __init__(self, realm: str) -> None:
        super().__init__(realm)
        self.realm = realm


class Dispatcher:
    def __init__(
        self,
        dialect: Dialect,
        settings: ServerSettings,
        database: Database,
        clock: Clock,
        secret: bytes,
        recorder: Recorder,
    ) -> None:
        self.defects: list[str] = []
        self._dialect = dialect
        self._settings = settings
        self._database = database
        self._clock = clock
        self._secret = secret
        self._recorder = recorder
        self._limits = LoginLimits()
        self.web_reader = WebReader()

    def use_secret(self, secret: bytes) -> None:
        self._secret = secret

    def forget_failures(self) -> None:
        """As a server does that is started anew: it keeps failed logins in memory only."""
        self._limits = LoginLimits()

    def answer(self, request: Request) -> Response:
        now = self._clock.now()
        try:
            with self._database.transaction() as connection:
                if not request.path.startswith((API, KOMGA_API)):
                    return web_page.answer(
                        request, self._dialect, connection, self._settings, self._recorder, self.web_reader
                    )
                return self._answer_api(request, connection, now)
        except Switched as refusal:
            return filter_error_response(refusal.status, request.path, self._timestamp(now))
        except Refused as refusal:
            return self._refusal(refusal.status, request, now)
        except NotSignedIn as refusal:
            words = b"HTTP Status 401 - Bad credentials"
            return Response(401, words, TEXT_TYPE, {"WWW-Authenticate": f'Basic realm="{refusal.realm}"'})
        except ApiError as error:
            return self._error(error, now)
        except sqlite3.IntegrityError:
            return self._error(data_conflict(), now)
        except Exception:
            self.defects.append(traceback.format_exc())
            return self._error(unexpected(), now)

    def act(self, username: str, method: str, path: str, body: object, at: float | None) -> Response:
        """What a web app or another device does for a reader, without a recorded request. Raises ApiError."""
        headers = {"content-type": JSON_TYPE}
        request = Request(method, path, {}, headers, json.dumps(body).encode(), "web app")
        now = self._clock.now() if at is None else at
        with self._database.transaction() as connection:
            call = Call(request, self._dialect, self._settings, connection, now, self._secret, self._limits)
            row = connection.execute("SELECT id FROM user WHERE username = ?", (username,)).fetchone()
            call.signed_in = None if row is None else reader_with_id(connection, row["id"])
            call.koreader = KoreaderAccount(username, call.signed_in, sync_enabled=True, sync_with_web_reader=False)
            found = find(self._dialect.name, method, path)
            if isinstance(found, Missing):
                raise ValueError(f"{self._dialect.title} has no {method} {path}")
            route, call.variables = found
            return route.handler(call)

    def lock_login(self, username: str) -> None:
        """As after too many wrong passwords for one name."""
        for _ in range(FAILURES):
            self._limits.fail([login_key(username)], self._clock.now())

    def _answer_api(self, request: Request, connection: sqlite3.Connection, now: float) -> Response:
        call = Call(request, self._dialect, self._settings, connection, now, self._secret, self._limits)
        found = find(self._dialect.name, request.method, request.path)
        self._authenticate(call, found)
        if found is Missing.PATH and request.method in ("GET", "HEAD"):
            return html_response(web_page.INDEX_OF_THE_WEB_APP)
        if isinstance(found, Missing):
            raise unexpected()
        route, call.variables = found
        return route.handler(call)

    def _authenticate(self, call: Call, found: tuple[Route, dict[str, str]] | Missing) -> None:
        credentials = _expected_credentials(call.request.path, found)
        if credentials is Credentials.NONE:
            return
        if credentials is Credentials.BASIC:
            self._accept_opds_account(call)
            return
        has_token = call.request.header("authorization") is not None
        if credentials is Credentials.KOREADER or (credentials is Credentials.EITHER and not has_token):
            self._accept_koreader_key(call)
        else:
            call.signed_in = self._bearer(call)

    def _bearer(self, call: Call) -> Reader:
        header = call.request.header("authorization")
        if header is None or not header.startswith(BEARER):
            raise Refused(self._dialect.status_without_credentials)
        user_id = user_of_token(self._secret, header.removeprefix(BEARER), call.now)
        reader = reader_with_id(call.database, user_id)
        if reader is None:
            raise Refused(401)
        return reader

    def _accept_koreader_key(self, call: Call) -> None:
        username, key = call.request.header("x-auth-user"), call.request.header("x-auth-key")
        if username is None or key is None:
            raise Refused(self._dialect.status_without_credentials)
        account: KoreaderAccount | None = koreader_account(call.database, username, key)
        if account is None:
            raise Refused(self._dialect.status_for_wrong_koreader_key)
        call.koreader, call.signed_in = account, account.reader

    def _accept_opds_account(self, call: Call) -> None:
        """First who asks, then whether the administrator has it switched on: only a known account learns which."""
        prefix = KOMGA_API if call.request.path.startswith(KOMGA_API) else OPDS_API
        username, _, password = _basic(call.request.header("authorization")).partition(":")
        account = opds_account(call.database, username, password)
        if account is None:
            raise NotSignedIn(REALMS[prefix])
        if not (self._settings.komga_enabled if prefix == KOMGA_API else self._settings.opds_enabled):
            raise Switched(403)
        call.opds, call.signed_in = account, account.reader

    def _refusal(self, status: int, request: Request, now: float) -> Response:
        if not self._dialect.filter_errors_have_a_body:
            return empty_response(status)
        return filter_error_response(status, request.path, self._timestamp(now))

    def _error(self, error: ApiError, now: float) -> Response:
        return error_response(error, self._timestamp(now))

    def _timestamp(self, now: float) -> str:
        return local_date_time(now, self._settings.utc_offset_s) or ""


def _expected_credentials(path: str, found: tuple[Route, dict[str, str]] | Missing) -> Credentials:
    if not isinstance(found, Missing):
        return found[0].credentials
    if path.startswith((KOMGA_API, OPDS_API)):
        return Credentials.BASIC
    return Credentials.KOREADER if path.startswith(KOREADER_API) else Credentials.TOKEN


def _basic(header: str | None) -> str:
    """Name and password of a Basic header; empty if it is none."""
    if header is None or not header.startswith(BASIC):
        return ""
    try:
        return base64.b64decode(header.removeprefix(BASIC), validate=True).decode()
    except ValueError:
        return ""
