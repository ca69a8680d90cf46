"""The outbox's state machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import outbox as rules
from device.core.outbox import Uptime
from device.server.http import IDLE_S

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
    if (state, event) == (rules.REJECTED, rules.ANOTHER_ACCOUNT):
        assert rules.after(state, event) == rules.NEW
        return
    with pytest.raises(ValueError, match="cannot happen"):
        rules.after(state, event)


@pytest.mark.parametrize(
    ("status", "is_json", "event"),
    [
        (202, False, rules.ACCEPTED),
        (200, True, rules.ACCEPTED),
        (200, False, rules.UNCLEAR),
        (204, False, rules.UNCLEAR),
        (400, True, rules.REFUSED),
        (403, True, rules.REFUSED),
        (403, False, rules.UNCLEAR),
        (404, True, rules.NO_BOOK),
        (404, False, rules.UNCLEAR),
        (407, False, rules.UNCLEAR),
        (408, True, rules.UNCLEAR),
        (425, True, rules.UNCLEAR),
        (500, True, rules.UNCLEAR),
        (502, False, rules.UNCLEAR),
    ],
)
def test_what_an_answer_says(status: int, is_json: bool, event: str) -> None:
    assert rules.event_for_answer(status, is_json) == event


def test_an_intent_is_read_back_only_when_the_server_must_be_done_with_it() -> None:
    begun = Uptime("a", 1000)
    assert rules.settles_in_s(begun, Uptime("a", 1000)) == rules.SETTLE_S
    assert rules.settles_in_s(begun, Uptime("a", 1000 + rules.SETTLE_S - 1)) == 1
    assert rules.settles_in_s(begun, Uptime("a", 1000 + rules.SETTLE_S)) == 0


def test_a_server_gets_more_time_than_our_client_would_wait_for_it() -> None:
    assert rules.SETTLE_S > IDLE_S


def test_after_a_reboot_the_time_since_then_counts() -> None:
    assert rules.settles_in_s(Uptime("a", 1000), Uptime("b", 5)) == rules.SETTLE_S - 5
    assert rules.settles_in_s(Uptime("a", 1000), Uptime("b", 2000)) == 0
    assert rules.settles_in_s(Uptime("", 1000), Uptime("", 5)) == rules.SETTLE_S - 5


@given(st.integers(1, 1000), st.floats(0, 1))
def test_pauses_grow_but_stay_within_a_quarter_of_an_hour_and_a_quarter(failures: int, chance: float) -> None:
    delay_s = rules.retry_delay_s(failures, chance)
    assert rules.RETRY_FIRST_S * 0.75 <= delay_s <= rules.RETRY_MOST_S * 1.25
    assert rules.retry_delay_s(failures + 1, chance) >= delay_s
