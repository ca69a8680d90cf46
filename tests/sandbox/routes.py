"""The table of all endpoints: method, path, dialects, credentials, handler.

Promises: an endpoint exists in a dialect if and only if it has a row here. `find` tells a missing path from a path
that is there for another method, because the servers answer these differently.
Never: runs a handler.
Called by: `dispatch`.
Law: the API map. A `{name}` in a path stands for one segment; a literal segment wins over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.sandbox import (
    accounts,
    administration,
    authentication,
    book_notes,
    book_state,
    bookmarks,
    books,
    highlights,
    komga,
    koreader_sync,
    opds,
    reading_sessions,
    shelves,
    web_progress,
)
from tests.sandbox.calls import Handler
from tests.sandbox.dialects import BOOKLORE, GRIMMORY, WORLDTEACHER


class Credentials(Enum):
    NONE = "none"
    TOKEN = "Authorization: Bearer, a JSON Web Token"
    KOREADER = "x-auth-user and x-auth-key"
    BASIC = "Authorization: Basic, an OPDS account"
    EITHER = "a token or KOReader's headers"


class Missing(Enum):
    PATH = "nothing at this path"
    METHOD = "something at this path, but not for this method"


NONE, TOKEN, KOREADER, BASIC, EITHER = Credentials
B, G, W = frozenset({BOOKLORE.name}), frozenset({GRIMMORY.name}), frozenset({WORLDTEACHER.name})
ALL = B | G | W
KOREADER_USER = "/api/v1/koreader-users/me"
OPDS_USERS = "/api/v2/opds-users"


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    dialects: frozenset[str]
    credentials: Credentials
    handler: Handler

    def variables_in(self, segments: list[str]) -> dict[str, str] | None:
        """The path variables if the path fits this row."""
        pattern = self.path.split("/")
        if len(pattern) != len(segments):
            return None
        variables = {}
        for expected, segment in zip(pattern, segments, strict=True):
            if expected.startswith("{"):
                variables[expected.strip("{}")] = segment
            elif expected != segment:
                return None
        return variables

    @property
    def literal_segments(self) -> int:
        return sum(not segment.startswith("{") for segment in self.path.split("/"))


ROUTES = [
    Route(*row)
    for row in (
        ("GET", "/api/v1/healthcheck", ALL, NONE, authentication.check_health),
        ("GET", "/api/v1/public-settings", ALL, NONE, authentication.show_public_settings),
        ("GET", "/api/v1/setup/status", ALL, NONE, authentication.show_setup_status),
        ("POST", "/api/v1/auth/login", ALL, NONE, authentication.log_in),
        ("POST", "/api/v1/auth/refresh", ALL, NONE, authentication.refresh),
        ("POST", "/api/v1/auth/logout", B | W, NONE, authentication.log_out),
        ("POST", "/api/v1/auth/logout", G, TOKEN, authentication.log_out),
        ("GET", "/api/v1/auth/remote", ALL, NONE, authentication.log_in_by_proxy),
        #
        ("GET", "/api/v1/users/me", ALL, TOKEN, accounts.show_me),
        ("GET", KOREADER_USER, ALL, TOKEN, accounts.show_koreader_account),
        ("PUT", KOREADER_USER, ALL, TOKEN, accounts.put_koreader_account),
        ("PATCH", f"{KOREADER_USER}/sync", ALL, TOKEN, accounts.switch_koreader_sync),
        ("PATCH", f"{KOREADER_USER}/sync-progress-with-booklore", ALL, TOKEN, accounts.switch_koreader_web_reader),
        ("PATCH", f"{KOREADER_USER}/sync-progress-with-grimmory", G, TOKEN, accounts.switch_koreader_web_reader),
        #
        ("GET", OPDS_USERS, ALL, TOKEN, opds.list_accounts),
        ("POST", OPDS_USERS, ALL, TOKEN, opds.create_account),
        ("DELETE", f"{OPDS_USERS}/{{id}}", ALL, TOKEN, opds.delete_account),
        ("GET", "/api/v1/opds/catalog", ALL, BASIC, opds.show_catalogue),
        ("GET", "/komga/api/v1/books", ALL, BASIC, komga.list_books),
        ("GET", "/komga/api/v1/books/{id}", ALL, BASIC, komga.show_book),
        ("GET", "/komga/api/v1/books/{id}/file", ALL, BASIC, komga.download),
        ("GET", "/komga/api/v1/books/{id}/thumbnail", ALL, BASIC, komga.download),
        ("GET", "/komga/api/v2/users/me", ALL, BASIC, komga.show_me),
        ("PUT", "/api/v1/settings", ALL, TOKEN, administration.change_settings),
        ("GET", "/api/v1/version", ALL, TOKEN, administration.tell_versions),
        #
        ("GET", "/api/koreader/users/auth", ALL, KOREADER, koreader_sync.authorize),
        ("POST", "/api/koreader/users/create", ALL, KOREADER, koreader_sync.refuse_registration),
        ("GET", "/api/koreader/syncs/progress/{hash}", ALL, KOREADER, koreader_sync.show_progress),
        ("PUT", "/api/koreader/syncs/progress", ALL, KOREADER, koreader_sync.put_progress),
        ("GET", "/api/koreader/books/by-hash/{hash}", W, KOREADER, books.show_book_by_hash),
        #
        ("GET", "/api/v1/books", ALL, TOKEN, books.list_books),
        ("GET", "/api/v1/books/page", G, TOKEN, books.page_books),
        ("GET", "/api/v1/books/batch", ALL, TOKEN, books.show_books),
        ("GET", "/api/v1/books/search", W, TOKEN, books.search_books),
        ("GET", "/api/v1/books/by-hash/{hash}", W, TOKEN, books.show_book_by_hash),
        ("GET", "/api/v1/books/{id}", ALL, TOKEN, books.show_book),
        ("GET", "/api/v1/app/books", G, TOKEN, books.page_app_books),
        ("GET", "/api/mobile/v1/books", W, TOKEN, books.page_app_books),
        ("PUT", "/api/v1/books/personal-rating", ALL, TOKEN, book_state.rate),
        ("POST", "/api/v1/books/reset-personal-rating", ALL, TOKEN, book_state.reset_ratings),
        ("POST", "/api/v1/books/status", ALL, TOKEN, book_state.change_status),
        ("POST", "/api/v1/books/progress", ALL, TOKEN, web_progress.record_progress),
        ("POST", "/api/v1/books/shelves", ALL, TOKEN, shelves.assign),
        #
        ("POST", "/api/v1/reading-sessions", B | G, TOKEN, reading_sessions.record_session),
        ("POST", "/api/v1/reading-sessions", W, EITHER, reading_sessions.record_session),
        ("POST", "/api/v1/reading-sessions/batch", W, EITHER, reading_sessions.record_batch),
        ("GET", "/api/v1/reading-sessions/book/{bookId}", ALL, TOKEN, reading_sessions.list_sessions_of_book),
        #
        ("GET", "/api/v1/annotations/book/{bookId}", ALL, TOKEN, highlights.list_highlights),
        ("GET", "/api/v1/annotations/{id}", ALL, TOKEN, highlights.show_highlight),
        ("POST", "/api/v1/annotations", ALL, TOKEN, highlights.create_highlight),
        ("PUT", "/api/v1/annotations/{id}", ALL, TOKEN, highlights.update_highlight),
        ("DELETE", "/api/v1/annotations/{id}", ALL, TOKEN, highlights.delete_highlight),
        #
        ("GET", "/api/v2/book-notes/book/{bookId}", ALL, TOKEN, book_notes.list_in_book_notes),
        ("GET", "/api/v2/book-notes/{id}", ALL, TOKEN, book_notes.show_in_book_note),
        ("POST", "/api/v2/book-notes", ALL, TOKEN, book_notes.create_in_book_note),
        ("PUT", "/api/v2/book-notes/{id}", ALL, TOKEN, book_notes.update_in_book_note),
        ("DELETE", "/api/v2/book-notes/{id}", ALL, TOKEN, book_notes.delete_in_book_note),
        #
        ("GET", "/api/v1/book-notes/book/{bookId}", ALL, TOKEN, book_notes.list_book_notes),
        ("POST", "/api/v1/book-notes", ALL, TOKEN, book_notes.save_book_note),
        ("DELETE", "/api/v1/book-notes/{id}", ALL, TOKEN, book_notes.delete_book_note),
        #
        ("GET", "/api/v1/bookmarks/book/{bookId}", ALL, TOKEN, bookmarks.list_bookmarks),
        ("GET", "/api/v1/bookmarks/{id}", ALL, TOKEN, bookmarks.show_bookmark),
        ("POST", "/api/v1/bookmarks", ALL, TOKEN, bookmarks.create_bookmark),
        ("PUT", "/api/v1/bookmarks/{id}", ALL, TOKEN, bookmarks.update_bookmark),
        ("DELETE", "/api/v1/bookmarks/{id}", ALL, TOKEN, bookmarks.delete_bookmark),
        #
        ("GET", "/api/v1/shelves", ALL, TOKEN, shelves.list_shelves),
        ("GET", "/api/v1/shelves/{id}", ALL, TOKEN, shelves.show_shelf),
        ("GET", "/api/v1/shelves/{id}/books", ALL, TOKEN, shelves.list_books_of_shelf),
        ("POST", "/api/v1/shelves", ALL, TOKEN, shelves.create_shelf),
        ("PUT", "/api/v1/shelves/{id}", ALL, TOKEN, shelves.update_shelf),
        ("DELETE", "/api/v1/shelves/{id}", ALL, TOKEN, shelves.delete_shelf),
    )
]


def find(dialect: str, method: str, path: str) -> tuple[Route, dict[str, str]] | Missing:
    segments = path.split("/")
    fitting = [
        (route, variables)
        for route in ROUTES
        if dialect in route.dialects and (variables := route.variables_in(segments)) is not None
    ]
    if not fitting:
        return Missing.PATH
    for route, variables in sorted(fitting, key=lambda fit: -fit[0].literal_segments):
        if route.method == method or (method == "HEAD" and route.method == "GET"):
            return route, variables
    return Missing.METHOD
