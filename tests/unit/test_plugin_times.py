"""Sessions of the Lua plugin among what is recorded: no second is anybody's twice, and no duration exceeds its ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from device.core import plugin_times
from device.core.reading_session import ReadingSession
from tests.soak import bounded

HOUR_S = 3_600
INSTANTS = st.integers(0, 300)
TAKEN = st.lists(st.tuples(INSTANTS, INSTANTS).map(sorted).map(tuple), max_size=8).map(sorted)
LENGTHS = st.integers(0, 60)


def old_session(started_at: int, length_s: int, duration_s: int) -> ReadingSession:
    return ReadingSession(started_at, started_at + length_s, duration_s, None, None, None, None, 0, ())


def seconds(spans: list[tuple[int, int]]) -> set[int]:
    return {second for start, end in spans for second in range(start, max(end, start + 1))}


@given(INSTANTS, LENGTHS, LENGTHS, TAKEN)
@examples(max_examples=bounded(500, 20_000), deadline=None)
def test_a_session_in_free_time_stays_in_it_and_is_not_longer_than_its_ends_say(
    start: int, length_s: int, duration_s: int, taken: list[tuple[int, int]]
) -> None:
    session = old_session(start, length_s, duration_s)
    latest_end = plugin_times.latest_end(session)
    if plugin_times.is_free(session, taken):
        plugin_times.fit(session, taken)
        assert not seconds([(session.started_at, session.ended_at)]) & seconds(taken)
        assert 0 < session.duration_s <= session.ended_at - session.started_at
        assert start + length_s <= session.ended_at <= latest_end


@given(INSTANTS, LENGTHS, LENGTHS, TAKEN)
@examples(max_examples=bounded(500, 20_000), deadline=None)
def test_the_parts_of_a_session_are_its_time_without_what_is_taken(
    start: int, length_s: int, duration_s: int, taken: list[tuple[int, int]]
) -> None:
    session = old_session(start, length_s, duration_s)
    plugin_times.fit(session, taken)
    parts = plugin_times.free_parts(session, taken)
    assert seconds(parts) == set(range(start, session.ended_at)) - seconds(taken)
    assert sum(end - begin for begin, end in parts) == len(seconds(parts))
    for part in (plugin_times.part_of(session, span) for span in parts):
        assert 0 < part.duration_s <= part.ended_at - part.started_at


@given(INSTANTS, LENGTHS, LENGTHS, TAKEN)
@examples(max_examples=bounded(500, 20_000), deadline=None)
def test_what_was_noted_leaves_nothing_to_note_the_next_time(
    start: int, length_s: int, duration_s: int, taken: list[tuple[int, int]]
) -> None:
    first, again = old_session(start, length_s, duration_s), old_session(start, length_s, duration_s)
    plugin_times.fit(first, taken)
    taken = sorted(taken + plugin_times.free_parts(first, taken))
    plugin_times.fit(again, taken)
    assert plugin_times.free_parts(again, taken) == []


def test_a_session_is_extended_to_the_end_of_its_last_page() -> None:
    session = old_session(0, 600, 720)
    plugin_times.fit(session, [])
    assert (session.ended_at, session.duration_s) == (720, 720)


def test_the_share_of_a_part_is_that_of_its_length() -> None:
    part = plugin_times.part_of(old_session(0, HOUR_S, 1_800), (600, 1_200))
    assert (part.started_at, part.ended_at, part.duration_s) == (600, 1_200, 300)
