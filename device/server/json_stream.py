"""A long JSON array read piece by piece, in bounded memory.

Called by: `client.py`, for the library and for the marks of a book; `komga.py`, for its pages.
"""

from __future__ import annotations

from device import json_text
from device.server.errors import NotBookLore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.json_text import Json

SPACE = " \t\r\n"
SEPARATORS = "," + SPACE
ELEMENT_MAX_CHARS = 1_048_576  # one book with all its metadata; the longest seen are some 20 KB


BESIDE_MAX_CHARS = 4_096  # what stands before and behind an array that is a member: paging


def elements(pieces: Iterator[bytes], member: str = "") -> Iterator[Json]:
    """The elements of one top-level JSON array, read piecewise. Raises NotBookLore if it is something else.

    With `member`, of the array of that name in one top-level object.
    """
    text = behind = ""
    undecoded = b""
    opened = closed = False
    for piece in pieces:
        undecoded += piece
        # A piece may end within a character: hold back the last bytes until the rest of it has come.
        whole = _whole_characters(undecoded)
        text = (text + undecoded[:whole].decode("utf-8", "replace")).lstrip(SPACE)
        undecoded = undecoded[whole:]
        if not opened and text:
            start = _start(text, member)
            if start is None:
                continue
            opened = True
            text = text[start:]
        at = 0
        while opened and not closed:
            while at < len(text) and text[at] in SEPARATORS:
                at += 1
            if at == len(text):
                break
            if text[at] == "]":
                closed = True
                at += 1
                break
            try:
                element, at = json_text.decode_from(text, at)
            except ValueError:
                if len(text) - at > ELEMENT_MAX_CHARS:
                    raise NotBookLore("the list cannot be read") from None
                break
            yield element
        text = text[at:]
        if closed:
            behind, text = behind + text, ""
            if len(behind) > BESIDE_MAX_CHARS or (not member and behind.strip(SPACE)):
                raise NotBookLore("something follows the list")
    if not closed or (member and not _ends_object(behind)):
        raise NotBookLore("the list was cut off")


def _start(text: str, member: str) -> int | None:
    """Where the array begins; None if that has not come yet."""
    if text[0] != ("{" if member else "["):
        raise NotBookLore("what should be a list is none")
    if not member:
        return 1
    at = text.find("[")
    while 0 <= at < BESIDE_MAX_CHARS:
        if _last_name(text[: at + 1] + "]}") == member:
            return at + 1
        at = text.find("[", at + 1)
    if len(text) > BESIDE_MAX_CHARS:
        raise NotBookLore("what should be a list is none")
    return None


def _last_name(text: str) -> str | None:
    """The name of the last member of an object whose JSON this is, if it is one."""
    try:
        value = json_text.decode(text)
    except ValueError:
        return None
    return next(reversed(value), None) if isinstance(value, dict) else None


def _ends_object(text: str) -> bool:
    try:
        return isinstance(json_text.decode('{"":[]' + text), dict)
    except ValueError:
        return False


def _whole_characters(data: bytes) -> int:
    """How many bytes at the beginning of `data` are whole UTF-8 characters, as far as its last four bytes tell."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            return len(data)
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) if back >= needed else len(data) - back
    return len(data)
