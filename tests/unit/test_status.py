"""The status report and the menu model."""

from __future__ import annotations

import pytest

from device.core import outbox
from device.store.outbox import OpenEntry
from device.ui import status

NOW = 1_795_000_000


@pytest.mark.parametrize(
    ("elapsed_s", "words"),
    [(0, "less than a minute"), (59, "less than a minute"), (60, "1 minute"), (7300, "2 hours"), (90_000, "1 day")],
)
def test_how_long_ago_is_said_in_the_largest_unit(elapsed_s: int, words: str) -> None:
    assert status.age(NOW - elapsed_s, NOW) == words


def test_a_clock_set_back_does_not_make_the_past_negative() -> None:
    assert status.age(NOW + 5000, NOW) == "less than a minute"


def test_everything_that_waits_is_named_with_its_book_reason_and_age() -> None:
    entries = [
        OpenEntry(outbox.WAITING, "Emma", 3, NOW - 7200, "no book on the server has its ISBN"),
        OpenEntry(outbox.NEW, "Moby Dick", 1, NOW, None),
    ]
    assert status.report(entries, 12, "https://books.example.org", None, NOW) == [
        "Server: https://books.example.org",
        "On the server: 12 reading sessions",
        "3 reading sessions of “Emma”: no book on the server has its ISBN, since 2 hours",
        "1 reading session of “Moby Dick”: will be sent with the next sync, since less than a minute",
    ]


def test_what_waits_of_a_book_whose_recording_is_switched_off_says_so() -> None:
    entry = OpenEntry(outbox.NEW, "Emma", 1, NOW, None, tracked=0)
    assert status.describe(entry) == (
        "1 reading session of “Emma”: kept back, because the recording of this book is switched off"
    )
