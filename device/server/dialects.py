"""The servers that speak this API, and what each of them can do, as one table.

Promises: an unknown server is taken for BookLore, whose API the others share: what it can do, all can.
Never: asks a server; `device/sending/dialect.py` does, and remembers what it heard.
Called by: `device/sending/dialect.py`.
Source: BookLore 2.3.0, Grimmory 3.2.4, the WorldTeacher image 2.3.0. Version numbers do not tell them apart, because
forks keep them; the tokens' issuer and the image's own endpoints do.
"""

from __future__ import annotations

from device.server.tokens import claims

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

BOOKLORE, GRIMMORY, WORLDTEACHER = "booklore", "grimmory", "worldteacher"

GRIMMORY_ISSUER = "booklore"  # the claim `iss` of Grimmory's tokens; the others' tokens have none
VERSION_MAX_CHARS = 100  # "v2.3.0", or the name of a branch


class Capabilities:
    """What a dialect has beyond BookLore's API."""

    __slots__ = ("finds_by_hash", "page_bookmarks", "pages", "takes_batches")

    def __init__(self, *, finds_by_hash: bool, takes_batches: bool, pages: bool, page_bookmarks: bool) -> None:
        self.finds_by_hash = finds_by_hash  # GET /api/v1/books/by-hash/{fingerprint}
        self.takes_batches = takes_batches  # POST /api/v1/reading-sessions/batch
        self.pages = pages  # GET /api/v1/app/books, at most 50 books a page
        self.page_bookmarks = page_bookmarks  # bookmarks with a page number, for books of fixed pages


TABLE = {
    BOOKLORE: Capabilities(finds_by_hash=False, takes_batches=False, pages=False, page_bookmarks=False),
    GRIMMORY: Capabilities(finds_by_hash=False, takes_batches=False, pages=True, page_bookmarks=True),
    WORLDTEACHER: Capabilities(finds_by_hash=True, takes_batches=True, pages=False, page_bookmarks=False),
}


def of(name: str | None) -> Capabilities:
    return TABLE.get(name or BOOKLORE, TABLE[BOOKLORE])


def named(has_image_endpoints: bool, token: str) -> str:
    """The dialect of a server that does or does not have the image's endpoints and gave this access token."""
    if has_image_endpoints:
        return WORLDTEACHER
    return GRIMMORY if is_grimmory_token(token) else BOOKLORE


def is_grimmory_token(token: str) -> bool:
    return claims(token).get("iss") == GRIMMORY_ISSUER


def version_in(health: Json) -> str:
    """The version that a health check tells; empty if it does not."""
    data = health.get("data") if isinstance(health, dict) else None
    version = data.get("version") if isinstance(data, dict) else None
    return version[:VERSION_MAX_CHARS] if isinstance(version, str) else ""
