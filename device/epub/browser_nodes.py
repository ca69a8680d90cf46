"""A browser's document as rows of numbers: its nodes, and where in the source each character of its text came from.

Promises: nodes lie in the order of the document and cost 17 bytes each; text costs 12 bytes for each run of characters
that stand in the source as they are, however long. Positions in the text count UTF-16 units from the document's
beginning, as a browser does within a node. Raises TooComplex instead of growing beyond the limits.
Never: reads markup; keeps names or attributes, an element's id apart.
Called by: `browser_xml.py` and `html5_tree.py`, which fill it; `browser_dom.py`, which looks things up.
"""

from __future__ import annotations

from array import array

ELEMENT, TEXT, OTHER = 1, 2, 3  # OTHER: comments and instructions, which CFIs do not count but boundaries do
NONE = 0xFFFFFFFF
NODES_MOST = 400_000  # 7 MB; a chapter of 2 MB has some 50,000
RUNS_MOST = 1_000_000  # 12 MB; a chapter of 2 MB that is all entities has 400,000
# What a run is: characters of one UTF-16 unit each, of two each, or something that the source spells otherwise.
NARROW, WIDE, SPELLED = 0, 1, 2
# What bytes 0x80 to 0x9F mean where browsers read Latin-1, and what numbers of these values mean in HTML.
WINDOWS_1252 = (
    "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f"
    "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178"
)
# Encodings by the beginnings of their names: those that browsers read byte by byte, and those that they do not.
_ONE_BYTE = ("iso-8859-", "iso8859", "iso_8859", "iso88", "windows-", "cp125", "x-cp125", "latin", "us-ascii", "ascii")
_ONE_BYTE_NAMES = ("l1", "koi8-r", "koi8-u", "macintosh", "ibm866", "ansi_x3.4-1968", "x-user-defined")
_SEVERAL_BYTES = ("gb", "big5", "shift", "sjis", "x-sjis", "euc-", "ks_c", "iso-2022", "x-gbk")
_STRINGS = SPELLED + 0x110000  # from here on: number of a string; below: a single character


def is_encoding(name: str) -> bool:
    """Whether a browser knows an encoding of that name, as far as it matters here."""
    name = name.strip().lower()
    return name.startswith((*_ONE_BYTE, *_SEVERAL_BYTES, "utf", "unicode")) or name in _ONE_BYTE_NAMES


class TooComplex(Exception):
    """The document has more parts than this device should hold."""


