"""What stands between `<` and `>`: names, attributes, the document type.

Promises: one pass; what is longer than the limits is read and cut or forgotten.
Called by: `html5_tokens.py`.
Law: the HTML Standard, "Tokenization", from the tag name state on.
"""

from __future__ import annotations

from device.epub.html5_entities import reference

SPACES = " \t\n\f\r"
NAME_ENDS = frozenset(" \t\n\f\r/>")
NAME_MOST_CHARS = 1_024  # of a tag or an attribute: what is longer is no name, and is cut
ATTRIBUTES_MOST = 256  # of one tag; what follows is read and forgotten
DOCTYPE_MOST_CHARS = 4_096
_SPACES = frozenset(SPACES)
_ATTRIBUTE_NAME_ENDS = NAME_ENDS | {"="}
_VALUE_ENDS = _SPACES | {">"}
_QUOTES = frozenset("\"'")
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def tag(text: str, begins: int, attributes: dict[str, str]) -> tuple[str, bool, int]:
    """The tag whose name begins there: name, whether it closes itself, where the text goes on.

    Adds to the attributes. There is no name if the text ends within the tag.
    """
    at = begins
    while at < len(text) and text[at] not in NAME_ENDS:
        at += 1
    name = lower(text[begins : min(at, begins + NAME_MOST_CHARS)]).replace("\0", "\ufffd")
    is_self_closing = False
    while True:
        while at < len(text) and text[at] in _SPACES:
            at += 1
        if at >= len(text):
            return "", False, len(text)
        if text[at] == ">":
            return name, is_self_closing, at + 1
        if text[at] == "/":
            at += 1
            is_self_closing = text.startswith(">", at)
        else:
            at = _attribute(text, at, attributes)


def _attribute(text: str, begins: int, attributes: dict[str, str]) -> int:
    """Behind one attribute; the first of a name counts."""
    at = begins + 1  # an equals sign may begin a name
    while at < len(text) and text[at] not in _ATTRIBUTE_NAME_ENDS:
        at += 1
    name = lower(text[begins : min(at, begins + NAME_MOST_CHARS)])
    value_at = at
    while value_at < len(text) and text[value_at] in _SPACES:
        value_at += 1
    value = ""
    if text.startswith("=", value_at):
        at = value_at + 1
        while at < len(text) and text[at] in _SPACES:
            at += 1
        quote = text[at : at + 1]
        if quote in _QUOTES:
            end = text.find(quote, at + 1)
            end = len(text) if end < 0 else end
            value, at = text[at + 1 : end], end + 1
        elif quote != ">":
            end = at
            while end < len(text) and text[end] not in _VALUE_ENDS:
                end += 1
            value, at = text[at:end], end
    if name not in attributes and len(attributes) < ATTRIBUTES_MOST:
        attributes[name] = _meant(value)
    return at


def doctype(inner: str) -> tuple[str, str | None, str | None, bool]:
    """Name, public and system identifier, and whether it is broken; `inner` is what stands behind the keyword."""
    inner = inner.strip(SPACES)
    cut = 0
    while cut < len(inner) and inner[cut] not in _SPACES:
        cut += 1
    name, rest = lower(inner[:cut]), inner[cut:].strip(SPACES)
    public = system = None
    is_broken = not name
    keyword = rest[:6].upper()
    if keyword == "PUBLIC":
        public, rest = _quoted(rest[6:])
        is_broken = is_broken or public is None
        if public is not None and rest:
            system, rest = _quoted(rest)
            is_broken = is_broken or system is None
    elif keyword == "SYSTEM":
        system, rest = _quoted(rest[6:])
        is_broken = is_broken or system is None
    elif rest:
        is_broken = True
    return name, public, system, is_broken


def lower(text: str) -> str:
    """As HTML does it: A to Z only."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def _quoted(text: str) -> tuple[str | None, str]:
    """The quoted text at the beginning, and what follows; without an end quote it goes to the end."""
    text = text.lstrip(SPACES)
    quote = text[:1]
    if quote not in _QUOTES:
        return None, text
    end = text.find(quote, 1)
    end = len(text) if end < 0 else end
    return text[1:end], text[end + 1 :].strip(SPACES)


def _meant(text: str) -> str:
    """An attribute's value as it is meant."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if "&" not in text:
        return text
    parts, at = list[str](), 0
    while True:
        found = text.find("&", at)
        if found < 0:
            parts.append(text[at:])
            return "".join(parts)
        parts.append(text[at:found])
        data, at = reference(text, found, in_attribute=True)
        parts.append(data or "&")
