"""Which clock is believed, and what that makes of a reading."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import journal
from device.core.journal import Book, Moment, Reading
from device.core.outbox import Uptime
from device.core.reading_session import (
    FLAG_CLOCK_CORRECTED,
    FLAG_CLOCK_JUMPED,
    FLAG_CLOCK_UNSET,
    FLAG_MOVED,
    ReadingSession,
    Rules,
    move,
    place_by_boot_clock,
    sessions,
)
from device.core.timeline import TOLERANCE_S, timeline

NOON = 1_795_000_000
HALF_DAY_S = 12 * 3600
BOOT = "4a3c6f52-0000-4000-8000-0123456789ab"
LETTERS = {"o": journal.OPEN, "p": journal.PAGE, "s": journal.SUSPEND, "r": journal.RESUME, "c": journal.CLOSE}


def moment(letter: str, at: int, wall_s: int, boot: bool = True, page: int | None = None) -> Moment:
    """`at`: true seconds since the book was opened, one hour after the boot; `wall_s`: what the wall clock says."""
    boot_ms = (3600 + at) * 1000 if boot else None
    return Moment(LETTERS[letter], wall_s, None, page, 100 if page else None, boot_ms)


def reading(*moments: Moment) -> Reading:
    found = Reading(Book("/b.epub", "epub", "B", [], [], None, None))
    found.boot_id = BOOT
    found.moments.extend(moments)
    return found


def test_a_clock_that_a_network_sets_while_reading_places_what_came_before_as_well() -> None:
    found = sessions(
        reading(
            moment("o", 0, 100, page=1),
            moment("p", 60, 160, page=2),
            moment("p", 120, NOON + 120, page=3),
            moment("c", 180, NOON + 180, page=3),
        ),
        Rules(),
    )
    assert [(session.started_at, session.ended_at, session.duration_s) for session in found] == [
        (NOON, NOON + 180, 180)
    ]
    assert found[0].flags == (FLAG_CLOCK_CORRECTED, FLAG_CLOCK_JUMPED)


@pytest.mark.parametrize("jump_s", [HALF_DAY_S, -HALF_DAY_S, 3600, -3600, 40 * 365 * 86_400])
def test_after_a_jump_the_later_clock_is_believed(jump_s: int) -> None:
    times = timeline([moment("o", 0, NOON - jump_s), moment("p", 60, NOON + 60 - jump_s), moment("p", 120, NOON + 120)])
    assert times.instants == [NOON, NOON + 60, NOON + 120]
    assert times.jumped == [False, True]
    assert times.moved == [True, True, False]


def test_a_clock_that_is_lost_while_reading_is_not_believed() -> None:
    times = timeline([moment("o", 0, NOON), moment("p", 60, 10), moment("c", 120, 70)])
    assert times.instants == [NOON, NOON + 60, NOON + 120]


def test_a_drift_of_a_minute_is_no_jump_and_moves_nothing() -> None:
    times = timeline([moment("o", 0, NOON), moment("s", 60, NOON + 60), moment("r", 9000, NOON + 9000 + TOLERANCE_S)])
    assert times.jumped == [False, False]
    assert times.moved == [False, False, False]


def test_a_sleep_in_which_the_clock_was_set_is_as_long_as_the_boot_clock_says() -> None:
    session = sessions(
        reading(
            moment("o", 0, NOON - HALF_DAY_S, page=1),
            moment("s", 100, NOON - HALF_DAY_S + 100),
            moment("r", 200, NOON + 200),
            moment("c", 300, NOON + 300, page=1),
        ),
        Rules(),
    )
    assert [(found.started_at, found.duration_s, found.ended_at) for found in session] == [(NOON, 200, NOON + 300)]


def test_a_device_that_dozes_between_page_turns_has_read_all_the_time() -> None:
    """Kobo's standby stops the monotonic clock without any event; the boot clock and the wall go on."""
    dozing = reading(moment("o", 0, NOON, page=1), moment("p", 60, NOON + 60, page=2), moment("c", 120, NOON + 120))
    for number, dozed in enumerate(dozing.moments):
        dozed.monotonic_ms = 5_000 + number * 3_000
    [session] = sessions(dozing, Rules())
    assert (session.duration_s, session.flags) == (120, ())


