"""Where a book's package document is, and what the names in it lead to within the archive.

Promises: only names of members come out of here, whatever a book writes; nothing outside the archive can be meant.
Called by: `package.py`, `spine.py`.
Law: OCF 3.3; what is wrong in a book is read as leniently as reading systems do.
"""

from __future__ import annotations

from device.epub.archive import Archive, Unreadable
from device.epub.tags import elements

CONTAINER = "META-INF/container.xml"
CONTAINER_MOST_BYTES = 65_536
PACKAGE_MOST_BYTES = 4 * 1_048_576  # the manifest of a book of many thousand pictures
ROOTFILES_MOST = 50
PLACES_MOST = 4
_HEXADECIMAL = frozenset(b"0123456789abcdef")


def package_document(archive: Archive) -> tuple[str, str]:
    """(name, text) of the package document. Raises Unreadable if there is none."""
    container = archive.member(CONTAINER, CONTAINER_MOST_BYTES)
    places = [] if container is None else _places(decoded(container))
    if not places:
        places = archive.names(".opf", 1)  # many readers open such a book all the same
    for place in places:
        document = archive.member(place, PACKAGE_MOST_BYTES)
        if document is not None:
            return place, decoded(document)
    raise Unreadable("it has no package document")


def _places(container: str) -> list[str]:
    found = []
    for name, attributes, _ in elements(container, ROOTFILES_MOST):
        place = attributes.get("full-path", "")
        if name == "rootfile" and place:
            found += [place.removeprefix("/").removeprefix("./"), unquoted(place).removeprefix("/")]
    return found[:PLACES_MOST]


def decoded(data: bytes) -> str:
    """Books are UTF-8, old ones Latin-1; what is UTF-16 is not read."""
    declared = data[:200].lower()
    if b"iso-8859-1" in declared or b"windows-1252" in declared:
        return data.decode("latin-1")
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def unquoted(place: str) -> str:
    """`My%20Book.opf` → `My Book.opf`."""
    if "%" not in place:
        return place
    found, at = b"", 0
    data = place.encode("utf-8", "replace")
    while at < len(data):
        pair = data[at + 1 : at + 3]
        if data[at : at + 1] == b"%" and len(pair) == 2 and not set(pair.lower()) - _HEXADECIMAL:
            found += bytes((int(pair, 16),))
            at += 3
        else:
            found += data[at : at + 1]
            at += 1
    return found.decode("utf-8", "replace")


def resolved(href: str, document: str) -> str:
    """The member that a reference in a document of the archive leads to. What climbs out of the archive stays at its
    root, as in a browser."""
    parts = [] if href.startswith("/") else document.split("/")[:-1]
    for part in href.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
