"""Sentences for the reader that depend on what they speak of."""

from __future__ import annotations

import pytest

from device.core import outbox
from device.ui import texts


@pytest.mark.parametrize("kind", outbox.KINDS)
def test_every_kind_of_the_outbox_has_a_name_for_one_and_for_many(kind: str) -> None:
    assert texts.things(kind, 1).startswith("1 ")
    assert texts.things(kind, 2).startswith("2 ")
    assert texts.things(kind, 2).removeprefix("2 ") != texts.things(kind, 1).removeprefix("1 ")


def test_what_was_sent_is_summed_up_in_one_sentence() -> None:
    counts = {"highlight": 1, "reading_session": 3, "rating": 0}
    assert texts.sent_things(counts) == "3 reading sessions, 1 highlight sent."


def test_a_position_goes_along_with_its_session_without_a_word_and_has_one_alone() -> None:
    assert texts.sent_things({"reading_session": 1, "progress": 1, "finish_date": 1}) == "1 reading session sent."
    assert texts.sent_things({"progress": 2}) == "2 reading positions sent."


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [
        (12 * 3600, "12 hours behind"),
        (-12 * 3600, "12 hours ahead of"),
        (3600, "1 hour behind"),
        (301, "5 minutes behind"),
        (56 * 365 * 86_400, "20440 days behind"),
    ],
)
def test_how_wrong_a_clock_is_is_said_in_its_largest_unit(ahead_s: int, words: str) -> None:
    assert texts.clock_differs(ahead_s) == f"This device's clock is {words} your server's."
