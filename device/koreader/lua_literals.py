"""Lua table literals, as KOReader writes its settings and sidecars: `return { ["key"] = value, … }`.

Promises: the values of a text that consists of literals, or a `LuaError` that names the line; never runs anything,
never recurses, never allocates more than a bounded multiple of its input. What a literal cannot express is left out:
KOReader writes a function as a bare `function: 0x7f…`, and such an entry counts as nil.
Never: reads files; evaluates names, calls or operators (a minus before a number excepted).
Called by: `device/importing/plugin_sources.py`. A file that KOReader did not finish writing raises `Truncated`; the
caller then turns to the older copy beside it (`.old`).
Source: Lua 5.1 manual §2.1 and §2.5.7; LuaJIT's extensions `\\xXX`, `\\z`, `\\u{…}`, hexadecimal floats and `LL`;
KOReader's `dump.lua` and `luasettings.lua` of 2026-08.

The text is scanned as bytes, because offsets into it must stay right where it is not UTF-8. Strings that are not
UTF-8 get U+FFFD in place of the wrong bytes, as everywhere in this program. Boolean keys, which KOReader does not
write, come as the words `true` and `false`: a Python dict cannot tell `True` from 1.
"""

from __future__ import annotations

from device.koreader.lua_scanner import LuaError, Scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    Key = int | float | str
    Value = bool | int | float | str | dict["Key", "Value"]
    Table = dict[Key, Value]  # implicit indices are the keys 1, 2, …; entries that are nil are not there

CONTENT_MAX_BYTES = 16 * 1_048_576  # a sidecar with 4,000 highlights has 3 MB
NESTING_MAX = 100  # KOReader nests 6 deep; LuaJIT itself gives up at 200
VALUES_MAX = 200_000  # each costs some hundred bytes of memory

_RETURN = b"return"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_AS_KOREADER_WRITES_IT = b"] = "  # what follows a key


def parse(content: bytes) -> Table:
    """The table that a file's content returns. Raises LuaError, Truncated."""
    if len(content) > CONTENT_MAX_BYTES:
        raise LuaError(f"longer than {CONTENT_MAX_BYTES} bytes")
    scanner = Scanner(content.removeprefix(_BYTE_ORDER_MARK))
    scanner.skip_space()
    if scanner.text.startswith(_RETURN, scanner.at):
        scanner.at += len(_RETURN)
        scanner.skip_space()
    if scanner.peek() != ord("{"):
        raise scanner.error("a table was expected")
    table = _read_table(scanner)
    scanner.skip_space()
    if scanner.text.startswith(b";", scanner.at):
        scanner.at += 1
        scanner.skip_space()
    if scanner.at < len(scanner.text):
        raise scanner.error("something follows the table")
    return table


def sequence(value: Value | None) -> list[Value]:
    """The entries 1, 2, … of a table up to the first that is missing; nothing if it is no table."""
    found: list[Value] = []
    if isinstance(value, dict):
        while len(found) + 1 in value:
            found.append(value[len(found) + 1])
    return found


class _OpenTable:
    """A table whose end has not been met, and the key under which it stands in the one around it."""

    __slots__ = ("entries", "key", "next_index")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.entries: Table = {}
        self.next_index = 1


def _read_table(scanner: Scanner) -> Table:
    """The table that begins here. Those around the innermost are kept on a list, not on the stack."""
    scanner.at += 1
    table = _OpenTable("")
    around: list[_OpenTable] = []
    values = 0
    while True:
        scanner.skip_space()
        if scanner.peek() == ord("}"):
            scanner.at += 1
            if not around:
                return table.entries
            around[-1].entries[table.key] = table.entries
            table = around.pop()
            _skip_separator(scanner)
            continue
        key = _read_key(scanner, table)
        values += 1
        if values > VALUES_MAX:
            raise scanner.error(f"more than {VALUES_MAX} values")
        if scanner.peek() == ord("{"):
            if len(around) + 2 > NESTING_MAX:
                raise scanner.error(f"tables nested more than {NESTING_MAX} deep")
            scanner.at += 1
            around.append(table)
            table = _OpenTable(key)
            continue
        value = scanner.scalar()
        if value is None:
            table.entries.pop(key, None)
        else:
            table.entries[key] = value
        _skip_separator(scanner)


def _read_key(scanner: Scanner, table: _OpenTable) -> Key:
    """The key of the next entry, which may be its place alone. Stops at the value."""
    start = scanner.at
    if scanner.peek() == ord("[") and scanner.long_bracket_level() is None:
        scanner.at += 1
        scanner.skip_space()
        key = scanner.scalar()
        if key is None or key != key:
            raise scanner.error("nil and nan cannot be keys")
        if scanner.text.startswith(_AS_KOREADER_WRITES_IT, scanner.at):
            scanner.at += len(_AS_KOREADER_WRITES_IT)
        else:
            scanner.skip_space()
            _expect(scanner, "]")
            scanner.skip_space()
            _expect(scanner, "=")
        scanner.skip_space()
        if isinstance(key, str):
            return scanner.known_keys.setdefault(key, key)
        return ("true" if key else "false") if isinstance(key, bool) else key
    if scanner.at_name():
        name = scanner.name()
        scanner.skip_space()
        if scanner.text.startswith(b"=", scanner.at):
            scanner.at += 1
            scanner.skip_space()
            return name.decode("ascii")
        scanner.at = start
    table.next_index += 1
    return table.next_index - 1


def _skip_separator(scanner: Scanner) -> None:
    """Between two entries stands a comma or semicolon; before the end of the table it may."""
    scanner.skip_space()
    byte = scanner.peek()
    if byte in b",;":
        scanner.at += 1
    elif byte != ord("}"):
        raise scanner.error("a comma or the end of the table was expected")


def _expect(scanner: Scanner, mark: str) -> None:
    if scanner.peek() != ord(mark):
        raise scanner.error(f"{mark!r} was expected")
    scanner.at += 1
