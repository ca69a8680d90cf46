"""Reading a JSON body the way Jackson and bean validation do, field by field from a table.

Promises: first every field is converted (a wrong type, an unknown enum value or a wrong date is a malformed body),
then all rules are checked and all broken ones are reported together, as Spring does. Unknown fields are ignored.
Never: looks into the database; column limits are the schema's business.
Called by: handlers, through `Call.read`.
Law: the API map §2 (validation, malformed JSON, enums, dates) and the servers' request records.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.sandbox.java_values import parse_instant
from tests.sandbox.messages import ApiError, malformed

BOOK_TYPES = frozenset({"PDF", "EPUB", "CBX", "FB2", "MOBI", "AZW3", "AUDIOBOOK"})
LARGEST_LONG = 2**63 - 1
LARGEST_INT = 2**31 - 1


class Wrong(ValueError):
    """A value that its field cannot take."""


def _long(value: object) -> int:
    if isinstance(value, bool):
        raise Wrong
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            raise Wrong from None
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)  # Jackson cuts fractions off
    if not isinstance(value, int) or abs(value) > LARGEST_LONG:
        raise Wrong
    return value


def _int(value: object) -> int:
    number = _long(value)
    if not -LARGEST_INT - 1 <= number <= LARGEST_INT:
        raise Wrong
    return number


def _real(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Wrong
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise Wrong from None
    if not math.isfinite(number):
        raise Wrong
    return number


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    if not isinstance(value, str):
        raise Wrong
    # Half a surrogate pair, which JSON can spell, is stored as a replacement character.
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong
    return value


def _moment(value: object) -> int:
    if isinstance(value, str):
        moment = parse_instant(value)
        if moment is None:
            raise Wrong
        return moment
    return _long(_real(value))  # Jackson takes a bare number as epoch seconds


def _book_type(value: object) -> str:
    if not isinstance(value, str) or value not in BOOK_TYPES:
        raise Wrong
    return value


def _longs(value: object) -> list[int]:
    if not isinstance(value, list):
        raise Wrong
    return [_long(member) for member in value]


def _record(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Wrong
    return value


def _records(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list):
        raise Wrong
    return [_record(member) for member in value]


LONG, INT, REAL, TEXT, FLAG, INSTANT, BOOK_TYPE, LONGS, RECORD, RECORDS = (
    _long, _int, _real, _text, _flag, _moment, _book_type, _longs, _record, _records,
)  # fmt: skip
Kind = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request record and the rules its annotations state."""

    name: str
    kind: Kind
    required: bool = False
    not_blank: bool = False
    not_empty: bool = False
    longest: int | None = None
    pattern: str | None = None
    smallest: int | None = None
    largest: int | None = None

    def broken_rules(self, value: object) -> list[str]:
        broken = []
        if self.not_blank and (value is None or (isinstance(value, str) and not value.strip())):
            broken.append("must not be blank")
        elif self.not_empty and not value:
            broken.append("must not be empty")
        elif self.required and value is None:
            broken.append("must not be null")
        if isinstance(value, str) and self.longest is not None and java_length(value) > self.longest:
            broken.append(f"size must be between 0 and {self.longest}")
        if isinstance(value, str) and self.pattern is not None and re.fullmatch(self.pattern, value) is None:
            broken.append(f'must match "{self.pattern}"')
        if isinstance(value, int) and self.smallest is not None and value < self.smallest:
            broken.append(f"must be greater than or equal to {self.smallest}")
        if isinstance(value, int) and self.largest is not None and value > self.largest:
            broken.append(f"must be less than or equal to {self.largest}")
        return [f"{self.name}: {rule}" for rule in broken]


class Values:
    """The converted fields of one record. The `need_*` methods are for fields that their table makes required."""

    def __init__(self, values: dict[str, object]) -> None:
        self._values = values

    def has(self, name: str) -> bool:
        return self._values[name] is not None

    def integer(self, name: str) -> int | None:
        value = self._values[name]
        assert value is None or isinstance(value, int)
        return value

    def need_integer(self, name: str) -> int:
        value = self._values[name]
        assert isinstance(value, int)
        return value

    def real(self, name: str) -> float | None:
        value = self._values[name]
        assert value is None or isinstance(value, float)
        return value

    def text(self, name: str) -> str | None:
        value = self._values[name]
        assert value is None or isinstance(value, str)
        return value

    def need_text(self, name: str) -> str:
        value = self._values[name]
        assert isinstance(value, str)
        return value

    def flag(self, name: str) -> bool:
        return self._values[name] is True

    def integers(self, name: str) -> list[int] | None:
        value = self._values[name]
        assert value is None or isinstance(value, list)
        return value

    def record(self, name: str) -> dict[str, object] | None:
        value = self._values[name]
        assert value is None or isinstance(value, dict)
        return value

    def records(self, name: str) -> list[dict[str, object]]:
        value = self._values[name]
        assert isinstance(value, list)
        return value


def java_length(text: str) -> int:
    """Java counts UTF-16 units: an emoji is two."""
    return len(text.encode("utf-16-le")) // 2


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def parse_json(body: bytes) -> object:
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise malformed() from None


def convert(record: object, fields: Sequence[Field]) -> Values:
    if not isinstance(record, dict):
        raise malformed()
    values: dict[str, object] = {}
    for field in fields:
        raw = record.get(field.name)
        try:
            values[field.name] = None if raw is None else field.kind(raw)
        except Wrong:
            raise malformed() from None
    broken = [rule for field in fields for rule in field.broken_rules(values[field.name])]
    if broken:
        raise validation_error(broken)
    return Values(values)


def validation_error(broken: list[str]) -> ApiError:
    return ApiError(400, "Validation error", broken)
