"""The order of a book's documents: as EPUB's own positions count them, and as KOReader's xpointers do.

A CFI goes through the package document: `/6/14` is the 7th child of its 3rd child, whatever these are. An xpointer
counts the fragments that the engine made, `DocFragment[7]`, and these are neither all itemrefs nor only them:

  an itemref whose `idref` names nothing in the manifest makes none
  DOM version 20240114 and later   every other one makes one; where there is no text to be found (missing, not HTML, an
                                   address with a `#` in it) the engine puts a note of its own there
  before                           only documents of type `application/xhtml+xml` that can be read
  a document with two `<body>`     makes two

Promises: whatever the package document holds, at a bounded cost; names are members of the archive, never paths.
Never: keeps a document.
Called by: `opened_book.py`.
Law: OPF 3.3; epubfmt.cpp of koreader/crengine, August 2026.
"""

from __future__ import annotations

from device.epub import source_text
from device.epub.archive import Archive, Unreadable
from device.epub.container import package_document, resolved, unquoted
from device.epub.engine_text import processed
from device.epub.engine_tokens import CLOSE, OPEN, is_broken, tokens
from device.epub.engine_tree import bodies

ITEMS_MOST = 20_000  # of the manifest; comics and dictionaries have some thousands
ITEMREFS_MOST = 10_000
COUNTED_MOST_BYTES = 64 * 1_048_576  # of all documents, to count their bodies; the text of the longest books is 20 MB
DEPTH_MOST = 200  # elements within each other; a package document has 4
RELAXED_DOM = 20240114
XHTML = "application/xhtml+xml"
LOOKED_AT_BYTES = 2_048  # in which the engine looks for signs of HTML
DOCTYPE_BEFORE_BYTES = 32
_HTML_NAMES = (".htm", ".html", ".hhc", ".xhtml")


class SpineItem:
    """One itemref. `step`: its step in a CFI. `href`: the member of the archive; empty if the manifest does not know
    the `idref`, `id` the itemref's own one."""

    __slots__ = ("href", "id", "idref", "linear", "media_type", "step")

    def __init__(self, step: int, id: str, idref: str, linear: bool) -> None:
        self.step = step
        self.id = id
        self.idref = idref
        self.linear = linear
        self.href = ""
        self.media_type = ""


class Fragment:
    """What `DocFragment[n]` is. `in_item`: the which of its item's bodies, from 0; None for a note of the engine's own
    that is in no document."""

    __slots__ = ("in_item", "item")

    def __init__(self, item: SpineItem, in_item: int | None) -> None:
        self.item = item
        self.in_item = in_item


class Spine:
    """`step`: that of `<spine>` in a CFI, 6 nearly always. `items`: all itemrefs, also those that lead nowhere."""

    __slots__ = ("_bodies", "_counted_bytes", "id", "items", "step")

    def __init__(self) -> None:
        self.step = 0
        self.id = ""
        self.items: list[SpineItem] = []
        self._bodies: dict[str, int] = {}
        self._counted_bytes = 0

    def has_dangling(self) -> bool:
        """Whether an itemref leads nowhere: behind it the web reader opens the wrong document."""
        return any(not item.href for item in self.items)

    def fragments(self, archive: Archive, dom: int) -> list[Fragment]:
        """The fragments 1, 2, … of the book when it was opened with that DOM version. Reads each document once."""
        found: list[Fragment] = []
        for item in self.items:
            if not item.href or (dom < RELAXED_DOM and item.media_type != XHTML):
                continue
            count = self._count(archive, item.href)
            found += [Fragment(item, number) for number in range(count)]
            if not count and dom >= RELAXED_DOM:
                found.append(Fragment(item, None))
        return found

    def _count(self, archive: Archive, href: str) -> int:
        count = self._bodies.get(href)
        if count is None:
            self._counted_bytes += archive.size_bytes(href) or 0
            is_hostile = self._counted_bytes > COUNTED_MOST_BYTES  # many names may stand for one long member
            count = self._bodies[href] = 1 if is_hostile else _bodies(archive, href)
        return count


def read_spine(archive: Archive) -> Spine:
    """Raises Unreadable, OSError."""
    place, document = package_document(archive)
    return parse(document, place)


def parse(document: str, place: str) -> Spine:
    """`place`: the name of the package document, from which its references are to be followed."""
    spine = Spine()
    manifest: dict[str, tuple[str, str]] = {}
    names: list[str] = []  # of the open elements
    children: list[int] = []  # element children that each of them has up to now
    for tag, _, _ in tokens(document):
        name = tag.name.lower()
        if tag.kind == CLOSE:
            if name in names:
                while names.pop() != name:
                    children.pop()
                children.pop()
            continue
        if tag.kind != OPEN or name.startswith("?"):
            continue
        within = names[-1] if names else ""
        if children:
            children[-1] += 1
        if name == "spine" and within == "package" and not spine.step:
            spine.step = 2 * children[-1]
            spine.id = _value(tag.attributes, "id")
        elif name == "item" and within == "manifest" and len(manifest) < ITEMS_MOST:
            id, href = _value(tag.attributes, "id"), _value(tag.attributes, "href")
            if id and href:
                manifest.setdefault(id, (resolved(unquoted(href), place), _value(tag.attributes, "media-type")))
        elif name == "itemref" and within == "spine" and len(spine.items) < ITEMREFS_MOST:
            linear = _value(tag.attributes, "linear").lower() != "no"
            idref = _value(tag.attributes, "idref")
            spine.items.append(SpineItem(2 * children[-1], _value(tag.attributes, "id"), idref, linear))
        if not tag.empty:
            if len(names) >= DEPTH_MOST:
                break
            names.append(name)
            children.append(0)
    for item in spine.items:
        item.href, item.media_type = manifest.get(item.idref, ("", ""))
    return spine


def _value(attributes: dict[str, str], name: str) -> str:
    value = attributes.get(name, "")
    return (processed(value, preformatted=True, literal=False).text if "&" in value else value).strip()


def _bodies(archive: Archive, href: str) -> int:
    try:
        data = archive.member(href, source_text.DOCUMENT_MOST_BYTES)
    except Unreadable:
        return 0 if archive.size_bytes(href) is None else 1  # the engine may read what is too much for us
    if data is None or not _looks_like_html(data, href):
        return 0
    return 1 if _has_plainly_one(data.lower()) else bodies(source_text.decoded(data).engine)


def _has_plainly_one(lower: bytes) -> bool:
    """Whether it can be told without reading the document that the engine finds one body in it, as nearly always."""
    opens, closes = lower.find(b"<body"), lower.rfind(b"</body")
    if opens < 0 or lower.count(b"<body") > 1 or b":body" in lower or lower.find(b"<!", opens) >= 0:
        return False
    for at in (opens, closes):  # the tag before, if it is broken, takes a part of this one
        before = lower.rfind(b"<", 0, max(at, 0))
        if before >= 0 and (at - before > LOOKED_AT_BYTES or is_broken(lower[before + 1 : at].decode("latin-1"))):
            return False
    return True


def _looks_like_html(data: bytes, name: str) -> bool:
    head = data[:LOOKED_AT_BYTES].replace(b"\0", b"").lower()  # UTF-16 loses its zeros here
    if len(head) <= 30:
        return False
    if b"<html" in head and (b"<head" in head or b"<body" in head):
        return True
    doctype = head.find(b"<!doctype ")
    if doctype >= 0 and 0 <= head.find(b"html", doctype) < DOCTYPE_BEFORE_BYTES:
        return True
    return name.lower().endswith(_HTML_NAMES) and (b"<!--" in head or b"ul" in head or b"<p>" in head)
