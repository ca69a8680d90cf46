"""From a request to an answer: credentials, route, handler, errors.

Promises: what the handler changed is committed before the answer is given back; every error has the shape and status
of the dialect. An unknown GET under /api answers 200 with the index page, any other unknown request a 500.
Never: touches a socket. A bug of the stand-in itself is answered like the servers' own 500, but kept in `defects`, and
`StandIn` does not let it pass unseen.
Called by: `connection`, once for each request.
Law: the API map §1 (the trap) and §2.
"""

from __future__ import annotations

import sqlite3
import traceback

from tests.sandbox import web_page
from tests.sandbox.accounts import koreader_account, reader_with_id
from tests.sandbox.calls import Call, KoreaderAccount, Reader, ServerSettings
from tests.sandbox.clock import Clock
from tests.sandbox.database import Database
from tests.sandbox.dialects import Dialect
from tests.sandbox.java_values import local_date_time
from tests.sandbox.login_limits import LoginLimits
from tests.sandbox.messages import (
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
from tests.sandbox.recorder import Recorder
from tests.sandbox.routes import Credentials, Missing, Route, find
from tests.sandbox.tokens import user_of_token

API = "/api/"
KOREADER_API = "/api/koreader/"
BEARER = "Bearer "


class Refused(Exception):
    """The filters before all handlers turned the request away."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


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

    def forget_failures(self) -> None:
        """As a server does that is started anew: it keeps failed logins in memory only."""
        self._limits = LoginLimits()

    def answer(self, request: Request) -> Response:
        now = self._clock.now()
        try:
            with self._database.transaction() as connection:
                if not request.path.startswith(API):
                    return web_page.answer(request, self._dialect, connection, self._settings, self._recorder)
                return self._answer_api(request, connection, now)
        except Refused as refusal:
            return self._refusal(refusal.status, request, now)
        except ApiError as error:
            return self._error(error, now)
        except sqlite3.IntegrityError:
            return self._error(data_conflict(), now)
        except Exception:
            self.defects.append(traceback.format_exc())
            return self._error(unexpected(), now)

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
    return Credentials.KOREADER if path.startswith(KOREADER_API) else Credentials.TOKEN
