"""What an EPUB says of itself: title, authors, identifiers, series and language out of its package document.

Promises: reads two small members of the archive and no more; a document that is not well-formed gives what can be read
of it, a hostile one nothing, at a bounded cost. Of a book without a usable package document nothing is said.
Never: trusts what it reads; ISBNs are checked by `device/core/isbn.py`.
Called by: `device/sending/reading_packages.py`.
Law: EPUB 3.3 and OPF 2.0.1, sections on metadata; calibre's names for the series.
"""

from __future__ import annotations

from device.epub.archive import Archive
from device.epub.container import package_document
from device.epub.tags import elements

METADATA_MOST_CHARS = 262_144  # behind which no metadata are looked for; some books carry a whole blurb there
VALUES_MOST = 50  # of one kind
TEXT_MOST_CHARS = 500
ISBN_TYPES = ("02", "15")  # ONIX code list 5: ISBN-10 and ISBN-13


class Package:
    """As it is written in the book. `identifiers`: `scheme:value`, or just the value."""

    __slots__ = ("authors", "identifiers", "language", "series", "series_index", "title")

    def __init__(self) -> None:
        self.title = ""
        self.authors: list[str] = []
        self.identifiers: list[str] = []
        self.language = ""
        self.series = ""
        self.series_index: float | None = None


def read(path: str) -> Package:
    """Raises Unreadable, OSError."""
    with Archive(path) as archive:
        return parse(package_document(archive)[1])


def parse(document: str) -> Package:
    """What the metadata of a package document say."""
    package = Package()
    schemes: dict[str, str] = {}  # id of an identifier → what it is
    by_id: list[tuple[str, str, str]] = []  # of the identifiers: id, scheme, value
    collections: dict[str, str] = {}
    positions: dict[str, str] = {}
    roles: dict[str, str] = {}
    creators: list[tuple[str, str, str]] = []  # id, role, name
    of_calibre: dict[str, str] = {}
    end = document.find("</metadata")
    for name, attributes, text in elements(
        document[: METADATA_MOST_CHARS if end < 0 else min(end, METADATA_MOST_CHARS)]
    ):
        text = " ".join(text.split())[:TEXT_MOST_CHARS]
        id = attributes.get("id", "")
        if name == "title" and text and not package.title:
            package.title = text
        elif name == "creator" and text and len(creators) < VALUES_MOST:
            creators.append((id, attributes.get("role", ""), text))
        elif name == "language" and text and not package.language:
            package.language = text
        elif name == "identifier" and text and len(by_id) < VALUES_MOST:
            by_id.append((id, attributes.get("scheme", ""), text))
        elif name == "meta":
            refined, kind = attributes.get("refines", "").removeprefix("#"), attributes.get("property", "")
            if kind == "identifier-type" and text in ISBN_TYPES:
                schemes[refined] = "ISBN"
            elif kind == "role":
                roles[refined] = text
            elif kind == "belongs-to-collection" and len(collections) < VALUES_MOST:
                collections[id] = text
            elif kind == "group-position":
                positions[refined] = text
            elif attributes.get("name", "").startswith("calibre:series"):
                of_calibre[attributes["name"]] = attributes.get("content", "")[:TEXT_MOST_CHARS].strip()
    for id, role, text in creators:
        if (role or roles.get(id, "")) in ("", "aut"):
            package.authors.append(text)
    for id, scheme, text in by_id:
        scheme = scheme or schemes.get(id, "")
        package.identifiers.append(f"{scheme}:{text}" if scheme and not _has_scheme(text) else text)
    package.series = of_calibre.get("calibre:series", "")
    index = of_calibre.get("calibre:series_index", "")
    if not package.series and collections:
        id, package.series = next(iter(collections.items()))
        index = positions.get(id, "") if id else ""
    package.series_index = _number(index) if package.series else None
    return package


def _has_scheme(text: str) -> bool:
    return text.casefold().startswith(("urn:", "isbn"))


def _number(text: str) -> float | None:
    digits = text.replace(".", "", 1)
    return float(text) if digits.isascii() and digits.isdigit() and len(text) <= 10 else None