class Nodes:
    """The document while it is built, in its own order: `open`, `text`, `close`, the first element being the root."""

    __slots__ = (
        "_last_child",
        "_numbers",
        "_open",
        "_source",
        "_text",
        "_unit",
        "_unread",
        "begins",
        "ends",
        "garble",
        "ids",
        "kinds",
        "nexts",
        "parents",
        "run_codes",
        "run_sources",
        "run_units",
        "strings",
    )

    def __init__(self, source: str) -> None:
        self._source = source
        self._open = array("I")
        self._last_child = array("I")  # of each open element, NONE for an empty one
        self._text = NONE  # the text node that still grows
        self._unit = 0
        self._unread = ""  # the encoding in which other characters than ASCII would be read, but not here
        self.garble: dict[str, str] | None = None  # what a wrong encoding has made of characters, if one is declared
        self.kinds = bytearray()
        self.parents = array("I")
        self.nexts = array("I")  # next sibling
        self.begins = array("I")  # unit
        self.ends = array("I")
        self.ids: dict[int, str] = {}
        self.run_sources = array("I")
        self.run_units = array("I")
        self.run_codes = array("I")
        self.strings: list[str] = []
        self._numbers: dict[str, int] = {}

    def declare(self, encoding: str) -> None:
        """The document says that it is in that encoding, and what is UTF-8 will be read so. Raises TooComplex."""
        name = encoding.strip().lower()
        if self._source.isascii() and "&" not in self._source:
            return  # with a reference it may have other characters all the same
        if name.startswith(_SEVERAL_BYTES):
            self._unread = name
            if not self._source.isascii():
                self._refuse()
        if name.startswith(_ONE_BYTE) or name in _ONE_BYTE_NAMES:
            self.garble = {}

    def open(self, id: str) -> None:
        """An element begins; `id` is its attribute of that name, or empty."""
        self._text = NONE
        node = self._add(ELEMENT)
        if id:
            self.ids[node] = id
        self._open.append(node)
        self._last_child.append(NONE)

    def close(self) -> None:
        self._text = NONE
        self.ends[self._open.pop()] = self._unit
        self._last_child.pop()

    def depth(self) -> int:
        return len(self._open)

    def other(self) -> None:
        """A comment or an instruction."""
        self._text = NONE
        if self._open:
            self._add(OTHER)

    def break_text(self) -> None:
        """What follows is a text node of its own: CDATA begins or ends."""
        self._text = NONE

    def text(self, source: int, length: int) -> None:
        """`length` characters that stand in the source, from `source` on, as they are."""
        if not length or not self._open:
            return
        data = self._source[source : source + length]
        if self.garble is not None and not data.isascii():
            self._garbled(source, data)
        elif data.isascii() or max(data) <= "\uffff":
            self._run(source, NARROW, length)
        else:
            self._mixed(source, data)

    def spelled(self, source: int, data: str) -> None:
        """`data`, which the source spells otherwise (an entity, a line's end) at `source`."""
        if not data or not self._open:
            return
        if self._unread and not data.isascii():
            self._refuse()
        if self.garble is not None and not data.isascii():
            data = "".join([self.garble_of(char) for char in data])
        if len(data) == 1:
            self._run(source, SPELLED + ord(data), 2 if data > "\uffff" else 1)
            return
        number = self._numbers.setdefault(data, len(self.strings))
        if number == len(self.strings):
            self.strings.append(data)
        self._run(source, _STRINGS + number, units_of(data))

    def garble_of(self, char: str) -> str:
        """What is seen of a character's UTF-8 bytes where a one-byte encoding is declared: always as Windows-1252."""
        known = {} if self.garble is None else self.garble
        if char not in known:
            codes = char.encode("utf-8", "replace")
            known[char] = "".join([WINDOWS_1252[code - 0x80] if 0x80 <= code < 0xA0 else chr(code) for code in codes])
        return known[char]

    def _refuse(self) -> None:
        raise TooComplex(f"the chapter declares the encoding {self._unread}")

    def finish(self) -> None:
        """Closes what is open and ends the last run."""
        while self._open:
            self.close()

    def length(self) -> int:
        """Of the whole text, in units."""
        return self._unit

    def _add(self, kind: int) -> int:
        node = len(self.kinds)
        if node >= NODES_MOST:
            raise TooComplex("the chapter has too many elements")
        if self._open:
            previous = self._last_child[-1]
            if previous != NONE:
                self.nexts[previous] = node
            self._last_child[-1] = node
        self.kinds.append(kind)
        self.parents.append(self._open[-1] if self._open else NONE)
        self.nexts.append(NONE)
        self.begins.append(self._unit)
        self.ends.append(self._unit)
        return node

    def _run(self, source: int, code: int, units: int) -> None:
        if self._text == NONE:
            self._text = self._add(TEXT)
        runs = len(self.run_codes)
        if (
            code != NARROW
            or not runs
            or self.run_codes[-1] != NARROW
            or self.run_sources[-1] + (self._unit - self.run_units[-1]) != source
        ):
            if runs >= RUNS_MOST:
                raise TooComplex("the chapter's text has too many pieces")
            self.run_sources.append(source)
            self.run_units.append(self._unit)
            self.run_codes.append(code)
        self._unit += units
        self.ends[self._text] = self._unit

    def _mixed(self, source: int, data: str) -> None:
        """Cuts where characters of one and of two units meet."""
        at = 0
        while at < len(data):
            wide = data[at] > "\uffff"
            end = at + 1
            while end < len(data) and (data[end] > "\uffff") == wide:
                end += 1
            self._run(source + at, WIDE if wide else NARROW, (end - at) * (2 if wide else 1))
            at = end

    def _garbled(self, source: int, data: str) -> None:
        at = 0
        while at < len(data):
            end = at
            while end < len(data) and data[end] < "\x80":
                end += 1
            if end > at:
                self._run(source + at, NARROW, end - at)
            if end < len(data):
                self.spelled(source + end, data[end])
            at = end + 1


def units_of(text: str) -> int:
    """Length in UTF-16 units."""
    if text.isascii() or max(text) <= "\uffff":
        return len(text)
    return len(text) + sum([char > "\uffff" for char in text])


def string_of(nodes: Nodes, code: int) -> str:
    """What a run of this code, SPELLED or above, stands for."""
    return chr(code - SPELLED) if code < _STRINGS else nodes.strings[code - _STRINGS]
