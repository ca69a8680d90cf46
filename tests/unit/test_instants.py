"""UTC instants, held against Python's own calendar."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core.instants import LAST_INSTANT_S, from_http_date, from_iso, to_iso

instants = st.integers(0, LAST_INSTANT_S)


@given(instants)
def test_an_instant_is_written_as_pythons_calendar_writes_it(epoch_s: int) -> None:
    assert to_iso(epoch_s) == datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


@given(instants)
def test_an_instant_survives_being_written_and_read(epoch_s: int) -> None:
    assert from_iso(to_iso(epoch_s)) == epoch_s


def test_fractions_of_a_second_are_cut_off() -> None:
    assert from_iso("2026-11-22T22:13:59.987654Z") == 1_795_385_639


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22T22:13:59",  # the servers' LocalDateTime: nobody knows its zone
        "2026-11-22T22:13:59+01:00",
        "2026-11-22 22:13:59Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T22:13:59.Z",
        "2026-11-22T22:13:59.1a3Z",
        "٢٠٢٦-11-22T22:13:59Z",
        "1969-12-31T23:59:59Z",
    ],
)
def test_what_is_no_utc_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a UTC instant|no such"):
        from_iso(text)


def test_the_date_header_of_an_answer_is_read() -> None:
    assert from_http_date("Sun, 22 Nov 2026 22:13:59 GMT") == 1_795_385_639


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sun, 22 Nov 2026 22:13:59 UTC",
        "Sun, 22 Now 2026 22:13:59 GMT",
        "Sun, 31 Feb 2026 22:13:59 GMT",
        "Sun Nov 22 22:13:59 2026",
        "Sunday, 22-Nov-26 22:13:59 GMT",
        "Sun, 22 Nov 2026 22:13:59 GMT" + " " * 30,
    ],
)
def test_what_is_no_date_header_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a|no such"):
        from_http_date(text)


@given(st.integers(0, LAST_INSTANT_S))
def test_a_date_header_and_the_instant_it_was_made_from_are_the_same(epoch_s: int) -> None:
    assert from_http_date(formatdate(epoch_s, usegmt=True)) == epoch_s


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= from_iso(text) <= LAST_INSTANT_S


@pytest.mark.parametrize("epoch_s", [-1, LAST_INSTANT_S + 1])
def test_instants_beyond_four_digit_years_are_refused(epoch_s: int) -> None:
    with pytest.raises(ValueError, match="between 1970 and 9999"):
        to_iso(epoch_s)
