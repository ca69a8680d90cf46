"""Which rating and which read status counts, when the device and the server may both have changed it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import shared_values as rules
from device.core.shared_values import (
    ABANDONED,
    ASK,
    NOTHING,
    OURS,
    PAUSED,
    RATING,
    READ,
    READING,
    SAME,
    STATUS,
    THEIRS,
    UNREAD,
    UNSET,
    SharedValue,
    Times,
    decide,
)

NEWER_HERE, NEWER_THERE = Times(900, 0, 1_000), Times(100, 0, 1_000)

RATINGS = st.one_of(st.none(), st.integers(1, 10).map(str))
STATUSES = st.one_of(st.none(), st.sampled_from(rules.STATUSES))
TIMES = st.builds(Times, st.integers(0, 2_000), st.integers(0, 1_000), st.integers(1_000, 2_000))


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed", "outcome", "value"),
    [
        ("8", "8", "8", NOTHING, "8"),
        ("8", "7", "7", NOTHING, "7"),  # four stars are seven as well as eight
        ("8", "6", "6", OURS, "8"),
        (None, "6", "6", OURS, None),
        ("6", "9", "6", THEIRS, "9"),
        ("6", None, "6", THEIRS, None),
        ("8", "8", "4", SAME, "8"),
    ],
)
def test_of_a_rating_the_side_that_changed_it_wins(
    ours: str | None, theirs: str | None, agreed: str | None, outcome: str, value: str | None
) -> None:
    found = decide(RATING, ours, theirs, agreed, True, NEWER_THERE, False)
    assert (found.outcome, found.value) == (outcome, value)


@pytest.mark.parametrize(("times", "outcome"), [(NEWER_HERE, OURS), (NEWER_THERE, THEIRS)])
def test_of_two_new_ratings_the_newer_one_wins(times: Times, outcome: str) -> None:
    found = decide(RATING, "2", "10", "6", True, times, False)
    assert (found.outcome, found.contested) == (outcome, True)


def test_seven_of_ten_is_not_eight_when_the_reader_said_seven() -> None:
    assert decide(RATING, "7", "8", "8", True, NEWER_HERE, True).outcome == OURS


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome"),
    [
        ("8", None, OURS),
        (None, "8", THEIRS),
        ("8", "7", SAME),
        ("8", "2", ASK),
        (None, None, SAME),
    ],
)
def test_ratings_that_were_never_compared(ours: str | None, theirs: str | None, outcome: str) -> None:
    assert decide(RATING, ours, theirs, None, False, NEWER_HERE, False).outcome == outcome


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed", "outcome", "value"),
    [
        (READ, READING, READING, OURS, READ),
        (READING, READ, READ, OURS, READING),  # begun again
        (READING, READ, READING, THEIRS, READ),
        (READ, PAUSED, READING, OURS, READ),
        (PAUSED, READ, READING, THEIRS, READ),
        (READING, UNREAD, PAUSED, OURS, READING),
        (ABANDONED, READ, READING, ASK, None),
        (READ, ABANDONED, READING, ASK, None),
        (PAUSED, ABANDONED, READING, SAME, ABANDONED),
    ],
)
def test_of_a_read_status_the_side_that_changed_it_wins_else_the_one_further_on(
    ours: str, theirs: str, agreed: str, outcome: str, value: str | None
) -> None:
    found = decide(STATUS, ours, theirs, agreed, True, NEWER_HERE, False)
    assert (found.outcome, found.value) == (outcome, value)


@given(STATUSES, STATUSES, STATUSES, st.booleans(), TIMES)
def test_only_read_against_given_up_is_asked(
    ours: str | None, theirs: str | None, agreed: str | None, is_agreed: bool, times: Times
) -> None:
    found = decide(STATUS, ours, theirs, agreed, is_agreed, times, False)
    if found.outcome == ASK:
        given_up = {rules.ABANDONED, rules.WONT_READ}
        assert (ours == READ and theirs in given_up) or (theirs == READ and ours in given_up)


@given(st.sampled_from([RATING, STATUS]), st.data(), st.booleans(), st.booleans(), TIMES)
def test_what_wins_is_one_of_the_two_and_winning_again_changes_nothing(
    field: str, data: st.DataObject, is_agreed: bool, exact: bool, times: Times
) -> None:
    values = RATINGS if field == RATING else STATUSES
    ours, theirs, agreed = data.draw(values), data.draw(values), data.draw(values)
    found = decide(field, ours, theirs, agreed, is_agreed, times, exact)
    if found.outcome == ASK:
        return
    assert found.value == (ours if found.outcome == OURS else theirs)
    again = decide(field, found.value, found.value, found.value, True, times, exact)
    assert (again.outcome, again.value) == (NOTHING, found.value)


@given(RATINGS)
def test_stars_are_half_of_ten_rounded_up_and_lead_back_to_the_same_stars(rating: str | None) -> None:
    stars = rules.to_device(RATING, rating)
    assert rules.to_device(RATING, rules.to_server(RATING, stars, PAUSED)) == stars
    assert rules.shown(rules.said(RATING, rating)) == stars
    assert rules.to_server(RATING, rules.said(RATING, rating), PAUSED) == rating


@given(st.lists(st.tuples(st.sampled_from(["see", "offer", "take", "drop"]), RATINGS), max_size=12))
def test_what_the_device_was_given_is_never_taken_for_its_own_wish(steps: list[tuple[str, str | None]]) -> None:
    value = SharedValue(RATING)
    for at, (what, rating) in enumerate(steps, 1):
        stars = rules.to_device(RATING, rating)
        if what == "offer":
            value.offer(stars, at)
            if value.offered_at:
                before = value.device
                assert not (value.device_at and value.see(before, at)), "not given yet"
                assert not value.see(stars, at), "given"
        elif what == "see":
            value.see(stars, at)
            assert rules.shown(value.device) == stars
        elif what == "take" and value.offered_at:
            value.take_offered(at)
        elif what == "drop" and value.offered_at:
            value.drop_offered()


@pytest.mark.parametrize(
    ("status", "percent", "undone"),
    [
        (PAUSED, 40, True),
        (READ, 40, True),
        (READING, 40, False),
        (UNSET, 40, False),
        (READ, 100, False),
        (READING, 99.5, True),
        (READ, 0.05, False),
    ],
)
def test_what_the_server_makes_of_progress(status: str, percent: float, undone: bool) -> None:
    assert rules.undone_by_progress(status, percent) is undone


def test_a_book_whose_sides_were_never_compared_is_contested_only_if_they_contradict_each_other() -> None:
    value = SharedValue(RATING)
    value.device, value.device_at, value.server, value.server_at = "4", 1, "7", 1
    assert not value.is_contested("PAUSED")
    value.server = "2"
    assert value.is_contested("PAUSED")
    value.agree("2")
    assert not value.is_contested("PAUSED")
