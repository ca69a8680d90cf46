"""The words of a Lua text: white space and comments, strings, numbers, constants.

Promises: as `lua_literals.py`, whose lower half this is. Every byte is looked at a bounded number of times, so that no
text takes longer than in proportion to its length.
Called by: `lua_literals.py` only.
"""

from __future__ import annotations

NUMBER_MAX_BYTES = 64  # KOReader prints 14 digits and an exponent
OBJECT_MAX_BYTES = 200  # `function: 0x7f1234567890`; a cdata names its C type
WHOLE_MAX = 2**53  # up to here Lua's numbers, which are doubles, count whole numbers exactly

_SPACE = b" \t\r\n\v\f"
_SPACE_OR_DASH = frozenset(_SPACE + b"-")
_SPACE_CHUNK_BYTES = 64  # taken at a time: an indented line has some twenty
_NAME_START = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_DIGITS = frozenset(b"0123456789")
_NAME = _NAME_START | _DIGITS
_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")
_NUMBER = _HEX_DIGITS | frozenset(b"xXpPlLuU.")  # and a sign behind an exponent
_ESCAPES = {
    ord("a"): b"\a",
    ord("b"): b"\b",
    ord("f"): b"\f",
    ord("n"): b"\n",
    ord("r"): b"\r",
    ord("t"): b"\t",
    ord("v"): b"\v",
    ord("\\"): b"\\",
    ord('"'): b'"',
    ord("'"): b"'",
}
_CONSTANTS: dict[bytes, bool | float | None] = {
    b"nil": None,
    b"true": True,
    b"false": False,
    b"inf": float("inf"),  # how `tostring` spells what no literal can
    b"nan": float("nan"),
    b"math.huge": float("inf"),
}
_OBJECTS = (b"function", b"table", b"userdata", b"thread", b"cdata")  # `tostring` of these: `function: 0x7f12…`


class LuaError(ValueError):
    """The text is not a Lua literal; the message says where and why."""


class Truncated(LuaError):
    """The text ends before its value does: whoever wrote it was interrupted."""


