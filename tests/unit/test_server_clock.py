"""When the server's clock is asked, and when it is believed instead of the device's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core.instants import EARLIEST_PLAUSIBLE_S, LAST_INSTANT_S
from device.core.outbox import Uptime
from device.core.server_clock import WRONG_S, Measured, Now, belongs_at, doubtful_after

NOW = 1_795_000_000
INSTANTS = st.integers(0, LAST_INSTANT_S)
UPTIMES = st.builds(Uptime, st.sampled_from(["", "a", "b"]), st.integers(0, 10**8))


@given(INSTANTS, st.none() | INSTANTS, UPTIMES)
def test_what_is_believed_is_one_of_the_two_clocks_and_never_one_before_2020(
    wall_s: int, server_s: int | None, uptime: Uptime
) -> None:
    best_s = Now(wall_s, server_s, uptime).best_s()
    assert best_s is None or (best_s in (wall_s, server_s) and best_s >= EARLIEST_PLAUSIBLE_S)


@given(INSTANTS, st.booleans(), st.integers(0, 10**11), INSTANTS, st.none() | INSTANTS, UPTIMES)
def test_a_session_is_never_put_behind_the_time_that_is_believed(
    started_at: int, is_unset: bool, boot_ms: int, wall_s: int, server_s: int | None, uptime: Uptime
) -> None:
    now = Now(wall_s, server_s, uptime)
    began_at = belongs_at(started_at, is_unset, boot_ms, now)
    best_s = now.best_s()
    assert began_at is None or (best_s is not None and began_at <= best_s)


@given(st.integers(-WRONG_S, WRONG_S), INSTANTS, st.integers(0, 10**8))
def test_a_clock_within_an_hour_of_the_servers_moves_nothing_that_has_a_time(
    off_s: int, started_at: int, boot_ms: int
) -> None:
    assert belongs_at(started_at, False, boot_ms, Now(NOW, NOW + off_s, Uptime("a", 10**6))) is None


def test_a_wrong_clocks_session_is_put_as_far_back_from_the_servers_time_as_the_boot_clock_says() -> None:
    now = Now(NOW - 10**8, NOW, Uptime("a", 5_000))
    assert belongs_at(NOW - 10**8 - 1_000, False, 4_000_000, now) == NOW - 1_000
    assert belongs_at(NOW - 1_200, False, 4_000_000, now) is None  # recorded before the clock went wrong


@pytest.mark.parametrize(
    ("offset_s", "wall_s", "uptime", "vouches"),
    [
        (0, NOW + 1_000, Uptime("a", 1_100), True),
        (WRONG_S, NOW + 1_000, Uptime("a", 1_100), True),
        (WRONG_S + 1, NOW + 1_000, Uptime("a", 1_100), False),
        (0, NOW + 2_000, Uptime("a", 1_100), False),  # the clock was set in between
        (0, NOW - 1_000, Uptime("a", 1_100), False),
        (0, NOW + 1_000, Uptime("b", 1_100), False),
        (0, NOW + 1_000, Uptime("", 1_100), False),
    ],
)
def test_a_measurement_vouches_for_the_clock_as_long_as_it_goes_evenly_in_the_same_boot(
    offset_s: int, wall_s: int, uptime: Uptime, vouches: bool
) -> None:
    assert Measured(offset_s, NOW, Uptime("a", 100)).vouches_for(wall_s, uptime) is vouches


def test_only_a_known_offset_or_a_servers_time_makes_a_session_of_another_boot_doubtful() -> None:
    uptime = Uptime("b", 1)
    assert doubtful_after(None, Now(NOW, None, uptime)) == (LAST_INSTANT_S, LAST_INSTANT_S)
    right, wrong = Measured(0, NOW, Uptime("a", 1)), Measured(-WRONG_S - 1, NOW - 5, Uptime("a", 1))
    assert doubtful_after(right, Now(NOW, NOW, uptime)) == (NOW + WRONG_S, LAST_INSTANT_S)
    assert doubtful_after(wrong, Now(NOW, None, uptime)) == (LAST_INSTANT_S, NOW - 5)
