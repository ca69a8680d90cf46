"""KOReader's page records into sessions: which count, how they are grouped, and that doing it again changes nothing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.core import history, journal
from device.core.history import Grouping, Sitting, Taken, Tally, is_possible, session, wall_stretches
from device.core.journal import Moment
from device.core.reading_session import ReadingSession, Rules
from tests.soak import bounded

NOON = 1_795_000_000
GAP_S = 1_800
LATER = NOON + 10 * 86_400  # long after everything
RULES = Rules()
MOBY, EMMA = 1, 2

Span = tuple[int, int]
Record = tuple[int, int, int, int]  # start, duration, book, page
Stored = dict[Span, tuple[int, int, int]]  # span → book, duration, pages read


def group(
    records: list[Record],
    taken: list[Span] | None = None,
    horizon: int = LATER,
    untracked: tuple[int, ...] = (),
    gap_s: int = GAP_S,
) -> tuple[list[Sitting], list[str]]:
    """The complete sittings of records, and what each record was found to be."""
    grouping = Grouping(gap_s, Taken([iter(sorted(taken or []))]), horizon)
    verdicts = [
        grouping.add(book, page, start, duration, 100, book not in untracked)
        for start, duration, book, page in sorted(records)
    ]
    grouping.finish()
    return grouping.complete, verdicts


def pages(
    start: int, count: int, book: int = MOBY, seconds: int = 60, first_page: int = 1, step: int = 1
) -> list[Record]:
    return [(start + n * seconds, seconds, book, first_page + n * step) for n in range(count)]


def spans(sittings: list[Sitting]) -> list[Span]:
    return [(sitting.started_at - NOON, sitting.ended_at - NOON) for sitting in sittings]


def test_an_evening_is_one_session_and_its_last_page_is_part_of_it() -> None:
    (sitting,), verdicts = group(pages(NOON, 10))
    found = session(sitting, RULES)
    assert found is not None
    assert (found.started_at, found.ended_at, found.duration_s) == (NOON, NOON + 600, 600)
    assert (found.start_page, found.end_page, found.pages_read) == (1, 10, 10)
    assert (found.start_fraction, found.end_fraction) == (0.01, 0.1)
    assert set(verdicts) == {history.KEPT}


def test_a_pause_counts_from_the_end_of_a_page_to_the_beginning_of_the_next() -> None:
    long_page = [(NOON, 1_000, MOBY, 1), (NOON + 1_000 + GAP_S, 60, MOBY, 2)]
    assert len(group(long_page)[0]) == 1
    longer_pause = [(NOON, 1_000, MOBY, 1), (NOON + 1_001 + GAP_S, 60, MOBY, 2)]
    assert len(group(longer_pause)[0]) == 2


def test_the_pause_within_a_session_is_not_time_read() -> None:
    (sitting,), _ = group([*pages(NOON, 5), *pages(NOON + 1_500, 5)])
    assert (sitting.ended_at - sitting.started_at, sitting.read_s) == (1_800, 600)


def test_reading_backwards_and_again_is_kept_and_a_page_counts_once() -> None:
    (sitting,), _ = group([*pages(NOON, 5, first_page=50, step=-1), *pages(NOON + 300, 3, first_page=47)])
    found = session(sitting, RULES)
    assert found is not None
    assert (found.start_page, found.end_page, found.pages_read, found.duration_s) == (50, 49, 5, 480)


def test_another_book_ends_the_session_so_that_none_spans_the_other() -> None:
    records = [*pages(NOON, 3), *pages(NOON + 180, 3, EMMA), *pages(NOON + 360, 3)]
    assert spans(group(records)[0]) == [(0, 180), (180, 360), (360, 540)]


def test_what_shares_time_with_a_session_in_the_store_is_left_out() -> None:
    sittings, verdicts = group(pages(NOON, 10), taken=[(NOON + 90, NOON + 200)])
    assert verdicts.count(history.RECORDED) == 3  # the pages from 60, from 120 and from 180 on
    assert spans(sittings) == [(0, 60), (240, 600)]


def test_a_recorded_session_in_a_pause_splits_although_no_page_shares_its_time() -> None:
    records = [*pages(NOON, 3), *pages(NOON + 600, 3)]
    assert spans(group(records)[0]) == [(0, 780)]
    assert spans(group(records, taken=[(NOON + 200, NOON + 300)])[0]) == [(0, 180), (600, 780)]


def test_touching_a_recorded_session_is_not_sharing_time_with_it() -> None:
    sittings, _ = group(pages(NOON, 2), taken=[(NOON - 60, NOON), (NOON + 120, NOON + 180)])
    assert spans(sittings) == [(0, 120)]


def test_recorded_sessions_that_overlap_one_another_hide_nothing() -> None:
    # The shorter one begins later and ends earlier.
    _, verdicts = group(pages(NOON, 10), taken=[(NOON, NOON + 600), (NOON + 60, NOON + 70)])
    assert verdicts == [history.RECORDED] * 10


def test_time_that_is_taken_may_come_from_several_sources() -> None:
    taken = Taken([iter([(0, 10), (50, 60)]), iter([(20, 30)])])
    assert [taken.shares(at, at + 5) for at in range(0, 70, 10)] == [True, False, True, False, False, True, False]


def test_time_that_an_earlier_longer_question_met_is_not_met_by_a_shorter_one() -> None:
    taken = Taken([iter([(50, 60)])])
    assert taken.shares(0, 55)
    assert not taken.shares(10, 50)


def test_two_pages_at_once_are_a_wrong_clock_and_the_first_is_believed() -> None:
    sittings, verdicts = group([(NOON, 600, MOBY, 1), (NOON + 300, 600, EMMA, 1)])
    assert verdicts == [history.KEPT, history.AT_ONCE]
    assert spans(sittings) == [(0, 600)]


def test_an_untracked_book_is_left_out_and_still_ends_the_session_of_another() -> None:
    records = [*pages(NOON, 3), *pages(NOON + 180, 3, EMMA), *pages(NOON + 360, 3)]
    sittings, verdicts = group(records, untracked=(EMMA,))
    assert verdicts.count(history.UNTRACKED) == 3
    assert spans(sittings) == [(0, 180), (360, 540)]


def test_what_ends_behind_the_horizon_is_left_for_later() -> None:
    sittings, verdicts = group(pages(NOON, 5), horizon=NOON + 150)
    assert verdicts == [history.KEPT] * 2 + [history.UNFINISHED] * 3
    assert sittings == []


def test_the_last_session_waits_until_it_cannot_grow_any_more() -> None:
    assert group(pages(NOON, 5), horizon=NOON + 300 + GAP_S)[0] == []
    assert spans(group(pages(NOON, 5), horizon=NOON + 301 + GAP_S)[0]) == [(0, 300)]


def test_an_earlier_session_of_that_time_does_not_wait() -> None:
    records = [*pages(NOON, 3), *pages(NOON + 180, 3, EMMA)]
    assert spans(group(records, horizon=NOON + 400)[0]) == [(0, 180)]


def test_a_session_with_more_pages_than_a_journal_has_lines_is_split() -> None:
    records = [(NOON + n, 1, MOBY, n + 1) for n in range(history.SESSION_PAGES_MAX + 2)]
    assert [len(sitting.seen_s) for sitting in group(records)[0]] == [history.SESSION_PAGES_MAX, 2]


@pytest.mark.parametrize(
    ("rules", "is_one"),
    [
        (Rules(), True),
        (Rules(min_duration_s=121), False),
        (Rules(min_pages=2), True),
        (Rules(min_pages=3), False),
        (Rules(page_seen_s=61), False),
    ],
)
def test_a_session_has_to_be_as_long_as_a_live_one(rules: Rules, is_one: bool) -> None:
    (sitting,), _ = group(pages(NOON, 2))
    assert (session(sitting, rules) is not None) == is_one


def test_a_book_without_a_number_of_pages_has_no_progress() -> None:
    for unknown in (None, 0):
        found = session(Sitting(MOBY, 7, NOON, 60, unknown), RULES)
        assert found is not None
        assert (found.start_page, found.start_fraction, found.end_fraction) == (7, None, None)


def test_a_page_behind_the_last_is_the_end_of_the_book() -> None:
    found = session(Sitting(MOBY, 7, NOON, 60, 5), RULES)
    assert found is not None
    assert found.start_fraction == 1.0


@pytest.mark.parametrize(
    ("page", "start", "duration", "pages_of_book"),
    [
        (-1, NOON, 60, 100),
        (-1, NOON, 60, 100),
        (1, 0, 60, 100),
        (1, 1_262_303_999, 60, 100),
        (1, NOON + 1, 60, 100),
        (1, NOON, 0, 100),
        (1, NOON, -5, 100),
        (1, NOON, 86_401, 100),
        (1, NOON, 60, -1),
        ("1", NOON, 60, 100),
        (1, "yesterday", 60, 100),
        (1, NOON, b"60", 100),
        (1, NOON, 60, "many"),
        (1.5, NOON, 60, 100),
        (None, NOON, 60, 100),
        (2**62, NOON, 60, 100),
    ],
)
def test_numbers_that_cannot_be_true_are_recognised(
    page: object, start: object, duration: object, pages_of_book: object
) -> None:
    assert not is_possible(page, start, duration, pages_of_book, NOON)


def test_numbers_that_can_be_true_are_taken() -> None:
    assert is_possible(1, NOON, 60, 100, NOON)
    assert is_possible(1, 1_262_304_000, 86_400, None, NOON)


def test_a_run_that_stops_goes_on_at_the_sitting_that_is_open() -> None:
    grouping = Grouping(GAP_S, Taken([]), LATER)
    assert grouping.resume_at(NOON) == NOON
    for start, duration, book, page in pages(NOON, 3):
        grouping.add(book, page, start, duration, 100, True)
    assert grouping.resume_at(NOON + 120) == NOON


@pytest.mark.parametrize(
    ("walls", "monotonic", "expected"),
    [
        ([], [], []),
        ([5], [0], [(5, 6)]),
        ([5, 9, 20], [0, 4, 15], [(5, 21)]),
        ([5, 9, 5_000, 5_010], [0, 4, 8, 18], [(5, 10), (5_000, 5_011)]),
        ([5_000, 5_010, 7, 9], [0, 10, 20, 22], [(5_000, 5_011), (7, 10)]),
        ([50, 45, 60], [0, 3, 18], [(50, 51), (45, 61)]),  # set back by less than counts as a jump
    ],
)
def test_what_the_wall_clock_showed_leaves_out_what_it_jumped_over(
    walls: list[int], monotonic: list[int], expected: list[Span]
) -> None:
    moments = [Moment(journal.PAGE, wall, at * 1000, 1, 100) for wall, at in zip(walls, monotonic, strict=True)]
    assert wall_stretches(moments) == expected


def test_a_page_without_a_number_counts_and_has_no_place_in_the_book() -> None:
    assert is_possible(0, NOON, 60, 100, NOON)
    found = session(Sitting(MOBY, 0, NOON, 60, 100), RULES)
    assert found is not None
    assert (found.duration_s, found.start_page, found.start_fraction) == (60, None, None)


def test_a_journal_begins_with_its_first_line_whose_clock_was_set() -> None:
    assert history.began_at([b'{"t":0}', b'{"t":1795000000}', b'{"t":1795000001}']) == NOON
    assert history.began_at([b'{"t":3}', b"{broken", b'{"t":1795000001}']) is None
    assert history.began_at([]) is None


def test_the_sum_over_books_spans_them_all() -> None:
    first, second, total = Tally(), Tally(), Tally()
    for tally, start in ((second, NOON + 9_000), (first, NOON)):
        found = session(Sitting(MOBY, 1, start, 60, 100), RULES)
        assert found is not None
        tally.count(found)
        tally.leave_out(history.TOO_SHORT, 1, 5)
        total.add(tally)
    total.add(Tally())
    assert (total.sessions, total.duration_s, total.pages) == (2, 120, 2)
    assert (total.first_at, total.last_at) == (NOON, NOON + 9_060)
    assert total.left_out == {history.TOO_SHORT: (2, 10)}


# What follows plays the whole import, with a store that is only a table of spans.

minute = st.integers(0, 240)
record = st.tuples(
    st.builds(lambda at, off: NOON + at * 60 + off, minute, st.integers(-3, 3)),
    st.sampled_from([1, 5, 20, 60, 61, 119, 600, 4_000]),
    st.sampled_from([MOBY, EMMA]),
    st.integers(1, 6),
)
known_records = st.lists(record, min_size=1, max_size=40, unique_by=lambda one: (one[2], one[3], one[0]))
live_sessions = st.lists(
    st.builds(lambda at, length: (NOON + at * 60, NOON + at * 60 + length), minute, st.integers(1, 3_000)), max_size=3
)
gaps = st.sampled_from([60, GAP_S, 7_200])
TRIES = bounded(300, 20_000)


def run_import(
    records: list[Record], stored: Stored, live: list[Span], horizon: int, gap_s: int, stop_after: int | None = None
) -> None:
    """One import into `stored`; one that is killed after so many records has stored what was complete by then."""
    grouping = Grouping(gap_s, Taken([iter(sorted(stored)), iter(sorted(live))]), horizon)
    in_order = sorted(records, key=lambda one: (one[0], records.index(one)))
    for start, duration, book, page in in_order[:stop_after]:
        grouping.add(book, page, start, duration, 100, True)
    if stop_after is None:
        grouping.finish()
    for sitting in grouping.complete:
        found = session(sitting, RULES)
        if found is not None:
            assert (found.started_at, found.ended_at) not in stored
            stored[found.started_at, found.ended_at] = (sitting.book, found.duration_s, found.pages_read)


def assert_nothing_overlaps(stored: Stored, live: list[Span]) -> None:
    ours = sorted(stored)
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(ours))
    assert not any(start < to and begin < end for start, end in ours for begin, to in live)


def assert_nothing_counts_twice(records: list[Record], stored: Stored) -> None:
    """Each session's time is that of records within it; as no two share time, no record is in two of them."""
    for (start, end), (book, duration, read) in stored.items():
        within = [one for one in records if one[2] == book and start <= one[0] and one[0] + one[1] <= end]
        assert RULES.min_duration_s <= duration <= sum(one[1] for one in within)
        assert duration <= end - start
        assert read <= len({one[3] for one in within})


