"""Characters by name and by number, as browsers read them.

Promises: every name of the HTML Standard, with its rules for those without a semicolon; numbers that no character has
become U+FFFD, those of Windows-1252 what was meant.
Called by: `html5_tokens.py`; `browser_xml.py` for the documents of which browsers know the names.
"""

from __future__ import annotations

from device.epub.browser_nodes import WINDOWS_1252
from device.epub.html5_entity_table import NAMED, WITHOUT_SEMICOLON

NAME_MOST_CHARS = 32  # CounterClockwiseContourIntegral has 31
BARE_NAME_MOST_CHARS = 6  # frac34, brvbar
DIGITS_MOST = 8  # more are no character, however they go on
NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
DECIMAL = frozenset("0123456789")
HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_known: dict[str, str] = {}  # of the names asked for: a book uses few, and often


def named(name: str) -> str:
    """The characters of `&name;`, or nothing."""
    found = _known.get(name)
    if found is None:
        at = NAMED.find(f" {name}=") if len(name) <= NAME_MOST_CHARS else -1
        begins = at + len(name) + 2
        found = "" if at < 0 else NAMED[begins : NAMED.index(" ", begins)]
        if found:
            _known[name] = found
    return found


def reference(text: str, at: int, in_attribute: bool) -> tuple[str, int]:
    """The characters that the `&` at `at` begins, and where the text goes on; no characters if it begins none."""
    if text.startswith("#", at + 1):
        return _numbered(text, at)
    end = _while(text, at + 1, NAME_CHARS, NAME_MOST_CHARS)
    name = text[at + 1 : end]
    if text.startswith(";", end):
        found = named(name)
        if found:
            return found, end + 1
    for length in range(min(len(name), BARE_NAME_MOST_CHARS), 1, -1):
        if f" {name[:length]} " in WITHOUT_SEMICOLON:
            end = at + 1 + length
            if in_attribute and (text.startswith("=", end) or text[end : end + 1] in NAME_CHARS):
                return "", at + 1
            return named(name[:length]), end
    return "", at + 1


def _numbered(text: str, at: int) -> tuple[str, int]:
    is_hexadecimal = text[at + 2 : at + 3] in ("x", "X")
    begins = at + (3 if is_hexadecimal else 2)
    digits = HEXADECIMAL if is_hexadecimal else DECIMAL
    while text.startswith("0", begins) and text[begins + 1 : begins + 2] in digits and begins + 1 < len(text):
        begins += 1
    end = _while(text, begins, digits, len(text))
    if end == begins:
        return "", at + 1
    code = int(text[begins : min(end, begins + DIGITS_MOST)], 16 if is_hexadecimal else 10)
    if text.startswith(";", end):
        end += 1
    if 0x80 <= code < 0xA0:
        return WINDOWS_1252[code - 0x80], end
    is_character = 0 < code < 0xD800 or 0xE000 <= code < 0x110000
    return chr(code) if is_character else "\ufffd", end


def _while(text: str, at: int, chars: frozenset[str], most: int) -> int:
    end = at
    while end < len(text) and end - at < most and text[end] in chars:
        end += 1
    return end
