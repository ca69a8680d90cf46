"""What a request and an answer are, apart from how they travel.

Promises: plain values without sockets, so that every handler can be read and called without a network.
Never: knows a route, a dialect or a table of the database.
Called by: `connection` (makes requests, sends answers) and every module with handlers.
Source of the error shapes: the servers' `ErrorResponse` and Spring's own error attributes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain;charset=ISO-8859-1"
HTML_TYPE = "text/html;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    client_address: str
    keeps_alive: bool = True
    speaks_http_1_1: bool = True

    def header(self, name: str) -> str | None:
        return self.headers.get(name.lower())

    @property
    def accepts_gzip(self) -> bool:
        codings = (self.header("accept-encoding") or "").split(",")
        return any(coding.split(";")[0].strip() == "gzip" for coding in codings)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; a `content_type` of None means that there is no body."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return ""


class ApiError(Exception):
    """An error that the server's own exception handler turns into an `ErrorResponse`."""

    def __init__(self, status: int, message: str, details: list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details


def unexpected() -> ApiError:
    """What the real server answers when it runs into an exception nobody foresaw."""
    return ApiError(500, "An unexpected error occurred.")


def malformed() -> ApiError:
    return ApiError(400, "Request body is missing or malformed.")


def data_conflict() -> ApiError:
    return ApiError(400, "A data conflict occurred. The operation could not be completed.")


def json_response(value: object, status: int = 200) -> Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, JSON_TYPE)


def html_response(page: str, status: int = 200) -> Response:
    return Response(status, page.encode(), HTML_TYPE)


def empty_response(status: int) -> Response:
    return Response(status)


def error_response(error: ApiError, timestamp: str) -> Response:
    body: dict[str, object] = {"status": error.status, "message": error.message, "timestamp": timestamp}
    if error.details:
        body["details"] = error.details
    return json_response(body, error.status)


def filter_error_response(status: int, path: str, timestamp: str) -> Response:
    """The shape in which the framework itself, before any handler, reports an error."""
    return json_response(
        {"timestamp": timestamp, "status": status, "error": HTTPStatus(status).phrase, "path": path}, status
    )


def without_nulls(value: dict[str, object]) -> dict[str, object]:
    """A record as Jackson writes it when it leaves nulls out, nested records included."""
    kept: dict[str, object] = {}
    for name, member in value.items():
        if isinstance(member, dict):
            kept[name] = without_nulls(member)
        elif member is not None:
            kept[name] = member
    return kept