class Scanner:
    """One text, and how far it has been read."""

    __slots__ = ("at", "known_keys", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0
        self.known_keys: dict[str, str] = {}  # each is kept once: thousands of tables have the same dozen

    def peek(self) -> int:
        """The byte that comes next. Raises Truncated at the end."""
        if self.at >= len(self.text):
            raise Truncated(f"line {self._line()}: the text ends within a table")
        return self.text[self.at]

    def at_name(self) -> bool:
        return self.peek() in _NAME_START

    def error(self, reason: str) -> LuaError:
        return LuaError(f"line {self._line()}: {reason}")

    def _truncated(self, where: str) -> Truncated:
        return Truncated(f"line {self._line()}: the text ends within {where}")

    def _line(self) -> int:
        return self.text.count(b"\n", 0, self.at) + 1

    def skip_space(self) -> None:
        """To the next byte that is neither white space nor part of a comment."""
        text = self.text
        if self.at < len(text) and text[self.at] not in _SPACE_OR_DASH:
            return  # as mostly
        while self.at < len(text):
            chunk = text[self.at : self.at + _SPACE_CHUNK_BYTES]
            rest = len(chunk.lstrip(_SPACE))
            self.at += len(chunk) - rest
            if not rest:
                continue
            if not text.startswith(b"--", self.at):
                return
            self.at += 2
            if text.startswith(b"[", self.at) and self.long_bracket_level() is not None:
                self._long_string()
            else:
                end = text.find(b"\n", self.at)
                self.at = len(text) if end < 0 else end

    def name(self) -> bytes:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in _NAME:
            self.at += 1
        return self.text[start : self.at]

    def scalar(self) -> bool | int | float | str | None:
        """Any value but a table; None for nil and for what no literal can express."""
        byte = self.peek()
        if byte in b"\"'":
            return self._quoted_string(byte).decode("utf-8", "replace")
        if byte == ord("["):
            return self._long_string().decode("utf-8", "replace")
        negative = byte == ord("-")
        if negative:
            self.at += 1
            self.skip_space()
            byte = self.peek()
        if byte in _DIGITS or byte == ord("."):
            number = self._number()
            return -number if negative else number
        if byte in _NAME_START:
            return self._word(negative)
        raise self.error("a value was expected")

    def _word(self, negative: bool) -> bool | float | None:
        name = self.name()
        if name == b"math" and self.text.startswith(b".huge", self.at):
            self.at += 1
            name += b"." + self.name()
        if name in _OBJECTS and not negative:
            self._skip_object()
            return None
        value = _CONSTANTS.get(name)
        if name in _CONSTANTS and not negative:
            return value
        if name in _CONSTANTS and isinstance(value, float):
            return -value
        if self.at == len(self.text):
            raise self._truncated("a word")
        raise self.error(f"{name[:40].decode('ascii')!r} is not a literal")

    def _skip_object(self) -> None:
        """`: 0x7f12…`, `<int [4]>: 0x…` or `: builtin#29`, up to what ends the entry."""
        window = self.text[self.at : self.at + OBJECT_MAX_BYTES]
        ends = [end for end in (window.find(mark) for mark in (b",", b";", b"}", b"\n")) if end >= 0]
        if not ends and self.at + len(window) == len(self.text):
            raise self._truncated("a value")
        if not ends or b":" not in window[: min(ends)]:
            raise self.error("functions and other objects are not literals")
        self.at += min(ends)

    def _number(self) -> int | float:
        start = self.at
        text = self.text
        hexadecimal = text[start : start + 2] in (b"0x", b"0X")
        exponent = b"pP" if hexadecimal else b"eE"
        while self.at < len(text) and self.at - start <= NUMBER_MAX_BYTES:
            byte = text[self.at]
            if byte not in _NUMBER and not (byte in b"+-" and text[self.at - 1] in exponent):
                break
            self.at += 1
        if self.at == len(text):
            raise self._truncated("a number")
        word = text[start : self.at].decode("ascii")
        if len(word) > NUMBER_MAX_BYTES:
            raise self.error(f"a number of more than {NUMBER_MAX_BYTES} bytes")
        try:
            return _number(word, hexadecimal)
        except (ValueError, OverflowError):
            raise self.error(f"{word!r} is not a number") from None

    def _quoted_string(self, quote: int) -> bytes:
        """The string that begins at the quotation mark here."""
        text = self.text
        self.at += 1
        parts: list[bytes] = []
        end = -1
        while True:
            if end < self.at:  # the quotation mark that was found last stood behind a backslash
                end = text.find(quote, self.at)
            if end < 0:
                raise self._truncated("a string")
            escape = text.find(b"\\", self.at, end)
            stop = end if escape < 0 else escape
            part = text[self.at : stop]
            if b"\n" in part or b"\r" in part:
                raise self.error("a string goes over the end of its line")
            parts.append(part)
            self.at = stop + 1
            if escape < 0:
                return b"".join(parts)
            parts.append(self._escape())

    def _escape(self) -> bytes:
        """What stands behind a backslash."""
        byte = self.peek()
        text = self.text
        if byte in _ESCAPES:
            self.at += 1
            return _ESCAPES[byte]
        if byte in _DIGITS:
            return self._decimal_escape()
        self.at += 1
        if byte in b"\r\n":
            if text[self.at : self.at + 1] in (b"\r", b"\n") and text[self.at] != byte:
                self.at += 1
            return b"\n"
        if byte == ord("x"):
            digits = text[self.at : self.at + 2]
            if len(digits) == 2 and _HEX_DIGITS.issuperset(digits):
                self.at += 2
                return bytes((int(digits, 16),))
        if byte == ord("z"):
            while self.at < len(text) and text[self.at] in _SPACE:
                self.at += 1
            return b""
        if byte == ord("u"):
            return self._unicode_escape()
        raise self.error("no such escape in a string")

    def _decimal_escape(self) -> bytes:
        start = self.at
        while self.at < start + 3 and self.text[self.at : self.at + 1].isdigit():
            self.at += 1
        code = int(self.text[start : self.at])
        if code > 255:
            raise self.error("no such escape in a string")
        return bytes((code,))

    def _unicode_escape(self) -> bytes:
        end = self.text.find(b"}", self.at, self.at + 10)
        digits = self.text[self.at + 1 : end] if end > 0 and self.text.startswith(b"{", self.at) else b""
        if not digits or not _HEX_DIGITS.issuperset(digits) or int(digits, 16) > 0x10FFFF:
            raise self.error("no such escape in a string")
        self.at = end + 1
        return chr(int(digits, 16)).encode("utf-8", "replace")  # half a surrogate pair has no UTF-8 form

    def long_bracket_level(self) -> int | None:
        """The number of `=` in the `[==[` that begins here; None if none does."""
        at = self.at + 1
        while self.text.startswith(b"=", at):
            at += 1
        return at - self.at - 1 if self.text.startswith(b"[", at) else None

    def _long_string(self) -> bytes:
        level = self.long_bracket_level()
        if level is None:
            raise self.error("a value was expected")
        start = self.at + level + 2
        end = self.text.find(b"]" + b"=" * level + b"]", start)
        if end < 0:
            raise self._truncated("a string")
        self.at = end + level + 2
        content = self.text[start:end].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return content.removeprefix(b"\n")


def _number(word: str, hexadecimal: bool) -> int | float:
    """A number as Lua sees it, whole where it is whole and exact. Raises ValueError, OverflowError."""
    upper = word.upper()
    if upper.endswith("LL"):
        return int(upper.removesuffix("LL").removesuffix("U"), 16 if hexadecimal else 10)
    number = float.fromhex(word) if hexadecimal else float(word)
    if abs(number) <= WHOLE_MAX and number == int(number):
        return int(number)
    return number
