"""JSON as the worker reads and writes it, on CPython's C scanner and encoder without the `json` package.

Promises: `decode` returns plain values or raises ValueError, whatever the bytes are; `encode` writes compact UTF-8 that
`decode` reads back the same.
Never: imports `json` (with `re` it costs 30 million instructions, as much as the whole start-up; docs/adr/0006).
Called by: everything that touches the journal, job and result files, or a server's answer.
Source: RFC 8259; `Modules/_json.c` of CPython 3.11.
"""

from __future__ import annotations

import _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

NUMBER_MAX_CHARS = 40  # a longer whole number is a hostile one: CPython's int() is quadratic in its length
_SPACE = " \t\r\n"


class _ScannerSettings:
    """What `_json.make_scanner` asks of the object it is given."""

    __slots__ = ("memo", "object_hook", "object_pairs_hook", "parse_constant", "parse_float", "parse_int", "strict")

    def __init__(self) -> None:
        self.strict = True
        self.object_hook = None
        self.object_pairs_hook = None
        self.parse_float = float
        self.parse_int = _parse_int
        self.parse_constant = _refuse_constant
        self.memo: dict[str, str] = {}


def _parse_int(text: str) -> int:
    if len(text) > NUMBER_MAX_CHARS:
        raise ValueError("a number with more than 40 digits")
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_type(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} has no JSON form")


_scan = _json.make_scanner(_ScannerSettings())  # type: ignore[arg-type]  # typeshed asks for json.JSONDecoder
_chunks = _json.make_encoder(None, _refuse_type, _json.encode_basestring, None, ":", ",", False, False, False)


def decode(text: bytes | str) -> Json:
    """The value that `text`, one whole JSON document, stands for. Raises ValueError.

    Bytes that are not UTF-8 (old book files carry such titles) become U+FFFD rather than costing the whole document.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    value, end = decode_from(text, 0)
    if text[end:].strip(_SPACE):
        raise ValueError("something follows the JSON value")
    return value


def decode_from(text: str, start: int) -> tuple[Json, int]:
    """The value that begins at `start` (after white space) and the index behind it. Raises ValueError.

    A value that is cut off cannot be told from a wrong one, except by reading more and trying again. A bare number at
    the very end of `text` may go on; callers that read piecewise must see what follows it.
    """
    while start < len(text) and text[start] in _SPACE:
        start += 1
    try:
        return _scan(text, start)
    except (StopIteration, RecursionError, SystemError) as problem:
        # SystemError: without the json package loaded, 3.11's scanner finds no JSONDecodeError to raise.
        raise ValueError("not JSON, or cut off") from problem


def encode(value: Json) -> bytes:
    """`value` as compact UTF-8 JSON. Raises ValueError for NaN and infinities, TypeError for what JSON cannot hold."""
    return "".join(_chunks(value, 0)).encode("utf-8")
