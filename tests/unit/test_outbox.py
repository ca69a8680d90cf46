"""The outbox's state machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import outbox as rules

EVENTS = sorted({event for _, event in rules.TRANSITIONS})


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_nothing_is_sent_again_before_the_server_was_asked(events: list[str]) -> None:
    state = rules.NEW
    unclear = False
    for event in events:
        if (state, event) not in rules.TRANSITIONS:
            continue
        assert not (event == rules.BEGIN and unclear)
        unclear = (unclear or event == rules.UNCLEAR) and event not in (rules.FOUND, rules.MISSING)
        state = rules.after(state, event)
        if event in (rules.ACCEPTED, rules.REFUSED, rules.NO_BOOK, rules.NOT_SENT):
            unclear = False


@pytest.mark.parametrize("state", [rules.ACKNOWLEDGED, rules.REJECTED])
@pytest.mark.parametrize("event", EVENTS)
def test_what_is_settled_stays_settled(state: str, event: str) -> None:
    with pytest.raises(ValueError, match="cannot happen"):
        rules.after(state, event)


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (200, rules.ACCEPTED),
        (202, rules.ACCEPTED),
        (400, rules.REFUSED),
        (403, rules.REFUSED),
        (404, rules.NO_BOOK),
        (500, rules.UNCLEAR),
        (502, rules.UNCLEAR),
    ],
)
def test_what_a_status_says(status: int, event: str) -> None:
    assert rules.event_for_status(status) == event


def test_an_intent_is_read_back_only_when_the_server_must_be_done_with_it() -> None:
    assert not rules.settled(1000, 1000 + rules.SETTLE_S - 1)
    assert rules.settled(1000, 1000 + rules.SETTLE_S)


def test_a_clock_set_back_does_not_block_an_intent_for_years() -> None:
    assert rules.settled(1_795_000_000, 0)


@given(st.integers(1, 1000), st.floats(0, 1))
def test_pauses_grow_but_stay_within_a_quarter_of_an_hour_and_a_quarter(failures: int, chance: float) -> None:
    delay_s = rules.retry_delay_s(failures, chance)
    assert rules.RETRY_FIRST_S * 0.75 <= delay_s <= rules.RETRY_MOST_S * 1.25
    assert rules.retry_delay_s(failures + 1, chance) >= delay_s
