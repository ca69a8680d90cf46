"""Elements of an XML document one after the other, without demanding that it be well-formed.

Promises: one pass over the text; whatever it is, reading it ends, and costs no more than its length. What is nested is
given flat: an element's text is what stands between its beginning and the next tag.
Never: declares entities, loads anything, keeps a tree.
Called by: `container.py`, `package.py`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ELEMENTS_MOST = 20_000
TAG_MOST_CHARS = 8_192
TEXT_MOST_CHARS = 4_096  # of one element; behind it is cut
ENTITY_MOST_CHARS = 10
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": "\u00a0"}
_SKIPPED = (("<!--", "-->"), ("<?", "?>"), ("<!", ">"))
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_SPACE = " \t\r\n"


def elements(document: str, most: int = ELEMENTS_MOST) -> Iterator[tuple[str, dict[str, str], str]]:
    """(name without prefix, attributes without prefixes, text) of each element, in their order."""
    name, attributes, text = "", dict[str, str](), ""
    seen, at = 0, 0
    while seen < most:
        opens = document.find("<", at)
        if name and opens != at:
            text += _decoded(document[at : opens if opens >= 0 else len(document)])[: TEXT_MOST_CHARS - len(text)]
        if opens < 0:
            break
        if document.startswith(_CDATA, opens):
            end = document.find(_CDATA_END, opens)
            end = len(document) if end < 0 else end
            text += document[opens + len(_CDATA) : end][: TEXT_MOST_CHARS - len(text)]
            at = end + len(_CDATA_END)
            continue
        skipped = _skipped(document, opens)
        if skipped is not None:
            at = skipped
            continue
        if name:
            yield name, attributes, text
            seen += 1
            name, text = "", ""
        closes = _tag_end(document, opens)
        if not document.startswith("</", opens):
            name, attributes = _tag(document[opens + 1 : min(closes, opens + TAG_MOST_CHARS)])
        at = closes + 1
    if name and seen < most:
        yield name, attributes, text


def _skipped(document: str, opens: int) -> int | None:
    """Behind a comment, an instruction or a declaration; None if it is a tag."""
    for start, end in _SKIPPED:
        if document.startswith(start, opens):
            found = document.find(end, opens + len(start))
            return len(document) if found < 0 else found + len(end)
    return None


def _tag_end(document: str, opens: int) -> int:
    """Where the tag's `>` is; not one within quotes, unless these do not end soon."""
    at, quote = opens + 1, ""
    while at < len(document) and at - opens < TAG_MOST_CHARS:
        char = document[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == ">":
            return at
        at += 1
    found = document.find(">", opens)
    return len(document) if found < 0 else found


def _tag(inner: str) -> tuple[str, dict[str, str]]:
    inner = inner.rstrip("/")
    end = 0
    while end < len(inner) and inner[end] not in _SPACE:
        end += 1
    attributes: dict[str, str] = {}
    at = end
    while at < len(inner):
        equals = inner.find("=", at)
        if equals < 0:
            break
        key = inner[at:equals].split()[-1:]
        at = equals + 1
        while at < len(inner) and inner[at] in _SPACE:
            at += 1
        quote = inner[at : at + 1]
        if quote in ('"', "'") and quote:
            closes = inner.find(quote, at + 1)
            closes = len(inner) if closes < 0 else closes
            value, at = inner[at + 1 : closes], closes + 1
        else:
            closes = at
            while closes < len(inner) and inner[closes] not in _SPACE:
                closes += 1
            value, at = inner[at:closes], closes
        if key:
            attributes.setdefault(_local(key[0]), _decoded(value))
    return _local(inner[:end]), attributes


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _decoded(text: str) -> str:
    if "&" not in text:
        return text
    parts = text.split("&")
    found = [parts[0]]
    for part in parts[1:]:
        entity, semicolon, rest = part.partition(";")
        char = _character(entity) if semicolon and len(entity) <= ENTITY_MOST_CHARS else None
        found.append("&" + part if char is None else char + rest)
    return "".join(found)


def _character(entity: str) -> str | None:
    if not entity.startswith("#"):
        return _ENTITIES.get(entity)
    digits, base = (entity[2:], 16) if entity[1:2] in ("x", "X") else (entity[1:], 10)
    try:
        code = int(digits, base)
        return chr(code) if 0x20 <= code < 0xD800 or 0xE000 <= code < 0x110000 else " "
    except ValueError:
        return None