def test_a_session_of_1970_is_placed_when_the_clock_is_set_before_the_next_sync() -> None:
    [session] = sessions(reading(moment("o", 0, 100, page=1), moment("c", 60, 160, page=1)), Rules())
    assert session.flags == (FLAG_CLOCK_UNSET,)
    place_by_boot_clock(session, Uptime(BOOT, 3600 + 1000), NOON + 1000)
    assert (session.started_at, session.ended_at, session.flags) == (NOON, NOON + 60, (FLAG_CLOCK_CORRECTED,))


@pytest.mark.parametrize(
    ("uptime", "now"),
    [
        (Uptime("another boot", 4600), NOON),  # the boot clock of another boot says nothing
        (Uptime(BOOT, 4600), 1100),  # the clock is still unset
    ],
)
def test_a_session_of_1970_stays_there_where_nothing_tells_when_it_was(uptime: Uptime, now: int) -> None:
    [session] = sessions(reading(moment("o", 0, 100, page=1), moment("c", 60, 160, page=1)), Rules())
    place_by_boot_clock(session, uptime, now)
    assert (session.started_at, session.flags) == (100, (FLAG_CLOCK_UNSET,))


def test_a_session_whose_clock_was_right_is_not_touched() -> None:
    [session] = sessions(reading(moment("o", 0, NOON, page=1), moment("c", 60, NOON + 60, page=1)), Rules())
    place_by_boot_clock(session, Uptime(BOOT, 3600 + 1000), NOON + 1000 + TOLERANCE_S)
    assert (session.started_at, session.flags) == (NOON, ())


def test_a_session_that_is_moved_keeps_its_length() -> None:
    session = ReadingSession(NOON, NOON + 90, 60, 1, 2, None, None, 2, ())
    move(session, NOON + 500)
    assert (session.started_at, session.ended_at, session.duration_s) == (NOON + 500, NOON + 590, 60)
    assert session.flags == (FLAG_MOVED,)


steps = st.lists(
    st.tuples(
        st.sampled_from("oppppsrc"),
        st.integers(0, 100_000),  # true seconds that pass
        st.one_of(st.just(0), st.integers(-(10**9), 10**9)),  # by which the wall clock is set
        st.integers(0, 9),
        st.booleans(),  # whether this moment has the boot clock
    ),
    max_size=30,
)


@given(steps)
def test_whatever_is_done_to_the_wall_clock_time_runs_forward(script: list[tuple[str, int, int, int, bool]]) -> None:
    wall, at, moments = NOON, 0, []
    for letter, passed, jump, page, boot in script:
        at += passed
        wall = max(wall + passed + jump, 0)
        moments.append(moment(letter, at, wall, boot, page or None))
    times = timeline(moments)
    assert times.instants == sorted(times.instants)
    assert all(length >= 0 for length in times.lengths_ms)
    found = sessions(reading(*moments), Rules(min_duration_s=1, min_pages=0))
    for earlier, later in itertools.pairwise(found):
        assert earlier.ended_at <= later.started_at


@given(steps)
def test_with_the_boot_clock_no_session_is_longer_than_the_time_that_passed(
    script: list[tuple[str, int, int, int, bool]],
) -> None:
    wall, at, moments = NOON, 0, []
    for letter, passed, jump, page, _ in script:
        at += passed
        wall = max(wall + passed + jump, 0)
        moments.append(moment(letter, at, wall, True, page or None))
    first = script[0][1] if script else 0
    found = sessions(reading(*moments), Rules(min_duration_s=1, min_pages=0))
    assert sum(session.duration_s for session in found) <= at - first
    assert sum(session.ended_at - session.started_at for session in found) <= at - first
