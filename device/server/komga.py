"""Komga's list of books: the only place where BookLore and Grimmory tell the fingerprints of their files.

Promises: a fingerprint is what KOReader's partial MD5 of the same file is, as long as the server has not written into
it since; memory is bounded however large the library is. Every page makes BookLore load its whole library, so that few
large ones are asked for.
Never: believes that the reader may open a book: the list holds those of all libraries.
Called by: `device/sending/dialect.py`.
Source: `KomgaController` and `KomgaMapper` of BookLore 2.3.0 and Grimmory 3.2.4. The account is that of OPDS.
"""

from __future__ import annotations

import binascii

from device.server.errors import NotBookLore, ServerError, ServerFailed
from device.server.json_stream import elements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.json_text import Json
    from device.server.http import Connection

BOOKS = "/komga/api/v1/books"
PAGE_SIZE = 20_000  # books; one page for all but the largest libraries
PAGES_MOST = 10
FINGERPRINT_CHARS = 32
HEXADECIMAL = frozenset("0123456789abcdef")
ID_MAX_CHARS = 18  # a number of 64 bits


class KomgaOff(ServerError):
    """There is no list. `for_good`: the server itself says that it is switched off; else something in between may."""

    nothing_was_done = True

    def __init__(self, text: str, for_good: bool) -> None:
        super().__init__(text)
        self.for_good = for_good


class KomgaRefused(ServerError):
    """The OPDS account is not, or no more, one of the server's."""

    nothing_was_done = True


def komga_fingerprints(connection: Connection, user: str, password: str) -> Iterator[tuple[int, str]]:
    """(server id, fingerprint) of every book whose fingerprint the server knows.

    Raises KomgaOff, KomgaRefused, ServerFailed, NotBookLore, and what a request raises.
    """
    for page in range(PAGES_MOST):
        rows = 0
        for element in _page(connection, page, _basic(user, password)):
            rows += 1
            found = _found(element)
            if found is not None:
                yield found
        if rows < PAGE_SIZE:
            return


def _page(connection: Connection, page: int, headers: dict[str, str]) -> Iterator[Json]:
    # `clean` leaves out what is empty, which is most of it.
    answer, body = connection.stream(f"{BOOKS}?page={page}&size={PAGE_SIZE}&clean=true", headers)
    if answer.status == 200 and answer.is_json():
        try:
            yield from elements(body, "content")
        except NotBookLore:
            connection.close()
            raise
        return
    connection.close()  # what is left of its body is not wanted
    if answer.status == 401:
        raise KomgaRefused(f"{connection.address} does not accept the OPDS account")
    if answer.status == 429 or answer.status >= 500:
        raise ServerFailed(f"{connection.address} failed to list its fingerprints (HTTP {answer.status})")
    switched_off = answer.status == 403 and answer.is_json()
    raise KomgaOff(f"{connection.address} does not give Komga's list (HTTP {answer.status})", switched_off)


def _found(element: Json) -> tuple[int, str] | None:
    if not isinstance(element, dict):
        return None
    id, fingerprint = element.get("id"), element.get("fileHash")
    if not isinstance(id, str) or not isinstance(fingerprint, str):
        return None
    if not (id.isascii() and id.isdigit() and len(id) <= ID_MAX_CHARS):
        return None
    fingerprint = fingerprint.lower()
    if len(fingerprint) != FINGERPRINT_CHARS or not HEXADECIMAL.issuperset(fingerprint):
        return None
    return int(id), fingerprint


def _basic(user: str, password: str) -> dict[str, str]:
    pair = binascii.b2a_base64(f"{user}:{password}".encode(), newline=False).decode("ascii")
    return {"Authorization": f"Basic {pair}"}
