"""UTC instants: epoch seconds to and from the ISO 8601 form that BookLore's `Instant` fields use.

Promises: exact whole seconds over the years 1970 to 9999; anything else is a `ValueError`.
Never: local time, the clock, `datetime` (its import alone costs a third of the ingest budget, docs/adr/0006).
Called by: `device/server/` for request and answer fields; `device/sending/sync.py` and `selfcheck.py` to compare
clocks.
Source: days-from-civil arithmetic over 400-year eras of the proleptic Gregorian calendar (146,097 days each).
"""

from __future__ import annotations

DAY_S = 86_400
EARLIEST_PLAUSIBLE_S = 1_577_836_800  # 2020-01-01: a device that says less lost its clock (flat battery: 1970, 2000)
CLOCK_TOLERANCE_S = 300  # a device's and a server's clock that differ by more are said to
LAST_INSTANT_S = 253_402_300_799  # 9999-12-31T23:59:59Z: the last that has a four-digit year

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_ERA_DAYS = 146_097
_EPOCH_DAYS = 719_468  # days from 0000-03-01 to 1970-01-01
_DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def to_iso(epoch_s: int) -> str:
    """`1795385639` → `2026-11-22T22:13:59Z`. Raises ValueError outside 1970..9999."""
    if not 0 <= epoch_s <= LAST_INSTANT_S:
        raise ValueError(f"{epoch_s} is not an instant between 1970 and 9999")
    days, second = divmod(epoch_s, DAY_S)
    days += _EPOCH_DAYS
    era, day_of_era = divmod(days, _ERA_DAYS)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    minutes, second = divmod(second, 60)
    hour, minute = divmod(minutes, 60)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}Z"


def from_iso(text: str) -> int:
    """`2026-11-22T22:13:59.123Z` → `1795385639`; fractions of a second are cut off.

    Only the `Z` form is an instant: the servers' zone-less `LocalDateTime` fields are refused, because nobody but the
    server knows their zone. Raises ValueError.
    """
    if len(text) > 40 or len(text) < 20 or not text.endswith("Z") or text[4] + text[7] + text[10] != "--T":
        raise ValueError(f"not a UTC instant: {text[:40]!r}")
    if text[13] + text[16] != "::" or not (text[19] == "Z" or (text[19] == "." and _is_number(text[20:-1]))):
        raise ValueError(f"not a UTC instant: {text[:40]!r}")
    fields = (text[0:4], text[5:7], text[8:10], text[11:13], text[14:16], text[17:19])
    for field in fields:
        if not _is_number(field):
            raise ValueError(f"not a UTC instant: {text[:40]!r}")
    year, month, day, hour, minute, second = [int(field) for field in fields]
    if year < 1970 or not 1 <= month <= 12 or not 1 <= day <= _days_in_month(year, month):
        raise ValueError(f"no such day: {text[:10]!r}")
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"no such time of day: {text[11:19]!r}")
    return _days_from_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second


def from_http_date(text: str) -> int:
    """`Sun, 22 Nov 2026 22:13:59 GMT`, the `Date` header of RFC 9110, → `1795385639`. Raises ValueError."""
    fields = text.split()
    if len(text) > 40 or len(fields) != 6 or fields[2] not in MONTHS or fields[5] != "GMT":
        raise ValueError(f"not a Date header: {text[:40]!r}")
    return from_iso(f"{fields[3]}-{MONTHS.index(fields[2]) + 1:02d}-{fields[1]}T{fields[4]}Z")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _days_in_month(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else _DAYS_IN_MONTH[month - 1]


def _days_from_civil(year: int, month: int, day: int) -> int:
    if month <= 2:
        year -= 1
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * _ERA_DAYS + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - _EPOCH_DAYS
