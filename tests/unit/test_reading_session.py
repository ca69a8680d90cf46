"""Reading sessions out of page turns: what counts, what does not, and what a wrong clock may cost."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from device.core import journal
from device.core.journal import Book, Moment, Reading
from device.core.reading_session import (
    FLAG_CLOCK_JUMPED,
    FLAG_CLOCK_UNSET,
    ReadingSession,
    Rules,
    koreaders_rules,
    sessions,
)

NOON = 1_795_000_000
RULES = Rules()
EVENTS = {"o": journal.OPEN, "p": journal.PAGE, "s": journal.SUSPEND, "r": journal.RESUME, "c": journal.CLOSE}


def reading(*moments: tuple[str, int, int], start: int = NOON, fraction: float | None = None) -> Reading:
    """A reading from (event letter, seconds since the start, page), both clocks in step; page 0 = none."""
    found = Reading(Book("/b.epub", "epub", "B", [], [], None, None))
    found.final_fraction = fraction
    for letter, at, page in moments:
        found.moments.append(Moment(EVENTS[letter], start + at, 9_000 + at * 1000, page or None, 100 if page else None))
    return found


def only(found: list[ReadingSession]) -> ReadingSession:
    assert len(found) == 1
    return found[0]


def test_an_evening_is_one_session_from_opening_to_closing() -> None:
    session = only(sessions(reading(("o", 0, 10), ("p", 60, 11), ("p", 130, 12), ("c", 180, 12)), RULES))
    assert (session.started_at, session.ended_at, session.duration_s) == (NOON, NOON + 180, 180)
    assert (session.start_page, session.end_page, session.pages_read) == (10, 12, 3)
    assert (session.start_fraction, session.end_fraction) == (0.10, 0.12)
    assert session.flags == ()


def test_the_position_that_koreader_saved_is_where_the_session_ends() -> None:
    session = only(sessions(reading(("o", 0, 10), ("c", 60, 12), fraction=0.123), RULES))
    assert session.end_fraction == 0.123


def test_a_night_on_the_charger_adds_the_idle_cap_and_not_eight_hours() -> None:
    found = sessions(reading(("o", 0, 1), ("p", 60, 2), ("p", 8 * 3600, 3), ("c", 8 * 3600 + 60, 3)), RULES)
    assert [session.duration_s for session in found] == [60 + 300, 60]
    assert found[0].ended_at == NOON + 360
    assert found[1].started_at == NOON + 8 * 3600


def test_a_long_sleep_ends_the_session() -> None:
    found = sessions(reading(("o", 0, 1), ("s", 100, 0), ("r", 4000, 0), ("p", 4100, 2), ("c", 4150, 2)), RULES)
    assert [(session.started_at - NOON, session.duration_s) for session in found] == [(0, 100), (4000, 150)]


def test_a_short_sleep_is_no_reading_but_does_not_split_the_session() -> None:
    session = only(sessions(reading(("o", 0, 1), ("s", 100, 0), ("r", 200, 0), ("p", 250, 2), ("c", 300, 2)), RULES))
    assert session.duration_s == 200
    assert session.ended_at == NOON + 300


def test_a_reading_cut_off_by_a_crash_ends_at_its_last_page_turn() -> None:
    session = only(sessions(reading(("o", 0, 1), ("p", 60, 2), ("p", 90, 3)), RULES))
    assert (session.duration_s, session.end_page) == (90, 3)


def test_less_than_half_a_minute_is_no_session() -> None:
    assert sessions(reading(("o", 0, 1), ("c", 29, 1)), RULES) == []
    assert len(sessions(reading(("o", 0, 1), ("c", 30, 1)), RULES)) == 1


def test_leafing_through_a_book_is_no_reading() -> None:
    flicks = [("p", second, second) for second in range(1, 60)]
    assert sessions(reading(("o", 0, 1), *flicks, ("c", 60, 60)), Rules(min_pages=2)) == []


def test_a_jump_through_the_table_of_contents_reads_no_pages_in_between() -> None:
    session = only(sessions(reading(("o", 0, 1), ("p", 60, 90), ("c", 120, 90)), RULES))
    assert session.pages_read == 2


def test_a_page_turned_forward_and_back_was_read() -> None:
    session = only(sessions(reading(("o", 0, 1), ("p", 40, 2), ("p", 80, 1), ("c", 120, 1)), RULES))
    assert session.pages_read == 2


def test_a_clock_set_forward_by_twelve_hours_while_reading_costs_a_flag_and_invents_no_time() -> None:
    jumped = reading(("o", 0, 1), ("p", 60, 2), ("c", 120, 2))
    jumped.moments[2].wall_s += 12 * 3600
    session = only(sessions(jumped, RULES))
    assert session.duration_s == 120
    assert session.ended_at - session.started_at == 120
    assert FLAG_CLOCK_JUMPED in session.flags


def test_a_clock_set_back_never_makes_a_negative_session() -> None:
    jumped = reading(("o", 0, 1), ("p", 60, 2), ("c", 120, 2))
    for moment in jumped.moments[1:]:
        moment.wall_s -= 3600
        moment.monotonic_ms = None
    session = only(sessions(jumped, RULES))
    assert session.duration_s == 60
    assert FLAG_CLOCK_JUMPED in session.flags


def test_a_session_of_1970_is_kept_and_flagged() -> None:
    session = only(sessions(reading(("o", 0, 1), ("c", 60, 1), start=500), RULES))
    assert session.flags == (FLAG_CLOCK_UNSET,)


def test_a_book_opened_and_left_lying_counts_the_idle_cap() -> None:
    session = only(sessions(reading(("o", 0, 1), ("c", 7200, 1)), RULES))
    assert session.duration_s == 300


def test_a_page_that_stays_on_screen_from_one_sleep_to_the_next_counts_once() -> None:
    """Chargers and covers wake a device at night; each wake-up would otherwise bring a new cap."""
    night = [("o", 0, 1)]
    for wake in range(1, 9):
        night += [("s", wake * 3600, 0), ("r", wake * 3600 + 60, 0)]
    found = sessions(reading(*night, ("c", 9 * 3600, 1)), RULES)
    assert [session.duration_s for session in found] == [300]


def test_a_page_read_before_and_after_a_night_counts_both_times_up_to_the_cap() -> None:
    found = sessions(reading(("o", 0, 1), ("s", 100, 0), ("r", 30_000, 0), ("p", 30_100, 2), ("c", 30_200, 2)), RULES)
    assert [(session.started_at - NOON, session.duration_s) for session in found] == [(0, 100), (30_000, 200)]


def test_a_page_that_was_read_in_the_journal_before_has_what_is_left_of_its_cap() -> None:
    goes_on = reading(("o", 0, 1), ("p", 200, 2), ("c", 260, 2))
    goes_on.moments[0].on_screen_ms = 250_000
    assert [session.duration_s for session in sessions(goes_on, RULES)] == [50, 60]
    goes_on.moments[0].on_screen_ms = 400_000
    assert [session.duration_s for session in sessions(goes_on, RULES)] == [60]


def test_every_sleep_splits_where_the_reader_wants_it_so() -> None:
    slept = reading(("o", 0, 1), ("s", 100, 0), ("r", 101, 0), ("p", 150, 2), ("c", 200, 2))
    assert [session.duration_s for session in sessions(slept, Rules(join_pause_s=0))] == [100, 99]


def test_a_page_announced_again_is_no_page_turn() -> None:
    again = reading(("o", 0, 1), ("p", 200, 1), ("p", 400, 1), ("c", 600, 1))
    assert [session.duration_s for session in sessions(again, RULES)] == [300]


def test_another_size_of_type_is_another_page() -> None:
    changed = reading(("o", 0, 10), ("p", 250, 10), ("c", 500, 10))
    changed.moments[1].pages = changed.moments[2].pages = 140
    assert only(sessions(changed, RULES)).duration_s == 500


def test_reading_counts_by_pages_where_the_reader_wants_it_so() -> None:
    by_pages = Rules(min_duration_s=1, min_pages=5)
    turns = [("p", 3 * page, page) for page in range(2, 6)]
    assert len(sessions(reading(("o", 0, 1), *turns, ("c", 20, 5)), by_pages)) == 1
    assert sessions(reading(("o", 0, 1), *turns[:3], ("c", 2000, 4)), by_pages) == []


def test_koreaders_own_fraction_is_where_a_session_begins_and_ends() -> None:
    read = reading(("o", 0, 10), ("p", 60, 11), ("c", 120, 11))
    read.moments[0].fraction, read.moments[1].fraction = 0.1234567, 0.1345678
    session = only(sessions(read, RULES))
    assert (session.start_fraction, session.end_fraction) == (0.1234567, 0.1345678)


def test_printed_page_labels_and_positions_are_kept_beside_the_page_numbers() -> None:
    read = reading(("o", 0, 10), ("p", 60, 11), ("s", 90, 0), ("r", 100, 0), ("c", 120, 11))
    read.moments[0].label, read.moments[0].xpointer = "xii", "/body/DocFragment[2]/body/p[1]/text().0"
    read.moments[1].label = "xiii"
    read.moments[4].xpointer = "/body/DocFragment[2]/body/p[9]/text().7"
    session = only(sessions(read, RULES))
    assert (session.start_label, session.end_label) == ("xii", "xiii")
    assert session.start_xpointer == "/body/DocFragment[2]/body/p[1]/text().0"
    assert session.end_xpointer == "/body/DocFragment[2]/body/p[9]/text().7"


def test_the_label_of_one_page_is_not_taken_for_that_of_the_next() -> None:
    read = reading(("o", 0, 10), ("p", 60, 11), ("c", 120, 11))
    read.moments[0].label = "xii"
    session = only(sessions(read, RULES))
    assert (session.start_label, session.end_label) == ("xii", None)


def test_a_sleep_that_is_announced_again_and_again_is_one_sleep() -> None:
    asleep = reading(("o", 0, 1), ("s", 100, 0), ("s", 132, 0), ("s", 20_000, 0), ("r", 30_000, 0), ("c", 30_010, 1))
    first = sessions(asleep, RULES)[0]
    assert (first.duration_s, first.ended_at) == (100, NOON + 100)


def test_a_short_awakening_at_the_end_does_not_lengthen_the_session() -> None:
    woken = reading(("o", 0, 1), ("p", 50, 2), ("s", 100, 0), ("r", 200, 0), ("s", 200, 0), ("r", 20_000, 0))
    assert only(sessions(woken, RULES)).ended_at == NOON + 100


def test_counted_like_koreader_the_page_that_a_flowing_book_opens_on_counts() -> None:
    flowing = reading(("o", 0, 1), ("p", 60, 2), ("c", 120, 2))
    flowing.moments[0].xpointer = "/body/DocFragment[1]/body/p[1]/text().0"
    assert only(sessions(flowing, koreaders_rules(120))).duration_s == 120
    fixed = reading(("o", 0, 1), ("p", 60, 2), ("c", 120, 2))
    assert only(sessions(fixed, koreaders_rules(120))).duration_s == 60


moments = st.lists(
    st.tuples(
        st.sampled_from("oppppsrc"), st.integers(-100_000, 100_000), st.integers(-50_000, 50_000), st.integers(0, 9)
    ),
    max_size=30,
)


@given(moments)
def test_no_clocks_however_wild_make_sessions_overlap_or_invent_time(steps: list[tuple[str, int, int, int]]) -> None:
    wild = Reading(Book("/b.epub", "epub", "B", [], [], None, None))
    wall, monotonic, forward_ms = NOON, 1_000_000, 0
    for letter, wall_step, monotonic_step, page in steps:
        wall = max(wall + wall_step, 0)
        monotonic = max(monotonic + monotonic_step * 1000, 0)
        forward_ms += max(wall_step, 0) * 1000 + max(monotonic_step, 0) * 1000
        wild.moments.append(Moment(EVENTS[letter], wall, monotonic, page or None, 9 if page else None))
    found = sessions(wild, Rules(min_duration_s=1, min_pages=0))
    for earlier, later in itertools.pairwise(found):
        assert earlier.ended_at <= later.started_at
    for session in found:
        assert 0 < session.duration_s <= session.ended_at - session.started_at
    assert sum(session.duration_s for session in found) * 1000 <= forward_ms