@settings(max_examples=TRIES)
@given(known_records, live_sessions, gaps, st.data())
def test_instalments_in_any_order_double_nothing_and_overlap_nothing(
    records: list[Record], live: list[Span], gap_s: int, data: st.DataObject
) -> None:
    stored: Stored = {}
    arriving = data.draw(st.permutations(records))
    while arriving:
        count = data.draw(st.integers(1, len(arriving)))
        arriving = arriving[count:]
        here = [one for one in records if one not in arriving]
        horizon = data.draw(st.sampled_from([LATER, NOON + 5_000, NOON + 12_000]))
        run_import(here, stored, live, horizon, gap_s)
        assert_nothing_overlaps(stored, live)
        assert_nothing_counts_twice(records, stored)
        before = dict(stored)
        run_import(here, stored, live, horizon, gap_s)
        assert stored == before


@settings(max_examples=TRIES)
@given(known_records, live_sessions, gaps, st.lists(st.integers(0, 40), max_size=4))
def test_an_import_that_was_killed_and_begun_again_stores_the_same(
    records: list[Record], live: list[Span], gap_s: int, kills: list[int]
) -> None:
    at_once: Stored = {}
    run_import(records, at_once, live, LATER, gap_s)
    in_pieces: Stored = {}
    for stop_after in kills:
        run_import(records, in_pieces, live, LATER, gap_s, stop_after)
    run_import(records, in_pieces, live, LATER, gap_s)
    assert in_pieces == at_once


@settings(max_examples=TRIES)
@given(known_records, gaps)
def test_every_second_is_in_a_session_or_was_left_out_for_a_reason(records: list[Record], gap_s: int) -> None:
    sittings, verdicts = group(records, gap_s=gap_s)
    kept = sum(one[1] for one, verdict in zip(sorted(records), verdicts, strict=True) if verdict == history.KEPT)
    found: list[ReadingSession | None] = [session(sitting, RULES) for sitting in sittings]
    too_short = sum(sitting.read_s for sitting, one in zip(sittings, found, strict=True) if one is None)
    assert sum(one.duration_s for one in found if one is not None) + too_short == kept
    assert set(verdicts) <= {history.KEPT, history.AT_ONCE}


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=12),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20))),
)
def test_taken_time_is_found_as_by_looking_at_all_of_it(
    lengths: list[tuple[int, int]], questions: list[tuple[int, int]]
) -> None:
    spans = sorted((start, start + length) for start, length in lengths)
    taken = Taken([iter(spans[::2]), iter(spans[1::2])])
    for start, length in sorted(questions):
        expected = any(begin < start + length and start < end for begin, end in spans)
        assert taken.shares(start, start + length) == expected
