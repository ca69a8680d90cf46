"""Instants, local date-times and floats as a Java server reads and writes them.

Promises: the same text for the same value as Jackson and a MariaDB column would give.
Never: asks for the present time; every function is pure.
Called by: the handlers and the readers of request bodies.
Law: the API map on dates (Instant with Z, LocalDateTime without a zone) and on FLOAT columns.
"""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta

SHORTEST_FLOAT_DIGITS = 6  # every decimal of 6 digits survives a trip through single precision
LONGEST_FLOAT_DIGITS = 9  # 9 digits tell any two single-precision numbers apart


def instant(epoch_s: float | None) -> str | None:
    """An `Instant` column: DATETIME without a fraction, so whole seconds, written with Z."""
    if epoch_s is None:
        return None
    return datetime.fromtimestamp(math.floor(epoch_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_date_time(epoch_s: float | None, utc_offset_s: int) -> str | None:
    """A `LocalDateTime` read back from the database: server's own time zone, which the text does not name."""
    if epoch_s is None:
        return None
    return _local(math.floor(epoch_s), utc_offset_s).strftime("%Y-%m-%dT%H:%M:%S")


def fresh_local_date_time(epoch_s: float, utc_offset_s: int) -> str:
    """A `LocalDateTime` still in memory: it has the nanoseconds that the database will drop."""
    return _local(epoch_s, utc_offset_s).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000"


def _local(epoch_s: float, utc_offset_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC) + timedelta(seconds=utc_offset_s)


def parse_instant(text: str) -> int | None:
    """Whole epoch seconds of an ISO-8601 instant with a zone; None if it is not one."""
    if "T" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return math.floor(moment.timestamp())


def single_precision(value: float | None) -> float | None:
    """What comes back from a FLOAT column: the shortest decimal that is the same 32-bit number.

    JSON has no infinity; a value too large for the column is for the caller to refuse.
    """
    if value is None:
        return None
    try:
        stored = struct.pack("<f", value)
    except OverflowError:
        return math.copysign(math.inf, value)
    (exact,) = struct.unpack("<f", stored)
    for digits in range(SHORTEST_FLOAT_DIGITS, LONGEST_FLOAT_DIGITS):
        shortened = float(f"{exact:.{digits}g}")
        if struct.pack("<f", shortened) == stored:
            return shortened
    return float(f"{exact:.{LONGEST_FLOAT_DIGITS}g}")


def one_decimal(percent: float | None) -> float | None:
    """Percentages in the `Book` record are rounded to one decimal."""
    return None if percent is None else round(percent, 1)
