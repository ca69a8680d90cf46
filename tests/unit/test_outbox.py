"""The outbox's state machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import outbox as rules
from device.core.outbox import Uptime
from device.server.http import IDLE_S

OF_STATE_ONLY = (rules.REVISED, rules.WITHDRAWN)  # happen to what may be sent twice
EVENTS = sorted({event for _, event in rules.TRANSITIONS} - set(OF_STATE_ONLY))
MAY_HAVE_STORED = (
    rules.BEGIN,
    rules.UNCLEAR,
    rules.FAILED,
    rules.BOOK_GONE,
    rules.DOUBTED,
    rules.ANOTHER_ACCOUNT,
)
PROOF = (rules.FOUND, rules.MISSING, rules.NOT_SENT, rules.REFUSED, rules.NO_BOOK, rules.REPEAT, rules.EXHAUSTED)
# What cannot be put into a request, also after another account's begin, cannot arrive twice either.
HARMLESS = (*PROOF, rules.UNSENDABLE)


@given(st.booleans(), st.lists(st.sampled_from(EVENTS), max_size=40))
def test_nothing_is_sent_again_before_the_server_was_asked(imported: bool, events: list[str]) -> None:
    state, unproven = (rules.INTENT, True) if imported else (rules.NEW, False)
    may_be_there = imported
    for event in events:
        if (state, event) not in rules.TRANSITIONS:
            continue
        if event in (rules.MATCHED, rules.MATCHED_IN_DOUBT) and event != rules.event_for_match(unproven):
            continue
        assert not (event == rules.BEGIN and may_be_there)
        state, unproven = rules.after(state, event), rules.unproven_after(unproven, event)
        may_be_there = event in MAY_HAVE_STORED or (may_be_there and event not in HARMLESS)


@given(st.booleans(), st.lists(st.sampled_from(EVENTS), max_size=40))
def test_what_is_new_is_proven(imported: bool, events: list[str]) -> None:
    state, unproven = (rules.INTENT, True) if imported else (rules.NEW, False)
    for event in events:
        if (state, event) not in rules.TRANSITIONS:
            continue
        if event in (rules.MATCHED, rules.MATCHED_IN_DOUBT) and event != rules.event_for_match(unproven):
            continue
        if event in (rules.NOT_SENT, rules.ACCEPTED, rules.REFUSED, rules.UNSENDABLE) and unproven:
            continue  # these answer a request, and no request is begun in doubt
        state, unproven = rules.after(state, event), rules.unproven_after(unproven, event)
        assert not (state == rules.NEW and unproven)


@pytest.mark.parametrize("state", [rules.ACKNOWLEDGED, rules.REJECTED])
@pytest.mark.parametrize("event", EVENTS)
def test_what_is_settled_stays_settled_but_for_another_account_and_the_readers_wish(state: str, event: str) -> None:
    if state == rules.REJECTED and event in (rules.ANOTHER_ACCOUNT, rules.TRY_AGAIN):
        assert rules.after(state, event) == {rules.ANOTHER_ACCOUNT: rules.INTENT, rules.TRY_AGAIN: rules.NEW}[event]
        return
    with pytest.raises(ValueError, match="cannot happen"):
        rules.after(state, event)


@pytest.mark.parametrize("state", rules.OPEN)
def test_whatever_is_open_when_the_account_changes_is_looked_for_before_it_is_sent(state: str) -> None:
    assert rules.after(state, rules.ANOTHER_ACCOUNT) in (rules.INTENT, rules.WAITING)
    assert rules.unproven_after(False, rules.ANOTHER_ACCOUNT)


@pytest.mark.parametrize("state", rules.STATES)
def test_a_newer_value_goes_out_whatever_became_of_the_older_one(state: str) -> None:
    settled = state in (rules.ACKNOWLEDGED, rules.REJECTED)
    assert rules.after(state, rules.REVISED) == (rules.NEW if settled else state)
    assert rules.after(state, rules.WITHDRAWN) == rules.ACKNOWLEDGED
    assert rules.unproven_after(True, rules.WITHDRAWN) is False


def test_every_state_can_be_left_or_is_an_end() -> None:
    left = {state for state, event in rules.TRANSITIONS if event not in OF_STATE_ONLY}
    assert left == set(rules.STATES) - {rules.ACKNOWLEDGED}
    assert set(rules.TRANSITIONS.values()) == set(rules.STATES)


@pytest.mark.parametrize(
    ("status", "is_json", "is_own", "event"),
    [
        (202, False, False, rules.ACCEPTED),
        (200, True, False, rules.UNCLEAR),
        (201, True, False, rules.UNCLEAR),
        (200, False, False, rules.UNCLEAR),
        (203, True, True, rules.UNCLEAR),
        (204, False, False, rules.UNCLEAR),
        (302, False, False, rules.UNCLEAR),
        (400, True, True, rules.REFUSED),
        (400, True, False, rules.UNCLEAR),
        (403, True, True, rules.REFUSED),
        (403, False, False, rules.UNCLEAR),
        (404, True, True, rules.NO_BOOK),
        (404, True, False, rules.UNCLEAR),
        (404, False, False, rules.UNCLEAR),
        (407, False, False, rules.UNCLEAR),
        (408, True, True, rules.UNCLEAR),
        (409, True, True, rules.REFUSED),
        (425, True, True, rules.UNCLEAR),
        (500, True, True, rules.FAILED),
        (500, True, False, rules.UNCLEAR),
        (502, False, False, rules.UNCLEAR),
    ],
)
def test_what_an_answer_to_a_session_says(status: int, is_json: bool, is_own: bool, event: str) -> None:
    assert rules.event_for_answer(status, is_json, is_own, 202, False) == event


def test_a_conflict_is_success_for_what_has_a_place() -> None:
    assert rules.event_for_answer(409, True, True, None, True) == rules.ACCEPTED


@pytest.mark.parametrize(("status", "event"), [(200, rules.ACCEPTED), (201, rules.ACCEPTED), (203, rules.UNCLEAR)])
def test_what_is_answered_with_json_is_taken_with_any_success_but_a_proxys_own(status: int, event: str) -> None:
    assert rules.event_for_answer(status, True, False, None, False) == event


@pytest.mark.parametrize("status", [202, 204])
def test_an_empty_answer_is_success_only_with_the_status_of_its_kind(status: int) -> None:
    assert rules.event_for_answer(status, False, False, None, False) == rules.UNCLEAR
    assert rules.event_for_answer(status, False, False, status, False) == rules.ACCEPTED


@pytest.mark.parametrize(
    ("attempts", "server_failed", "gives_way", "event"),
    [
        (rules.TRIES_MOST - 1, True, True, rules.MISSING),
        (rules.TRIES_MOST, True, True, rules.EXHAUSTED),
        (rules.TRIES_MOST, True, False, rules.EXHAUSTED),
        (rules.TRIES_MOST, False, False, rules.EXHAUSTED),
        (rules.TRIES_MOST, False, True, rules.MISSING),
        (1_000, False, True, rules.MISSING),
    ],
)
def test_when_trying_ends(attempts: int, server_failed: bool, gives_way: bool, event: str) -> None:
    assert rules.event_when_missing(attempts, server_failed, gives_way) == event


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
