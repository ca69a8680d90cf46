"""A document's bytes as text: as KOReader's engine decodes them, and as the web reader does.

The engine looks for a mark at the beginning, then for the XML declaration, then for `<meta charset>`; the web reader
takes everything for UTF-8, with U+FFFD for what is none. Nearly always both are the same text. Where they are not, a
place in the one is found in the other by counting bytes.

Promises: any bytes give two texts. A text in an encoding that is not read here comes as the web reader shows it.
Never: holds more than the two texts and the bytes.
Called by: `spine.py`, `joining.py`.
"""

from __future__ import annotations

from device.epub.browser_nodes import WINDOWS_1252

DOCUMENT_MOST_BYTES = 8 * 1_048_576
DECLARED_WITHIN_BYTES = 2_048  # as far as the engine looks
_UTF8_MARK, _LITTLE_MARK, _BIG_MARK = b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"
_LATIN = ("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "windows1252", "cp1252", "cp-1252")
_ENCODING_CHARS = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")


class SourceText:
    """`engine` and `browser`: the document in the two. The same object where they do not differ."""

    __slots__ = ("_data", "_mark_bytes", "_width_bytes", "browser", "engine")

    def __init__(self, engine: str, browser: str, data: bytes, width_bytes: int = 1, mark_bytes: int = 0) -> None:
        self.engine = engine
        self.browser = browser
        self._data = data  # nothing where the two are the same
        self._width_bytes = width_bytes  # of a character of `engine`
        self._mark_bytes = mark_bytes  # before the first one

    def is_same(self) -> bool:
        return self.engine is self.browser

    def to_browser(self, offset: int) -> int:
        """Where a place in `engine` is in `browser`."""
        if self.is_same():
            return offset
        return len(self._data[: self._mark_bytes + offset * self._width_bytes].decode("utf-8", "replace"))

    def to_engine(self, offset: int) -> int:
        """The first place in `engine` that is not before one in `browser`."""
        if self.is_same():
            return offset
        low, high = 0, len(self.engine)
        while low < high:
            middle = (low + high) // 2
            if self.to_browser(middle) < offset:
                low = middle + 1
            else:
                high = middle
        return low


def decoded(data: bytes) -> SourceText:
    if data.startswith(_UTF8_MARK):
        data = data[len(_UTF8_MARK) :]
        return _same(data)
    if data.startswith((_LITTLE_MARK, b"<\0?\0x\0")):
        return _wide(data, 0, 1)
    if data.startswith((_BIG_MARK, b"\0<\0?\0x")):
        return _wide(data, 1, 0)
    encoding = _declared(data[:DECLARED_WITHIN_BYTES].lower())
    if encoding in _LATIN or (encoding == "" and not _is_utf8(data)):
        engine = data.decode("latin-1")
        if not data.isascii():
            for number, char in enumerate(WINDOWS_1252):
                engine = engine.replace(chr(0x80 + number), char)
            return SourceText(engine, data.decode("utf-8", "replace"), data)
        return SourceText(engine, engine, b"")
    return _same(data)


def _wide(data: bytes, low: int, high: int) -> SourceText:
    """UTF-16. The engine takes the halves of a character beyond the first plane for characters, and bad ones."""
    mark_bytes = 2 if data.startswith((_LITTLE_MARK, _BIG_MARK)) else 0
    data = data[: len(data) & ~1]
    codes = [
        one | other << 8 for one, other in zip(data[mark_bytes + low :: 2], data[mark_bytes + high :: 2], strict=True)
    ]
    engine = "".join([chr(code) if not 0xD800 <= code < 0xE000 else "\ufffd" for code in codes])
    return SourceText(engine, data.decode("utf-8", "replace"), data, 2, mark_bytes)


def _same(data: bytes) -> SourceText:
    text = data.decode("utf-8", "replace")
    return SourceText(text, text, b"")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _declared(head: bytes) -> str:
    """The encoding that an XML declaration or else a `<meta>` names, in lower case."""
    if b"<?xml" in head and b"version=" in head:
        at = head.find(b"encoding=")
        if at >= 0:
            return _name(head, at + len(b"encoding="))
    meta = head.find(b"<meta")
    at = head.find(b"charset", meta) if meta >= 0 else -1
    at = head.find(b"=", at) if at >= 0 else -1
    return _name(head, at + 1) if at >= 0 else ""


def _name(head: bytes, at: int) -> str:
    while at < len(head) and head[at] in b" \t\r\n\"'":
        at += 1
    end = at
    while end < len(head) and head[end] in _ENCODING_CHARS:
        end += 1
    return head[at:end].decode("ascii")
