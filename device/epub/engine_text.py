"""What KOReader's engine makes of the text between two tags: blanks collapsed, entities decoded, tabs filled up.

Its xpointers count the characters of that, so for each of them the place in the source is known. The rules, with the
mistakes that are part of them:

  blanks     a run of spaces, tabs and line ends becomes one space, at the beginning and at the end of a text too.
             In preformatted text they stay; tabs are filled up to columns of 8, counted from the line end before
  entities   `&name;`, and `&name ` with a space, which is lost; `&#123;` and `&#x7b;` with a small x. What they give
             is never collapsed. A name that nobody knows stays as it is. A `&` that begins nothing is lost, along with
             the character behind it
  128..159   as a number mean what Windows means by them

Promises: linear in the length of the text; as many places as characters.
Never: knows where the text stands in the tree.
Called by: `engine_tree.py`, `engine_item.py`, `engine_math.py`.
"""

from __future__ import annotations

from array import array

from device.epub.browser_nodes import WINDOWS_1252
from device.epub.html5_entities import named

NAME_MOST_CHARS = 31  # of an entity
CODE_MOST = 0x10FFFF
DROPPED = "\u00ad\u200b\ufeff"  # of what is compared: they are not seen, and every program treats them in its own way
_COLLAPSED = " \t\r\n"
TAB_CHARS = 8


def squeezed(text: str) -> str:
    """The text as it is compared: without blanks of any kind and without what is not seen."""
    text = "".join(text.split())
    for char in DROPPED:
        if char in text:
            text = text.replace(char, "")
    return text


def is_blank(text: str) -> bool:
    """Whether the engine takes a text for empty; other blanks than these four are letters to it."""
    return not text.strip(_COLLAPSED)


class Processed:
    """The text as the engine has it; `places`: for each of its characters the offset in the source's piece."""

    __slots__ = ("places", "text")

    def __init__(self, text: str, places: array[int]) -> None:
        self.text = text
        self.places = places


def text_only(raw: str, preformatted: bool, literal: bool) -> str:
    """Like `processed`, where the places are not wanted and the blanks do not matter."""
    return raw if literal or "&" not in raw else processed(raw, preformatted, literal).text


def processed(raw: str, preformatted: bool, literal: bool) -> Processed:
    """`literal`: entities are not decoded, as in CDATA."""
    # In `flat` everything up to the next two blanks is what the engine has, character for character.
    flat = raw if preformatted else raw.replace("\t", " ").replace("\r", " ").replace("\n", " ")
    stops = "\r" if preformatted else "  "
    with_entities = not literal and "&" in raw
    parts: list[str] = []
    places = array("I")
    at, length = 0, len(raw)
    blank = False  # the last character was a collapsed blank
    line_end = False  # ... or a line feed, in preformatted text
    while at < length:
        char = flat[at]
        if char == "&" and with_entities:
            line_end = False
            text, behind, ends_run = _entity(raw, at)
            parts.append(text)
            for _ in text:
                places.append(at)
            blank = blank and not ends_run
            at = behind
            continue
        if preformatted and char == "\r":
            if not line_end and raw[at + 1 : at + 2] != "\n":
                parts.append("\n")
                places.append(at)
                line_end = True
            at += 1
            continue
        if blank and char == " ":
            at += 1
            continue
        end = flat.find(stops, at)
        end = length if end < 0 else end + len(stops) - 1
        if with_entities:
            entity = flat.find("&", at, end)
            end = end if entity < 0 else entity
        parts.append(flat[at:end])
        places.extend(range(at, end))
        blank = not preformatted and flat[end - 1] == " "
        line_end = flat[end - 1] == "\n"
        at = end
    made = Processed("".join(parts), places)
    return _filled_up(made) if preformatted and "\t" in made.text else made


def _filled_up(made: Processed) -> Processed:
    """With spaces for the tabs."""
    parts: list[str] = []
    places = array("I")
    column = 0
    for number, char in enumerate(made.text):
        if char == "\t":
            width = TAB_CHARS - column % TAB_CHARS
            parts.append(" " * width)
            for _ in range(width):
                places.append(made.places[number])
            column += width
        else:
            parts.append(char)
            places.append(made.places[number])
            column = 1 if char in "\r\n" else column + 1  # the line end counts as the first character of its line
    return Processed("".join(parts), places)


def _entity(raw: str, at: int) -> tuple[str, int, bool]:
    """What the `&` there gives, where to go on, and whether a run of blanks ends with it."""
    behind = raw[at + 1 : at + 2]
    if behind == "&":
        return "", at + 1, False  # the second one has its chance
    if behind == "#":
        return _numbered(raw, at)
    if behind.isascii() and behind.isalpha():
        end = at + 1
        most = min(len(raw), at + 1 + NAME_MOST_CHARS)
        while end < most and raw[end] not in "; ":
            end += 1
        if end < len(raw) and raw[end] in "; ":
            text = named(raw[at + 1 : end])
            if text:
                return text, end + 1, True
        return "&" + behind, at + 2, False
    return "", min(at + 2, len(raw)), behind == ";"


def _numbered(raw: str, at: int) -> tuple[str, int, bool]:
    end = at + 2
    base = 10
    if raw[end : end + 1] == "x":
        base = 16
        end += 1
    begin = end
    digits = "0123456789abcdefABCDEF" if base == 16 else "0123456789"
    while end < len(raw) and raw[end] in digits:
        end += 1
    if raw[end : end + 1] == "&":
        return "", end, False
    if raw[end : end + 1] != ";":
        return "", min(end + 1, len(raw)), False
    code = int(raw[begin:end][-8:] or "0", base)
    return _character(code), end + 1, True


def _character(code: int) -> str:
    if code == 0:
        return ""
    if 128 <= code < 160:
        return WINDOWS_1252[code - 128]
    if code > CODE_MOST or 0xD800 <= code < 0xE000:
        return "\ufffd"
    return chr(code)
