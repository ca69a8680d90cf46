"""One call of an endpoint: what a handler gets to see, and what it may read from the request.

Promises: a handler has everything it needs in its `Call`: the open transaction, the dialect, the time, the reader who
asks, the path variables; and the rules shared by many handlers (who may see which book, paging) are here once.
Never: answers by itself; it only raises the server's errors.
Called by: `dispatch` makes a call, handlers use it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.sandbox.bodies import LARGEST_INT, LARGEST_LONG, Field, Values, convert, parse_json, validation_error
from tests.sandbox.dialects import Dialect
from tests.sandbox.java_values import local_date_time
from tests.sandbox.login_limits import LoginLimits
from tests.sandbox.messages import JSON_TYPE, ApiError, Request, Response, unexpected

SPRING_PAGE_SIZE = 20  # entries of a page if the request does not say


@dataclass(frozen=True, slots=True)
class Reader:
    """The user behind a request."""

    id: int
    username: str
    permissions: frozenset[str]

    @property
    def is_admin(self) -> bool:
        return "admin" in self.permissions


@dataclass(frozen=True, slots=True)
class KoreaderAccount:
    """The separate account that KOReader's own sync uses, and the reader it belongs to, if any."""

    username: str
    reader: Reader | None
    sync_enabled: bool
    sync_with_web_reader: bool


@dataclass(frozen=True, slots=True)
class OpdsAccount:
    """The separate account for OPDS and Komga's list, and the reader it belongs to."""

    id: int
    username: str
    reader: Reader


@dataclass(slots=True)
class ServerSettings:
    """Switches that an administrator of the real server has."""

    oidc_only: bool = False
    remote_auth_enabled: bool = False
    opds_enabled: bool = False
    komga_enabled: bool = False
    version: str | None = None  # another than the dialect's
    called_home: int = 0  # how often the server was made to ask another host for its newest version
    utc_offset_s: int = 3600  # the server's time zone; not UTC, so that a LocalDateTime taken for UTC is caught


@dataclass(slots=True)
class Call:
    request: Request
    dialect: Dialect
    settings: ServerSettings
    database: sqlite3.Connection
    now: float
    secret: bytes
    limits: LoginLimits
    variables: dict[str, str] = field(default_factory=dict)
    signed_in: Reader | None = None
    koreader: KoreaderAccount | None = None
    opds: OpdsAccount | None = None

    @property
    def reader(self) -> Reader:
        if self.signed_in is None:
            raise unexpected()
        return self.signed_in

    @property
    def version(self) -> str:
        return self.settings.version or self.dialect.version

    @property
    def now_s(self) -> int:
        """The present second, as the database keeps it."""
        return int(self.now)

    def local(self, epoch_s: float | None) -> str | None:
        return local_date_time(epoch_s, self.settings.utc_offset_s)

    # Reading the request

    def read(self, fields: Sequence[Field]) -> Values:
        return convert(self.read_json(), fields)

    def read_json(self) -> object:
        content_type = (self.request.header("content-type") or "").split(";")[0].strip().lower()
        if self.request.body and content_type != JSON_TYPE:
            raise unexpected()
        return parse_json(self.request.body)

    def number(self, name: str) -> int:
        """A path variable that is a number."""
        return self._to_number(self.variables[name], LARGEST_LONG)

    def query_number(self, name: str, default: int) -> int:
        text = self.request.query.get(name)
        return default if text is None or text == "" else self._to_number(text, LARGEST_INT)

    def _to_number(self, text: str, largest: int) -> int:
        try:
            number = int(text)
        except ValueError:
            raise self.wrong_type(text) from None
        if abs(number) > largest:
            raise self.wrong_type(text)
        return number

    def wrong_type(self, text: str) -> ApiError:
        if self.dialect.status_for_wrong_path_variable == 400:
            return ApiError(400, f"Invalid value: {text}")
        return unexpected()

    def page_and_size(self, default_size: int, largest_size: int) -> tuple[int, int]:
        page, size = self.query_number("page", 0), self.query_number("size", default_size)
        broken = []
        if page < 0:
            broken.append("page: must be greater than or equal to 0")
        if size < 1:
            broken.append("size: must be greater than or equal to 1")
        if size > largest_size:
            broken.append(f"size: must be less than or equal to {largest_size}")
        if broken:
            raise validation_error(broken)
        return page, size

    # Rules about who may do what

    def demand(self, permission: str) -> None:
        if permission not in self.reader.permissions and not self.reader.is_admin:
            raise self.denied()

    def denied(self) -> ApiError:
        return ApiError(403, self.dialect.access_denied_text)

    def missing(self, what: str) -> ApiError:
        return ApiError(404, self.dialect.not_found_text or what)

    def conflict(self, what: str) -> ApiError:
        return ApiError(409, self.dialect.conflict_text or what)

    def existing_book(self, book_id: int) -> sqlite3.Row:
        row: sqlite3.Row | None = self.database.execute("SELECT * FROM book WHERE id = ?", (book_id,)).fetchone()
        if row is None:
            raise self.missing(f"Book not found with ID: {book_id}")
        return row

    def visible_book(self, book_id: int) -> sqlite3.Row:
        row = self.existing_book(book_id)
        if not self.may_see_library(row["library_id"]):
            raise self.denied()
        return row

    def may_see_library(self, library_id: int) -> bool:
        return self.reader.is_admin or self.is_member_of(library_id)

    def is_member_of(self, library_id: int) -> bool:
        found = self.database.execute(
            "SELECT 1 FROM user_library WHERE user_id = ? AND library_id = ?", (self.reader.id, library_id)
        ).fetchone()
        return found is not None


Handler = Callable[[Call], Response]


def page_of(content: list[dict[str, object]], page: int, size: int, total: int) -> dict[str, object]:
    """Spring's page record."""
    return {
        "content": content,
        "page": {"size": size, "number": page, "totalElements": total, "totalPages": -(-total // size)},
    }
